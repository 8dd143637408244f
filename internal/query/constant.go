package query

import (
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// maxConstant bounds the parts that a variable's value may have: the value
// stands in the text of every statement that uses it.
const maxConstant = 20_000

// constants makes constant expressions of cells.
type constants struct {
	ctx  funcs.Context
	left int
}

// constant is cell i of a as an expression of type t.
func constant(a arrow.Array, i int, t types.Type, zone string, now time.Time) (plan.Expr, error) {
	c := &constants{ctx: funcs.Context{ANSI: true, TimeZone: zone, Now: now}, left: maxConstant}
	x, err := c.cell(a, i, t)
	if err != nil {
		return nil, err
	}
	if !types.Equal(x.Type(), t) {
		return funcs.ExplicitCast(x, t, plan.CastANSI, c.ctx)
	}
	return x, nil
}

func (c *constants) cell(a arrow.Array, i int, t types.Type) (plan.Expr, error) {
	if c.left--; c.left < 0 {
		return nil, &sparksql.Error{
			Class: "UNSUPPORTED_FEATURE.VARIABLE_SIZE", SQLState: "54000", Phase: sparksql.PhaseRuntime,
			Message: fmt.Sprintf("a variable's value has more than %d parts.", maxConstant), Hint: "Keep it in a table or a view.",
		}
	}
	if t == types.Void || a.IsNull(i) {
		return &plan.Literal{Typ: t}, nil
	}
	switch t := t.(type) {
	case types.Array:
		if l, ok := a.(*array.List); ok {
			from, to := l.ValueOffsets(i)
			return c.list(l.ListValues(), from, to, t)
		}
	case types.Map:
		if m, ok := a.(*array.Map); ok {
			return c.pairs(m, i, t)
		}
	case types.Struct:
		if s, ok := a.(*array.Struct); ok && s.NumField() == len(t.Fields) {
			return c.fields(s, i, t)
		}
	}
	v, err := scalar(a, i)
	if err != nil {
		return nil, err
	}
	if t == types.Variant {
		return funcs.Resolve("parse_json", []plan.Expr{&plan.Literal{Value: v, Typ: types.String}}, c.ctx)
	}
	return &plan.Literal{Value: v, Typ: t}, nil
}

// typed casts a constructor's value to the type that it must have.
func (c *constants) typed(fn string, args []plan.Expr, t types.Type) (plan.Expr, error) {
	x, err := funcs.Resolve(fn, args, c.ctx)
	if err != nil || types.Equal(x.Type(), t) {
		return x, err
	}
	return funcs.CastTo(x, t, c.ctx), nil
}

func (c *constants) list(a arrow.Array, from, to int64, t types.Array) (plan.Expr, error) {
	var args []plan.Expr
	for j := from; j < to; j++ {
		x, err := c.cell(a, int(j), t.Elem)
		if err != nil {
			return nil, err
		}
		args = append(args, x)
	}
	return c.typed("array", args, t)
}

func (c *constants) pairs(m *array.Map, i int, t types.Map) (plan.Expr, error) {
	var args []plan.Expr
	from, to := m.ValueOffsets(i)
	for j := from; j < to; j++ {
		k, err := c.cell(m.Keys(), int(j), t.Key)
		if err != nil {
			return nil, err
		}
		v, err := c.cell(m.Items(), int(j), t.Value)
		if err != nil {
			return nil, err
		}
		args = append(args, k, v)
	}
	return c.typed("map", args, t)
}

func (c *constants) fields(s *array.Struct, i int, t types.Struct) (plan.Expr, error) {
	var args []plan.Expr
	for f, d := range t.Fields {
		x, err := c.cell(s.Field(f), i, d.Type)
		if err != nil {
			return nil, err
		}
		args = append(args, &plan.Literal{Value: d.Name, Typ: types.String}, x)
	}
	return c.typed("named_struct", args, t)
}

// scalar is a cell as plan.Literal holds it.
func scalar(a arrow.Array, i int) (any, error) {
	switch x := a.(type) {
	case *array.Boolean:
		return x.Value(i), nil
	case *array.Int8:
		return int64(x.Value(i)), nil
	case *array.Int16:
		return int64(x.Value(i)), nil
	case *array.Int32:
		return int64(x.Value(i)), nil
	case *array.Int64:
		return x.Value(i), nil
	case *array.Float32:
		return x.Value(i), nil
	case *array.Float64:
		return x.Value(i), nil
	case *array.Date32:
		return int64(x.Value(i)), nil
	case *array.Timestamp:
		return int64(x.Value(i)), nil
	case *array.String:
		return strings.Clone(x.Value(i)), nil
	case *array.Binary:
		return append([]byte{}, x.Value(i)...), nil
	case *array.Decimal128:
		return new(big.Int).Set(x.Value(i).BigInt()), nil
	}
	return nil, errors.New("query: no constant of " + a.DataType().String())
}
