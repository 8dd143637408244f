package analyze

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/types"
)

// widen lets an evolving write widen a column's type, and add fields to a struct.
func (in *inserter) widen(i int, from types.Type) {
	if !in.evolve {
		return
	}
	t := in.schema[i].Type
	merged := mergeFields(t, from)
	if strings.EqualFold(in.t.src.Rules.Properties["delta.enableTypeWidening"], "true") && widens(t, from) {
		merged = from
	}
	if !types.Equal(merged, t) {
		in.schema = slices.Clone(in.schema)
		in.schema[i].Type = merged
	}
}

// mergeFields adds the fields of from that t lacks, at the end, also those of
// structs in arrays and maps.
func mergeFields(t, from types.Type) types.Type {
	switch a := t.(type) {
	case types.Array:
		if b, ok := from.(types.Array); ok {
			a.Elem = mergeFields(a.Elem, b.Elem)
		}
		return a
	case types.Map:
		if b, ok := from.(types.Map); ok {
			a.Key, a.Value = mergeFields(a.Key, b.Key), mergeFields(a.Value, b.Value)
		}
		return a
	case types.Struct:
		b, ok := from.(types.Struct)
		if !ok {
			return t
		}
		out := types.Struct{Fields: slices.Clone(a.Fields)}
		for _, f := range b.Fields {
			if i := fieldAt(out.Fields, f.Name); i >= 0 {
				out.Fields[i].Type = mergeFields(out.Fields[i].Type, f.Type)
				continue
			}
			f.Nullable = true
			out.Fields = append(out.Fields, f)
		}
		return out
	}
	return t
}

// mergeable tells whether values of a type can have a place in columns of
// another, whose fields may become more.
func mergeable(t, from types.Type) bool {
	switch a := t.(type) {
	case types.Array:
		b, ok := from.(types.Array)
		return from == types.Void || ok && mergeable(a.Elem, b.Elem)
	case types.Map:
		b, ok := from.(types.Map)
		return from == types.Void || ok && mergeable(a.Key, b.Key) && mergeable(a.Value, b.Value)
	case types.Struct:
		b, ok := from.(types.Struct)
		if !ok {
			return from == types.Void
		}
		for _, f := range b.Fields {
			if i := fieldAt(a.Fields, f.Name); i >= 0 && !mergeable(a.Fields[i].Type, f.Type) {
				return false
			}
		}
		return true
	}
	switch from.(type) {
	case types.Array, types.Map, types.Struct:
		return false
	}
	return true
}

// widens tells whether a column of type t may become one of type to without
// its files being written anew.
func widens(t, to types.Type) bool {
	switch {
	case types.IsIntegral(t) && types.IsIntegral(to):
		return t.(types.Primitive) < to.(types.Primitive)
	case to == types.Double:
		return t == types.Float || types.IsIntegral(t) && t != types.BigInt
	}
	d, ok := to.(types.Decimal)
	if !ok {
		return false
	}
	if f, ok := t.(types.Decimal); ok {
		return d.Scale >= f.Scale && d.Precision-d.Scale >= f.Precision-f.Scale && d != f
	}
	whole := d.Precision - d.Scale
	return t == types.BigInt && whole >= 20 || types.IsIntegral(t) && t != types.BigInt && whole >= 10
}
