package analyze

import (
	"errors"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/collation"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// generate makes a Generate without input from a resolved generator call.
func (a *analyzer) generate(call *plan.Call, outer bool, names []string, pos sparksql.Pos) (*plan.Generate, error) {
	def := funcs.Lookup(strings.TrimSuffix(call.Fn, "_outer"))
	gen := *call
	if slices.ContainsFunc(call.Args, hasGenerator) {
		return nil, a.errorf(pos, "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "42K0E", "A generator cannot stand inside another one.")
	}
	if strings.HasSuffix(gen.Fn, "_outer") {
		gen.Fn, outer = def.Name, true
	}
	fields := def.Columns(&gen)
	if len(names) > 0 && len(names) != len(fields) {
		return nil, a.errorf(pos, "UDTF_ALIAS_NUMBER_MISMATCH", "42802", "%s makes %d columns, but %d names are given.", call.Fn, len(fields), len(names))
	}
	g := &plan.Generate{Gen: &gen, Outer: outer}
	for i, f := range fields {
		name := f.Name
		if len(names) > 0 {
			name = names[i]
		}
		g.Attrs = append(g.Attrs, plan.Attr{ID: plan.NewID(), Name: name, Type: f.Type, Nullable: f.Nullable || outer})
	}
	return g, nil
}

// noScalar is the error of a function of FROM in the place of a value.
func (a *analyzer) noScalar(pos sparksql.Pos, name string) error {
	return a.errorf(pos, "NOT_A_SCALAR_FUNCTION", "42887", "%s makes a table, not a value.", quote(name)).hint("Call it in FROM.")
}

// generatorItem is explode(...) in a select list.
func (a *analyzer) generatorItem(x plan.Expr, it ast.SelectItem, sel *selection) error {
	call := generator(x)
	if call != nil && tableOnly(funcs.Lookup(strings.TrimSuffix(call.Fn, "_outer"))) {
		return a.noScalar(it.X.Pos(), call.Fn)
	}
	if call == nil || hasGenerator(&plan.Call{Args: call.Args}) {
		return a.errorf(it.X.Pos(), "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS", "42K0E", "A generator must stand alone in the select list, not inside an expression.")
	}
	names := ast.Name(it.Aliases).Strings()
	g, err := a.generate(call, false, names, it.X.Pos())
	if err != nil {
		return err
	}
	if c := substitute(g.Gen, sel.lca); c != nil {
		if call, ok := c.(*plan.Call); ok {
			g.Gen = call
		}
	}
	sel.gens = append(sel.gens, g)
	for _, at := range g.Attrs {
		out := a.item(&plan.Column{Attr: at}, at.Name, true, it.X.Pos())
		sel.items = append(sel.items, out)
		sel.lateralAlias(out, 1)
	}
	return nil
}

// tableOnly tells of a generator that can stand in FROM only.
func tableOnly(d *funcs.Def) bool { return d != nil && d.Name == "variant_explode" }

func (a *analyzer) generatorStage(sel *selection) error {
	for _, gen := range sel.gens {
		g := *gen
		g.Input = sel.node
		if hasWindow(g.Gen) {
			return a.errorf(sel.ast.Pos(), "UNSUPPORTED_GENERATOR.WITH_WINDOW_FUNCTION", "42K0E", "A generator's argument cannot hold a window function.").hint("Use a sub-query.")
		}
		sel.node = &g
	}
	return nil
}

// lateralViews adds LATERAL VIEW clauses from the left.
func (a *analyzer) lateralViews(views []ast.LateralView, r relation, p place) (relation, error) {
	for _, v := range views {
		if named, _, err := a.namedCall(v.Call, p); err != nil {
			return r, err
		} else if named != nil {
			v.Call = named
		}
		name := v.Call.Name[len(v.Call.Name)-1].Name
		if d := funcs.Lookup(strings.TrimSuffix(strings.ToLower(name), "_outer")); d == nil || tableOnly(d) {
			return r, a.errorf(v.Call.Pos(), "ROUTINE_NOT_FOUND", "42883", "There is no generator function %s.", quote(name))
		}
		s := &scope{place: p, cols: r.cols, times: &timeWindows{}}
		x, err := a.expr(v.Call, s)
		if err != nil {
			return r, err
		}
		call := generator(x)
		if call == nil {
			return r, a.errorf(v.Call.Pos(), "UNSUPPORTED_GENERATOR.NOT_GENERATOR", "42K0E", "LATERAL VIEW needs a generator such as explode, and %s is none.", quote(name))
		}
		g, err := a.generate(call, v.Outer, ast.Name(v.Columns).Strings(), v.Pos())
		if err == nil {
			err = a.argsOnly(call, v.Pos())
		}
		if err != nil {
			return r, err
		}
		around := &selection{ast: &ast.Select{At: v.At}, scope: s, node: r.node}
		if err := a.windowNodes(around); err != nil {
			return r, err
		}
		g.Input = around.node
		if v.Table != nil {
			for i := range g.Attrs {
				g.Attrs[i].Qualifier = []string{v.Table.Name}
			}
		}
		r = r.with(g, g.Attrs)
	}
	return r, nil
}

// argsOnly refuses aggregates and window functions in a generator of FROM.
func (a *analyzer) argsOnly(call *plan.Call, pos sparksql.Pos) error {
	for _, x := range call.Args {
		if err := a.scalarOnly(x, pos, "in a generator of FROM"); err != nil {
			return err
		}
	}
	return nil
}

// with is r under another node with more columns.
func (r relation) with(n plan.Node, more []plan.Attr) relation {
	out := relation{node: n, cols: r.cols[:len(r.cols):len(r.cols)]}
	for _, at := range more {
		out.cols = append(out.cols, column{Attr: at, origin: at.ID})
	}
	return out
}

// tableFunc resolves a table function in FROM. left is what a LATERAL one sees.
func (a *analyzer) tableFunc(f *ast.TableFunc, p place, left *relation) (relation, error) {
	call, table, err := a.namedCall(f.Call, p)
	if err != nil {
		return relation{}, err
	}
	if call == nil {
		return a.tableName(&ast.TableName{At: f.At, Name: table, Stream: f.Stream, Watermark: f.Watermark, Alias: f.Alias}, p)
	}
	c := *f
	c.Call, f = call, &c
	name := strings.ToLower(f.Call.Name[len(f.Call.Name)-1].Name)
	def := funcs.Lookup(strings.TrimSuffix(name, "_outer"))
	var r relation
	if star := slices.IndexFunc(f.Call.Args, func(x ast.Expr) bool { _, ok := x.(*ast.Star); return ok }); star >= 0 && def != nil {
		return r, a.errorf(f.Call.Args[star].Pos(), "INVALID_USAGE_OF_STAR_OR_REGEX", "42000", "A * cannot stand in a table function.")
	}
	own := "" // an SQL function's columns have its name as qualifier
	switch {
	case len(f.Call.Name) == 2 && tableFunctions[name] && !strings.EqualFold(f.Call.Name[0].Name, "builtin"):
		err = a.errorf(f.Pos(), "UNRESOLVABLE_TABLE_VALUED_FUNCTION", "42883", "There is no table function %s.", quoteAll(ast.Name(f.Call.Name).Strings()))
	case name == "range" && !f.Stream:
		r, err = a.rangeFunc(f, p, left)
	case changeFunctions[name] && len(f.Call.Name) == 1:
		if r, err = a.tableChanges(f, name, p); err != nil {
			return r, err
		}
		return a.alias2(r, f.Alias, f.Pos(), "")
	case name == "collations" && !f.Stream:
		r, err = a.collations(f)
	case name == "sql_keywords" && !f.Stream:
		r, err = a.keywords(f)
	case def != nil && def.Kind == funcs.Generator && !f.Stream:
		r, err = a.generatorFunc(f, p, left)
	default:
		var rt *plan.Routine
		if rt, err = a.routine(f.Call.Name, p); err != nil {
			return r, err
		}
		if rt != nil {
			own = rt.Name[len(rt.Name)-1]
			r, err = a.tableRoutine(rt, f, p, left)
		} else if def != nil {
			err = a.errorf(f.Pos(), "NOT_A_TABLE_FUNCTION", "42887", "%s makes a value, not a table.", quote(name))
		} else {
			r, err = a.sourceFunc(f, name, p)
		}
	}
	if err != nil {
		return r, err
	}
	if r, err = a.watermark(r, f.Watermark, p); err != nil {
		return r, err
	}
	if n := len(f.Alias.Columns); n > 0 && n != len(r.visible()) && (name == "range" || def != nil) {
		return r, a.errorf(f.Pos(), "NUM_TABLE_VALUE_ALIASES_MISMATCH", "42826", "%s makes %d columns, but %d names are given.", quote(name), len(r.visible()), n)
	}
	return a.alias2(r, f.Alias, f.Pos(), own)
}

// oneRow is a table of one row without columns.
func oneRow() plan.Node { return &plan.Values{Rows: [][]plan.Expr{{}}} }

func (a *analyzer) generatorFunc(f *ast.TableFunc, p place, left *relation) (relation, error) {
	s := &scope{place: p}
	if f.Lateral && left != nil {
		around := &scope{place: p, cols: left.cols}
		around.outer = nil
		s.outer = around
	}
	x, err := a.expr(f.Call, s)
	if err != nil {
		return relation{}, alone(err)
	}
	call := generator(x)
	if call == nil {
		return relation{}, a.errorf(f.Pos(), "NOT_A_TABLE_FUNCTION", "42887", "%s makes no table.", quote(f.Call.Name[0].Name))
	}
	g, err := a.generate(call, false, nil, f.Pos())
	if err == nil {
		err = a.argsOnly(call, f.Pos())
	}
	if err != nil {
		return relation{}, err
	}
	g.Input = oneRow()
	return relation{node: g, cols: relationOf(g).cols}, nil
}

// alone gives an unresolved column the class that it has in a table function:
// Spark looks for no names like it there.
func alone(err error) error {
	if e, ok := errors.AsType[*sparksql.Error](err); ok && e.Class == "UNRESOLVED_COLUMN.WITH_SUGGESTION" {
		e.Class = "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION"
	}
	return err
}

// rangeFunc is range([start,] end[, step[, partitions]]).
func (a *analyzer) rangeFunc(f *ast.TableFunc, p place, left *relation) (relation, error) {
	s := &scope{place: p}
	if left != nil {
		s.outer = &scope{place: p, cols: left.cols}
	}
	n := len(f.Call.Args)
	if n < 1 || n > 4 {
		return relation{}, a.errorf(f.Pos(), "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "The function `range` takes 1 to 4 arguments, but got %d.", n)
	}
	var args []plan.Expr
	for _, e := range f.Call.Args {
		if named, ok := e.(*ast.NamedArg); ok {
			return relation{}, a.errorf(named.Pos(), "NON_FOLDABLE_ARGUMENT", "42K08", "The arguments of range have no names.")
		}
		x, err := a.expr(e, s)
		if err != nil {
			return relation{}, err
		}
		if contains(x, func(y plan.Expr) bool { t, ok := y.(*plan.Titled); return ok && t.Variable }) {
			return relation{}, a.errorf(e.Pos(), "NON_FOLDABLE_ARGUMENT", "42K08", "The arguments of range may not be variables.").hint("EXECUTE IMMEDIATE puts a variable's value into a statement.")
		}
		given := x.Type()
		if !types.IsNumeric(given) && !types.IsString(given) {
			return relation{}, a.errorf(e.Pos(), "UNEXPECTED_INPUT_TYPE", "42K09", "The arguments of range are BIGINT, and %s is none.", given.SQL())
		}
		x = funcs.CastTo(x, types.BigInt, a.fctx(e.Pos()))
		lit, ok := funcs.Eval(x)
		if !ok && !funcs.IsFoldable(x) {
			return relation{}, a.errorf(e.Pos(), "NON_FOLDABLE_ARGUMENT", "42K08", "The arguments of range must be constants.")
		}
		if ok && lit.Value == nil {
			return relation{}, a.errorf(e.Pos(), "UNEXPECTED_INPUT_TYPE", "42K09", "The arguments of range are BIGINT and may not be NULL, as %s is.", given.SQL())
		}
		args = append(args, x)
	}
	one := &plan.Literal{Value: int64(1), Typ: types.BigInt}
	zero := &plan.Literal{Value: int64(0), Typ: types.BigInt}
	switch n {
	case 1:
		args = []plan.Expr{zero, args[0], one}
	case 2:
		args = append(args, one)
	default:
		args = args[:3]
	}
	if lit, ok := funcs.Eval(args[2]); ok && lit.Value == int64(0) {
		return relation{}, a.errorf(f.Pos(), "FAILED_FUNCTION_CALL", "38000", "The step of range may not be 0.")
	}
	g := &plan.Generate{Input: oneRow(), Gen: &plan.Call{Fn: "range", Args: args, Typ: types.Array{Elem: types.BigInt}, Pos: f.Pos()},
		Attrs: []plan.Attr{{ID: plan.NewID(), Name: "id", Type: types.BigInt}}}
	return relationOf(g), nil
}

// collations is the table of all collations.
func (a *analyzer) collations(f *ast.TableFunc) (relation, error) {
	if n := len(f.Call.Args); n > 0 {
		return relation{}, a.errorf(f.Pos(), "WRONG_NUM_ARGS.WITHOUT_SUGGESTION", "42605", "collations takes no arguments, not %d.", n)
	}
	out := &plan.Values{}
	for _, name := range append([]string{"CATALOG", "SCHEMA"}, collation.Columns...) {
		out.Attrs = append(out.Attrs, plan.Attr{ID: plan.NewID(), Name: name, Type: types.String, Nullable: true})
	}
	for _, c := range collation.All() {
		row := make([]plan.Expr, 0, len(out.Attrs))
		for _, v := range append([]string{"SYSTEM", "BUILTIN"}, c.Describe()...) {
			lit := &plan.Literal{Typ: types.String}
			if v != "" {
				lit.Value = v
			}
			row = append(row, lit)
		}
		out.Rows = append(out.Rows, row)
	}
	return relationOf(out), nil
}
