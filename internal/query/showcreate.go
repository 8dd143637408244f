package query

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// showCreate is SHOW CREATE TABLE: a statement that makes such a table again.
// Open-source Delta refuses it; the text is laid out as Databricks does.
func (e *Engine) showCreate(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	if v := e.temporaryNamed(sess, c.Name); v != nil {
		return nil, fault(c.Pos, "EXPECT_PERMANENT_VIEW_NOT_TEMP", "42809", "SHOW CREATE TABLE takes no temporary view.", "")
	}
	t, err := e.table(ctx, sess, c)
	if err != nil {
		return nil, err
	}
	text := ""
	if t.Type == catalog.View {
		text = createView(t)
	} else if ofFiles(t) {
		if c.Args["as serde"] == "true" {
			return nil, fault(c.Pos, "UNSUPPORTED_SHOW_CREATE_TABLE.ON_DATA_SOURCE_TABLE_WITH_AS_SERDE", "0A000", t.FullName()+" is no table of Hive.", "Leave AS SERDE out.")
		}
		def, err := fileDefOf(t)
		if err != nil {
			return nil, err
		}
		text = createFileTable(t, def)
	} else {
		_, s, err := e.snapshot(ctx, t)
		if err != nil {
			return nil, err
		}
		text = createTable(t, s)
	}
	return textResult([]string{"createtab_stmt"}, [][]string{{text}}), nil
}

func createView(t catalog.Table) string {
	cols := make([]string, len(t.Columns))
	for i, col := range t.Columns {
		cols[i] = analyze.QuoteOdd(col.Name) + commentClause(col.Comment)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE VIEW %s.%s (\n  %s)\n", analyze.QuoteOdd(t.Schema), analyze.QuoteOdd(t.Name), strings.Join(cols, ",\n  "))
	trailer(&b, t.Comment, t.Properties)
	if t.ViewMode != "" {
		b.WriteString("WITH SCHEMA " + t.ViewMode + "\n")
	}
	b.WriteString("AS " + t.ViewText + "\n")
	return b.String()
}

func createTable(t catalog.Table, s *delta.Snapshot) string {
	fields := s.Schema()
	cols := make([]string, len(t.Columns))
	for i, col := range t.Columns {
		cols[i] = analyze.QuoteOdd(col.Name)
		var rule plan.ColumnRule
		if at := fields.FieldIndices(col.Name); len(at) == 1 {
			rule = columnRule(fields.Field(at[0]))
		}
		typ := strings.ToUpper(col.Type)
		if rule.Declared != nil {
			typ = rule.Declared.SQL()
		} else if parsed, err := typeOf(col.Type); err == nil {
			typ = parsed.SQL()
		}
		cols[i] += " " + typ + ruleClauses(rule)
		if !col.Nullable {
			cols[i] += " NOT NULL"
		}
		cols[i] += commentClause(col.Comment)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s.%s.%s (\n  %s)\nUSING delta\n", analyze.QuoteOdd(t.Catalog), analyze.QuoteOdd(t.Schema), analyze.QuoteOdd(t.Name),
		strings.Join(cols, ",\n  "))
	if parts := s.Metadata().PartitionColumns; len(parts) > 0 {
		b.WriteString("PARTITIONED BY (" + quotedNames(parts, ", ") + ")\n")
	}
	if by := s.ClusterBy(); len(by) > 0 {
		var paths []string
		for _, path := range by {
			paths = append(paths, quotedNames(path, "."))
		}
		b.WriteString("CLUSTER BY (" + strings.Join(paths, ", ") + ")\n")
	}
	if at := t.Properties[locationKey]; at != "" {
		b.WriteString("LOCATION " + types.QuoteText(at) + "\n")
	}
	trailer(&b, t.Comment, tableProperties(s))
	return b.String()
}

// ruleClauses are how a column gets a value that a statement leaves out.
func ruleClauses(r plan.ColumnRule) string {
	switch {
	case r.Identity != nil:
		how := "ALWAYS"
		if r.Identity.Explicit {
			how = "BY DEFAULT"
		}
		return fmt.Sprintf(" GENERATED %s AS IDENTITY (START WITH %d INCREMENT BY %d)", how, r.Identity.Start, r.Identity.Step)
	case r.Generated != "":
		return " GENERATED ALWAYS AS (" + r.Generated + ")"
	case r.Default != "":
		return " DEFAULT " + r.Default
	}
	return ""
}

func quotedNames(names []string, sep string) string {
	out := make([]string, len(names))
	for i, n := range names {
		out[i] = analyze.QuoteOdd(n)
	}
	return strings.Join(out, sep)
}

func commentClause(comment string) string {
	if comment == "" {
		return ""
	}
	return " COMMENT " + types.QuoteText(comment)
}

// trailer writes the comment and the properties.
func trailer(b *strings.Builder, comment string, props map[string]string) {
	if comment != "" {
		b.WriteString("COMMENT " + types.QuoteText(comment) + "\n")
	}
	if len(props) == 0 {
		return
	}
	lines := []string{}
	for _, k := range slices.Sorted(maps.Keys(props)) {
		lines = append(lines, "  "+types.QuoteText(k)+" = "+types.QuoteText(props[k]))
	}
	b.WriteString("TBLPROPERTIES (\n" + strings.Join(lines, ",\n") + ")\n")
}
