package dml

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// Field metadata of columns that the table numbers; values are JSON.
const (
	identityStart    = "json:delta.identity.start"
	identityStep     = "json:delta.identity.step"
	identityHigh     = "json:delta.identity.highWaterMark"
	identityExplicit = "json:delta.identity.allowExplicitInsert"
)

// numbering gives out the numbers of an identity column.
type numbering struct {
	next, step int64
	used       bool
	last       int64
}

func metaInt(f arrow.Field, key string) (int64, bool) {
	v, ok := f.Metadata.GetValue(key)
	if !ok {
		return 0, false
	}
	n, err := strconv.ParseInt(v, 10, 64)
	return n, err == nil
}

// IdentityRule reads a column's numbering, nil where it has none.
func IdentityRule(f arrow.Field) *plan.IdentityRule {
	start, ok := metaInt(f, identityStart)
	if !ok {
		return nil
	}
	step, _ := metaInt(f, identityStep)
	r := &plan.IdentityRule{Start: start, Step: step}
	if high, ok := metaInt(f, identityHigh); ok {
		r.High = &high
	}
	if v, ok := f.Metadata.GetValue(identityExplicit); ok {
		_ = json.Unmarshal([]byte(v), &r.Explicit) // anything but true is false
	}
	return r
}

func numberingOf(f arrow.Field) *numbering {
	r := IdentityRule(f)
	if r == nil {
		return nil
	}
	n := &numbering{next: r.Start, step: r.Step}
	if r.High != nil {
		n.next = *r.High + r.Step
	}
	return n
}

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
			b.UnsafeAppend(n.next)
			n.last, n.used = n.next, true
			n.next += n.step
		case old.IsNull(i):
			b.AppendNull()
		default:
			b.UnsafeAppend(old.Value(i))
		}
	}
	return b.NewArray(), nil
}

// numbered is the schema with the last numbers given out, nil where none were.
func (s *sink) numbered() *arrow.Schema {
	if s == nil {
		return nil
	}
	fields := s.schema.Fields()
	out := make([]arrow.Field, len(fields))
	copy(out, fields)
	changed := false
	for i, n := range s.number {
		if n == nil || !n.used {
			continue
		}
		changed = true
		out[i].Metadata = WithMeta(out[i].Metadata, identityHigh, strconv.FormatInt(n.last, 10))
	}
	if !changed {
		return nil
	}
	return arrow.NewSchema(out, nil)
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
