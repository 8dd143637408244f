package kernel

import (
	"encoding/base64"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
	"github.com/marisma/marisma/internal/jsonarrow"
	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// tree is a vector of any type with its children opened, for reading values
// one by one. The vectors must be flat at every level.
type tree struct {
	typ  *vector.Type
	vec  vector.Vec
	kids []tree
}

func openTree(v vector.Vec, t *vector.Type) tree {
	n := tree{typ: t, vec: v}
	switch t.ID {
	case duckdb.TypeStruct:
		for i := range t.Fields {
			n.kids = append(n.kids, openTree(v.Child(i), &t.Fields[i].Type))
		}
	case duckdb.TypeList:
		n.kids = []tree{openTree(v.Elem(), t.Elem)}
	case duckdb.TypeArray:
		n.kids = []tree{openTree(v.Array(), t.Elem)}
	case duckdb.TypeMap:
		e := v.Elem()
		n.kids = []tree{openTree(e.Child(0), t.Key), openTree(e.Child(1), t.Elem)}
	}
	return n
}

func at[T any](n *tree, i int) T { return vector.Data[T](&n.vec, i+1)[i] }

func (n *tree) bytes(i int) []byte { return vector.Data[vector.Str](&n.vec, i+1)[i].Bytes() }

func (n *tree) decimal(i int) decimal128.Num {
	d := newDecimals(&n.vec, n.typ, i+1)
	return d.get(i)
}

// entries are the elements of a list or map in its children.
func (n *tree) entries(i int) (from, to int) {
	if n.typ.ID == duckdb.TypeArray {
		return i * n.typ.Size, (i + 1) * n.typ.Size
	}
	e := at[vector.Entry](n, i)
	return int(e.Offset), int(e.Offset + e.Length)
}

// jsonWriter writes values as Spark's to_json.
type jsonWriter struct {
	dropNulls             bool // fields of structs
	zone                  *cast.Zone
	date, stamp, stampNTZ *cast.Pattern
}

func (w *jsonWriter) value(b []byte, n *tree, i int) []byte {
	if n.vec.Null(i) {
		return append(b, "null"...)
	}
	switch n.typ.ID {
	case duckdb.TypeStruct:
		return w.object(b, n, i)
	case duckdb.TypeList, duckdb.TypeArray:
		from, to := n.entries(i)
		b = append(b, '[')
		for k := from; k < to; k++ {
			if k > from {
				b = append(b, ',')
			}
			b = w.value(b, &n.kids[0], k)
		}
		return append(b, ']')
	case duckdb.TypeMap:
		from, to := n.entries(i)
		b = append(b, '{')
		for k := from; k < to; k++ {
			if k > from {
				b = append(b, ',')
			}
			b = append(w.key(b, &n.kids[0], k), ':')
			b = w.value(b, &n.kids[1], k)
		}
		return append(b, '}')
	}
	return w.scalar(b, n, i)
}

func (w *jsonWriter) object(b []byte, n *tree, i int) []byte {
	b = append(b, '{')
	first := true
	for f := range n.kids {
		k := &n.kids[f]
		if w.dropNulls && k.vec.Null(i) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = append(jsonarrow.AppendString(b, []byte(n.typ.Fields[f].Name)), ':')
		b = w.value(b, k, i)
	}
	return append(b, '}')
}

// key writes the key of a map: times as their number.
func (w *jsonWriter) key(b []byte, n *tree, i int) []byte {
	switch n.typ.ID {
	case duckdb.TypeVarchar:
		return jsonarrow.AppendString(b, n.bytes(i))
	case duckdb.TypeDate:
		b = strconv.AppendInt(append(b, '"'), int64(at[int32](n, i)), 10)
	case duckdb.TypeTimestamp, duckdb.TypeTimestampTZ:
		b = strconv.AppendInt(append(b, '"'), at[int64](n, i), 10)
	case duckdb.TypeDouble:
		b = cast.AppendDouble(append(b, '"'), at[float64](n, i))
	case duckdb.TypeFloat:
		b = cast.AppendFloat(append(b, '"'), at[float32](n, i))
	default:
		b = w.value(append(b, '"'), n, i)
	}
	return append(b, '"')
}

func (w *jsonWriter) scalar(b []byte, n *tree, i int) []byte {
	switch n.typ.ID {
	case duckdb.TypeBoolean:
		return strconv.AppendBool(b, at[bool](n, i))
	case duckdb.TypeTinyInt:
		return strconv.AppendInt(b, int64(at[int8](n, i)), 10)
	case duckdb.TypeSmallInt:
		return strconv.AppendInt(b, int64(at[int16](n, i)), 10)
	case duckdb.TypeInteger:
		return strconv.AppendInt(b, int64(at[int32](n, i)), 10)
	case duckdb.TypeBigInt:
		return strconv.AppendInt(b, at[int64](n, i), 10)
	case duckdb.TypeFloat:
		f := at[float32](n, i)
		if f != f || f-f != 0 {
			return append(cast.AppendFloat(append(b, '"'), f), '"')
		}
		return cast.AppendFloat(b, f)
	case duckdb.TypeDouble:
		return jsonarrow.AppendDouble(b, at[float64](n, i))
	case duckdb.TypeDecimal:
		return cast.AppendDecimal(b, n.decimal(i), int(n.typ.Scale))
	case duckdb.TypeVarchar:
		return jsonarrow.AppendString(b, n.bytes(i))
	case duckdb.TypeBlob:
		b = base64.StdEncoding.AppendEncode(append(b, '"'), n.bytes(i))
	case duckdb.TypeDate:
		d := at[int32](n, i)
		if b = append(b, '"'); w.date != nil {
			b = w.date.Append(b, int64(d)*86_400_000_000, cast.UTC())
		} else {
			b = cast.AppendDate(b, d)
		}
	case duckdb.TypeTimestampTZ:
		b = w.time(append(b, '"'), at[int64](n, i), w.zone, w.stamp, true)
	case duckdb.TypeTimestamp:
		b = w.time(append(b, '"'), at[int64](n, i), cast.UTC(), w.stampNTZ, false)
	default:
		return append(b, "null"...) // a VOID column
	}
	return append(b, '"')
}

// time writes 2024-01-02T03:04:05.678Z by default: three digits, and the
// offset of an instant.
func (w *jsonWriter) time(b []byte, us int64, zone *cast.Zone, p *cast.Pattern, instant bool) []byte {
	if p != nil {
		return p.Append(b, us, zone)
	}
	return cast.AppendISO(b, us, zone, instant)
}
