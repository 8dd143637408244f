package plan

import (
	"sync/atomic"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// ID names one attribute for good: a column keeps its ID through filters,
// joins and sub-queries, and gets a new one where it is computed anew.
type ID uint64

var lastID atomic.Uint64

// NewID mints an ID that is unique in this process.
func NewID() ID { return ID(lastID.Add(1)) }

// Attr is a column of a node's output.
type Attr struct {
	ID        ID
	Name      string // the output name as Spark prints it
	Type      types.Type
	Nullable  bool
	Qualifier []string // the parts that may stand before the name: catalog, schema, table or alias
	Comment   string
	// EventTime is set by a Watermark above the source: the delay in microseconds.
	EventTime *int64
	// Declared is CHAR(n) or VARCHAR(n) of a table's column, nil for all else.
	Declared types.Type
}

// Expr is a typed expression.
type Expr interface {
	Type() types.Type
	Nullable() bool
	// Children are the direct operands, in order.
	Children() []Expr
	// WithChildren is the same expression over other operands (same number).
	WithChildren([]Expr) Expr
}

// Column refers to an attribute of an input.
type Column struct{ Attr Attr }

// Outer refers to an attribute of the query around a sub-query or LATERAL.
type Outer struct{ Attr Attr }

// Literal is a constant. Value is nil for NULL, else by type: bool, int64
// (all integers, DATE as days, TIMESTAMP(_NTZ) as microseconds, intervals as
// months or microseconds), float32, float64, *big.Int for the unscaled value
// of DECIMAL, string, []byte.
type Literal struct {
	Value any
	Typ   types.Type
}

// CastMode is what a Cast does with a value that does not fit.
type CastMode uint8

const (
	// CastANSI raises Spark's error for the value.
	CastANSI CastMode = iota
	// CastTry gives NULL (try_cast).
	CastTry
	// CastLegacy gives NULL or wraps around as Spark does with ANSI off.
	CastLegacy
)

// Cast converts a value. Implicit ones are made by the analyzer.
type Cast struct {
	X        Expr
	To       types.Type
	Mode     CastMode
	Implicit bool
	// TimeZone is the session zone where the cast depends on it, else "".
	TimeZone string
	// Store is the error class of a value that does not fit the column that it
	// is written to; it also stands for arithmetic errors of X. "" for a CAST.
	Store string
	Null  bool
	Pos   sparksql.Pos
}

// Call is a scalar function or an operator, by its name in the registry
// (lower case; operators by their sign: "+", "=", "and", "not", "is null").
type Call struct {
	Fn     string
	Args   []Expr
	Typ    types.Type
	Null   bool
	Raises bool // may raise for some input by itself (not counting its operands)
	// Volatile: not the same for equal input (rand, uuid); never merged or moved.
	Volatile bool
	// Const holds what the registry worked out from constant arguments
	// (compiled patterns, schemas); lower hands it to the kernel.
	Const any
	// Collation is what texts are searched under where the types of the operands
	// do not say it; "" is UTF8_BINARY.
	Collation string
	// Shown is the function's name in output names where that is not Fn.
	Shown string
	Pos   sparksql.Pos
}

// Case is CASE WHEN c THEN v ... ELSE e END; Else is never nil (NULL literal).
type Case struct {
	When []When
	Else Expr
	Open bool // written without ELSE
	Typ  types.Type
}

// When is one branch of Case.
type When struct{ Cond, Then Expr }

// Field takes a field of a STRUCT by its ordinal.
type Field struct {
	X       Expr
	Ordinal int
	Name    string
	Typ     types.Type
	Null    bool
}

// Lambda is x -> body inside a higher-order function.
type Lambda struct {
	Params []*LambdaVar
	Body   Expr
}

// LambdaVar is a parameter of a Lambda.
type LambdaVar struct {
	Name string
	ID   ID
	Typ  types.Type
	Null bool
}

// AggCall is an aggregate function; it stands in Aggregate.Aggs or, inside
// WindowExpr, over a frame.
type AggCall struct {
	Fn          string
	Args        []Expr
	Distinct    bool
	Filter      Expr // nil without FILTER (WHERE ...)
	Typ         types.Type
	Null        bool
	Raises      bool
	IgnoreNulls bool
	Const       any
	Pos         sparksql.Pos
}

// WindowExpr is fn OVER (...). Fn is an AggCall or a Call (row_number, lag, ...).
type WindowExpr struct {
	Fn        Expr
	Partition []Expr
	Order     []SortKey
	Frame     Frame
}

// FrameUnit is ROWS or RANGE.
type FrameUnit uint8

// Frame units.
const (
	FrameRange FrameUnit = iota
	FrameRows
)

// BoundKind is the kind of a frame's end.
type BoundKind uint8

// Frame bounds.
const (
	UnboundedPreceding BoundKind = iota
	Preceding
	CurrentRow
	Following
	UnboundedFollowing
)

// Bound is one end of a frame; X is the offset of Preceding and Following.
type Bound struct {
	Kind BoundKind
	X    Expr
}

// Frame is a window frame, always explicit (defaults are filled in).
type Frame struct {
	Unit       FrameUnit
	Start, End Bound
}

// SortKey is an ORDER BY term with its direction made explicit.
type SortKey struct {
	X          Expr
	Desc       bool
	NullsFirst bool
}

// SubqueryKind says what a Subquery expression asks.
type SubqueryKind uint8

// Sub-query kinds.
const (
	ScalarSubquery SubqueryKind = iota
	ExistsSubquery
	InSubquery
)

// Subquery is a sub-query in an expression. Left holds the operands of IN.
type Subquery struct {
	Kind SubqueryKind
	Left []Expr
	Plan Node
	Typ  types.Type
	Null bool
}

// Type of the referenced attribute.
func (c *Column) Type() types.Type { return c.Attr.Type }

// Nullable of the referenced attribute.
func (c *Column) Nullable() bool { return c.Attr.Nullable }

// Children is empty.
func (c *Column) Children() []Expr { return nil }

// WithChildren is c itself.
func (c *Column) WithChildren([]Expr) Expr { return c }

// Type of the referenced attribute.
func (o *Outer) Type() types.Type { return o.Attr.Type }

// Nullable of the referenced attribute.
func (o *Outer) Nullable() bool { return o.Attr.Nullable }

// Children is empty.
func (o *Outer) Children() []Expr { return nil }

// WithChildren is o itself.
func (o *Outer) WithChildren([]Expr) Expr { return o }

// Type of the constant.
func (l *Literal) Type() types.Type { return l.Typ }

// Nullable is true for NULL only.
func (l *Literal) Nullable() bool { return l.Value == nil }

// Children is empty.
func (l *Literal) Children() []Expr { return nil }

// WithChildren is l itself.
func (l *Literal) WithChildren([]Expr) Expr { return l }

// Type is the target type.
func (c *Cast) Type() types.Type { return c.To }

// Nullable as the analyzer found it.
func (c *Cast) Nullable() bool { return c.Null }

// Children is the operand.
func (c *Cast) Children() []Expr { return []Expr{c.X} }

// WithChildren replaces the operand.
func (c *Cast) WithChildren(x []Expr) Expr { d := *c; d.X = x[0]; return &d }

// Type of the result.
func (c *Call) Type() types.Type { return c.Typ }

// Nullable as the registry found it.
func (c *Call) Nullable() bool { return c.Null }

// Children are the arguments.
func (c *Call) Children() []Expr { return c.Args }

// WithChildren replaces the arguments.
func (c *Call) WithChildren(x []Expr) Expr { d := *c; d.Args = x; return &d }

// Type common to all branches.
func (c *Case) Type() types.Type { return c.Typ }

// Nullable if any branch is.
func (c *Case) Nullable() bool {
	for _, w := range c.When {
		if w.Then.Nullable() {
			return true
		}
	}
	return c.Else.Nullable()
}

// Children are cond, then, cond, then, ..., else.
func (c *Case) Children() []Expr {
	out := make([]Expr, 0, 2*len(c.When)+1)
	for _, w := range c.When {
		out = append(out, w.Cond, w.Then)
	}
	return append(out, c.Else)
}

// WithChildren takes the order of Children.
func (c *Case) WithChildren(x []Expr) Expr {
	d := &Case{Typ: c.Typ, Open: c.Open, Else: x[len(x)-1], When: make([]When, len(c.When))}
	for i := range d.When {
		d.When[i] = When{x[2*i], x[2*i+1]}
	}
	return d
}

// Type of the field.
func (f *Field) Type() types.Type { return f.Typ }

// Nullable if the field or its struct is.
func (f *Field) Nullable() bool { return f.Null }

// Children is the struct.
func (f *Field) Children() []Expr { return []Expr{f.X} }

// WithChildren replaces the struct.
func (f *Field) WithChildren(x []Expr) Expr { d := *f; d.X = x[0]; return &d }

// Type of the body.
func (l *Lambda) Type() types.Type { return l.Body.Type() }

// Nullable if the body is.
func (l *Lambda) Nullable() bool { return l.Body.Nullable() }

// Children is the body.
func (l *Lambda) Children() []Expr { return []Expr{l.Body} }

// WithChildren replaces the body.
func (l *Lambda) WithChildren(x []Expr) Expr { return &Lambda{Params: l.Params, Body: x[0]} }

// Type of the parameter.
func (v *LambdaVar) Type() types.Type { return v.Typ }

// Nullable as the element is.
func (v *LambdaVar) Nullable() bool { return v.Null }

// Children is empty.
func (v *LambdaVar) Children() []Expr { return nil }

// WithChildren is v itself.
func (v *LambdaVar) WithChildren([]Expr) Expr { return v }

// Type of the result.
func (a *AggCall) Type() types.Type { return a.Typ }

// Nullable as the registry found it.
func (a *AggCall) Nullable() bool { return a.Null }

// Children are the arguments, then the filter if there is one.
func (a *AggCall) Children() []Expr {
	if a.Filter == nil {
		return a.Args
	}
	return append(append([]Expr{}, a.Args...), a.Filter)
}

// WithChildren takes the order of Children.
func (a *AggCall) WithChildren(x []Expr) Expr {
	d := *a
	d.Args = x[:len(a.Args)]
	if a.Filter != nil {
		d.Filter = x[len(a.Args)]
	}
	return &d
}

// Type of the function's result.
func (w *WindowExpr) Type() types.Type { return w.Fn.Type() }

// Nullable of the function's result.
func (w *WindowExpr) Nullable() bool { return w.Fn.Nullable() }

// Children are the function, the partition keys, the sort keys.
func (w *WindowExpr) Children() []Expr {
	out := append([]Expr{w.Fn}, w.Partition...)
	for _, k := range w.Order {
		out = append(out, k.X)
	}
	return out
}

// WithChildren takes the order of Children.
func (w *WindowExpr) WithChildren(x []Expr) Expr {
	d := &WindowExpr{Fn: x[0], Frame: w.Frame, Partition: x[1 : 1+len(w.Partition)]}
	for i, k := range w.Order {
		k.X = x[1+len(w.Partition)+i]
		d.Order = append(d.Order, k)
	}
	return d
}

// Type of the sub-query's value; BOOLEAN for EXISTS and IN.
func (s *Subquery) Type() types.Type { return s.Typ }

// Nullable as the analyzer found it.
func (s *Subquery) Nullable() bool { return s.Null }

// Children are the operands of IN.
func (s *Subquery) Children() []Expr { return s.Left }

// WithChildren replaces the operands of IN.
func (s *Subquery) WithChildren(x []Expr) Expr { d := *s; d.Left = x; return &d }

// Transform rebuilds e bottom-up: f sees each expression after its operands.
func Transform(e Expr, f func(Expr) Expr) Expr {
	kids := e.Children()
	if len(kids) > 0 {
		next := make([]Expr, len(kids))
		changed := false
		for i, k := range kids {
			next[i] = Transform(k, f)
			changed = changed || next[i] != k
		}
		if changed {
			e = e.WithChildren(next)
		}
	}
	return f(e)
}

// Walk visits e and its operands from the top; f returns false to go no deeper.
func Walk(e Expr, f func(Expr) bool) {
	if f(e) {
		for _, k := range e.Children() {
			Walk(k, f)
		}
	}
}

// CanRaise tells whether evaluating e may fail for some row.
func CanRaise(e Expr) bool {
	raises := false
	Walk(e, func(x Expr) bool {
		switch x := x.(type) {
		case *Call:
			raises = raises || x.Raises
		case *AggCall:
			raises = raises || x.Raises
		case *Cast:
			raises = raises || x.Mode == CastANSI && castRaises(x.X.Type(), x.To)
		case *Subquery:
			raises = raises || x.Kind == ScalarSubquery
		}
		return !raises
	})
	return raises
}
