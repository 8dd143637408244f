package checkpoint

import (
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/marisma/marisma/delta/internal/action"
)

// row is a place in a struct column; absent members read as zero values.
type row struct {
	st *array.Struct
	i  int
}

func (r row) at(name string) arrow.Array {
	i, ok := r.st.DataType().(*arrow.StructType).FieldIdx(name)
	if !ok {
		return nil
	}
	return r.st.Field(i)
}

func (r row) text(name string) string             { return textOf(r.at(name), r.i) }
func (r row) long(name string) int64              { return longOf(r.at(name), r.i) }
func (r row) boolean(name string) bool            { return boolOf(r.at(name), r.i) }
func (r row) words(name string) map[string]string { return mapOf(r.at(name), r.i) }

func (r row) list(name string) []string {
	l, ok := r.at(name).(*array.List)
	if !ok || l.IsNull(r.i) {
		return nil
	}
	from, to := l.ValueOffsets(r.i)
	out := make([]string, 0, to-from)
	for j := int(from); j < int(to); j++ {
		out = append(out, textOf(l.ListValues(), j))
	}
	return out
}

// rawText is valid as long as the array.
func rawText(a arrow.Array, i int) string {
	if a == nil || a.IsNull(i) {
		return ""
	}
	switch a := a.(type) {
	case *array.String:
		return a.Value(i)
	case *array.LargeString:
		return a.Value(i)
	case *array.Binary:
		return string(a.Value(i))
	}
	return ""
}

func textOf(a arrow.Array, i int) string { return strings.Clone(rawText(a, i)) }

func longOf(a arrow.Array, i int) int64 {
	if a == nil || a.IsNull(i) {
		return 0
	}
	switch a := a.(type) {
	case *array.Int64:
		return a.Value(i)
	case *array.Int32:
		return int64(a.Value(i))
	}
	return 0
}

func optOf(a arrow.Array, i int) *int64 {
	if a == nil || a.IsNull(i) {
		return nil
	}
	n := longOf(a, i)
	return &n
}

func boolOf(a arrow.Array, i int) bool {
	b, ok := a.(*array.Boolean)
	return ok && b.IsValid(i) && b.Value(i)
}

func mapOf(a arrow.Array, i int) map[string]string {
	m, ok := a.(*array.Map)
	if !ok || m.IsNull(i) {
		return nil
	}
	from, to := m.ValueOffsets(i)
	out := make(map[string]string, to-from)
	for j := int(from); j < int(to); j++ {
		out[textOf(m.Keys(), j)] = textOf(m.Items(), j)
	}
	return out
}

func vectorOf(a arrow.Array, i int) *action.DeletionVector {
	st, ok := a.(*array.Struct)
	if !ok || st.IsNull(i) {
		return nil
	}
	r := row{st: st, i: i}
	v := &action.DeletionVector{
		StorageType: r.text("storageType"), PathOrInlineDv: r.text("pathOrInlineDv"),
		SizeInBytes: int32(r.long("sizeInBytes")), Cardinality: r.long("cardinality"),
	}
	if off := r.at("offset"); off != nil && off.IsValid(i) {
		n := int32(longOf(off, i))
		v.Offset = &n
	}
	return v
}
