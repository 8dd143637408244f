package query

import (
	"context"
	"strings"

	"github.com/marisma/marisma/internal/query/script"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// scriptRun is the Runner of a script: its statements run as any other, its
// result is that of the last query.
type scriptRun struct {
	*task
	last *Result
}

var _ script.Runner = (*scriptRun)(nil)

// script runs BEGIN ... END.
func (t *task) script(ctx context.Context, c *ast.Compound) (*Result, error) {
	r := &scriptRun{task: t}
	st := &t.sess.state
	frames := st.frames
	defer func() { st.frames = frames }()
	if err := script.Run(ctx, r, c); err != nil {
		if r.last != nil {
			r.last.Close()
		}
		return nil, err
	}
	if r.last == nil {
		return &Result{}, nil
	}
	return r.last, nil
}

// Run runs one statement; the result of a query takes the last one's place.
func (r *scriptRun) Run(ctx context.Context, st ast.Statement) error {
	if d, ok := st.(*ast.DropVariable); ok {
		return &sparksql.Error{
			Class: "UNSUPPORTED_FEATURE.SQL_SCRIPTING_DROP_TEMPORARY_VARIABLE", SQLState: "0A000", Phase: sparksql.PhaseAnalysis, Pos: d.Pos(),
			Message: "a script cannot drop variables.", Hint: "EXECUTE IMMEDIATE 'DROP TEMPORARY VARIABLE ...' does.",
		}
	}
	res, err := r.statement(ctx, st)
	if err != nil {
		return err
	}
	if res.rows != nil {
		b, err := buffer(ctx, res.rows)
		if err != nil {
			return err
		}
		res.rows = b
	}
	if !isQuery(st) {
		res.Close()
		return nil
	}
	if r.last != nil {
		r.last.Close()
	}
	r.last = res
	return nil
}

// isQuery tells whether a statement's rows are a script's result: commands'
// are not.
func isQuery(st ast.Statement) bool {
	switch st := st.(type) {
	case *ast.QueryStatement:
		return true
	case *ast.ExecuteImmediate:
		return len(st.Into) == 0
	}
	return false
}

// value is the constant that x is now.
func (r *scriptRun) value(ctx context.Context, x ast.Expr) (plan.Expr, error) {
	s := r.step()
	at := ast.At{P: x.Pos()}
	q := &ast.Query{At: at, Body: &ast.Select{At: at, Items: []ast.SelectItem{{X: x, Aliases: []ast.Ident{{Name: "condition"}}}}}}
	ps, err := analyze.Statement(ctx, &ast.QueryStatement{Stmt: ast.Stmt{At: at}, Query: q}, s.env)
	if err != nil {
		return nil, err
	}
	pq, ok := ps.(*plan.Query)
	if !ok {
		return nil, ErrTypes // a query statement gives a query
	}
	rows, err := s.values(ctx, pq.Plan, 2)
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return &plan.Literal{Typ: types.Boolean}, nil
	}
	return rows[0][0], nil
}

// Test tells whether a condition holds.
func (r *scriptRun) Test(ctx context.Context, cond ast.Expr, text string) (bool, error) {
	x, err := r.value(ctx, cond)
	if err != nil {
		return false, err
	}
	lit, ok := x.(*plan.Literal)
	if ok && x.Type() == types.Boolean {
		v, _ := lit.Value.(bool) // NULL, as of a query without rows, is false
		return v, nil
	}
	return false, &sparksql.Error{
		Class: "INVALID_BOOLEAN_STATEMENT", SQLState: "22546", Phase: sparksql.PhaseRuntime, Pos: cond.Pos(),
		Message: "the condition " + strings.ToUpper(text) + " is no BOOLEAN.", Hint: "Compare it, or cast it to BOOLEAN.",
	}
}

// Equal tells whether x = y holds.
func (r *scriptRun) Equal(ctx context.Context, x, y ast.Expr) (bool, error) {
	v, err := r.value(ctx, &ast.Binary{At: ast.At{P: y.Pos()}, Op: "=", L: x, R: y, OpPos: y.Pos()})
	if err != nil {
		return false, err
	}
	lit, _ := v.(*plan.Literal)
	return lit != nil && lit.Value == true, nil
}

// Enter begins a scope.
func (r *scriptRun) Enter(label string) {
	st := &r.sess.state
	st.frames = append(st.frames[:len(st.frames):len(st.frames)], &frame{label: label, vars: map[string]*analyze.Variable{}})
}

// Leave ends the innermost scope.
func (r *scriptRun) Leave() {
	st := &r.sess.state
	st.frames = st.frames[:len(st.frames)-1]
}

// Each calls body for every row of a query. The rows are read before the
// first turn, so that body finds the engine free.
func (r *scriptRun) Each(ctx context.Context, f *ast.For, body func() error) error {
	s := r.step()
	ps, err := analyze.Statement(ctx, &ast.QueryStatement{Stmt: ast.Stmt{At: f.Query.At}, Query: f.Query}, s.env)
	if err != nil {
		return err
	}
	pq, ok := ps.(*plan.Query)
	if !ok {
		return ErrTypes // a query statement gives a query
	}
	cols := pq.Plan.Output()
	label := ""
	if f.Var != nil {
		label = f.Var.Name
	}
	for i, c := range cols {
		for _, d := range cols[:i] {
			if strings.EqualFold(c.Name, d.Name) {
				return exists(f.Pos(), []string{label, c.Name})
			}
		}
	}
	rows, err := r.e.execute(ctx, pq.Plan, s.opt, Inputs(ctx, pq.Plan, r.e.cfg.Tables))
	if err != nil {
		return err
	}
	b, err := buffer(ctx, rows)
	if err != nil {
		return err
	}
	defer b.Close()
	for _, rec := range b.recs {
		for i := range int(rec.NumRows()) {
			row, err := s.row(rec, i, cols)
			if err != nil {
				return err
			}
			r.Enter(label)
			fr := r.sess.state.local()
			for c, at := range cols {
				fr.vars[strings.ToLower(at.Name)] = &analyze.Variable{Name: []string{"local", label, at.Name}, Type: at.Type, Value: row[c], Default: "NULL"}
			}
			err = body()
			r.Leave()
			if err != nil {
				return err
			}
		}
	}
	return nil
}
