package query

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/internal/sparksql/types"
)

// jsonResult is a small result made here of rows by column name: strings,
// numbers, booleans, nil for NULL, times as their text in UTC, structs as maps,
// arrays as slices, maps as pairs.
func jsonResult(fields []types.Field, rows ...map[string]any) (*Result, error) {
	res := &Result{}
	for _, f := range fields {
		res.Columns = append(res.Columns, Column{f.Name, f.Type, f.Nullable})
	}
	af, err := types.ArrowFields(fields)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	if rows == nil {
		rows = []map[string]any{}
	}
	if err := json.NewEncoder(&text).Encode(rows); err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	rec, _, err := array.RecordFromJSON(memory.DefaultAllocator, arrow.NewSchema(af, nil), &text)
	if err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	res.rows = &oneBatch{rec: rec}
	return res, nil
}

// pair is an entry of a map.
type pair struct {
	Key   string `json:"key"`
	Value any    `json:"value"`
}

// entries are a map's entries by key; nil is NULL.
func entries(m map[string]string) any {
	if m == nil {
		return nil
	}
	out := []pair{}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		var v any = m[k]
		out = append(out, pair{k, v})
	}
	return out
}

// orNull is s, NULL where it is empty.
func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}
