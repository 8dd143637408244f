package funcs

import (
	"strings"
	"sync"
	"time"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Kind says where a function may stand.
type Kind uint8

// Kinds of functions.
const (
	Scalar    Kind = iota // a value per row
	Aggregate             // Resolve gives *plan.AggCall
	Window                // only with OVER; Resolve gives *plan.Call
	Generator             // rows per row; Resolve gives *plan.Call for plan.Generate
)

// Context is what resolution needs of the session and of the place of the
// call.
type Context struct {
	ANSI     bool
	TimeZone string    // session zone, "" is UTC
	Now      time.Time // what current_timestamp will be
	Conf     map[string]string
	User     string
	Catalog  string
	Schema   string
	Pos      sparksql.Pos // of the call: for errors and Call.Pos
	// Distinct and IgnoreNulls are the call's own words, for aggregates and
	// window functions.
	Distinct, IgnoreNulls bool
	// Within are the keys of WITHIN GROUP (ORDER BY ...).
	Within []plan.SortKey
	// ParseType parses a DDL schema ("a INT, b STRING", a STRUCT) or one type;
	// from_json needs it.
	ParseType func(text string) (types.Type, error)
}

// CastMode is the mode of a plain CAST under ctx.
func (c Context) CastMode() plan.CastMode {
	if c.ANSI {
		return plan.CastANSI
	}
	return plan.CastLegacy
}

func (c Context) zone() string {
	if c.TimeZone == "" {
		return "UTC"
	}
	return c.TimeZone
}

// Def is an entry of the registry.
type Def struct {
	Name     string
	Base     string // of an alias: the entry that says how it runs; else ""
	Kind     Kind
	Min, Max int // number of arguments; Max -1 is any number
	Volatile bool
	within   bool // takes WITHIN GROUP
	Operator bool // not callable as name(...) in SQL
	// Raises marks that the function may raise for some input.
	Raises bool
	// SQL is DuckDB's text with $1.. for the lowered arguments, $* for all of
	// them; "" where package lower holds a rule of its own. Its value and type
	// must be Spark's.
	SQL string

	params []string                                          // names of the arguments, where they can be named
	fill   []plan.Expr                                       // of trailing arguments that are left out
	want   []want                                            // expected argument types, the last one repeats
	fit    func(c *call) error                               // instead of want, where arguments depend on each other
	typ    func(c *call) types.Type                          // result type over fitted arguments
	null   func(c *call) bool                                // nil: NULL if an argument may be
	raises func(c *call) bool                                // instead of Raises
	check  func(c *call) error                               // constant arguments; may set c.konst
	vars   func(c *call, i, n int) ([]plan.LambdaVar, error) // parameters of the lambda at i
	show   func(e plan.Expr, args []string) string           // nil: name(arg, ...)
	build  func(c *call) (plan.Expr, error)                  // instead of all of the above
	cols   func(c *plan.Call) []types.Field                  // of a generator
}

// call is one resolution under way.
type call struct {
	d     *Def
	args  []plan.Expr
	ctx   Context
	konst any
	// fromOperator: a date function that + or - stands for.
	fromOperator bool
}

// table is the registry, built at first use and only read afterwards. (A
// sync.OnceValue would make an initialization cycle: rules look names up.)
var table struct {
	once sync.Once
	defs map[string]*Def
}

func registry() map[string]*Def {
	table.once.Do(func() { table.defs = buildRegistry() })
	return table.defs
}

// Lookup finds a function or operator by name or alias, without regard to
// case; nil when there is none.
func Lookup(name string) *Def { return registry()[strings.ToLower(name)] }

// Names are all callable names, sorted, operators left out.
func Names() []string { return sortedNames(false) }

// All are all entries' names with operators, sorted.
func All() []string { return sortedNames(true) }

// Resolve makes the typed expression of a call by name; an unknown name is
// UNRESOLVED_ROUTINE with the nearest one as hint.
func Resolve(name string, args []plan.Expr, ctx Context) (plan.Expr, error) {
	d := Lookup(name)
	if d == nil {
		return nil, unresolved(name, ctx)
	}
	return d.Resolve(args, ctx)
}

// Resolve checks number and types of the arguments, inserts casts and works
// out type, nullability and constants. Lambdas come as *plan.Lambda.
func (d *Def) Resolve(args []plan.Expr, ctx Context) (plan.Expr, error) {
	if (d.build == nil || meeting[d.Name]) && anyCollated(args) {
		return d.resolveCollated(args, ctx)
	}
	return d.resolve(args, ctx)
}

// CheckCount refuses a call with so many arguments, where d does not take them.
func (d *Def) CheckCount(n int, ctx Context) error {
	if n < d.Min || d.Max >= 0 && n > d.Max {
		return arity(d, n, ctx)
	}
	return nil
}

func (d *Def) resolve(args []plan.Expr, ctx Context) (plan.Expr, error) {
	c := &call{d: d, args: append([]plan.Expr(nil), args...), ctx: ctx}
	if err := d.CheckCount(len(args), ctx); err != nil {
		return nil, err
	}
	if ctx.Distinct && d.Kind != Aggregate {
		return nil, errf(ctx, "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "42000",
			"The function %s does not support DISTINCT.", quoteName(d.Name))
	}
	if len(ctx.Within) > 0 && !d.within {
		return nil, errf(ctx, "INVALID_SQL_SYNTAX.FUNCTION_WITH_UNSUPPORTED_SYNTAX", "42000",
			"The function %s does not support WITHIN GROUP.", quoteName(d.Name))
	}
	if d.build != nil {
		return d.build(c)
	}
	if d.vars != nil {
		if err := c.wrapLambdas(); err != nil {
			return nil, err
		}
	}
	if err := c.fitArgs(); err != nil {
		return nil, err
	}
	if d.check != nil {
		if err := d.check(c); err != nil {
			return nil, err
		}
	}
	return c.finish(d.typ(c)), nil
}

// finish makes the node of a fitted call.
func (c *call) finish(t types.Type) plan.Expr {
	null := anyNullable(c.args)
	if c.d.null != nil {
		null = c.d.null(c)
	}
	raises := c.d.Raises && c.ctx.ANSI
	if c.d.raises != nil {
		raises = c.d.raises(c)
	}
	if c.d.Kind == Aggregate {
		return &plan.AggCall{Fn: c.d.Name, Args: c.args, Distinct: c.ctx.Distinct, Typ: t, Null: null, Raises: raises,
			IgnoreNulls: c.ctx.IgnoreNulls, Const: c.konst, Pos: c.ctx.Pos}
	}
	return &plan.Call{Fn: c.d.Name, Args: c.args, Typ: t, Null: null, Raises: raises, Volatile: c.d.Volatile,
		Const: c.konst, Pos: c.ctx.Pos}
}

func (c *call) fitArgs() error {
	if c.d.fit != nil {
		return c.d.fit(c)
	}
	for i := range c.args {
		if len(c.d.want) == 0 {
			return nil
		}
		w := c.d.want[min(i, len(c.d.want)-1)]
		if err := c.fitOne(i, w); err != nil {
			return err
		}
	}
	return nil
}

func (c *call) fitOne(i int, w want) error {
	if _, ok := c.args[i].(*plan.Lambda); ok {
		return nil
	}
	t, ok := w.to(c.args[i], c.ctx)
	if _, clock := c.args[i].Type().(types.Time); !ok && clock && w.name == quoteType(types.Timestamp) {
		return mismatch(c.ctx, "CAST_WITHOUT_SUGGESTION", "Cannot resolve %q: TIME cannot be cast to TIMESTAMP.", c.text())
	}
	if !ok && types.IsSpatial(c.args[i].Type()) && strings.Contains(w.name, `"STRING"`) {
		return mismatch(c.ctx, "CAST_WITHOUT_SUGGESTION", "Cannot resolve %q: %s cannot be cast to STRING.", c.text(), quoteType(c.args[i].Type()))
	}
	if !ok {
		return unexpected(c, i, w.name)
	}
	c.args[i] = CastTo(c.args[i], t, c.ctx)
	return nil
}

// LambdaVars are the parameters of the lambda at argument i when it is
// written with n of them, from the arguments resolved so far (nil for those
// to come). They have no names and IDs yet.
func (d *Def) LambdaVars(i int, args []plan.Expr, n int, ctx Context) ([]plan.LambdaVar, error) {
	if d.vars == nil {
		return nil, errf(ctx, "INVALID_LAMBDA_FUNCTION_CALL.NON_HIGHER_ORDER_FUNCTION", "42K0D",
			"A lambda function belongs into a higher order function, and %s is none.", quoteName(d.Name))
	}
	c := &call{d: d, args: args, ctx: ctx}
	vs, err := d.vars(c, i, n)
	if err != nil {
		return nil, err
	}
	if len(vs) != n {
		return nil, errf(ctx, "INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH", "42K0D",
			"The lambda function of %s gets %d arguments, but takes %d.", quoteName(d.Name), len(vs), n)
	}
	return vs, nil
}

// HigherOrder tells whether the function takes lambda functions.
func (d *Def) HigherOrder() bool { return d.vars != nil }

// NullByArguments tells whether the result is NULL where an argument is, and
// nowhere else.
func (d *Def) NullByArguments() bool { return d.null == nil }

// Columns are a generator's columns under their default names.
func (d *Def) Columns(c *plan.Call) []types.Field {
	if d.cols == nil {
		return nil
	}
	return d.cols(c)
}

func anyNullable(args []plan.Expr) bool {
	for _, a := range args {
		if _, ok := a.(*plan.Lambda); !ok && a.Nullable() {
			return true
		}
	}
	return false
}
