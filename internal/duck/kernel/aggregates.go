package kernel

// aggregates is the table of the kinds that are aggregate functions.
func aggregates() map[string]aggregateMaker {
	return map[string]aggregateMaker{
		"approx_count_distinct":  approxCountDistinct,
		"approx_top_k":           topKAgg,
		"approx_top_k_combine":   topKCombine,
		"bitmap_and_agg":         bitmapAgg(bitmapAnd),
		"bitmap_construct_agg":   bitmapAgg(bitmapSet),
		"bitmap_or_agg":          bitmapAgg(bitmapOr),
		"count_min_sketch":       countMinAgg,
		"histogram_numeric":      histogramAgg,
		"hll_sketch_agg":         hllAgg,
		"hll_union_agg":          hllUnionAgg,
		"kll_merge_agg":          kllMergeAgg,
		"kll_sketch_agg":         kllAgg,
		"moments":                momentsAgg,
		"percentile":             percentileAgg,
		"theta_intersection_agg": thetaIntersectionAgg,
		"theta_sketch_agg":       thetaAgg,
		"theta_union_agg":        thetaUnionAgg,
		"tuple_intersection_agg": tupleIntersectionAgg,
		"tuple_sketch_agg":       tupleAgg,
		"tuple_union_agg":        tupleUnionAgg,
		"vector_avg":             vectorAgg(true),
		"vector_sum":             vectorAgg(false),
	}
}
