package analyze

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func (a *analyzer) clauses(c *ast.Clauses) error {
	for _, u := range c.Unsupported {
		return a.errorf(u.P, "UNSUPPORTED_FEATURE.CLAUSE", "0A000", "The clause %s is not supported.", u.Name)
	}
	if c.Provider != "" && !strings.EqualFold(c.Provider, "delta") {
		return a.errorf(sparksql.Pos{}, "UNSUPPORTED_FEATURE.TABLE_FORMAT", "0A000", "Tables are Delta tables, USING %s is not supported.", c.Provider)
	}
	return nil
}

// dataset analyses a pipeline's CREATE statement.
func (a *analyzer) dataset(d *ast.CreateDataset) (plan.Statement, error) {
	if err := a.clauses(&d.Clauses); err != nil {
		return nil, a.placed(err, d.Pos())
	}
	if d.Flow != nil {
		return nil, a.errorf(d.Flow.Pos(), "UNSUPPORTED_FEATURE.INLINE_FLOW", "0A000", "FLOW inside of CREATE STREAMING TABLE is not supported yet.").hint("Write AS with the query.")
	}
	out := &plan.CreateDataset{Name: d.Name.Strings(), Comment: d.Comment, Properties: map[string]string{}, Text: d.Text, Pos: d.Pos(),
		Kind: plan.DatasetKind(d.Kind)}
	for _, p := range d.Properties {
		out.Properties[p.Key] = p.Value
	}
	if d.Query == nil {
		if err := a.declaredOnly(d, out); err != nil {
			return nil, err
		}
		return out, a.keys(d, out, columnNames(out.Columns))
	}
	r, err := a.query(d.Query, place{catalog: a.env.Catalog, schema: a.env.Schema})
	if err != nil {
		return nil, err
	}
	r = relation{node: r.node, cols: r.visible()}
	if r, err = a.declared(d.Columns, r, d.Pos(), &out.Columns); err != nil {
		return nil, err
	}
	if err := a.uniqueNames(r, d.Pos()); err != nil {
		return nil, err
	}
	node := exact(r)
	names := make([]string, len(node.Output()))
	for i, at := range node.Output() {
		names[i] = at.Name
	}
	if err := a.expectations(d, out, node.Output()); err != nil {
		return nil, err
	}
	out.Plan = prune(a.strip(node))
	return out, a.keys(d, out, names)
}

func columnNames(fields []types.Field) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.Name
	}
	return out
}

// declaredOnly is a streaming table that flows fill.
func (a *analyzer) declaredOnly(d *ast.CreateDataset, out *plan.CreateDataset) error {
	for _, c := range d.Columns {
		if c.Type == nil {
			return a.errorf(c.Pos(), "PARSE_SYNTAX_ERROR", "42601", "The column %s needs a type.", quote(c.Name))
		}
		out.Columns = append(out.Columns, types.Field{Name: c.Name, Type: c.Type, Nullable: !c.NotNull, Comment: c.Comment})
	}
	over := make([]plan.Attr, len(out.Columns))
	for i, f := range out.Columns {
		over[i] = plan.Attr{ID: plan.NewID(), Name: f.Name, Type: f.Type, Nullable: f.Nullable}
	}
	return a.expectations(d, out, over)
}

// declared applies a column list: names, types, comments.
func (a *analyzer) declared(defs []ast.ColumnDef, r relation, pos sparksql.Pos, cols *[]types.Field) (relation, error) {
	if len(defs) == 0 {
		return r, nil
	}
	if len(defs) != len(r.cols) {
		sub := "NOT_ENOUGH_DATA_COLUMNS"
		if len(defs) < len(r.cols) {
			sub = "TOO_MANY_DATA_COLUMNS"
		}
		return r, a.errorf(pos, "CREATE_VIEW_COLUMN_ARITY_MISMATCH."+sub, "21S01", "The column list has %d columns, the query makes %d.", len(defs), len(r.cols))
	}
	p := &plan.Project{Input: r.node}
	typed := false
	for i, def := range defs {
		c := r.cols[i]
		var x plan.Expr = &plan.Column{Attr: c.Attr}
		at := c.Attr
		if def.Type != nil {
			typed = true
			var err error
			if x, err = funcs.StoreAssign(x, def.Type, a.fctx(def.Pos())); err != nil {
				return r, err
			}
		}
		at.ID, at.Type, at.Nullable, at.Name = plan.NewID(), x.Type(), x.Nullable() && !def.NotNull, def.Name
		if def.Comment != "" {
			at.Comment = def.Comment
		}
		at.Qualifier = nil
		p.Exprs = append(p.Exprs, plan.NamedExpr{X: x, Attr: at})
	}
	out := relationOf(p)
	for i, def := range defs {
		f := types.Field{Name: def.Name, Type: def.Type, Nullable: !def.NotNull, Comment: def.Comment}
		if f.Type == nil {
			f.Type = out.cols[i].Type
		}
		if typed || def.Comment != "" || def.NotNull {
			*cols = append(*cols, f)
		}
	}
	if len(*cols) != len(defs) {
		*cols = nil
		for i, def := range defs {
			*cols = append(*cols, types.Field{Name: def.Name, Type: out.cols[i].Type, Nullable: !def.NotNull, Comment: def.Comment})
		}
	}
	return out, nil
}

func (a *analyzer) uniqueNames(r relation, pos sparksql.Pos) error {
	seen := map[string]bool{}
	for _, c := range r.cols {
		low := strings.ToLower(c.Name)
		if seen[low] {
			return a.errorf(pos, "COLUMN_ALREADY_EXISTS", "42711", "The query makes two columns %s.", quote(c.Name)).hint("Give one of them another name with AS.")
		}
		seen[low] = true
	}
	return nil
}

// expectations resolves the conditions over the output.
func (a *analyzer) expectations(d *ast.CreateDataset, out *plan.CreateDataset, over []plan.Attr) error {
	for _, e := range d.Expectations {
		x, err := a.condition(e.Cond, over)
		if err == nil && x.Type() == types.Void { // NULL is never satisfied
			x = funcs.CastTo(x, types.Boolean, a.fctx(e.Cond.Pos()))
		}
		if err == nil {
			x, err = funcs.Condition(x, "EXPECT", a.fctx(e.Cond.Pos()))
		}
		if err != nil {
			return err
		}
		if contains(x, func(y plan.Expr) bool { _, ok := y.(*plan.Subquery); return ok }) {
			return a.errorf(e.Cond.Pos(), "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_EXPRESSION_IN_EXPECTATION", "0A000", "An expectation cannot hold a sub-query.")
		}
		action := map[string]plan.Action{"": plan.ActionWarn, "drop": plan.ActionDrop, "fail": plan.ActionFail}[e.Action]
		out.Expectations = append(out.Expectations, plan.Expectation{Name: e.Name.Name, Text: e.Text, Cond: x, Action: action, Pos: e.Pos()})
	}
	return nil
}

// keys checks PARTITIONED BY and CLUSTER BY against the columns.
func (a *analyzer) keys(d *ast.CreateDataset, out *plan.CreateDataset, names []string) error {
	find := func(id ast.Ident) (string, error) {
		for _, n := range names {
			if strings.EqualFold(n, id.Name) {
				return n, nil
			}
		}
		return "", a.errorf(id.P, "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "The table has no column %s.", quote(id.Name)).
			hint("Did you mean one of " + nearest(id.Name, names, 5) + "?")
	}
	for _, id := range d.PartitionBy {
		n, err := find(id)
		if err != nil {
			return err
		}
		out.PartitionBy = append(out.PartitionBy, n)
	}
	for _, id := range d.ClusterBy {
		n, err := find(id)
		if err != nil {
			return err
		}
		out.ClusterBy = append(out.ClusterBy, n)
	}
	return nil
}
