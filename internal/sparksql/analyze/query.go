package analyze

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// cteScope holds the common table expressions that a query sees.
type cteScope struct {
	parent *cteScope
	defs   map[string]*cteDef
}

type cteDef struct {
	name string
	cte  *plan.CTE
	cols []column
	// open marks a recursive expression whose anchor is being analysed: it
	// cannot be referred to yet.
	open bool
}

func (c *cteScope) find(name string) *cteDef {
	for ; c != nil; c = c.parent {
		if d := c.defs[strings.ToLower(name)]; d != nil {
			return d
		}
	}
	return nil
}

// reference reads the expression under fresh attributes.
func (d *cteDef) reference() relation {
	ref := &plan.CTERef{CTE: d.cte}
	for _, c := range d.cols {
		at := c.Attr
		at.ID, at.Qualifier = plan.NewID(), nil
		ref.Attrs = append(ref.Attrs, at)
	}
	return relation{node: ref, cols: copied(relationOf(ref).cols, relation{cols: d.cols})}
}

// query analyses a query with WITH, ORDER BY and LIMIT.
func (a *analyzer) query(q *ast.Query, p place) (relation, error) {
	var ctes []*plan.CTE
	if len(q.With) > 0 {
		files := p.files
		p.files = false
		var err error
		if ctes, err = a.with(q, &p); err != nil {
			return relation{}, err
		}
		p.files = files
	}
	r, err := a.body(q, p)
	if err == nil && len(ctes) > 0 {
		err, a.shapeless = a.shapeless, nil
	}
	if err != nil {
		return r, err
	}
	if q.Limit != nil || q.Offset != nil {
		l := &plan.Limit{Input: r.node}
		if q.Limit != nil {
			if l.N, err = a.limit(q.Limit, p, "LIMIT", r.cols); err != nil {
				return r, err
			}
		}
		if q.Offset != nil {
			if l.Offset, err = a.limit(q.Offset, p, "OFFSET", r.cols); err != nil {
				return r, err
			}
		}
		r.node = l
	}
	if len(ctes) > 0 {
		r.node = &plan.With{CTEs: ctes, Body: r.node}
	}
	return r, nil
}

// body analyses the part of a query that ORDER BY belongs to.
func (a *analyzer) body(q *ast.Query, p place) (relation, error) {
	if s, ok := q.Body.(*ast.Select); ok {
		return a.selectBody(s, q, p)
	}
	if b, ok := q.Body.(*ast.Paren); ok { // (SELECT k FROM t) ORDER BY n
		in := b.Query
		if s, ok := in.Body.(*ast.Select); ok && len(in.With)+len(in.Order)+len(in.Sort)+len(in.Cluster)+len(in.Distribute) == 0 && in.OrderAll == nil && in.Limit == nil && in.Offset == nil {
			return a.selectBody(s, q, p)
		}
	}
	r, err := a.operand(q.Body, p)
	if err != nil {
		return r, err
	}
	return a.sorted(r, q, p)
}

// operand analyses one side of a set operation.
func (a *analyzer) operand(b ast.Body, p place) (relation, error) {
	switch b := b.(type) {
	case *ast.Select:
		return a.selectBody(b, &ast.Query{At: ast.At{P: b.Pos()}}, p)
	case *ast.Paren:
		return a.query(b.Query, p)
	case *ast.Values:
		return a.values(b, p)
	case *ast.Table:
		return a.tableName(&ast.TableName{At: b.At, Name: b.Name}, p)
	case *ast.SetOp:
		return a.setOp(b, p)
	}
	return relation{}, a.errorf(b.Pos(), "UNSUPPORTED_FEATURE.QUERY", "0A000", "This query is not supported.")
}

// sorted adds an ORDER BY over the output of a set operation or a table.
func (a *analyzer) sorted(r relation, q *ast.Query, p place) (relation, error) {
	var keys []plan.SortKey
	if q.OrderAll != nil {
		for _, c := range r.visible() {
			k, err := a.sortKey(&plan.Column{Attr: c.Attr}, ast.SortItem{X: &ast.Literal{At: q.At}, Desc: q.OrderAll.Desc, NullsFirst: q.OrderAll.NullsFirst})
			if err != nil {
				return r, err
			}
			keys = append(keys, k)
		}
	}
	terms := append(append([]ast.SortItem{}, q.Order...), q.Sort...)
	terms = append(terms, clusterTerms(q)...)
	for _, d := range q.Distribute {
		x, err := a.expr(d, &scope{place: p, cols: r.cols, noRoutines: "DISTRIBUTE BY"})
		if err == nil {
			err = a.scalarOnly(x, d.Pos(), "in this DISTRIBUTE BY")
		}
		if err != nil {
			return r, err
		}
	}
	vis := r.visible()
	for _, t := range terms {
		var x plan.Expr
		n, ok, err := a.ordinal(t.X, len(vis))
		switch {
		case err != nil:
			return r, err
		case ok:
			x = &plan.Column{Attr: vis[n].Attr}
		default:
			if x, err = a.expr(t.X, &scope{place: p, cols: r.cols, noRoutines: "ORDER BY"}); err != nil {
				return r, err
			}
			if err := a.scalarOnly(x, t.X.Pos(), "in this ORDER BY"); err != nil {
				return r, err
			}
		}
		k, err := a.sortKey(x, t)
		if err != nil {
			return r, err
		}
		keys = append(keys, k)
	}
	if keys = telling(keys); len(keys) > 0 {
		r.node = &plan.Sort{Input: r.node, Keys: keys}
	}
	return r, nil
}

// with analyses the expressions of WITH in order and puts them into p.
func (a *analyzer) with(q *ast.Query, p *place) ([]*plan.CTE, error) {
	p.ctes = &cteScope{parent: p.ctes, defs: map[string]*cteDef{}}
	var out []*plan.CTE
	for _, c := range q.With {
		if q.Recursive && refers(c.Query, c.Name.Name) {
			cte, err := a.recursive(c, p)
			if err != nil {
				return nil, err
			}
			out = append(out, cte)
			continue
		}
		r, err := a.query(c.Query, *p)
		if err != nil {
			return nil, err
		}
		r = relation{node: r.node, cols: r.visible()}
		if r, err = a.alias2(r, ast.TableAlias{Columns: c.Columns}, c.Name.P, ""); err != nil {
			return nil, err
		}
		n := exact(r)
		cte := &plan.CTE{Name: c.Name.Name, ID: plan.NewID(), Plan: n}
		p.ctes.defs[strings.ToLower(c.Name.Name)] = &cteDef{name: c.Name.Name, cte: cte, cols: copied(relationOf(n).cols, r)}
		out = append(out, cte)
	}
	return out, nil
}

// refers tells whether a query's text names a table; a word in a string may
// make it say yes in vain, which only costs the better error.
func refers(q *ast.Query, name string) bool {
	words := strings.FieldsFunc(strings.ToLower(q.Text), func(r rune) bool {
		return r != '_' && (r < '0' || r > '9') && (r < 'a' || r > 'z')
	})
	return slices.Contains(words, strings.ToLower(name))
}

// limit checks that LIMIT is a constant, non-negative integer; cols are the
// columns that it could name in vain.
func (a *analyzer) limit(e ast.Expr, p place, what string, cols []column) (plan.Expr, error) {
	x, err := a.expr(e, &scope{place: place{catalog: p.catalog, schema: p.schema}, cols: cols, noRoutines: what})
	if err != nil {
		return nil, err
	}
	lit, ok := funcs.Eval(x)
	switch {
	case hasGenerator(x):
		return nil, a.errorf(e.Pos(), "UNSUPPORTED_GENERATOR.OUTSIDE_SELECT", "42K0E", "%s cannot hold a generator.", what)
	case !ok:
		return nil, a.errorf(e.Pos(), "INVALID_LIMIT_LIKE_EXPRESSION.IS_UNFOLDABLE", "42K0E", "%s must be a constant.", what)
	case lit.Value == nil && types.IsIntegral(lit.Typ):
		return nil, a.errorf(e.Pos(), "INVALID_LIMIT_LIKE_EXPRESSION.IS_NULL", "42K0E", "%s may not be NULL.", what)
	case lit.Typ != types.Int && lit.Typ != types.SmallInt && lit.Typ != types.TinyInt:
		return nil, a.errorf(e.Pos(), "INVALID_LIMIT_LIKE_EXPRESSION.DATA_TYPE", "42K0E", "%s must be an INT, not %s.", what, lit.Typ.SQL())
	}
	if n, _ := lit.Value.(int64); n < 0 {
		return nil, a.errorf(e.Pos(), "INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE", "42K0E", "%s may not be negative.", what)
	}
	return &plan.Literal{Value: lit.Value, Typ: types.Int}, nil
}

var setNames = map[ast.SetKind]string{ast.Union: "UNION", ast.Intersect: "INTERSECT", ast.Except: "EXCEPT"}

// setOp analyses a set operation; chains to the left are walked in a loop.
func (a *analyzer) setOp(b *ast.SetOp, p place) (relation, error) {
	p.files = false
	chain := []*ast.SetOp{b}
	for {
		l, ok := chain[len(chain)-1].Left.(*ast.SetOp)
		if !ok {
			break
		}
		chain = append(chain, l)
	}
	r, err := a.operand(chain[len(chain)-1].Left, p)
	for i := len(chain) - 1; i >= 0 && err == nil; i-- {
		var right relation
		if right, err = a.operand(chain[i].Right, p); err == nil {
			r, err = a.combine(chain[i], r, right)
		}
	}
	return r, err
}

func (a *analyzer) combine(b *ast.SetOp, l, r relation) (relation, error) {
	whole := l
	l, r = relationOf(exact(l)), relationOf(exact(r))
	if len(l.cols) != len(r.cols) {
		return l, a.errorf(b.Right.Pos(), "NUM_COLUMNS_MISMATCH", "42826", "%s needs the same number of columns on both sides, but has %d and %d.", setNames[b.Kind], len(l.cols), len(r.cols))
	}
	to := make([]types.Type, len(l.cols))
	for i := range l.cols {
		t, ok := setType(l.cols[i].Type, r.cols[i].Type, a.base.ANSI)
		if !ok {
			return l, a.errorf(b.Right.Pos(), "INCOMPATIBLE_COLUMN_TYPE", "42825", "%s: column %d is %s on the left and %s on the right.", setNames[b.Kind], i+1, l.cols[i].Type.SQL(), r.cols[i].Type.SQL())
		}
		if (b.Kind != ast.Union || !b.All) && hasMap(t) {
			return l, a.errorf(b.Pos(), "UNSUPPORTED_FEATURE.SET_OPERATION_ON_"+mapOrVariant(t)+"_TYPE", "0A000", "%s cannot compare the column %s of the type %s.", setNames[b.Kind], quote(l.cols[i].Name), t.SQL())
		}
		to[i] = t
	}
	ctx := a.fctx(b.Pos())
	l, r = a.castColumns(l, to, ctx), a.castColumns(r, to, ctx)
	out := &plan.SetOp{Kind: plan.SetOpKind(b.Kind), All: b.All, Left: l.node, Right: r.node}
	for i, c := range l.cols {
		at := plan.Attr{ID: plan.NewID(), Name: c.Name, Type: to[i], Nullable: c.Nullable || r.cols[i].Nullable, Comment: c.Comment}
		switch b.Kind {
		case ast.Except:
			at.Nullable = c.Nullable
		case ast.Intersect:
			at.Nullable = c.Nullable && r.cols[i].Nullable
		}
		if b.Kind == ast.Union && c.EventTime != nil {
			at.EventTime = c.EventTime
		}
		out.Attrs = append(out.Attrs, at)
	}
	return relation{node: out, cols: setColumns(relationOf(out).cols, whole)}, nil
}

// setColumns are the columns of a set operation: those of its left side, where
// their types stay.
func setColumns(cols []column, left relation) []column {
	copied(cols, left)
	for i, c := range left.visible() {
		if types.Equal(c.Type, cols[i].Type) {
			cols[i].Qualifier = c.Qualifier
		} else {
			cols[i].origin = cols[i].ID
		}
	}
	return cols
}

// setType is the common type of two columns of a set operation; structs meet
// by position under the left side's names.
func setType(l, r types.Type, ansi bool) (types.Type, bool) {
	ls, lok := l.(types.Struct)
	rs, rok := r.(types.Struct)
	if (types.HasCollation(l) || types.HasCollation(r)) && !types.Equal(l, r) && l != types.Void && r != types.Void {
		return nil, false
	}
	if !lok || !rok {
		return funcs.Common([]types.Type{l, r}, ansi)
	}
	if len(ls.Fields) != len(rs.Fields) {
		return nil, false
	}
	out := types.Struct{Fields: make([]types.Field, len(ls.Fields))}
	for i, f := range ls.Fields {
		t, ok := setType(f.Type, rs.Fields[i].Type, ansi)
		if !ok || !strings.EqualFold(f.Name, rs.Fields[i].Name) && !types.Equal(f.Type, rs.Fields[i].Type) {
			return nil, false
		}
		f.Type, f.Nullable = t, f.Nullable || rs.Fields[i].Nullable
		out.Fields[i] = f
	}
	return out, true
}
