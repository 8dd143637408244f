package lower

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// expr is the text of e; its DuckDB type is DuckType(e.Type()).
func (l *lowerer) expr(e plan.Expr) string {
	switch e := e.(type) {
	case *plan.Column:
		return Col(e.Attr)
	case *plan.Outer:
		return Col(e.Attr)
	case *plan.Literal:
		return l.literal(e)
	case *plan.LambdaVar:
		if v, ok := l.vars[e.ID]; ok {
			return v
		}
		return l.fail(fmt.Errorf("lower: lambda parameter %s is not bound", e.Name))
	case *plan.Cast:
		return l.cast(e)
	case *plan.Case:
		return l.caseWhen(e)
	case *plan.Field:
		return "struct_extract(" + l.expr(e.X) + ", " + quote(fieldName(e)) + ")"
	case *plan.Call:
		return l.scalar(e)
	case *plan.Subquery:
		if e.Kind == plan.InSubquery && !nullConstant(e.Left) {
			return "coalesce(" + l.subquery(e) + ", false)" // Spark's value of IN (query) is never NULL
		}
		return l.subquery(e)
	case *plan.WindowExpr:
		return l.window(e)
	case *plan.AggCall:
		return l.aggregate(e, "")
	}
	return l.fail(fmt.Errorf("lower: expression %T", e))
}

// nullConstant tells of a single constant that is NULL.
func nullConstant(es []plan.Expr) bool {
	if len(es) != 1 {
		return false
	}
	lit, ok := funcs.Eval(es[0])
	return ok && lit.Value == nil
}

func (l *lowerer) exprs(es []plan.Expr) []string {
	out := make([]string, len(es))
	for i, e := range es {
		if _, ok := e.(*plan.Lambda); ok {
			continue // bound by the function's rule
		}
		out[i] = l.expr(e)
	}
	return out
}

func (l *lowerer) caseWhen(e *plan.Case) string {
	if l.sameBranches(e) {
		return l.expr(e.Else)
	}
	var b strings.Builder
	b.WriteString("CASE")
	for _, w := range e.When {
		b.WriteString(" WHEN " + l.expr(w.Cond) + " THEN " + l.expr(w.Then))
	}
	b.WriteString(" ELSE " + l.expr(e.Else) + " END")
	return b.String()
}

// rule lowers a call; a are its lowered arguments, "" for lambdas.
type rule func(l *lowerer, c *plan.Call, a []string) string

// baseName is the registry entry that says how a function runs.
func baseName(fn string) (string, *funcs.Def) {
	d := funcs.Lookup(fn)
	if d != nil && d.Base != "" {
		return d.Base, funcs.Lookup(d.Base)
	}
	if d != nil {
		return d.Name, d
	}
	return fn, nil
}

func (l *lowerer) scalar(c *plan.Call) string {
	if s, ok := notIn(c); ok && nullConstant(s.Left) {
		return l.notIn(s)
	} else if ok {
		return "coalesce(" + l.notIn(s) + ", false)"
	}
	if x := deMorgan(c); x != nil {
		return l.scalar(x)
	}
	name, d := baseName(c.Fn)
	if spec, ok := c.Const.(funcs.SketchSpec); ok {
		return l.guarded(name, d, c, l.exprs(c.Args), func(a []string) string { return l.sketchScalar(c, spec, a) })
	}
	if sql, ok := l.underCollation(name, c); ok {
		return sql
	}
	r, ok := ruleOf(name)
	if !ok && (d == nil || d.SQL == "") {
		return l.unsupported(c.Pos, "The function `%s` cannot be executed.", c.Fn)
	}
	text := l.guarded(name, d, c, l.exprs(c.Args), func(a []string) string {
		if ok {
			return r(l, c, a)
		}
		return l.template(d.SQL, a)
	})
	if triesAll(name, c) {
		return l.silenced(text)
	}
	return text
}

// template puts the arguments into a registry text.
func (l *lowerer) template(sql string, a []string) string {
	for i, x := range a {
		hole := "$" + strconv.Itoa(i+1)
		if strings.Count(sql, hole) > 1 && len(x) > longText {
			return l.let(x, func(v string) string {
				b := append([]string(nil), a...)
				b[i] = v
				return l.template(sql, b)
			})
		}
	}
	pairs := []string{"$*", strings.Join(a, ", ")}
	for i, x := range a {
		pairs = append(pairs, "$"+strconv.Itoa(i+1), x)
	}
	return strings.NewReplacer(pairs...).Replace(sql)
}

// condition is a filter's condition, where NULL counts as false.
func (l *lowerer) condition(e plan.Expr) string {
	if s, ok := e.(*plan.Subquery); ok {
		return l.subquery(s) // as DuckDB makes joins of it
	}
	if s, ok := notIn(e); ok {
		return l.notIn(s)
	}
	c, ok := e.(*plan.Call)
	if ok && isComparison(c.Fn) && !slices.ContainsFunc(c.Args, func(a plan.Expr) bool { return types.HasCollation(a.Type()) }) {
		if r, ok := ruleOf(c.Fn); ok {
			return r(l, c, l.exprs(c.Args)) // without a guard, which would hide it from joins and scans
		}
	}
	if !ok || c.Fn != "and" || l.comesFirst(c.Args[0]) {
		return l.expr(e)
	}
	left, right := l.condition(c.Args[0]), l.condition(c.Args[1])
	if !l.canRaise(c.Args[1]) {
		return "(" + left + " AND " + right + ")"
	}
	guarded := "CASE WHEN " + left + " THEN " + right + " ELSE false END"
	if l.canRaise(c.Args[0]) || len(left) > 4*longText {
		return guarded
	}
	return "(" + left + " AND " + guarded + ")" // the left side alone can be pushed down
}

// comesFirst tells of a constant that may raise: as the left side of AND and OR
// it is evaluated whatever the right side is.
func (l *lowerer) comesFirst(e plan.Expr) bool {
	return funcs.IsFoldable(e) && l.canRaise(e)
}

func lowerAnd(l *lowerer, c *plan.Call, a []string) string {
	if l.comesFirst(c.Args[0]) {
		return l.let(a[0], func(v string) string {
			return "CASE WHEN " + v + " THEN " + a[1] + " WHEN NOT " + v + " THEN false ELSE (NULL AND " + a[1] + ") END"
		})
	}
	if !l.canRaise(c.Args[1]) {
		return "(" + a[0] + " AND " + a[1] + ")"
	}
	if !c.Args[0].Nullable() {
		return "CASE WHEN " + a[0] + " THEN " + a[1] + " ELSE false END"
	}
	return l.let(a[0], func(v string) string {
		return "CASE WHEN NOT " + v + " THEN false ELSE (" + v + " AND " + a[1] + ") END"
	})
}

func lowerOr(l *lowerer, c *plan.Call, a []string) string {
	if l.comesFirst(c.Args[0]) {
		return l.let(a[0], func(v string) string {
			return "CASE WHEN " + v + " THEN true WHEN NOT " + v + " THEN " + a[1] + " ELSE (NULL OR " + a[1] + ") END"
		})
	}
	if !l.canRaise(c.Args[1]) {
		return "(" + a[0] + " OR " + a[1] + ")"
	}
	if !c.Args[0].Nullable() {
		return "CASE WHEN " + a[0] + " THEN true ELSE " + a[1] + " END"
	}
	return l.let(a[0], func(v string) string {
		return "CASE WHEN " + v + " THEN true ELSE (" + v + " OR " + a[1] + ") END"
	})
}

func (l *lowerer) subquery(s *plan.Subquery) string {
	body := l.node(s.Plan)
	out := s.Plan.Output()
	switch s.Kind {
	case plan.ExistsSubquery:
		return "EXISTS (" + body + ")"
	case plan.ScalarSubquery:
		return "(SELECT " + Col(out[0]) + " FROM (" + body + ") AS " + l.fresh("s") + ")"
	}
	left, right := make([]string, len(out)), make([]string, len(out))
	for i, a := range out {
		left[i] = l.expr(keyed(s.Left[i]))
		right[i] = l.expr(keyed(&plan.Column{Attr: a}))
	}
	from := " FROM (" + body + ") AS " + l.fresh("s") + ")"
	if len(left) == 1 {
		return "(" + left[0] + " IN (SELECT " + right[0] + from + ")"
	}
	return "EXISTS (SELECT 1" + strings.TrimSuffix(from, ")") + " WHERE " + equalities(left, right) + ")"
}

// notIn tells whether e is NOT (x IN (query)).
func notIn(e plan.Expr) (*plan.Subquery, bool) {
	c, ok := e.(*plan.Call)
	if !ok || c.Fn != "not" || len(c.Args) != 1 {
		return nil, false
	}
	s, ok := c.Args[0].(*plan.Subquery)
	return s, ok && s.Kind == plan.InSubquery
}

// deMorgan moves NOT over AND and OR down to IN (query), whose negation is an
// operation of its own; nil where there is nothing to move.
func deMorgan(c *plan.Call) *plan.Call {
	if c.Fn != "not" || len(c.Args) != 1 {
		return nil
	}
	in, ok := c.Args[0].(*plan.Call)
	if !ok || in.Fn != "and" && in.Fn != "or" {
		return nil
	}
	found := false
	plan.Walk(in, func(x plan.Expr) bool {
		s, ok := x.(*plan.Subquery)
		found = found || ok && s.Kind == plan.InSubquery
		return !found
	})
	if !found {
		return nil
	}
	out := *in
	out.Fn = map[string]string{"and": "or", "or": "and"}[in.Fn]
	out.Args = nil
	for _, x := range in.Args {
		n := *c
		n.Args = []plan.Expr{x}
		out.Args = append(out.Args, &n)
	}
	return &out
}

// notIn is false where a row of the query may be equal: NULL means unknown.
func (l *lowerer) notIn(s *plan.Subquery) string {
	if len(s.Left) == 1 {
		return "(NOT " + l.subquery(s) + ")"
	}
	out, right := s.Plan.Output(), []string(nil)
	for _, a := range out {
		right = append(right, Col(a))
	}
	return "(NOT EXISTS (SELECT 1 FROM (" + l.node(s.Plan) + ") AS " + l.fresh("s") + " WHERE coalesce(" + equalities(l.exprs(s.Left), right) + ", true)))"
}

func equalities(left, right []string) string {
	parts := make([]string, len(left))
	for i := range left {
		parts[i] = "(" + left[i] + " = " + right[i] + ")"
	}
	return strings.Join(parts, " AND ")
}

// isDecimal tells whether t is a DECIMAL, and which.
func isDecimal(t types.Type) (types.Decimal, bool) {
	d, ok := t.(types.Decimal)
	return d, ok
}
