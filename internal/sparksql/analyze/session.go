package analyze

import (
	"context"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Session finds what lasts between statements and in no catalog.
type Session interface {
	// Variable finds the variable that name begins with, and how many parts of
	// name mean it; nil where there is none.
	Variable(name []string) (*Variable, int)
	// View finds a temporary view, nil where there is none.
	View(name string) *View
	// Routine finds a temporary function, nil where there is none.
	Routine(name string) *plan.Routine
}

// Variable is a session variable or a local one of a script.
type Variable struct {
	Name    []string // catalog, schema, name
	Type    types.Type
	Value   plan.Expr // a constant of Type
	Default string    // the text of its default
}

// noSession holds nothing.
type noSession struct{}

func (noSession) Variable([]string) (*Variable, int) { return nil, 0 }
func (noSession) View(string) *View                  { return nil }
func (noSession) Routine(string) *plan.Routine       { return nil }

// temporary notes that the statement refers to a temporary object, which what
// lasts in the catalog may not.
func (a *analyzer) temporary(kind string, name string) {
	if len(a.within) == 0 && len(a.views) == 0 {
		a.temps = append(a.temps, [2]string{kind, name})
	}
}

// withoutSession analyses what stands in the catalog: temporary objects do not
// exist for it. The caller calls the result at its end.
func (a *analyzer) withoutSession() func() {
	s := a.env.Session
	a.env.Session = noSession{}
	return func() { a.env.Session = s }
}

// noTemps refuses a persistent object that refers to a temporary one.
func (a *analyzer) noTemps(kind string, full []string, pos sparksql.Pos) error {
	if len(a.temps) == 0 {
		return nil
	}
	t := a.temps[0]
	return a.errorf(pos, "INVALID_TEMP_OBJ_REFERENCE", "42K0F", "The persistent %s %s cannot refer to the temporary %s %s.", kind, quoteAll(full), t[0], quote(t[1])).
		hint("Make it temporary too.")
}

// variable reads a variable with the fields behind its name; nil where the
// session has none of that name.
func (a *analyzer) variable(name []string, pos sparksql.Pos) (plan.Expr, error) {
	v, n := a.env.Session.Variable(name)
	if v == nil {
		return nil, nil
	}
	a.temporary("VARIABLE", v.Name[len(v.Name)-1])
	return a.fields(a.title(v.Value, strings.Join(quoteOdd(v.Name), "."), true), name[n:], pos)
}

// title names x; strip takes the names off again.
func (a *analyzer) title(x plan.Expr, text string, variable bool) plan.Expr {
	a.titled = true
	return &plan.Titled{X: x, Title: text, Variable: variable}
}

// strip gives n without titles.
func (a *analyzer) strip(n plan.Node) plan.Node {
	if !a.titled {
		return n
	}
	return mapPlan(n, a.stripExpr, func(m plan.Node) plan.Node {
		if w, ok := m.(*plan.With); ok {
			for _, c := range w.CTEs { // references point at them
				c.Plan = a.strip(c.Plan)
			}
		}
		return m
	})
}

func (a *analyzer) stripExpr(e plan.Expr) plan.Expr {
	if !a.titled {
		return e
	}
	return plan.Transform(e, func(x plan.Expr) plan.Expr {
		switch x := x.(type) {
		case *plan.Titled:
			return x.X
		case *plan.Subquery:
			c := *x
			c.Plan = a.strip(x.Plan)
			return &c
		}
		return x
	})
}

// QuoteOdd puts backticks around a name that is no plain word.
func QuoteOdd(name string) string {
	if strings.ContainsFunc(name, func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z')
	}) {
		return quote(name)
	}
	return name
}

func quoteOdd(parts []string) []string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = QuoteOdd(p)
	}
	return out
}

// one is a plan of one row with the given values.
func (a *analyzer) one(values []plan.Expr, names []string) plan.Node {
	p := &plan.Project{Input: oneRow()}
	for i, x := range values {
		p.Exprs = append(p.Exprs, plan.NamedExpr{X: x, Attr: plan.Attr{ID: plan.NewID(), Name: names[i], Type: x.Type(), Nullable: x.Nullable()}})
	}
	return prune(a.strip(p))
}

// names resolves IDENTIFIER(x) in the names of a statement.
func (a *analyzer) names(st ast.Statement) (ast.Statement, error) {
	return ast.Resolve(st, func(n ast.Name) (ast.Name, error) {
		return a.dynamicName(n, a.place())
	})
}

// place is where the statement's names resolve.
func (a *analyzer) place() place { return place{catalog: a.env.Catalog, schema: a.env.Schema} }

// dynamicName puts the parts of IDENTIFIER(x) into n.
func (a *analyzer) dynamicName(n ast.Name, p place) (ast.Name, error) {
	var out ast.Name
	for _, part := range n {
		if part.X == nil {
			out = append(out, part)
			continue
		}
		more, err := a.identifier(part.X, p)
		if err != nil {
			return nil, err
		}
		out = append(out, more...)
	}
	return out, nil
}

func strs(names []ast.Name) [][]string {
	out := make([][]string, len(names))
	for i, n := range names {
		out[i] = n.Strings()
	}
	return out
}

// declareVariable analyses DECLARE.
func (a *analyzer) declareVariable(d *ast.DeclareVariable) (plan.Statement, error) {
	out := &plan.DeclareVariables{Names: strs(d.Names), Type: d.Type, DefaultText: "NULL", Replace: d.Replace, Pos: d.Pos()}
	for i, n := range out.Names {
		for _, m := range out.Names[:i] {
			if strings.EqualFold(n[len(n)-1], m[len(m)-1]) {
				return nil, a.errorf(d.Names[i][0].P, "DUPLICATE_VARIABLE_NAME_INSIDE_DECLARE", "42734", "DECLARE names %s twice.", quoteAll(n))
			}
		}
	}
	var x plan.Expr = &plan.Literal{Typ: types.Void}
	if d.Default != nil {
		out.DefaultText = d.DefaultText
		var err error
		if x, err = a.defaultValue(d.Default); err != nil {
			return nil, err
		}
		if contains(x, func(y plan.Expr) bool { _, ok := y.(*plan.Subquery); return ok }) {
			return nil, a.errorf(d.Default.Pos(), "INVALID_DEFAULT_VALUE.SUBQUERY_EXPRESSION", "42623", "The DEFAULT of %s holds a sub-query.", quoteAll(out.Names[0])).
				hint("Declare the variable, then SET it to the query.")
		}
	}
	if out.Type == nil {
		out.Type = x.Type()
	}
	x, err := funcs.ExplicitCast(x, out.Type, a.base.CastMode(), a.fctx(d.Pos()))
	if err != nil {
		return nil, err
	}
	out.Default = a.one([]plan.Expr{x}, []string{"default"})
	return out, nil
}

// defaultValue resolves a default: an expression over variables alone.
func (a *analyzer) defaultValue(e ast.Expr) (plan.Expr, error) {
	x, err := a.expr(e, &scope{place: a.place()})
	if err != nil {
		return nil, err
	}
	if hasAggregate(x) || hasWindow(x) || hasGenerator(x) {
		return nil, a.errorf(e.Pos(), "UNSUPPORTED_EXPR_FOR_OPERATOR", "42K0E", "A default cannot hold aggregates, window functions and generators.")
	}
	return x, nil
}

// setVariable analyses SET VAR and the assignments of scripts.
func (a *analyzer) setVariable(s *ast.SetVariable) (plan.Statement, error) {
	out := &plan.SetVariables{Names: strs(s.Targets), Pos: s.Pos()}
	targets, err := a.targets(s.Targets)
	if err != nil {
		return nil, err
	}
	if s.Query != nil {
		n, err := a.root(s.Query)
		if err != nil {
			return nil, err
		}
		out.Plan, err = a.assigned(n, targets, s.Pos())
		return out, err
	}
	values := make([]ast.SelectItem, len(s.Values))
	for i, x := range s.Values {
		if isDefault(x) {
			if x, err = parse.Expression(targets[i].Default); err != nil {
				return nil, err
			}
		} else if nested := defaultInside(x); nested != nil {
			return nil, a.errorf(nested.Pos(), "DEFAULT_PLACEMENT_INVALID", "42608", "DEFAULT stands alone, not in an expression.")
		}
		values[i] = ast.SelectItem{X: x, Aliases: []ast.Ident{s.Targets[i][len(s.Targets[i])-1]}} // those behind it see its new value
	}
	at := ast.At{P: s.Pos()}
	n, err := a.root(&ast.Query{At: at, Body: &ast.Select{At: at, Items: values}})
	if err != nil {
		return nil, err
	}
	out.Plan, err = a.assigned(n, targets, s.Pos())
	return out, err
}

// isDefault tells whether x is the word DEFAULT.
func isDefault(x ast.Expr) bool {
	c, ok := x.(*ast.Column)
	return ok && len(c.Name) == 1 && !c.Name[0].Quoted && strings.EqualFold(c.Name[0].Name, "default")
}

// defaultInside finds DEFAULT as an operand.
func defaultInside(x ast.Expr) ast.Expr {
	switch x := x.(type) {
	case *ast.Binary:
		for _, y := range []ast.Expr{x.L, x.R} {
			if isDefault(y) {
				return y
			}
			if d := defaultInside(y); d != nil {
				return d
			}
		}
	case *ast.Unary:
		if isDefault(x.X) {
			return x.X
		}
		return defaultInside(x.X)
	case *ast.Cast:
		if isDefault(x.X) {
			return x.X
		}
		return defaultInside(x.X)
	case *ast.Call:
		for _, y := range x.Args {
			if isDefault(y) {
				return y
			}
			if d := defaultInside(y); d != nil {
				return d
			}
		}
	}
	return nil
}

// targets finds the variables that are assigned to.
func (a *analyzer) targets(names []ast.Name) ([]*Variable, error) {
	out := make([]*Variable, len(names))
	for i, n := range names {
		full := n.Strings()
		v, parts := a.env.Session.Variable(full)
		if v == nil || parts < len(full) {
			return nil, a.noVariable(full, n[0].P)
		}
		if slices.Contains(out[:i], v) {
			return nil, a.errorf(n[0].P, "DUPLICATE_ASSIGNMENTS", "42701", "The variable %s is assigned to more than once.", quoteAll(full))
		}
		out[i] = v
	}
	return out, nil
}

func (a *analyzer) noVariable(name []string, pos sparksql.Pos) error {
	return a.errorf(pos, "UNRESOLVED_VARIABLE", "42883", "There is no variable %s.", quoteAll(name)).hint("DECLARE makes one.")
}

// assigned casts the columns of n to the variables' types.
func (a *analyzer) assigned(n plan.Node, targets []*Variable, pos sparksql.Pos) (plan.Node, error) {
	cols := n.Output()
	if len(cols) != len(targets) {
		return nil, a.errorf(pos, "ASSIGNMENT_ARITY_MISMATCH", "42802", "%d variables are assigned to, but there are %d values.", len(targets), len(cols))
	}
	p := &plan.Project{Input: n}
	for i, c := range cols {
		x, err := funcs.ExplicitCast(&plan.Column{Attr: c}, targets[i].Type, a.base.CastMode(), a.fctx(pos))
		if err != nil {
			return nil, err
		}
		p.Exprs = append(p.Exprs, plan.NamedExpr{X: x, Attr: plan.Attr{ID: plan.NewID(), Name: c.Name, Type: x.Type(), Nullable: true}})
	}
	return prune(p), nil
}

// executeImmediate analyses what can be without running the text.
func (a *analyzer) executeImmediate(e *ast.ExecuteImmediate) (plan.Statement, error) {
	out := &plan.ExecuteImmediate{Into: strs(e.Into), Pos: e.Pos()}
	x, err := a.expr(e.Query, &scope{place: a.place()})
	if err == nil {
		err = a.parameterValue(x, e.Query.Pos())
	}
	if err != nil {
		return nil, err
	}
	if !types.IsString(x.Type()) {
		return nil, a.errorf(e.Query.Pos(), "INVALID_EXPR_TYPE_FOR_QUERY_EXECUTE_IMMEDIATE", "42K09", "EXECUTE IMMEDIATE needs a text, not %s.", x.Type().SQL())
	}
	out.Name = a.sqlName(x)
	if c, ok := e.Query.(*ast.Column); ok {
		out.Name = strings.Join(c.Name.Strings(), ".")
	}
	out.Text = a.one([]plan.Expr{x}, []string{"text"})
	for _, n := range e.Into {
		full := n.Strings()
		if v, parts := a.env.Session.Variable(full); v == nil || parts < len(full) {
			return nil, a.unresolved(full, n[0].P, nil)
		}
	}
	if _, err := a.targets(e.Into); err != nil {
		return nil, err
	}
	for _, u := range e.Using {
		arg := plan.Argument{}
		if al, ok := u.(*ast.Alias); ok {
			arg.Name, u = al.Name.Name, al.X
		} else if c, ok := u.(*ast.Column); ok { // a variable's own name
			arg.Name = c.Name[len(c.Name)-1].Name
		}
		x, err := a.expr(u, &scope{place: a.place()})
		if err == nil {
			err = a.parameterValue(x, u.Pos())
		}
		if err != nil {
			return nil, err
		}
		arg.Value, arg.Title = a.stripExpr(x), a.sqlName(x)
		out.Args = append(out.Args, arg)
	}
	return out, nil
}

// Into analyses a query whose row is assigned to the variables called names;
// found is called when the query is analysed, before they are looked up.
func Into(ctx context.Context, q *ast.QueryStatement, names [][]string, env Env, found func()) (plan.Node, error) {
	a := newAnalyzer(ctx, env)
	n, err := a.root(q.Query)
	found()
	if err != nil {
		return nil, err
	}
	var vars []ast.Name
	for _, name := range names {
		var n ast.Name
		for _, p := range name {
			n = append(n, ast.Ident{At: q.At, Name: p})
		}
		vars = append(vars, n)
	}
	targets, err := a.targets(vars)
	if err != nil {
		return nil, err
	}
	return a.assigned(n, targets, q.Pos())
}

// parameterValue refuses what is no constant.
func (a *analyzer) parameterValue(x plan.Expr, pos sparksql.Pos) error {
	if contains(x, func(y plan.Expr) bool { _, ok := y.(*plan.Subquery); return ok }) || hasAggregate(x) || hasWindow(x) || hasGenerator(x) {
		return a.errorf(pos, "UNSUPPORTED_EXPR_FOR_PARAMETER", "42K0E", "A parameter is a constant or a variable, not %q.", funcs.SQLName(x))
	}
	return nil
}
