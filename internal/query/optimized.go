package query

import (
	"runtime"
	"strconv"
	"time"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// nested is a nullable field of a STRUCT.
func nested(name string, fields ...[]types.Field) types.Field {
	var all []types.Field
	for _, f := range fields {
		all = append(all, f...)
	}
	return types.Field{Name: name, Type: types.Struct{Fields: all}, Nullable: true}
}

func bigints(names ...string) []types.Field { return nullables(names, types.BigInt) }

// optimizeMetrics are the columns of OPTIMIZE's metrics, as Delta has them.
func optimizeMetrics() []types.Field {
	sizes := func(name string) types.Field {
		return nested(name, bigints("min", "max"), nullables([]string{"avg"}, types.Double), bigints("totalFiles", "totalSize"))
	}
	cube := func(name string) types.Field { return nested(name, bigints("num", "size")) }
	files := func(name string) types.Field { return nested(name, bigints("numFiles", "size")) }
	one := func(f ...types.Field) []types.Field { return f }
	var out []types.Field
	for _, f := range [][]types.Field{
		bigints("numFilesAdded", "numFilesRemoved"), one(sizes("filesAdded"), sizes("filesRemoved")), bigints("partitionsOptimized"),
		one(nested("zOrderStats", nullables([]string{"strategyName"}, types.String), one(cube("inputCubeFiles"), cube("inputOtherFiles")),
			bigints("inputNumCubes"), one(cube("mergedFiles")), bigints("numOutputCubes", "mergedNumCubes"))),
		one(nested("clusteringStats", one(files("inputZCubeFiles"), files("inputOtherFiles")), bigints("inputNumZCubes"),
			one(files("mergedFiles")), bigints("numOutputZCubes"))),
		bigints("numBins", "numBatches", "totalConsideredFiles", "totalFilesSkipped"), nullables([]string{"preserveInsertionOrder"}, types.Boolean),
		bigints("numFilesSkippedToReduceWriteAmplification", "numBytesSkippedToReduceWriteAmplification", "startTimeMs", "endTimeMs",
			"totalClusterParallelism", "totalScheduledTasks"),
		one(nested("autoCompactParallelismStats", bigints("maxClusterActiveParallelism", "minClusterActiveParallelism",
			"maxSessionActiveParallelism", "minSessionActiveParallelism"))),
		one(nested("deletionVectorStats", bigints("numDeletionVectorsRemoved", "numDeletionVectorRowsRemoved"))),
		bigints("numTableColumns", "numTableColumnsWithStats"),
	} {
		out = append(out, f...)
	}
	return out
}

// optimized is the result of OPTIMIZE.
func (e *Engine) optimized(t *delta.Table, st *plan.Optimize, o delta.OptimizeResult, begun time.Time) (*Result, error) {
	columns, counted := len(st.Target.Columns), 32
	if n, err := strconv.Atoi(st.Target.Rules.Properties["delta.dataSkippingNumIndexedCols"]); err == nil && n >= 0 {
		counted = n
	}
	m := map[string]any{
		"numFilesAdded": len(o.Added), "numFilesRemoved": len(o.Removed), "filesAdded": fileSizes(o.Added), "filesRemoved": fileSizes(o.Removed),
		"partitionsOptimized": o.Partitions, "numBins": o.Bins, "numBatches": max(o.Commits, 1), "totalConsideredFiles": o.Considered,
		"totalFilesSkipped": o.Considered - len(o.Removed), "preserveInsertionOrder": false,
		"numFilesSkippedToReduceWriteAmplification": 0, "numBytesSkippedToReduceWriteAmplification": 0,
		"startTimeMs": begun.UnixMilli(), "endTimeMs": time.Now().UnixMilli(), "totalClusterParallelism": runtime.GOMAXPROCS(0), "totalScheduledTasks": 0,
		"numTableColumns": columns, "numTableColumnsWithStats": min(columns, counted),
	}
	if len(st.ZOrder) > 0 {
		all := delta.FileCount{Files: len(o.Removed)}
		for _, a := range o.Removed {
			all.Bytes += a.Size
		}
		cube := func(c delta.FileCount) map[string]any { return map[string]any{"num": c.Files, "size": c.Bytes} }
		m["zOrderStats"] = map[string]any{
			"strategyName": "all", "inputCubeFiles": cube(delta.FileCount{}), "inputOtherFiles": cube(all), "inputNumCubes": 0,
			"mergedFiles": cube(all), "numOutputCubes": o.Partitions,
		}
	}
	if o.ClusterBy != nil {
		files := func(c delta.FileCount) map[string]any { return map[string]any{"numFiles": c.Files, "size": c.Bytes} }
		m["clusteringStats"] = map[string]any{
			"inputZCubeFiles": files(o.Cubes.Cubed), "inputOtherFiles": files(o.Cubes.Other), "inputNumZCubes": o.Cubes.Before,
			"mergedFiles": files(o.Cubes.Merged), "numOutputZCubes": o.Cubes.After,
		}
	}
	var vectors, rows int64
	for _, a := range o.Removed {
		if a.DeletionVector != nil {
			vectors++
			rows += a.DeletionVector.Cardinality
		}
	}
	if vectors > 0 {
		m["deletionVectorStats"] = map[string]any{"numDeletionVectorsRemoved": vectors, "numDeletionVectorRowsRemoved": rows}
	}
	return jsonResult([]types.Field{{Name: "path", Type: types.String, Nullable: true}, nested("metrics", optimizeMetrics())},
		map[string]any{"path": e.cfg.Tables.Location(t), "metrics": m})
}

// fileSizes are the extremes of files' sizes.
func fileSizes(files []delta.Add) map[string]any {
	out := map[string]any{"totalFiles": len(files), "totalSize": 0, "avg": 0.0}
	var least, most, sum int64
	for i, f := range files {
		if i == 0 || f.Size < least {
			least = f.Size
		}
		most = max(most, f.Size)
		sum += f.Size
	}
	if len(files) > 0 {
		out["min"], out["max"], out["avg"], out["totalSize"] = least, most, float64(sum)/float64(len(files)), sum
	}
	return out
}
