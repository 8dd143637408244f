package analyze

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// view analyses CREATE VIEW.
func (a *analyzer) view(v *ast.CreateView) (plan.Statement, error) {
	if err := a.clauses(&v.Clauses); err != nil {
		return nil, a.placed(err, v.Pos())
	}
	out := &plan.CreateView{Name: v.Name.Strings(), Comment: v.Comment, Temporary: v.Temporary, Global: v.Global, Replace: v.Replace,
		IfNotExists: v.IfNotExists, SchemaMode: v.SchemaMode, Text: v.Query.Text, Pos: v.Pos(), Properties: map[string]string{}}
	for _, p := range v.Properties {
		out.Properties[p.Key] = p.Value
	}
	var full []string
	switch {
	case v.Global:
		full = []string{"global_temp", out.Name[len(out.Name)-1]}
	case v.Temporary:
		full = out.Name[len(out.Name)-1:]
	default:
		if full = qualified(out.Name, a.place()); len(full) > 3 {
			return nil, a.errorf(v.Name[0].P, "REQUIRES_SINGLE_PART_NAMESPACE", "42K05", "A view is named by catalog, schema and name, not %s.", quoteAll(full))
		}
	}
	return out, a.viewQuery(v, full, out)
}

// viewQuery analyses the query of a view called full.
func (a *analyzer) viewQuery(v *ast.CreateView, full []string, out *plan.CreateView) error {
	a.creating = strings.ToLower(strings.Join(full, "."))
	r, err := a.query(v.Query, a.place())
	if err != nil {
		return err
	}
	r = relation{node: r.node, cols: r.visible()}
	if !v.Temporary {
		if err := a.noTemps("VIEW", full, v.Pos()); err != nil {
			return err
		}
		if err := a.named(r, full, v.Pos()); err != nil {
			return err
		}
	}
	for _, c := range r.cols {
		out.Query = append(out.Query, c.Name)
	}
	if r, err = a.declared(v.Columns, r, v.Pos(), &out.Columns); err != nil {
		return err
	}
	if err := a.uniqueNames(r, v.Pos()); err != nil {
		return err
	}
	if len(out.Columns) == 0 {
		for _, c := range r.cols {
			out.Columns = append(out.Columns, types.Field{Name: c.Name, Type: c.Type, Nullable: c.Nullable, Comment: c.Comment})
		}
	}
	out.Plan = prune(a.strip(exact(r)))
	return nil
}

// named refuses columns of a permanent view whose names Spark made up: every
// expression but columns, casts of them and literals needs an alias.
func (a *analyzer) named(r relation, full []string, pos sparksql.Pos) error {
	for _, c := range r.cols {
		if a.invented[c.ID] {
			return a.errorf(pos, "CREATE_PERMANENT_VIEW_WITHOUT_ALIAS", "0A000", "The permanent view %s needs a name for the expression %q.", quoteAll(full), c.Name).
				hint("Write AS with a name behind it.")
		}
	}
	return nil
}

// alterView analyses ALTER VIEW.
func (a *analyzer) alterView(v *ast.AlterView) (plan.Statement, error) {
	out := &plan.AlterView{Name: v.Name.Strings(), Change: plan.ViewChange(v.Change), To: v.To.Strings(), SchemaMode: v.SchemaMode,
		Properties: map[string]string{}, Pos: v.Pos()}
	for _, p := range v.Properties {
		out.Properties[p.Key] = p.Value
	}
	if v.Change != ast.ViewAs {
		return out, nil
	}
	_, view, err := a.env.Resolver.Table(a.ctx, qualified(out.Name, a.place()), TimeTravel{})
	if s := sessionName(out.Name); s != "" && a.env.Session.View(s) != nil {
		view = a.env.Session.View(s)
	}
	if err != nil {
		return nil, a.placed(err, v.Pos())
	}
	if view == nil {
		return out, nil // the engine says what is wrong
	}
	c := &ast.CreateView{Stmt: v.Stmt, Name: v.Name, Temporary: view.Temporary, Query: v.Query}
	out.View = &plan.CreateView{Name: out.Name, Temporary: view.Temporary, Replace: true, Text: v.Query.Text, Pos: v.Pos()}
	return out, a.viewQuery(c, view.Name, out.View)
}

// viewColumns gives a view the columns that it was made with.
func (a *analyzer) viewColumns(r relation, v *View, pos sparksql.Pos) (relation, error) {
	if v.Mode == "EVOLUTION" {
		return r, nil
	}
	p := &plan.Project{Input: r.node}
	for i, c := range v.Columns {
		from, err := a.viewColumn(r, v, i, pos)
		if err != nil {
			return r, err
		}
		to := c.Type
		if to == nil || v.Mode == "TYPE EVOLUTION" {
			to = from.Type
		}
		if v.Mode == "BINDING" && !upcasts(from.Type, to) {
			return r, a.errorf(pos, "CANNOT_UP_CAST_DATATYPE", "42846", "The column %s of the view %s was %s and is %s now.", quote(c.Name), quoteAll(v.Name), to.SQL(), from.Type.SQL())
		}
		x, err := funcs.StoreAssign(&plan.Column{Attr: from.Attr}, to, a.fctx(pos))
		if err != nil {
			return r, err
		}
		at := from.Attr
		at.Name = c.Name
		if !isColumn(x) {
			at.ID, at.Type, at.Nullable, at.EventTime = plan.NewID(), x.Type(), x.Nullable(), nil
		}
		if c.Comment != "" {
			at.Comment = c.Comment
		}
		p.Exprs = append(p.Exprs, plan.NamedExpr{X: x, Attr: at})
	}
	return relationOf(p), nil
}

// viewColumn finds the column of the query behind the view's i-th column: by
// the name that it had, among several of one name by its place.
func (a *analyzer) viewColumn(r relation, v *View, i int, pos sparksql.Pos) (column, error) {
	changed := a.errorf(pos, "INCOMPATIBLE_VIEW_SCHEMA_CHANGE", "51024", "The query of the view %s makes other columns than when the view was made.", quoteAll(v.Name)).
		hint("CREATE OR REPLACE VIEW makes it anew.")
	if len(v.Query) != len(v.Columns) {
		if len(v.Columns) != len(r.cols) {
			return column{}, changed
		}
		return r.cols[i], nil
	}
	nth := 0
	for _, q := range v.Query[:i] {
		if strings.EqualFold(q, v.Query[i]) {
			nth++
		}
	}
	for _, c := range r.cols {
		if !strings.EqualFold(c.Name, v.Query[i]) {
			continue
		}
		if nth == 0 {
			return c, nil
		}
		nth--
	}
	return column{}, changed
}

// upcasts tells whether every value of from is one of to.
func upcasts(from, to types.Type) bool {
	if types.Equal(from, to) {
		return true
	}
	t, ok := funcs.Common([]types.Type{from, to}, true)
	return ok && types.Equal(t, to) && !types.IsString(from)
}
