package delta

import (
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/scalar"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/schema"
	"github.com/marisma/marisma/delta/internal/stats"
)

// HiveFolder is the path of a partition's folder, column=value for each of
// columns, as Hive, Spark and this package name them; an empty value is NULL.
func HiveFolder(columns []string, values map[string]string) string {
	return folder(columns, Values(values))
}

// HiveValues are the partition columns and values that the folders of a
// slash-separated path name, in their order; NULL is an empty value.
func HiveValues(path string) (columns []string, values map[string]string) {
	values = map[string]string{}
	parts := strings.Split(path, "/")
	for _, p := range parts[:len(parts)-1] {
		k, v, ok := strings.Cut(p, "=")
		if !ok || k == "" {
			continue
		}
		k, v = unescaped(k), unescaped(v)
		if v == hiveNull {
			v = ""
		}
		columns = append(columns, k)
		values[k] = v
	}
	return columns, values
}

// PartitionScalar reads the text of a partition value of type t; an empty one is
// not valid, which is NULL.
func PartitionScalar(t arrow.DataType, text string) (scalar.Scalar, error) {
	v, err := partitionScalar(t, text)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchemaMismatch, err)
	}
	return v, nil
}

// PartitionFilter tells which partitions, by the texts of their values, may hold
// rows that fulfil all predicates; predicates over other columns do not count.
func PartitionFilter(columns []arrow.Field, preds []Predicate) (func(values map[string]string) bool, error) {
	s := arrow.NewSchema(columns, nil)
	names := map[string]bool{}
	for _, f := range columns {
		names[strings.ToLower(f.Name)] = true
	}
	preds = slices.DeleteFunc(slices.Clone(preds), func(p Predicate) bool { return !names[strings.ToLower(p.Column)] })
	part := make([]string, 0, len(columns))
	for _, f := range columns {
		part = append(part, f.Name)
	}
	f, err := stats.Compile(s, schema.Unmapped, part, preds)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchemaMismatch, err)
	}
	return func(values map[string]string) bool { return f.Partition(action.Values(values)) }, nil
}
