package analyze

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// acrossSides tells whether a sub-query of cond uses columns of both sides.
func acrossSides(cond plan.Expr, left, right relation) bool {
	return contains(cond, func(x plan.Expr) bool {
		s, ok := x.(*plan.Subquery)
		if !ok {
			return false
		}
		used := map[plan.ID]bool{}
		plan.VisitNodes(s.Plan, func(n plan.Node) {
			for _, e := range plan.Exprs(n) {
				plan.Walk(e, func(y plan.Expr) bool {
					if o, ok := y.(*plan.Outer); ok {
						used[o.Attr.ID] = true
					}
					return true
				})
			}
		})
		uses := func(r relation) bool {
			return slices.ContainsFunc(r.cols, func(c column) bool { return used[c.ID] })
		}
		return uses(left) && uses(right)
	})
}

// generating tells of a call of a generator.
func generating(f *ast.TableFunc) bool {
	def := funcs.Lookup(strings.TrimSuffix(strings.ToLower(f.Call.Name[len(f.Call.Name)-1].Name), "_outer"))
	return def != nil && def.Kind == funcs.Generator && !tableOnly(def) && f.Watermark == nil
}

func isTrue(e ast.Expr) bool {
	lit, ok := e.(*ast.Literal)
	return ok && lit.Value == true
}

// lateralQuery is LATERAL (SELECT f(...)), which a condition can be put on.
func lateralQuery(f *ast.TableFunc) *ast.SubqueryRef {
	q := &ast.Query{At: f.At, Body: &ast.Select{At: f.At, Items: []ast.SelectItem{{X: f.Call}}}}
	out := &ast.SubqueryRef{At: f.At, Query: q, Lateral: true, Alias: f.Alias}
	if out.Alias.Name == nil {
		out.Alias.Name = &f.Call.Name[len(f.Call.Name)-1]
	}
	return out
}

// lateralGenerator is JOIN LATERAL explode(...): a Generate over the left side.
func (a *analyzer) lateralGenerator(j *ast.Join, f *ast.TableFunc, left relation, p place) (relation, bool, error) {
	name := strings.TrimSuffix(strings.ToLower(f.Call.Name[len(f.Call.Name)-1].Name), "_outer")
	def := funcs.Lookup(name)
	if def == nil || def.Kind != funcs.Generator || f.Watermark != nil {
		return left, false, nil
	}
	outer := j.Kind == ast.LeftJoin && j.On != nil // without a condition Spark makes an inner join of it
	if j.Kind != ast.LeftJoin && j.Kind != ast.CrossJoin && j.Kind != ast.InnerJoin || len(j.Using) > 0 || j.Natural {
		return left, false, nil
	}
	c := *f.Call
	c.Args = nil
	for _, arg := range f.Call.Args {
		if n, ok := arg.(*ast.NamedArg); ok {
			arg = n.X
		}
		c.Args = append(c.Args, arg)
	}
	x, err := a.expr(&c, &scope{place: p, cols: left.cols})
	if err != nil {
		return left, true, alone(err)
	}
	call := generator(x)
	if call == nil {
		return left, false, nil
	}
	g, err := a.generate(call, outer, nil, f.Pos())
	if err == nil {
		err = a.argsOnly(call, f.Pos())
	}
	if err != nil {
		return left, true, err
	}
	g.Input = left.node
	made := relation{}
	for _, at := range g.Attrs {
		made.cols = append(made.cols, column{Attr: at, origin: at.ID})
	}
	if made, err = a.alias2(made, f.Alias, f.Pos(), name); err != nil {
		return left, true, err
	}
	r := relation{node: g, cols: append(left.cols[:len(left.cols):len(left.cols)], made.cols...)}
	if j.On == nil {
		return r, true, nil
	}
	cond, err := a.boolean(j.On, "JOIN", &scope{place: p, cols: r.cols})
	if err != nil {
		return r, true, err
	}
	if lit, ok := cond.(*plan.Literal); ok && lit.Value == true {
		return r, true, nil
	}
	r.node = &plan.Filter{Input: g, Cond: cond}
	return r, true, nil
}
