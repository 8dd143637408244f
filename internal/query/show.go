package query

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/collation"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// listed is a table or view with what SHOW TABLES says of it.
type listed struct {
	schema, name string
	temporary    bool
	table        catalog.Table
	view         *analyze.View
}

// list gives the tables of a schema and the session's temporary views.
func (e *Engine) list(ctx context.Context, sess *Session, c *plan.Command) ([]listed, error) {
	cat, schema := schemaName(sess, c.Name)
	var out []listed
	views := func(in map[string]*analyze.View, schema string) {
		for name, v := range in {
			out = append(out, listed{schema: schema, name: name, temporary: true, view: v})
		}
	}
	if strings.EqualFold(schema, globalSchema) {
		views(e.globals.list(), globalSchema)
	} else {
		if len(c.Name) == 1 { // SHOW TABLES IN catalog
			if _, err := e.cfg.Catalog.Schema(ctx, cat, schema); errors.Is(err, catalog.ErrNotFound) && strings.EqualFold(c.Name[0], sess.Catalog) {
				return nil, fault(c.Pos, "MISSING_DATABASE_FOR_V1_SESSION_CATALOG", "3F000", c.Name[0]+" is a catalog, and no schema is named.", "Write IN catalog.schema.")
			}
		}
		if _, err := e.cfg.Catalog.Schema(ctx, cat, schema); errors.Is(err, catalog.ErrNotFound) || errors.Is(err, catalog.ErrInvalid) {
			return nil, noSchema(c.Pos, cat, schema)
		} else if err != nil {
			return nil, err
		}
		ts, err := e.cfg.Catalog.Tables(ctx, cat, schema)
		if err != nil {
			return nil, err
		}
		for _, t := range ts {
			if c.Verb != "show views" || t.Type == catalog.View {
				out = append(out, listed{schema: t.Schema, name: t.Name, table: t})
			}
		}
	}
	views(sess.state.views, "")
	out = slices.DeleteFunc(out, func(l listed) bool { return !like(c.Args["pattern"], l.name) })
	sort.SliceStable(out, func(i, j int) bool {
		if out[i].temporary != out[j].temporary {
			return !out[i].temporary
		}
		return out[i].name < out[j].name
	})
	return out, nil
}

func (e *Engine) showTables(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	all, err := e.list(ctx, sess, c)
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for _, l := range all {
		rows = append(rows, []string{l.schema, l.name, fmt.Sprint(l.temporary)})
	}
	names := []string{"namespace", "tableName", "isTemporary"}
	if c.Verb == "show views" {
		names[1] = "viewName"
	}
	res := textResult(names, rows)
	res.Columns[2].Type = types.Boolean
	return res, nil
}

// showExtended is SHOW TABLE EXTENDED: SHOW TABLES with a text about each.
func (e *Engine) showExtended(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	if c.Args["partition"] == "true" {
		return nil, fault(c.Pos, "INVALID_PARTITION_OPERATION.PARTITION_MANAGEMENT_IS_UNSUPPORTED", "42601", "the tables here manage no partitions by command.", "SHOW PARTITIONS lists them.")
	}
	all, err := e.list(ctx, sess, c)
	if err != nil {
		return nil, err
	}
	var rows [][]string
	for _, l := range all {
		var b strings.Builder
		if l.view == nil {
			for _, kv := range e.details(l.table) {
				b.WriteString(kv[0] + ": " + kv[1] + "\n")
			}
		} else {
			b.WriteString("Table: " + l.name + "\nType: VIEW\nView Text: " + l.view.Text + "\n")
		}
		rows = append(rows, []string{l.schema, l.name, fmt.Sprint(l.temporary), b.String()})
	}
	res := textResult([]string{"namespace", "tableName", "isTemporary", "information"}, rows)
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
		return nil, err
	}
	if len(all) == 0 {
		return nil, noSchema(c.Pos, sess.Catalog, cat)
	}
	var rows [][]string
	for _, s := range all {
		if like(c.Args["pattern"], s.Name) {
			rows = append(rows, []string{s.Name})
		}
	}
	return textResult([]string{"namespace"}, rows), nil
}

func (e *Engine) showCatalogs(ctx context.Context, _ *Session, c *plan.Command) (*Result, error) {
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

func (e *Engine) showCurrent(_ context.Context, sess *Session, _ *plan.Command) (*Result, error) {
	return textResult([]string{"catalog", "namespace"}, [][]string{{sess.Catalog, sess.Schema}}), nil
}

// showCollations lists the collations whose names match a pattern.
func (e *Engine) showCollations(_ context.Context, _ *Session, c *plan.Command) (*Result, error) {
	var rows [][]*string
	for _, k := range collation.All() {
		if !like(c.Args["pattern"], k.Name) {
			continue
		}
		row := make([]*string, 0, len(collation.Columns))
		for _, v := range k.Describe() {
			if v == "" {
				row = append(row, nil)
				continue
			}
			row = append(row, &v)
		}
		rows = append(rows, row)
	}
	res := textResult(collation.Columns, nil)
	res.rows.(*textRows).rows = rows
	return res, nil
}

// columns are those of the table, view or temporary view that c names.
func (e *Engine) columns(ctx context.Context, sess *Session, c *plan.Command) ([]catalog.Column, error) {
	if v := e.temporaryNamed(sess, c.Name); v != nil {
		var out []catalog.Column
		for _, f := range v.Columns {
			out = append(out, catalog.Column{Name: f.Name, Type: f.Type.String(), Nullable: f.Nullable, Comment: f.Comment})
		}
		return out, nil
	}
	t, err := e.table(ctx, sess, c)
	return t.Columns, err
}

func (e *Engine) showColumns(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	cols, err := e.columns(ctx, sess, c)
	if err != nil {
		return nil, err
	}
	if s := c.Args["conflict"]; s != "" {
		return nil, fault(c.Pos, "SHOW_COLUMNS_WITH_CONFLICT_NAMESPACE", "42K05", "the table's schema is "+c.Name[len(c.Name)-2]+", but IN names "+s+".", "")
	}
	var rows [][]string
	for _, col := range cols {
		rows = append(rows, []string{col.Name})
	}
	return textResult([]string{"col_name"}, rows), nil
}

// properties are those of a table, from the Delta log, or of a view.
func (e *Engine) properties(ctx context.Context, t catalog.Table) (map[string]string, error) {
	if t.Type == catalog.View {
		return t.Properties, nil
	}
	if ofFiles(t) {
		def, err := fileDefOf(t)
		return def.shown(), err
	}
	_, snap, err := e.snapshot(ctx, t)
	if err != nil {
		return nil, err
	}
	return tableProperties(snap), nil
}

// tableProperties are a table's properties with its versions and features.
func tableProperties(snap *delta.Snapshot) map[string]string {
	m, p := snap.Metadata(), snap.Protocol()
	out := map[string]string{"delta.minReaderVersion": strconv.Itoa(p.MinReaderVersion), "delta.minWriterVersion": strconv.Itoa(p.MinWriterVersion)}
	maps.Copy(out, m.Configuration)
	for _, f := range append(slices.Clone(p.ReaderFeatures), p.WriterFeatures...) {
		out["delta.feature."+f] = "supported"
	}
	return out
}

// snapshot is a table as it is now.
func (e *Engine) snapshot(ctx context.Context, t catalog.Table) (*delta.Table, *delta.Snapshot, error) {
	d, err := e.cfg.Tables.Open(ctx, t)
	if err != nil {
		return nil, nil, err
	}
	s, err := d.Snapshot(ctx)
	return d, s, err
}

func (e *Engine) showProperties(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	names := []string{"key", "value"}
	if e.temporaryNamed(sess, c.Name) != nil {
		return textResult(names, nil), nil
	}
	t, err := e.table(ctx, sess, c)
	if err != nil {
		return nil, err
	}
	props, err := e.properties(ctx, t)
	if err == nil && t.Type != catalog.View && !ofFiles(t) {
		err = e.clusteringProperty(ctx, t, props)
	}
	if err != nil {
		return nil, err
	}
	if key := c.Args["key"]; key != "" {
		v, ok := props[key]
		if v = shown(key, v); !ok {
			v = fmt.Sprintf("Table %s does not have property: %s", t.FullName(), key)
		}
		return textResult(names, [][]string{{key, v}}), nil
	}
	var rows [][]string
	for k, v := range props {
		rows = append(rows, []string{k, shown(k, v)})
	}
	slices.SortFunc(rows, func(a, b []string) int { return strings.Compare(a[0], b[0]) })
	return textResult(names, rows), nil
}

// clusteringProperty adds the columns that a table is clustered by, which Spark
// shows as a property.
func (e *Engine) clusteringProperty(ctx context.Context, t catalog.Table, props map[string]string) error {
	_, snap, err := e.snapshot(ctx, t)
	if err != nil {
		return err
	}
	if slices.Contains(delta.Features(snap.Protocol()), "clustering") {
		text, err := json.Marshal(append([][]string{}, snap.ClusterBy()...))
		if err != nil {
			return err
		}
		props["clusteringColumns"] = string(text)
	}
	return nil
}

// shown is a property's value, hidden where the key tells of a secret.
func shown(key, value string) string {
	low := strings.ToLower(key)
	for _, word := range []string{"secret", "password", "token", "access.key", "accesskey", "url"} {
		if strings.Contains(low, word) {
			return "*********(redacted)"
		}
	}
	return value
}

// showPartitions lists the values of the partition columns that a table has.
func (e *Engine) showPartitions(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	t, err := e.table(ctx, sess, c)
	if err != nil {
		return nil, err
	}
	if t.Type == catalog.View {
		return nil, fault(c.Pos, "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", "42809", "SHOW PARTITIONS takes a table, and "+t.FullName()+" is a view.", "")
	}
	if ofFiles(t) {
		return e.filePartitions(ctx, t, c)
	}
	_, snap, err := e.snapshot(ctx, t)
	if err != nil {
		return nil, err
	}
	parts := snap.Metadata().PartitionColumns
	if len(parts) == 0 {
		return nil, fault(c.Pos, "DELTA_SHOW_PARTITION_IN_NON_PARTITIONED_TABLE", "42809", t.FullName()+" is not partitioned.", "")
	}
	for k := range c.Args {
		col, ok := strings.CutPrefix(strings.Replace(k, "partition null.", "partition.", 1), "partition.")
		if ok && !slices.ContainsFunc(parts, func(p string) bool { return strings.EqualFold(p, col) }) {
			return nil, fault(c.Pos, "DELTA_SHOW_PARTITION_IN_NON_PARTITIONED_COLUMN", "42P10", col+" is no partition column.", "")
		}
	}
	adds, _, err := snap.Files()
	if err != nil {
		return nil, err
	}
	res := textResult(parts, nil)
	seen := map[string]bool{}
	rows := res.rows.(*textRows)
	for i, p := range parts {
		for _, col := range t.Columns {
			if strings.EqualFold(col.Name, p) {
				if res.Columns[i].Type, err = typeOf(col.Type); err != nil {
					return nil, err
				}
			}
		}
	}
	for _, a := range adds {
		row := make([]*string, len(parts))
		texts := make([]string, len(parts))
		values := snap.Partition(a)
		for i, p := range parts {
			if v := values[p]; v != "" {
				row[i] = &v
				texts[i] = "=" + v
			}
		}
		key := strings.Join(texts, "\x00")
		if !seen[key] && partitionMatches(parts, row, c.Args) {
			rows.rows = append(rows.rows, row)
		}
		seen[key] = true
	}
	return res, nil
}

// partitionMatches tells whether a partition has the values that PARTITION
// (...) names.
func partitionMatches(parts []string, row []*string, args map[string]string) bool {
	for k, want := range args {
		col, value := strings.CutPrefix(k, "partition.")
		if null, ok := strings.CutPrefix(k, "partition null."); ok {
			col, value = null, false
		} else if !value {
			continue
		}
		for i, p := range parts {
			if strings.EqualFold(p, col) && (value != (row[i] != nil) || value && *row[i] != want) {
				return false
			}
		}
	}
	return true
}
