package query

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// typeOf reads a type of the catalog.
func typeOf(text string) (types.Type, error) { return parse.DataType(text) }

// describeRows is the shape of DESCRIBE TABLE and DESCRIBE QUERY.
func describeRows() *textRows {
	return &textRows{cols: []Column{{"col_name", types.String, false}, {"data_type", types.String, false}, {"comment", types.String, true}}}
}

// add adds a row; the comment is NULL where it is "" and null is set.
func (t *textRows) add(null bool, cells ...string) {
	row := make([]*string, len(cells))
	for i := range cells {
		row[i] = &cells[i]
	}
	if last := len(cells) - 1; null && cells[last] == "" {
		row[last] = nil
	}
	t.rows = append(t.rows, row)
}

func (e *Engine) describe(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	if c.Args["partition"] == "true" {
		return nil, e.describePartition(ctx, sess, c)
	}
	if c.Args["column"] != "" {
		return e.describeColumn(ctx, sess, c)
	}
	cols, err := e.columns(ctx, sess, c)
	if err != nil {
		return nil, err
	}
	rows := describeRows()
	for _, col := range cols {
		rows.add(true, col.Name, col.Type, col.Comment)
	}
	if e.temporaryNamed(sess, c.Name) != nil {
		return &Result{Columns: rows.cols, rows: rows}, nil
	}
	t, err := e.table(ctx, sess, c)
	if err != nil {
		return nil, err
	}
	if err := e.describeParts(ctx, t, rows); err != nil {
		return nil, err
	}
	if c.Args["extended"] == "true" {
		rows.add(false, "", "", "")
		rows.add(false, "# Detailed Table Information", "", "")
		for _, kv := range e.details(t) {
			rows.add(false, kv[0], kv[1], "")
		}
		if ofFiles(t) {
			return &Result{Columns: rows.cols, rows: rows}, nil
		}
		props, err := e.properties(ctx, t)
		if err != nil {
			return nil, err
		}
		if len(props) > 0 {
			rows.add(false, "Table Properties", "["+pairs(props, "=", ",")+"]", "")
		}
	}
	return &Result{Columns: rows.cols, rows: rows}, nil
}

// describePartition says why DESCRIBE ... PARTITION has nothing to tell.
func (e *Engine) describePartition(ctx context.Context, sess *Session, c *plan.Command) error {
	if e.viewNamed(ctx, sess, c) {
		return fault(c.Pos, "FORBIDDEN_OPERATION", "42809", strings.Join(c.Name, ".")+" is a view and has no partitions.", "")
	}
	t, err := e.table(ctx, sess, c)
	switch {
	case err != nil:
		return err
	case ofFiles(t):
		return fault(c.Pos, "UNSUPPORTED_FEATURE.STATEMENT", "0A000", "DESCRIBE of one partition is not supported.", "SHOW PARTITIONS lists them.")
	}
	return fault(c.Pos, "INVALID_PARTITION_OPERATION.PARTITION_MANAGEMENT_IS_UNSUPPORTED", "42601", "partitions of a Delta table come and go with its rows.", "SHOW PARTITIONS lists them.")
}

// partitionNames are the partition columns of a table.
func (e *Engine) partitionNames(ctx context.Context, t catalog.Table) ([]string, error) {
	if ofFiles(t) {
		def, err := fileDefOf(t)
		return def.PartitionBy, err
	}
	_, snap, err := e.snapshot(ctx, t)
	if err != nil {
		return nil, err
	}
	return snap.Metadata().PartitionColumns, nil
}

// describeParts adds the partition columns of a table.
func (e *Engine) describeParts(ctx context.Context, t catalog.Table, rows *textRows) error {
	if t.Type == catalog.View {
		return nil
	}
	parts, err := e.partitionNames(ctx, t)
	if err != nil {
		return err
	}
	if len(parts) == 0 {
		return nil
	}
	rows.add(false, "# Partition Information", "", "")
	rows.add(false, "# col_name", "data_type", "comment")
	for _, p := range parts {
		for _, col := range t.Columns {
			if strings.EqualFold(p, col.Name) {
				rows.add(true, col.Name, col.Type, col.Comment)
			}
		}
	}
	return nil
}

// pairs is a map as text, by key.
func pairs(m map[string]string, eq, sep string) string {
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(m)) {
		parts = append(parts, k+eq+m[k])
	}
	return strings.Join(parts, sep)
}

// details are what EXTENDED says of a table or view.
func (e *Engine) details(t catalog.Table) [][2]string {
	if def, err := fileDefOf(t); err == nil && ofFiles(t) {
		return e.fileDetails(t, def)
	}
	out := [][2]string{
		{"Catalog", t.Catalog}, {"Database", t.Schema}, {"Table", t.Name}, {"Owner", t.Owner},
		{"Created Time", t.Created.Format("Mon Jan 02 15:04:05 MST 2006")}, {"Type", string(t.Type)},
	}
	if t.Comment != "" {
		out = append(out, [2]string{"Comment", t.Comment})
	}
	if t.Type != catalog.View {
		return append(out, [2]string{"Location", e.cfg.Tables.Place(t)}, [2]string{"Provider", "delta"})
	}
	quoted := make([]string, len(t.ViewColumns))
	for i, c := range t.ViewColumns {
		quoted[i] = "`" + c + "`"
	}
	return append(out, [2]string{"View Text", t.ViewText}, [2]string{"View Original Text", t.ViewText}, [2]string{"View Schema Mode", t.ViewMode},
		[2]string{"View Catalog and Namespace", t.ViewCatalog + "." + t.ViewSchema}, [2]string{"View Query Output Columns", "[" + strings.Join(quoted, ", ") + "]"})
}

// describeColumn is DESCRIBE table column.
func (e *Engine) describeColumn(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	cols, err := e.columns(ctx, sess, c)
	if err != nil {
		return nil, err
	}
	for _, col := range cols {
		name, rest, nested := strings.Cut(c.Args["column"], ".")
		if strings.EqualFold(col.Name, c.Args["column"]) {
			comment := col.Comment
			if comment == "" {
				comment = "NULL"
			}
			rows := [][]string{{"col_name", col.Name}, {"data_type", col.Type}, {"comment", comment}}
			if c.Args["extended"] == "true" && !e.deltaNamed(ctx, sess, c) {
				for _, k := range []string{"min", "max", "num_nulls", "distinct_count", "avg_col_len", "max_col_len", "histogram"} {
					rows = append(rows, []string{k, "NULL"}) // no statistics are kept
				}
			}
			return textResult([]string{"info_name", "info_value"}, rows), nil
		}
		if !nested || !strings.EqualFold(col.Name, name) {
			continue
		}
		if t, err := typeOf(col.Type); err == nil {
			if _, ok := t.(types.Struct); ok {
				return nil, fault(c.Pos, "_LEGACY_ERROR_TEMP_1060", "", "DESCRIBE describes no fields, such as "+rest+" of "+name+".", "Describe the column.")
			}
		}
		return nil, fault(c.Pos, "INVALID_EXTRACT_BASE_FIELD_TYPE", "42000", name+" has no fields.", "")
	}
	class := "UNRESOLVED_COLUMN.WITH_SUGGESTION"
	if e.viewNamed(ctx, sess, c) {
		class = "COLUMN_NOT_FOUND"
	}
	return nil, fault(c.Pos, class, "42703", "there is no column "+c.Args["column"]+".", "")
}

// deltaNamed tells whether c names a Delta table.
func (e *Engine) deltaNamed(ctx context.Context, sess *Session, c *plan.Command) bool {
	if e.temporaryNamed(sess, c.Name) != nil {
		return false
	}
	t, err := e.table(ctx, sess, c)
	return err == nil && t.Type != catalog.View && !ofFiles(t)
}

// viewNamed tells whether c names a view.
func (e *Engine) viewNamed(ctx context.Context, sess *Session, c *plan.Command) bool {
	if e.temporaryNamed(sess, c.Name) != nil {
		return true
	}
	t, err := e.table(ctx, sess, c)
	return err == nil && t.Type == catalog.View
}

// describeQuery is DESCRIBE QUERY: the columns that a query would give.
func (e *Engine) describeQuery(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	s := (&task{e: e, sess: sess}).step()
	q, err := analyze.Query(ctx, c.Args["query"], s.env)
	if err != nil {
		return nil, err
	}
	rows := describeRows()
	for _, a := range q.Plan.Output() {
		rows.add(true, a.Name, a.Type.String(), a.Comment)
	}
	return &Result{Columns: rows.cols, rows: rows}, nil
}

// describeSchema is DESCRIBE SCHEMA [EXTENDED].
func (e *Engine) describeSchema(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	s, err := e.schema(ctx, sess, c)
	if err != nil {
		return nil, err
	}
	rows := [][]string{{"Catalog Name", s.Catalog}, {"Namespace Name", s.Name}, {"Comment", s.Comment}, {"Location", s.Location}, {"Owner", s.Owner}}
	if c.Args["extended"] == "true" {
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(s.Properties)) {
			parts = append(parts, "("+k+","+s.Properties[k]+")")
		}
		text := ""
		if len(parts) > 0 {
			text = "(" + strings.Join(parts, ", ") + ")"
		}
		rows = append(rows, []string{"Properties", text})
	}
	return textResult([]string{"info_name", "info_value"}, rows), nil
}

// describeCatalog is DESCRIBE CATALOG, which Databricks has.
func (e *Engine) describeCatalog(ctx context.Context, _ *Session, c *plan.Command) (*Result, error) {
	all, err := e.cfg.Catalog.Catalogs(ctx)
	if err != nil {
		return nil, err
	}
	for _, i := range all {
		if len(c.Name) == 1 && strings.EqualFold(i.Name, c.Name[0]) {
			rows := [][]string{{"Catalog Name", i.Name}, {"Comment", i.Comment}, {"Owner", i.Owner}}
			if c.Args["extended"] == "true" {
				rows = append(rows, []string{"Created At", i.Created.Format("2006-01-02 15:04:05")})
			}
			return textResult([]string{"info_name", "info_value"}, rows), nil
		}
	}
	return nil, noCatalog(c)
}

func noCatalog(c *plan.Command) error {
	return fault(c.Pos, "CATALOG_NOT_FOUND", "42P08", "there is no catalog "+strings.Join(c.Name, ".")+".", "`SHOW CATALOGS` lists what there is.")
}
