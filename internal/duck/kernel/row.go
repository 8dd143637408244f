package kernel

import (
	"errors"
	"fmt"
	"slices"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
)

// raised is an error with Spark's class.
type raised struct{ class, state, text string }

func (e *raised) Error() string { return "[" + e.class + "] " + e.text + " SQLSTATE: " + e.state }

func raisef(class, state, format string, a ...any) error {
	return &raised{class, state, fmt.Sprintf(format, a...)}
}

// row is a row of arguments. What it gives out dies with the call.
type row struct {
	cols []tree
	i    int
}

func (r *row) null(k int) bool    { return r.cols[k].vec.Null(r.i) }
func (r *row) bytes(k int) []byte { return r.cols[k].bytes(r.i) }

// long is an integer of any width, a DATE or a TIMESTAMP as its number.
func (r *row) long(k int) int64 { return r.cols[k].long(r.i) }

func (r *row) double(k int) float64 { return r.cols[k].double(r.i) }

// list are the elements of a LIST; false where one is NULL.
func list[T any](r *row, k int, get func(n *tree, i int) T) ([]T, bool) {
	n := &r.cols[k]
	from, to := n.entries(r.i)
	out := make([]T, 0, to-from)
	for i := from; i < to; i++ {
		if n.kids[0].vec.Null(i) {
			return nil, false
		}
		out = append(out, get(&n.kids[0], i))
	}
	return out, true
}

func (n *tree) long(i int) int64 {
	switch n.typ.ID {
	case duckdb.TypeBoolean, duckdb.TypeTinyInt:
		return int64(at[int8](n, i))
	case duckdb.TypeSmallInt:
		return int64(at[int16](n, i))
	case duckdb.TypeInteger, duckdb.TypeDate:
		return int64(at[int32](n, i))
	}
	return at[int64](n, i)
}

func (n *tree) double(i int) float64 {
	switch n.typ.ID {
	case duckdb.TypeDouble:
		return at[float64](n, i)
	case duckdb.TypeFloat:
		return float64(at[float32](n, i))
	}
	return float64(n.long(i))
}

// rowOp computes one row, of which no argument is NULL; a nil result is NULL.
type rowOp func(r *row) (any, error)

// failing is the part of the parameters that rowKernel reads.
type failing struct {
	// Why asks for the text of the error instead of the value, which is NULL
	// for a row with one: kernels do not raise, the SQL around them does.
	Why bool
}

// rowKernel makes a kernel of a rowOp.
func rowKernel(g *sig, f failing, op rowOp) kernel {
	return kernel{run: func(c *call) error {
		r := row{cols: make([]tree, len(g.args))}
		for k := range g.args {
			v := c.args[k]
			if g.args[k].Nested() {
				v = v.Flat(&g.args[k], c.n)
				defer v.Destroy()
			}
			r.cols[k] = openTree(v, &g.args[k])
		}
		vals := make([]any, c.n)
		for i := range vals {
			if c.null(i) {
				continue
			}
			r.i = i
			v, err := op(&r)
			if e, ok := errors.AsType[*raised](err); ok && f.Why {
				vals[i] = e.Error()
			} else if err == nil && !f.Why {
				vals[i] = v
			}
		}
		return writeColumn(&c.out, &g.ret, 0, vals)
	}}
}

var errShape = errors.New("a value has not the type of the result")

// writeColumn writes values behind the first at rows of a vector: nil, bool,
// int64, float64, string, []byte, decimal128.Num, and []any for the elements
// of a LIST and the fields of a STRUCT.
func writeColumn(v *vector.Vec, t *vector.Type, at int, vals []any) error {
	for i, x := range vals {
		if x == nil {
			v.SetNull(at + i)
		}
	}
	switch t.ID {
	case duckdb.TypeVarchar, duckdb.TypeBlob:
		return writeTexts(v, at, vals)
	case duckdb.TypeList:
		return writeList(v, t, at, vals)
	case duckdb.TypeStruct:
		return writeStruct(v, t, at, vals)
	case duckdb.TypeDecimal:
		out := newDecimals(v, t, at+len(vals))
		for i, x := range vals {
			if d, ok := x.(decimal128.Num); ok {
				out.put(at+i, d, true)
			}
		}
		return nil
	}
	for i, x := range vals {
		if x != nil && !putScalar(v, t.ID, at+i, x) {
			return errShape
		}
	}
	return nil
}

func putScalar(v *vector.Vec, id vector.ID, i int, x any) bool {
	switch x := x.(type) {
	case bool:
		vector.Data[bool](v, i+1)[i] = x
		return id == duckdb.TypeBoolean
	case float64:
		if id == duckdb.TypeFloat {
			vector.Data[float32](v, i+1)[i] = float32(x)
			return true
		}
		vector.Data[float64](v, i+1)[i] = x
		return id == duckdb.TypeDouble
	case int64:
		switch id {
		case duckdb.TypeBoolean, duckdb.TypeTinyInt:
			vector.Data[int8](v, i+1)[i] = int8(x)
		case duckdb.TypeSmallInt:
			vector.Data[int16](v, i+1)[i] = int16(x)
		case duckdb.TypeInteger, duckdb.TypeDate:
			vector.Data[int32](v, i+1)[i] = int32(x)
		case duckdb.TypeBigInt, duckdb.TypeTimestamp, duckdb.TypeTimestampTZ:
			vector.Data[int64](v, i+1)[i] = x
		default:
			return false
		}
		return true
	}
	return false
}

func writeTexts(v *vector.Vec, at int, vals []any) error {
	rows := vector.Data[vector.Str](v, at+len(vals))[at:]
	var buf []byte
	for i, x := range vals {
		s, ok := x.(string)
		if b, isBytes := x.([]byte); isBytes {
			s, ok = string(b), true
		}
		if !ok && x != nil {
			return errShape
		}
		rows[i] = vector.MakeStr([]byte(s), uintptr(len(buf)))
		if len(s) > 12 {
			buf = append(buf, s...)
		}
	}
	if len(buf) > 0 {
		base := v.Heap(buf)
		for i := range rows {
			rows[i].Rebase(base)
		}
	}
	return nil
}

func writeList(v *vector.Vec, t *vector.Type, at int, vals []any) error {
	first := v.ListSize()
	var elems []any
	entries := vector.Data[vector.Entry](v, at+len(vals))[at:]
	for i, x := range vals {
		l, ok := x.([]any)
		if !ok && x != nil {
			return errShape
		}
		entries[i] = vector.Entry{Offset: uint64(first + len(elems)), Length: uint64(len(l))}
		elems = append(elems, l...)
	}
	if !v.Grow(first + len(elems)) {
		return errors.New("no memory for a list")
	}
	child := v.Elem()
	return writeColumn(&child, t.Elem, first, elems)
}

func writeStruct(v *vector.Vec, t *vector.Type, at int, vals []any) error {
	for k := range t.Fields {
		field := make([]any, len(vals))
		for i, x := range vals {
			s, ok := x.([]any)
			switch {
			case ok && len(s) == len(t.Fields):
				field[i] = s[k]
			case x != nil:
				return errShape
			}
		}
		child := v.Child(k)
		if err := writeColumn(&child, &t.Fields[k].Type, at, field); err != nil {
			return err
		}
	}
	return nil
}

// anys is a slice as the elements of a LIST.
func anys[T any](s []T, to func(T) any) []any {
	out := make([]any, 0, len(s))
	for _, x := range s {
		out = append(out, to(x))
	}
	return slices.Clip(out)
}
