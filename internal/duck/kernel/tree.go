package kernel

import (
	"encoding/base64"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
	"github.com/marisma/marisma/internal/jsonarrow"
	"github.com/marisma/marisma/internal/jsonarrow/cast"
	"github.com/marisma/marisma/internal/jsonarrow/variant"
)

// tree is a vector of any type with its children opened, for reading values
// one by one. The vectors must be flat at every level.
type tree struct {
	typ  *vector.Type
	vec  vector.Vec
	kids []tree
	// logical is the name of a type that DuckDB has not, with what prints it.
	logical  string
	interval cast.Interval
}

// mark notes the logical types of a schema; nil is none.
func (n *tree) mark(t arrow.DataType) {
	switch t := t.(type) {
	case *jsonarrow.Logical:
		n.logical = t.Spark
		n.interval, _ = cast.ParseIntervalType(t.Spark)
	case *arrow.StructType:
		for i := range min(len(n.kids), t.NumFields()) { // a STRUCT without fields has one in DuckDB
			n.kids[i].mark(t.Field(i).Type)
		}
	case *arrow.ListType:
		n.kids[0].mark(t.Elem())
	case *arrow.MapType:
		n.kids[0].mark(t.KeyType())
		n.kids[1].mark(t.ItemType())
	}
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
	clock                 *cast.Pattern
	ascii                 bool // other characters as \u00E9
	hexBinary             bool
	pretty                bool
	sorted                bool // fields and keys by their names
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
		order := w.order(to-from, func(k int) string { return string(w.key(nil, &n.kids[0], from+k)) })
		b = append(b, '{')
		for k := from; k < to; k++ {
			if k > from {
				b = append(b, ',')
			}
			e := k
			if order != nil {
				e = from + order[k-from]
			}
			b = append(w.key(b, &n.kids[0], e), ':')
			b = w.value(b, &n.kids[1], e)
		}
		return append(b, '}')
	}
	return w.scalar(b, n, i)
}

// order is that of n places by their names where the options ask for it, else
// nil.
func (w *jsonWriter) order(n int, name func(i int) string) []int {
	if !w.sorted {
		return nil
	}
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	slices.SortStableFunc(out, func(x, y int) int { return strings.Compare(name(x), name(y)) })
	return out
}

func (w *jsonWriter) object(b []byte, n *tree, i int) []byte {
	b = append(b, '{')
	first := true
	order := w.order(len(n.kids), func(f int) string { return n.typ.Fields[f].Name })
	for f := range n.kids {
		if order != nil {
			f = order[f]
		}
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
	if strings.HasPrefix(n.logical, "interval ") {
		return append(strconv.AppendInt(append(b, '"'), n.long(i), 10), '"')
	}
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
	case duckdb.TypeStruct:
		b = append(b, '"', '[')
		for f := range n.kids { // as Java prints a row
			if f > 0 {
				b = append(b, ',')
			}
			b = append(b, strings.Trim(string(w.key(nil, &n.kids[f], i)), `"`)...)
		}
		b = append(b, ']')
	default:
		v := w.value(nil, n, i)
		if v[0] == '"' {
			return append(b, v...)
		}
		b = append(append(b, '"'), v...)
	}
	return append(b, '"')
}

// special writes a value of a logical type.
func (w *jsonWriter) special(b []byte, n *tree, i int) []byte {
	switch {
	case n.logical == "variant":
		v, err := variant.Decode(n.bytes(i))
		if err != nil {
			return append(b, "null"...)
		}
		return variant.AppendJSON(b, v, w.zone)
	case strings.HasPrefix(n.logical, "time("):
		us := at[int64](n, i)
		if w.clock != nil {
			return append(w.clock.Append(append(b, '"'), us, cast.UTC()), '"')
		}
		return append(append(append(b, '"'), timeText(us)...), '"')
	case n.interval.Months():
		return append(n.interval.Append(append(b, '"'), int64(at[int32](n, i))), '"')
	}
	return append(n.interval.Append(append(b, '"'), at[int64](n, i)), '"')
}

// timeText is a time of day without zeros behind the last digit.
func timeText(us int64) string {
	return time.UnixMicro(us).UTC().Format("15:04:05.999999")
}

func (w *jsonWriter) scalar(b []byte, n *tree, i int) []byte {
	if n.logical != "" {
		return w.special(b, n, i)
	}
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
		return cast.AppendBigDecimal(b, n.decimal(i), int(n.typ.Scale))
	case duckdb.TypeVarchar:
		return jsonarrow.AppendString(b, n.bytes(i))
	case duckdb.TypeBlob:
		if b = append(b, '"'); w.hexBinary {
			b = fmt.Appendf(b, "[% X]", n.bytes(i))
		} else {
			b = base64.StdEncoding.AppendEncode(b, n.bytes(i))
		}
	case duckdb.TypeInterval:
		b = append(append(b, '"'), at[cast.Calendar](n, i).String()...)
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
