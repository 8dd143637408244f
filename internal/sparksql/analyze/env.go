package analyze

import (
	"context"
	"strings"
	"time"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Resolver knows what stands behind names.
type Resolver interface {
	// Table resolves a name of one to three parts to a source or a view; all
	// three results are nil when there is none.
	Table(ctx context.Context, name []string, at TimeTravel) (*plan.Source, *View, error)
	// Function resolves a table function such as read_kafka; nil, nil when it
	// knows none of that name. args holds the constant arguments as text, by
	// lower-case name, positional ones as "0", "1", ...; schema is the parsed
	// argument "schema", nil without.
	Function(ctx context.Context, name string, args map[string]string, schema []types.Field) (*plan.Source, error)
	// Names are the table names that a hint may suggest.
	Names(ctx context.Context) []string
}

// TimeTravel is VERSION AS OF or TIMESTAMP AS OF; both nil is the latest.
type TimeTravel struct {
	Version   *int64
	Timestamp *time.Time
}

// View is a stored query. Names inside resolve in CatalogName and Schema (the
// environment's own when empty). Columns, where given, rename its columns and
// keep their types.
type View struct {
	Text        string
	Name        []string
	Columns     []types.Field
	CatalogName string
	Schema      string
	// Query are the names that the query's columns had when the view was made,
	// one for each of Columns; without, columns are taken by their place.
	Query []string
	// Mode says what happens when the query's columns change: "BINDING" takes
	// no other types, "" and "COMPENSATION" cast to the old ones, "TYPE
	// EVOLUTION" takes the new types, "EVOLUTION" the new columns.
	Mode      string
	Temporary bool
	// At is where Text stands in its file; File suffices where only that is
	// known. Errors inside of the view are placed there.
	At   sparksql.Pos
	File string
}

// Env is the session that a statement is analysed in.
type Env struct {
	Resolver Resolver
	Catalog  string
	Schema   string
	Conf     map[string]string
	TimeZone string // session time zone, "" is UTC
	Now      time.Time
	User     string
	// Session finds variables, temporary views and temporary functions.
	Session Session
	// Compute gives the values of a plan's only row as constants; nil where
	// nothing can be run.
	Compute func(ctx context.Context, n plan.Node) ([]plan.Expr, error)
	// Params are the values of :name, Positional those of ?.
	Params     map[string]plan.Expr
	Positional []plan.Expr
}

// Statement analyses one statement.
func Statement(ctx context.Context, st ast.Statement, env Env) (plan.Statement, error) {
	a := newAnalyzer(ctx, env)
	st, err := a.names(st)
	if err != nil {
		return nil, err
	}
	out, err := a.statement(st)
	if err != nil {
		return nil, a.precede(st, place{catalog: env.Catalog, schema: env.Schema}, err)
	}
	return out, nil
}

func (a *analyzer) statement(st ast.Statement) (plan.Statement, error) {
	switch st := st.(type) {
	case *ast.AlterView:
		return a.alterView(st)
	case *ast.CreateFunction:
		return a.createFunction(st)
	case *ast.DeclareVariable:
		return a.declareVariable(st)
	case *ast.DropVariable:
		return &plan.DropVariable{Name: st.Name.Strings(), IfExists: st.IfExists, Pos: st.Pos()}, nil
	case *ast.ExecuteImmediate:
		return a.executeImmediate(st)
	case *ast.SetVariable:
		return a.setVariable(st)
	case *ast.QueryStatement:
		n, err := a.root(st.Query)
		if err != nil {
			return nil, err
		}
		return &plan.Query{Plan: n}, nil
	case *ast.CreateDataset:
		return a.dataset(st)
	case *ast.CreateView:
		return a.view(st)
	case *ast.Command:
		return a.command(st)
	case *ast.AlterTable:
		return a.alterTable(st)
	case *ast.CreateTable:
		return a.createTable(st)
	case *ast.Delete:
		return a.deleteFrom(st)
	case *ast.DropTable:
		return a.dropTable(st)
	case *ast.Insert:
		return a.insert(st)
	case *ast.Merge:
		return a.merge(st)
	case *ast.Optimize:
		return a.optimize(st)
	case *ast.Reorg:
		return a.reorg(st)
	case *ast.Restore:
		return a.restore(st)
	case *ast.Truncate:
		return a.truncate(st)
	case *ast.Update:
		return a.update(st)
	case *ast.Vacuum:
		return a.vacuum(st)
	case *ast.Explain:
		of, err := Statement(a.ctx, st.Statement, a.env)
		if a.ctx.Err() != nil {
			return nil, a.ctx.Err()
		}
		return &plan.Explain{Mode: st.Mode, Of: of, Err: err}, nil
	case *ast.CreateFlow:
		return nil, a.errorf(st.Pos(), "UNSUPPORTED_FEATURE.CREATE_FLOW", "0A000", "CREATE FLOW is not supported yet.").hint("Write the query in the streaming table's own AS clause.")
	case *ast.Unsupported:
		switch st.Word {
		case "ANALYZE", "LOAD":
			return nil, a.errorf(st.Pos(), "NOT_SUPPORTED_COMMAND_FOR_V2_TABLE", "0A000", "%s is not for Delta tables.", st.Word)
		case "CALL":
			return nil, a.errorf(st.Pos(), "UNRESOLVED_ROUTINE", "42883", "There are no procedures.")
		}
		return nil, a.errorf(st.Pos(), "UNSUPPORTED_FEATURE.STATEMENT", "0A000", "The statement %s is not supported.", st.Word)
	}
	return nil, a.errorf(st.Pos(), "UNSUPPORTED_FEATURE.STATEMENT", "0A000", "This statement is not supported.")
}

// on tells of a setting that is on unless the session turned it off.
func (a *analyzer) on(setting string) bool { return !strings.EqualFold(a.env.Conf[setting], "false") }

// Query parses and analyses one query.
func Query(ctx context.Context, text string, env Env) (*plan.Query, error) {
	st, err := parse.Statement("", text)
	if err != nil {
		return nil, err
	}
	q, ok := st.(*ast.QueryStatement)
	if !ok {
		return nil, newAnalyzer(ctx, env).errorf(st.Pos(), "UNSUPPORTED_FEATURE.STATEMENT", "0A000", "Expected a query.")
	}
	n, err := newAnalyzer(ctx, env).root(q.Query)
	if err != nil {
		return nil, err
	}
	return &plan.Query{Plan: n}, nil
}

// Expression parses and analyses one expression over the given columns.
func Expression(ctx context.Context, text string, over []plan.Attr, env Env) (plan.Expr, error) {
	x, err := parse.Expression(text)
	if err != nil {
		return nil, err
	}
	a := newAnalyzer(ctx, env)
	return a.condition(x, over)
}

type analyzer struct {
	ctx   context.Context //nolint:containedctx // lives for one call
	env   Env
	base  funcs.Context
	views []string // names of the views around, lower case
	// creating is the view that the statement makes, lower case.
	creating string
	// expansions counts views read and functions called so far.
	expansions int
	exact      bool     // names of columns count with their case
	within     []string // full names of the functions around, lower case
	titled     bool     // there are titles to strip
	// shapeless is the error of a recursive expression whose columns nobody
	// knows, for after the query that names it in vain.
	shapeless error
	// invented are the output columns of select lists whose name is the text
	// of their expression.
	invented map[plan.ID]bool
	// temps are the temporary objects that the statement itself refers to:
	// kind and name.
	temps [][2]string
}

// Bounds on what a short text can grow to.
const (
	maxExpansions = 2000   // views read by one statement
	maxColumns    = 10_000 // columns of one relation
	maxExprSize   = 50_000 // nodes of an expression, lateral aliases replaced
)

// noTables knows no name; it stands in for a missing Resolver.
type noTables struct{}

func (noTables) Table(context.Context, []string, TimeTravel) (*plan.Source, *View, error) {
	return nil, nil, nil
}

func (noTables) Function(context.Context, string, map[string]string, []types.Field) (*plan.Source, error) {
	return nil, nil
}

func (noTables) Names(context.Context) []string { return nil }

func newAnalyzer(ctx context.Context, env Env) *analyzer {
	if env.Resolver == nil {
		env.Resolver = noTables{}
	}
	if env.Session == nil {
		env.Session = noSession{}
	}
	if env.Now.IsZero() {
		env.Now = time.Now()
	}
	if env.TimeZone == "" {
		env.TimeZone = env.Conf["spark.sql.session.timeZone"]
	}
	if env.TimeZone == "" {
		env.TimeZone = "UTC"
	}
	return &analyzer{ctx: ctx, env: env, invented: map[plan.ID]bool{}, exact: strings.EqualFold(env.Conf["spark.sql.caseSensitive"], "true"), base: funcs.Context{
		ANSI: !strings.EqualFold(env.Conf["spark.sql.ansi.enabled"], "false"), TimeZone: env.TimeZone, Now: env.Now,
		Conf: env.Conf, User: env.User, Catalog: env.Catalog, Schema: env.Schema, ParseType: env.parseType,
	}}
}

// parseType reads a schema in DDL or a type's text, with TIMESTAMP as the
// session takes it.
func (env Env) parseType(text string) (types.Type, error) {
	t, err := parseType(text)
	if err != nil {
		return nil, err
	}
	return funcs.Stamped(t, env.Conf), nil
}

func parseType(text string) (types.Type, error) {
	t, err := parse.DataType(text)
	if err == nil {
		return t, nil
	}
	fields, ferr := parse.Schema(text)
	if ferr != nil {
		return nil, err
	}
	return types.Struct{Fields: fields}, nil
}

// root analyses a whole query: its plan yields exactly the output columns.
func (a *analyzer) root(q *ast.Query) (plan.Node, error) {
	r, err := a.query(q, place{catalog: a.env.Catalog, schema: a.env.Schema})
	if err != nil {
		return nil, err
	}
	return prune(a.strip(exact(r))), nil
}

// condition resolves an expression over attributes alone.
func (a *analyzer) condition(x ast.Expr, over []plan.Attr) (plan.Expr, error) {
	s := &scope{place: place{catalog: a.env.Catalog, schema: a.env.Schema}}
	for _, at := range over {
		s.cols = append(s.cols, column{Attr: at, origin: at.ID})
	}
	e, err := a.expr(x, s)
	if err != nil {
		return nil, err
	}
	return a.stripExpr(e), a.scalarOnly(e, x.Pos(), "here")
}

// fctx is the context of a function call at pos.
func (a *analyzer) fctx(pos sparksql.Pos) funcs.Context {
	c := a.base
	c.Pos = pos
	return c
}
