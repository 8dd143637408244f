package dml

import (
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// IdentityRule reads a column's numbering, nil where it has none.
func IdentityRule(f arrow.Field) *plan.IdentityRule {
	id, ok := delta.IdentityOf(f)
	if !ok {
		return nil
	}
	return &plan.IdentityRule{Start: id.Start, Step: id.Step, High: id.High, Explicit: id.ByDefault}
}

// numbering gives out the numbers of an identity column.
type numbering struct{ *delta.Numbering }

// fill numbers the new rows of a column; the caller releases the array.
func (n *numbering) fill(a arrow.Array, acts []delta.RowAction) (arrow.Array, error) {
	old, ok := a.(*array.Int64)
	if !ok {
		return nil, fmt.Errorf("dml: an identity column is %s", a.DataType())
	}
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.Reserve(old.Len())
	for i := range old.Len() {
		fresh := acts == nil || acts[i] == delta.RowInserted
		switch {
		case fresh && old.IsNull(i):
			next, err := n.Next()
			if err != nil {
				return nil, err
			}
			b.UnsafeAppend(next)
		case old.IsNull(i):
			b.AppendNull()
		default:
			b.UnsafeAppend(old.Value(i))
		}
	}
	return b.NewArray(), nil
}

// numbered is what the rows were given, by column; nil for nothing.
func (s *sink) numbered() map[string]delta.IdentityRange {
	if s == nil {
		return nil
	}
	out := map[string]delta.IdentityRange{}
	for i, n := range s.number {
		if n == nil {
			continue
		}
		if r, ok := n.Range(); ok {
			out[s.schema.Field(i).Name] = r
		}
	}
	return out
}

// WithMeta is m with key set to value, or without it where value is "".
func WithMeta(m arrow.Metadata, key, value string) arrow.Metadata {
	var keys, values []string
	for i, k := range m.Keys() {
		if k != key {
			keys, values = append(keys, k), append(values, m.Values()[i])
		}
	}
	if value != "" {
		keys, values = append(keys, key), append(values, value)
	}
	return arrow.NewMetadata(keys, values)
}
