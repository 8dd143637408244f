package pipeline

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/marisma/marisma/internal/bundle"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// quarantineKey is the table property that keeps what DROP rules drop.
const quarantineKey = "marisma.quarantine"

// dataset is a statement of the pipeline's files.
type dataset struct {
	name     []string // catalog, schema, table
	full     string
	kind     plan.DatasetKind
	pos      sparksql.Pos
	stmt     ast.Statement
	query    string // the text of its query
	queryPos sparksql.Pos
	comment  string

	// Set by analysis.
	def    *plan.CreateDataset // nil for temporary views
	cols   []types.Field
	inputs []string // IDs of all nodes that it reads, through views too
	hash   string   // of its text
	state  analysis
}

// analysis is how far a dataset has come.
type analysis uint8

const (
	fresh analysis = iota
	underWay
	analysed
	broken // its error is reported
)

// graph is the pipeline's datasets in dependency order, and the sources that
// they read.
type graph struct {
	catalog, schema string
	byName          map[string]*dataset
	datasets        []*dataset
	sources         []Node
	env             analyze.Env
	errs            []error
}

// errBroken: a dataset cannot be analysed because one that it reads cannot.
var errBroken = errors.New("pipeline: an input has errors")

// declared parses the files of a pipeline; nothing is analysed yet. It gives
// the graph and what SET sets.
func declared(b *bundle.Pipeline) (*graph, map[string]string) {
	g := &graph{catalog: b.Catalog, schema: b.Schema, byName: map[string]*dataset{}}
	conf := map[string]string{}
	for _, f := range b.Files {
		text, errs := substitute(f.Path, f.Text, b.Configuration)
		g.errs = append(g.errs, errs...)
		if len(errs) > 0 {
			continue
		}
		sts, err := parse.Statements(f.Path, text)
		if err != nil {
			g.errs = append(g.errs, err)
			continue
		}
		for _, st := range sts {
			g.declare(st, conf)
		}
	}
	return g, conf
}

// buildGraph parses and analyses the files of a pipeline. All errors that are
// found come back joined, each with its place.
func buildGraph(ctx context.Context, cfg *Config, outer analyze.Resolver, res *resolver) (*graph, error) {
	b := &cfg.Pipeline
	g, conf := declared(b)
	if len(g.errs) == 0 && len(g.byName) == 0 {
		g.errs = append(g.errs, fmt.Errorf("pipeline %s has no datasets: its libraries hold no CREATE statements", b.Name))
	}
	if len(g.errs) > 0 {
		return nil, errors.Join(g.errs...)
	}
	res.graph, res.outer = g, outer
	g.env = analyze.Env{
		Resolver: res, Catalog: g.catalog, Schema: g.schema, Conf: conf, TimeZone: zoneOf(conf),
		Now: time.Now().UTC().Truncate(time.Microsecond), User: cfg.Owner,
	}
	for _, d := range slices.SortedFunc(mapValues(g.byName), byPlace) {
		if err := g.analyse(ctx, d); err != nil && !errors.Is(err, errBroken) {
			return nil, err
		}
	}
	if len(g.errs) > 0 {
		return nil, errors.Join(g.errs...)
	}
	return g, nil
}

func byPlace(a, b *dataset) int {
	if c := strings.Compare(a.pos.File, b.pos.File); c != 0 {
		return c
	}
	return a.pos.Offset - b.pos.Offset
}

func mapValues(m map[string]*dataset) func(func(*dataset) bool) {
	return func(yield func(*dataset) bool) {
		for _, d := range m {
			if !yield(d) {
				return
			}
		}
	}
}

func zoneOf(conf map[string]string) string {
	if z := conf["spark.sql.session.timeZone"]; z != "" {
		return z
	}
	return "UTC"
}

// declare takes up a statement.
func (g *graph) declare(st ast.Statement, conf map[string]string) {
	d := &dataset{pos: st.Pos(), stmt: st}
	var name ast.Name
	switch st := st.(type) {
	case *ast.CreateDataset:
		name, d.comment = st.Name, st.Comment
		d.kind = [...]plan.DatasetKind{plan.StreamingTable, plan.MaterializedView, plan.TemporaryView}[st.Kind]
		if st.Query != nil {
			d.query, d.queryPos = st.Query.Text, st.Query.Pos()
		}
		if !g.supported(st) {
			return
		}
	case *ast.CreateView:
		if !st.Temporary {
			g.fail(st.Pos(), "UNSUPPORTED_FEATURE.PIPELINE_VIEW", "A pipeline makes temporary views only; write CREATE TEMPORARY VIEW, or CREATE MATERIALIZED VIEW to keep the result.")
			return
		}
		name, d.comment, d.kind = st.Name, st.Comment, plan.TemporaryView
		d.query, d.queryPos = st.Query.Text, st.Query.Pos()
	case *ast.Command:
		if st.Verb == "set" && st.Args["key"] != "" {
			conf[st.Args["key"]] = st.Args["value"]
			return
		}
		g.fail(st.Pos(), "UNSUPPORTED_FEATURE.PIPELINE_STATEMENT", "A pipeline's files hold CREATE statements and SET, not %s.", strings.ToUpper(st.Verb))
		return
	case *ast.CreateFlow:
		g.fail(st.Pos(), "UNSUPPORTED_FEATURE.CREATE_FLOW", "CREATE FLOW is not there yet; a streaming table is filled by its own query (AS SELECT ...).")
		return
	default:
		g.fail(st.Pos(), "UNSUPPORTED_FEATURE.PIPELINE_STATEMENT", "A pipeline's files hold CREATE STREAMING TABLE, MATERIALIZED VIEW and TEMPORARY VIEW statements only.")
		return
	}
	parts, ok := g.qualify(name.Strings())
	if !ok {
		g.fail(d.pos, "REQUIRES_SINGLE_PART_NAMESPACE", "A dataset's name has at most three parts.")
		return
	}
	d.name, d.full = parts, strings.Join(parts, ".")
	if d.kind != plan.TemporaryView && strings.HasPrefix(parts[2], "event_log_") {
		g.fail(d.pos, "INVALID_PARAMETER_VALUE", "Names that begin with event_log_ belong to the event logs.")
		return
	}
	d.hash = hashText(st.Source())
	if other := g.byName[d.full]; other != nil {
		g.fail(d.pos, "TABLE_OR_VIEW_ALREADY_EXISTS", "%s is defined twice; the other place is %s.", d.full, other.pos)
		return
	}
	g.byName[d.full] = d
}

// supported refuses the forms that come later.
func (g *graph) supported(st *ast.CreateDataset) bool {
	before := len(g.errs)
	for _, c := range st.Unsupported {
		g.fail(c.Pos(), "UNSUPPORTED_FEATURE.CLAUSE", "The clause %s is not there yet.", strings.ToUpper(c.Name))
	}
	switch {
	case st.Flow != nil:
		g.fail(st.Flow.Pos(), "UNSUPPORTED_FEATURE.FLOW", "FLOW is not there yet; write AS SELECT ... instead.")
	case st.Query == nil:
		g.fail(st.Pos(), "UNSUPPORTED_FEATURE.FLOW", "A table without a query is filled by CREATE FLOW, which is not there yet; write AS SELECT ... .")
	case st.Kind == ast.TemporaryView && len(st.Expectations) > 0:
		g.fail(st.Expectations[0].Pos(), "UNSUPPORTED_FEATURE.EXPECTATION_ON_VIEW", "Expectations stand on tables and materialized views here; move this one to the table that reads the view.")
	}
	return len(g.errs) == before
}

func (g *graph) fail(pos sparksql.Pos, class, format string, args ...any) {
	g.errs = append(g.errs, &sparksql.Error{
		Class: class, SQLState: "0A000", Phase: sparksql.PhaseAnalysis, Pos: pos, Message: fmt.Sprintf(format, args...),
	})
}

// qualify completes a name; live.x is x of the pipeline's schema.
func (g *graph) qualify(name []string) ([]string, bool) {
	out := make([]string, len(name))
	for i, p := range name {
		out[i] = strings.ToLower(p)
	}
	switch len(out) {
	case 1:
		return []string{strings.ToLower(g.catalog), strings.ToLower(g.schema), out[0]}, true
	case 2:
		if out[0] == "live" {
			return []string{strings.ToLower(g.catalog), strings.ToLower(g.schema), out[1]}, true
		}
		return []string{strings.ToLower(g.catalog), out[0], out[1]}, true
	case 3:
		return out, true
	}
	return nil, false
}

// analyse has a dataset and, through the resolver, what it reads analysed;
// datasets are listed in the order in which they are done. An error is not
// the statement's but the machine's, or errBroken.
func (g *graph) analyse(ctx context.Context, d *dataset) error {
	switch d.state {
	case analysed:
		return nil
	case broken:
		return errBroken
	case underWay:
		g.fail(d.pos, "RECURSIVE_VIEW", "%s reads itself, directly or through other datasets.", d.full)
		d.state = broken
		return errBroken
	}
	d.state = underWay
	err := g.resolve(ctx, d)
	if err == nil && d.state == underWay {
		d.state = analysed
		g.hashViews(d)
		g.datasets = append(g.datasets, d)
		return nil
	}
	d.state = broken
	if err == nil || errors.Is(err, errBroken) {
		return errBroken
	}
	if ctx.Err() != nil {
		return err
	}
	if se, ok := errors.AsType[*sparksql.Error](err); !ok || se.Pos.IsZero() {
		err = fmt.Errorf("%s: %s: %w", d.pos, d.full, err)
	}
	g.errs = append(g.errs, err)
	return errBroken
}

// hashViews has the views that a dataset reads count as a part of its query.
func (g *graph) hashViews(d *dataset) {
	hashes := []string{d.hash}
	for _, in := range d.inputs {
		if v := g.byName[in]; v != nil && v.kind == plan.TemporaryView {
			hashes = append(hashes, v.hash)
		}
	}
	if len(hashes) > 1 {
		d.hash = hashText(strings.Join(hashes, " "))
	}
}

// resolve analyses the dataset's own statement.
func (g *graph) resolve(ctx context.Context, d *dataset) error {
	env := g.env
	res, _ := env.Resolver.(*resolver)
	env.Resolver = res.reading(d)
	if d.kind == plan.TemporaryView {
		cols, err := viewColumns(ctx, d, env)
		d.cols = cols
		return err
	}
	st, err := analyze.Statement(ctx, d.stmt, env)
	if err != nil {
		return err
	}
	def, ok := st.(*plan.CreateDataset)
	if !ok || def.Plan == nil {
		return fmt.Errorf("pipeline: %s has no query", d.full)
	}
	d.def = def
	d.cols = def.Columns
	if out := fieldsOf(def.Plan.Output()); len(d.cols) != len(out) {
		// As in Spark, a table takes NOT NULL from its column list only.
		for i := range out {
			out[i].Nullable, out[i].Type = true, nullable(out[i].Type)
		}
		d.cols = out
	}
	if d.quarantines() && g.byName[d.full+quarantineSuffix] != nil {
		return nameTaken(g.byName[d.full+quarantineSuffix], d)
	}
	return checkDataset(d)
}

// viewColumns analyses the query of a temporary view by itself, at its place
// in the file.
func viewColumns(ctx context.Context, d *dataset, env analyze.Env) ([]types.Field, error) {
	at := d.queryPos
	pad := strings.Repeat("\n", max(0, at.Line-1)) + strings.Repeat(" ", max(0, at.Col-1))
	st, err := parse.Statement(at.File, pad+d.query)
	if err != nil {
		return nil, err
	}
	ps, err := analyze.Statement(ctx, st, env)
	if err != nil {
		return nil, err
	}
	q, ok := ps.(*plan.Query)
	if !ok {
		return nil, fmt.Errorf("pipeline: the view %s is no query", d.full)
	}
	return fieldsOf(q.Plan.Output()), nil
}

// nameTaken: a dataset has the name of another one's quarantine table.
func nameTaken(taken, d *dataset) error {
	return &sparksql.Error{
		Class: "TABLE_OR_VIEW_ALREADY_EXISTS", SQLState: "42P07", Phase: sparksql.PhaseAnalysis, Pos: taken.pos,
		Message: fmt.Sprintf("%s is the name of the quarantine table of %s.", taken.full, d.full), Hint: "Take another name.",
	}
}

// nullable is a type whose elements and fields may all be NULL.
func nullable(t types.Type) types.Type {
	switch t := t.(type) {
	case types.Array:
		return types.Array{Elem: nullable(t.Elem), ContainsNull: true}
	case types.Map:
		return types.Map{Key: nullable(t.Key), Value: nullable(t.Value), ValueContainsNull: true}
	case types.Struct:
		fields := slices.Clone(t.Fields)
		for i := range fields {
			fields[i].Nullable, fields[i].Type = true, nullable(fields[i].Type)
		}
		return types.Struct{Fields: fields}
	}
	return t
}

func fieldsOf(attrs []plan.Attr) []types.Field {
	out := make([]types.Field, len(attrs))
	for i, a := range attrs {
		out[i] = types.Field{Name: a.Name, Type: a.Type, Nullable: a.Nullable, Comment: a.Comment}
	}
	return out
}

func hashText(s string) string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:12])
}
