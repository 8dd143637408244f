package query

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/lineage"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// textRows is a small result made here; nil is NULL.
type textRows struct {
	cols []Column
	rows [][]*string
	done bool
}

// Next gives all rows at once.
func (t *textRows) Next(context.Context) (arrow.RecordBatch, error) {
	if t.done {
		return nil, io.EOF
	}
	t.done = true
	fields := make([]arrow.Field, len(t.cols))
	for i, c := range t.cols {
		fields[i] = arrow.Field{Name: c.Name, Type: arrow.BinaryTypes.String, Nullable: true}
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	for _, r := range t.rows {
		for i, v := range r {
			f := b.Field(i).(*array.StringBuilder)
			if v == nil {
				f.AppendNull()
			} else {
				f.Append(*v)
			}
		}
	}
	return b.NewRecordBatch(), nil
}

// Close has nothing to free.
func (t *textRows) Close() {}

func textResult(names []string, rows [][]string) *Result {
	t := &textRows{}
	for _, n := range names {
		t.cols = append(t.cols, Column{n, types.String, true})
	}
	for _, r := range rows {
		vals := make([]*string, len(r))
		for i := range r {
			vals[i] = &r[i]
		}
		t.rows = append(t.rows, vals)
	}
	return &Result{Columns: t.cols, rows: t}
}

// command runs a statement that has no plan.
func (e *Engine) command(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	switch c.Verb {
	case "show tables", "show views":
		return e.showTables(ctx, sess, c)
	case "show schemas":
		return e.showSchemas(ctx, sess, c)
	case "show catalogs":
		return e.showCatalogs(ctx, c)
	case "show columns":
		return e.showColumns(ctx, sess, c)
	case "show functions":
		names := slices.Sorted(slices.Values(funcs.Names()))
		var rows [][]string
		for _, n := range names {
			if like(c.Args["pattern"], n) {
				rows = append(rows, []string{n})
			}
		}
		return textResult([]string{"function"}, rows), nil
	case "describe table":
		return e.describe(ctx, sess, c)
	case "describe history":
		return e.history(ctx, sess, c)
	case "use schema", "use catalog", "use":
		return e.use(ctx, sess, c)
	case "set":
		return set(sess, c), nil
	case "set time zone":
		return setTimeZone(sess, c)
	case "drop view":
		return e.dropView(ctx, sess, c)
	case "create schema":
		cat, schema := schemaName(sess, c.Name)
		return &Result{}, e.cfg.Catalog.EnsureSchema(ctx, cat, schema, sess.Principal.Name)
	}
	return nil, &sparksql.Error{
		Class: "UNSUPPORTED_FEATURE.COMMAND", SQLState: "0A000", Phase: sparksql.PhaseAnalysis, Pos: c.Pos,
		Message: strings.ToUpper(c.Verb) + " is not run by this version.",
	}
}

func schemaName(sess *Session, name []string) (cat, schema string) {
	switch len(name) {
	case 0:
		return sess.Catalog, sess.Schema
	case 1:
		return sess.Catalog, name[0]
	}
	return name[0], name[1]
}

func (e *Engine) showTables(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	cat, schema := schemaName(sess, c.Name)
	ts, err := e.cfg.Catalog.Tables(ctx, cat, schema)
	if err != nil {
		return nil, notFound(c, err)
	}
	var rows [][]string
	for _, t := range ts {
		if (c.Verb == "show views") == (t.Type == catalog.View) || c.Verb == "show tables" {
			if like(c.Args["pattern"], t.Name) {
				rows = append(rows, []string{t.Schema, t.Name, "false"})
			}
		}
	}
	names := []string{"namespace", "tableName", "isTemporary"}
	if c.Verb == "show views" {
		names[1] = "viewName"
	}
	res := textResult(names, rows)
	res.Columns[2].Type = types.Boolean
	return res, nil
}

func (e *Engine) showSchemas(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	cat := sess.Catalog
	if len(c.Name) > 0 {
		cat = c.Name[0]
	}
	all, err := e.cfg.Catalog.Schemas(ctx, cat)
	if err != nil {
		return nil, notFound(c, err)
	}
	var rows [][]string
	for _, s := range all {
		if like(c.Args["pattern"], s.Name) {
			rows = append(rows, []string{s.Name})
		}
	}
	return textResult([]string{"databaseName"}, rows), nil
}

func (e *Engine) showCatalogs(ctx context.Context, c *plan.Command) (*Result, error) {
	all, err := e.cfg.Catalog.Catalogs(ctx)
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for _, i := range all {
		if like(c.Args["pattern"], i.Name) {
			rows = append(rows, []string{i.Name})
		}
	}
	return textResult([]string{"catalog"}, rows), nil
}

// table finds the table or view that a command names.
func (e *Engine) table(ctx context.Context, sess *Session, c *plan.Command) (catalog.Table, error) {
	r := NewResolver(e.cfg.Catalog, e.cfg.Tables, sess.Catalog, sess.Schema)
	cat, schema, name, ok := r.full(c.Name)
	if !ok {
		return catalog.Table{}, fmt.Errorf("query: no name in %s", c.Verb)
	}
	t, err := e.cfg.Catalog.Table(ctx, cat, schema, name)
	return t, notFound(c, err)
}

func notFound(c *plan.Command, err error) error {
	if !errors.Is(err, catalog.ErrNotFound) && !errors.Is(err, catalog.ErrInvalid) {
		return err
	}
	return &sparksql.Error{
		Class: "TABLE_OR_VIEW_NOT_FOUND", SQLState: "42P01", Phase: sparksql.PhaseAnalysis, Pos: c.Pos,
		Message: err.Error() + ".", Hint: "`SHOW TABLES` lists what there is.",
	}
}

func (e *Engine) showColumns(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	t, err := e.table(ctx, sess, c)
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for _, col := range t.Columns {
		rows = append(rows, []string{col.Name})
	}
	return textResult([]string{"col_name"}, rows), nil
}

func (e *Engine) describe(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	t, err := e.table(ctx, sess, c)
	if err != nil {
		return nil, err
	}
	rows := &textRows{cols: []Column{{"col_name", types.String, false}, {"data_type", types.String, false}, {"comment", types.String, true}}}
	add := func(a, b, comment string) {
		row := []*string{&a, &b, &comment}
		if comment == "" {
			row[2] = nil
		}
		rows.rows = append(rows.rows, row)
	}
	for _, col := range t.Columns {
		add(col.Name, col.Type, col.Comment)
	}
	if c.Args["extended"] == "true" {
		empty := ""
		rows.rows = append(rows.rows, []*string{&empty, &empty, &empty})
		add("# Detailed Table Information", "", "")
		for _, kv := range [][2]string{
			{"Catalog", t.Catalog}, {"Database", t.Schema}, {"Table", t.Name}, {"Type", string(t.Type)},
			{"Owner", t.Owner}, {"Comment", t.Comment}, {"Location", e.cfg.Tables.LocalPath(t.ID)},
		} {
			add(kv[0], kv[1], "")
		}
	}
	return &Result{Columns: rows.cols, rows: rows}, nil
}

func (e *Engine) history(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	t, err := e.table(ctx, sess, c)
	if err != nil {
		return nil, err
	}
	d, err := e.cfg.Tables.Open(ctx, t)
	if err != nil {
		return nil, err
	}
	limit := 0
	if n, err := strconv.Atoi(c.Args["limit"]); err == nil {
		limit = n
	}
	h, err := d.History(ctx, limit)
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for _, k := range h {
		rows = append(rows, []string{
			strconv.FormatInt(k.Version, 10), k.Time.UTC().Format("2006-01-02 15:04:05.999"), k.Info.Operation,
			mapText(k.Info.OperationParameters), mapText(k.Info.OperationMetrics), k.Info.EngineInfo,
		})
	}
	res := textResult([]string{"version", "timestamp", "operation", "operationParameters", "operationMetrics", "engineInfo"}, rows)
	res.Columns[0].Type = types.BigInt
	res.Columns[1].Type = types.Timestamp
	m := types.Map{Key: types.String, Value: types.String, ValueContainsNull: true}
	res.Columns[3].Type, res.Columns[4].Type = m, m
	return res, nil
}

// mapText is a map as CAST to STRING prints it.
func mapText(m map[string]string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, k+" -> "+m[k])
	}
	return "{" + strings.Join(parts, ", ") + "}"
}

func (e *Engine) use(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	cat, schema := schemaName(sess, c.Name)
	if c.Verb == "use catalog" && len(c.Name) == 1 {
		cat, schema = c.Name[0], "default"
	}
	all, err := e.cfg.Catalog.Schemas(ctx, cat)
	if err != nil && !errors.Is(err, catalog.ErrNotFound) {
		return nil, err
	}
	known := slices.ContainsFunc(all, func(s catalog.Schema) bool { return strings.EqualFold(s.Name, schema) })
	if !known && (c.Verb != "use catalog" || len(all) == 0) {
		return nil, &sparksql.Error{
			Class: "SCHEMA_NOT_FOUND", SQLState: "42704", Phase: sparksql.PhaseAnalysis, Pos: c.Pos,
			Message: fmt.Sprintf("there is no schema %s.%s.", cat, schema), Hint: "`SHOW SCHEMAS` lists what there is.",
		}
	}
	sess.Catalog, sess.Schema = cat, schema
	return &Result{}, nil
}

// set changes the session's settings, or shows them.
func set(sess *Session, c *plan.Command) *Result {
	key, value := c.Args["key"], c.Args["value"]
	names := []string{"key", "value"}
	switch _, given := c.Args["value"]; {
	case key == "":
		var rows [][]string
		for _, k := range slices.Sorted(maps.Keys(sess.Conf)) {
			rows = append(rows, []string{k, sess.Conf[k]})
		}
		return textResult(names, rows)
	case !given:
		v, ok := sess.Conf[key]
		if !ok {
			v = "<undefined>"
		}
		return textResult(names, [][]string{{key, v}})
	}
	sess.set(key, value)
	return textResult(names, [][]string{{key, value}})
}

// createView keeps a view's text in the catalog.
func (e *Engine) createView(ctx context.Context, sess *Session, v *plan.CreateView) (*Result, error) {
	if v.Temporary {
		return nil, &sparksql.Error{
			Class: "UNSUPPORTED_FEATURE.TEMPORARY_VIEW", SQLState: "0A000", Phase: sparksql.PhaseAnalysis, Pos: v.Pos,
			Message: "temporary views need a session that lasts; each statement has its own here.",
			Hint:    "Use CREATE VIEW, or a WITH clause.",
		}
	}
	r := NewResolver(e.cfg.Catalog, e.cfg.Tables, sess.Catalog, sess.Schema)
	cat, schema, name, ok := r.full(v.Name)
	if !ok {
		return nil, errors.New("query: CREATE VIEW without a name")
	}
	t := catalog.Table{
		Catalog: cat, Schema: schema, Name: name, Type: catalog.View, Owner: sess.Principal.Name, Comment: v.Comment,
		ViewText: viewText(v), ViewCatalog: sess.Catalog, ViewSchema: sess.Schema,
	}
	for i, a := range v.Plan.Output() {
		col := catalog.Column{Name: a.Name, Type: a.Type.String(), Nullable: a.Nullable, Comment: a.Comment}
		if i < len(v.Columns) {
			col.Name, col.Comment = v.Columns[i].Name, v.Columns[i].Comment
		}
		t.Columns = append(t.Columns, col)
	}
	exists := &sparksql.Error{
		Class: "TABLE_OR_VIEW_ALREADY_EXISTS", SQLState: "42P07", Phase: sparksql.PhaseAnalysis, Pos: v.Pos,
		Message: t.FullName() + " is there already.", Hint: "Use CREATE OR REPLACE VIEW, or another name.",
	}
	if !v.Replace {
		_, err := e.cfg.Catalog.Table(ctx, cat, schema, name)
		switch {
		case err == nil && v.IfNotExists:
			return &Result{}, nil
		case err == nil:
			return nil, exists
		case !errors.Is(err, catalog.ErrNotFound):
			return nil, err
		}
	}
	t, err := e.cfg.Catalog.CreateView(ctx, t)
	if errors.Is(err, catalog.ErrExists) {
		return nil, exists
	}
	if err != nil {
		return nil, err
	}
	l, _ := lineage.Statement(v) // a view has a query
	return &Result{}, e.cfg.Catalog.SetLineage(ctx, t.ID, "view of "+t.Owner, l)
}

// viewText is the view's query, with its columns renamed where it has a list.
func viewText(v *plan.CreateView) string {
	if len(v.Columns) == 0 {
		return v.Text
	}
	names := make([]string, len(v.Columns))
	for i, c := range v.Columns {
		names[i] = "`" + strings.ReplaceAll(c.Name, "`", "``") + "`"
	}
	return "SELECT * FROM (" + v.Text + "\n) AS v(" + strings.Join(names, ", ") + ")"
}

// like matches SHOW's patterns: * is any text, | separates alternatives, case
// does not count. An empty pattern matches all.
func like(pattern, name string) bool {
	if pattern == "" {
		return true
	}
	for alt := range strings.SplitSeq(strings.ToLower(pattern), "|") {
		if ok, err := path.Match(strings.TrimSpace(alt), strings.ToLower(name)); err == nil && ok {
			return true
		}
	}
	return false
}
