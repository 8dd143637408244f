package query

import (
	"context"
	"errors"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// task is one statement of a session under way, with the statements inside of
// it: those of a script, and the text of EXECUTE IMMEDIATE.
type task struct {
	e          *Engine
	sess       *Session
	named      map[string]plan.Expr // of :name
	positional []plan.Expr          // of ?
	asText     bool                 // values of queries come as text
	depth      int                  // EXECUTE IMMEDIATE inside of each other
}

// run runs one statement as sess.
func (e *Engine) run(ctx context.Context, sess *Session, text string, args Args, asText bool) (*Result, error) {
	t := &task{e: e, sess: sess, asText: asText}
	if err := t.bind(ctx, args); err != nil {
		return nil, err
	}
	st, err := sess.parse(sess.substitute(text))
	if err != nil {
		return nil, err
	}
	return t.statement(ctx, st)
}

// parse parses one statement as the session's settings say.
func (s *Session) parse(text string) (ast.Statement, error) {
	return parse.StatementOf(text, parse.Quotes{
		Raw:   strings.EqualFold(s.Conf["spark.sql.parser.escapedStringLiterals"], "true"),
		Names: strings.EqualFold(s.Conf["spark.sql.ansi.doubleQuotedIdentifiers"], "true"),
	})
}

// step is one statement of a task: its time, and what names mean to it.
type step struct {
	*task
	env analyze.Env
	opt Options
}

func (t *task) step() *step {
	at := now()
	r := NewResolver(t.e.cfg.Catalog, t.e.cfg.Tables, t.sess.Catalog, t.sess.Schema)
	r.globals = &t.e.globals
	env := t.sess.Env(r, at)
	env.Params, env.Positional = t.named, t.positional
	s := &step{task: t, env: env, opt: Options{Now: at, TimeZone: t.sess.zone(), ANSI: t.sess.Conf[ansiConf] != "false", TimeParser: t.sess.Conf["spark.sql.legacy.timeParserPolicy"]}}
	s.env.Compute = func(ctx context.Context, n plan.Node) ([]plan.Expr, error) {
		rows, err := s.values(ctx, n, 1)
		if err != nil || len(rows) == 0 {
			return nil, err
		}
		return rows[0], nil
	}
	return s
}

// conflictTries is how often a statement that lost against another writer is
// run again on the table as it is then.
const conflictTries = 10

// statement runs a statement, whatever it is: the one entry point.
func (t *task) statement(ctx context.Context, st ast.Statement) (*Result, error) {
	if all, ok := st.(*ast.Inserts); ok {
		return t.inserts(ctx, all)
	}
	for try := 0; ; try++ {
		res, err := t.once(ctx, st)
		if try >= conflictTries || !isConflict(err) || ctx.Err() != nil {
			return res, storageError(err)
		}
	}
}

// inserts runs several INSERTs behind one FROM, one after the other; each sees
// what those before it did, as in Spark. All are analysed before the first one
// runs.
func (t *task) inserts(ctx context.Context, all *ast.Inserts) (*Result, error) {
	s := t.step()
	for _, ins := range all.List {
		if _, err := analyze.Statement(ctx, ins, s.env); err != nil {
			return nil, storageError(err)
		}
	}
	for _, ins := range all.List {
		res, err := t.statement(ctx, ins)
		if err != nil {
			return nil, err
		}
		res.Close()
	}
	return &Result{}, nil
}

func (t *task) once(ctx context.Context, st ast.Statement) (*Result, error) {
	if c, ok := st.(*ast.Compound); ok {
		return t.script(ctx, c)
	}
	s := t.step()
	if c, ok := st.(*ast.CopyInto); ok {
		return s.copyInto(ctx, c)
	}
	ps, err := analyze.Statement(ctx, st, s.env)
	if err != nil {
		return nil, err
	}
	e, sess := t.e, t.sess
	switch ps := ps.(type) {
	case *plan.Query:
		return e.query(ctx, sess, ps.Plan, s.opt, t.asText)
	case *plan.AlterTable, *plan.Change, *plan.CreateTable, *plan.DropTable, *plan.Insert, *plan.Optimize, *plan.Partition, *plan.Restore, *plan.Truncate, *plan.Vacuum:
		res, err := e.tended(ctx, changed(ps), func() (*Result, error) { return e.define(ctx, sess, ps, s.opt) })
		return asText(res, err, t.asText)
	case *plan.Command:
		return e.command(ctx, sess, ps, t.asText)
	case *plan.Explain:
		return e.explain(ctx, ps, s.opt)
	case *plan.CreateView:
		return e.createView(ctx, sess, ps)
	case *plan.AlterView:
		return e.alterView(ctx, sess, ps)
	case *plan.CreateFunction:
		return e.createFunction(ctx, sess, ps)
	case *plan.DeclareVariables:
		return &Result{}, s.declare(ctx, ps)
	case *plan.SetVariables:
		return &Result{}, s.assign(ctx, ps.Names, ps.Plan)
	case *plan.DropVariable:
		return &Result{}, s.dropVariable(ps)
	case *plan.ExecuteImmediate:
		return s.execute(ctx, ps)
	case *plan.CreateDataset:
		return nil, &sparksql.Error{
			Class: "UNSUPPORTED_FEATURE.CREATE_PIPELINE_DATASET_QUERY_EXECUTION", SQLState: "0A000", Phase: sparksql.PhaseAnalysis, Pos: ps.Pos,
			Message: "streaming tables and materialized views are made by pipelines.",
			Hint:    "Put the statement into a file of the pipeline's folder.",
		}
	}
	return nil, &sparksql.Error{
		Class: "UNSUPPORTED_FEATURE", SQLState: "0A000", Phase: sparksql.PhaseAnalysis,
		Message: "this statement cannot be run here.",
	}
}

// values are the first rows of n, up to limit, as constants. Simple constants
// need no engine.
func (s *step) values(ctx context.Context, n plan.Node, limit int) ([][]plan.Expr, error) {
	if row := folded(n); row != nil {
		return [][]plan.Expr{row}, nil
	}
	rows, err := s.e.execute(ctx, n, s.opt, Inputs(ctx, n, s.e.cfg.Tables))
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	cols := n.Output()
	var out [][]plan.Expr
	for len(out) < limit {
		rec, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		for i := 0; i < int(rec.NumRows()) && len(out) < limit; i++ {
			row, err := s.row(rec, i, cols)
			if err != nil {
				rec.Release()
				return nil, err
			}
			out = append(out, row)
		}
		rec.Release()
	}
	return out, nil
}

// row is row i of a batch as constants.
func (s *step) row(rec arrow.RecordBatch, i int, cols []plan.Attr) ([]plan.Expr, error) {
	row := make([]plan.Expr, len(cols))
	for c, at := range cols {
		var err error
		if row[c], err = constant(rec.Column(c), i, at.Type, s.opt.TimeZone, s.opt.Now); err != nil {
			return nil, err
		}
	}
	return row, nil
}

// folded is the row of a plan that is constants over one row, nil for others.
func folded(n plan.Node) []plan.Expr {
	p, ok := n.(*plan.Project)
	if !ok {
		return nil
	}
	var row []plan.Expr
	switch in := p.Input.(type) {
	case *plan.Values:
		if len(in.Rows) != 1 {
			return nil
		}
	case *plan.Project:
		if row = folded(in); row == nil {
			return nil
		}
	default:
		return nil
	}
	byID := map[plan.ID]plan.Expr{}
	if len(row) > 0 {
		for i, at := range p.Input.Output() {
			byID[at.ID] = row[i]
		}
	}
	out := make([]plan.Expr, len(p.Exprs))
	for i, e := range p.Exprs {
		x := plan.Transform(e.X, func(y plan.Expr) plan.Expr {
			if c, ok := y.(*plan.Column); ok && byID[c.Attr.ID] != nil {
				return byID[c.Attr.ID]
			}
			return y
		})
		lit, ok := funcs.Eval(x)
		if !ok || !types.Equal(lit.Typ, e.X.Type()) {
			return nil
		}
		out[i] = lit
	}
	return out
}

// buffered is a result that was read to its end.
type buffered struct {
	recs []arrow.RecordBatch
	at   int
}

// Next gives the next batch.
func (b *buffered) Next(context.Context) (arrow.RecordBatch, error) {
	if b.at == len(b.recs) {
		return nil, io.EOF
	}
	b.at++
	rec := b.recs[b.at-1]
	rec.Retain()
	return rec, nil
}

// Close lets the batches go.
func (b *buffered) Close() {
	for _, r := range b.recs {
		r.Release()
	}
	b.recs, b.at = nil, 0
}

// maxBuffered bounds what one result of a script may hold in memory.
const maxBuffered = 256 << 20

// buffer reads a result to its end.
func buffer(ctx context.Context, rows Batches) (*buffered, error) {
	defer rows.Close()
	b := &buffered{}
	size := int64(0)
	for {
		rec, err := rows.Next(ctx)
		if errors.Is(err, io.EOF) {
			return b, nil
		}
		if err != nil {
			b.Close()
			return nil, err
		}
		b.recs = append(b.recs, rec)
		for _, c := range rec.Columns() {
			size += int64(c.Data().SizeInBytes())
		}
		if size > maxBuffered {
			b.Close()
			return nil, &sparksql.Error{
				Class: "UNSUPPORTED_FEATURE.SCRIPT_RESULT_SIZE", SQLState: "54000", Phase: sparksql.PhaseRuntime,
				Message: "a query of the script gives more than 256 MiB.", Hint: "Run it outside of BEGIN ... END, or limit it.",
			}
		}
	}
}
