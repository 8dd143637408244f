package query

import (
	"context"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// alterFiles runs ALTER TABLE over a table of files, which changes the catalog
// alone.
func (e *Engine) alterFiles(ctx context.Context, h *fileHandle, a *plan.AlterTable) (*Result, error) {
	t, def := h.table, h.def
	cols := slices.Clone(t.Columns)
	for _, ed := range a.Edits {
		switch ed.Kind {
		case plan.EditAdd:
			typ := ed.Column.Type
			if ed.Column.Declared != nil {
				typ = ed.Column.Declared
			}
			col := catalog.Column{Name: ed.Column.Name, Type: typ.String(), Nullable: true, Comment: ed.Column.Comment}
			cols = slices.Insert(cols, len(cols)-len(def.PartitionBy), col)
			if d := ed.Column.Default; d != "" {
				def.Defaults = maps.Clone(def.Defaults)
				if def.Defaults == nil {
					def.Defaults = map[string]string{}
				}
				def.Defaults[col.Name] = d
			}
		case plan.EditComment:
			for i := range cols {
				if strings.EqualFold(cols[i].Name, ed.Path[0]) {
					cols[i].Comment = ed.Text
				}
			}
		default:
			return nil, fmt.Errorf("query: edit %d of a table of files", ed.Kind)
		}
	}
	def.Properties = maps.Clone(def.Properties)
	if def.Properties == nil {
		def.Properties = map[string]string{}
	}
	maps.Copy(def.Properties, a.Properties)
	for _, k := range a.Unset {
		delete(def.Properties, k)
	}
	comment := t.Comment
	if c, ok := def.Properties["comment"]; ok {
		comment = c
		delete(def.Properties, "comment")
	}
	props := maps.Clone(t.Properties)
	if err := def.into(props); err != nil {
		return nil, err
	}
	if err := e.cfg.Catalog.SetProperties(ctx, t.ID, props); err != nil {
		return nil, err
	}
	return &Result{}, e.cfg.Catalog.SetColumns(ctx, t.ID, cols, comment)
}

// fileProperties are the properties of a table of files with its options, as
// SHOW TBLPROPERTIES lists them.
func (d fileDef) shown() map[string]string {
	out := maps.Clone(d.Properties)
	if out == nil {
		out = map[string]string{}
	}
	for k, v := range d.Options {
		out["option."+k] = v
	}
	return out
}

// fileDetails are what EXTENDED says of a table of files.
func (e *Engine) fileDetails(t catalog.Table, d fileDef) [][2]string {
	kind := "MANAGED"
	if t.Type == catalog.External {
		kind = "EXTERNAL"
	}
	out := [][2]string{{"Catalog", t.Catalog}, {"Database", t.Schema}, {"Table", t.Name}}
	if t.Owner != "" {
		out = append(out, [2]string{"Owner", t.Owner})
	}
	out = append(out, [2]string{"Created Time", t.Created.Format("Mon Jan 02 15:04:05 MST 2006")}, [2]string{"Last Access", "UNKNOWN"},
		[2]string{"Type", kind}, [2]string{"Provider", d.Format})
	if t.Comment != "" {
		out = append(out, [2]string{"Comment", t.Comment})
	}
	if len(d.Properties) > 0 {
		out = append(out, [2]string{"Table Properties", "[" + pairs(d.Properties, "=", ", ") + "]"})
	}
	out = append(out, [2]string{"Location", tableURI(e.cfg.Tables.Place(t))})
	if len(d.Options) > 0 {
		out = append(out, [2]string{"Storage Properties", "[" + pairs(d.Options, "=", ", ") + "]"})
	}
	if len(d.PartitionBy) > 0 {
		out = append(out, [2]string{"Partition Provider", "Catalog"})
	}
	return out
}

// tableURI is a table's place as a URI.
func tableURI(place string) string {
	if strings.HasPrefix(place, "/") {
		return "file:" + place
	}
	return place
}

// createFileTable is the statement that makes such a table again.
func createFileTable(t catalog.Table, d fileDef) string {
	cols := make([]string, len(t.Columns))
	for i, c := range t.Columns {
		typ := strings.ToUpper(c.Type)
		if parsed, err := typeOf(c.Type); err == nil {
			typ = parsed.SQL()
		}
		cols[i] = analyze.QuoteOdd(c.Name) + " " + typ
		if def := d.Defaults[c.Name]; def != "" {
			cols[i] += " DEFAULT " + def
		}
		cols[i] += commentClause(c.Comment)
	}
	var b strings.Builder
	fmt.Fprintf(&b, "CREATE TABLE %s.%s.%s (\n  %s)\nUSING %s\n", analyze.QuoteOdd(t.Catalog), analyze.QuoteOdd(t.Schema), analyze.QuoteOdd(t.Name),
		strings.Join(cols, ",\n  "), d.Format)
	if len(d.Options) > 0 {
		var lines []string
		for _, k := range slices.Sorted(maps.Keys(d.Options)) {
			lines = append(lines, "  "+types.QuoteText(k)+" = "+types.QuoteText(d.Options[k]))
		}
		b.WriteString("OPTIONS (\n" + strings.Join(lines, ",\n") + ")\n")
	}
	if len(d.PartitionBy) > 0 {
		b.WriteString("PARTITIONED BY (" + quotedNames(d.PartitionBy, ", ") + ")\n")
	}
	if t.Comment != "" {
		b.WriteString("COMMENT " + types.QuoteText(t.Comment) + "\n")
	}
	if at := t.Properties[locationKey]; at != "" {
		b.WriteString("LOCATION " + types.QuoteText(tableURI(at)) + "\n")
	}
	trailer(&b, "", d.Properties)
	return b.String()
}

// filePartitions is SHOW PARTITIONS of a table of files: the folders of its
// partitions.
func (e *Engine) filePartitions(ctx context.Context, t catalog.Table, c *plan.Command) (*Result, error) {
	def, err := fileDefOf(t)
	if err != nil {
		return nil, err
	}
	if len(def.PartitionBy) == 0 {
		return nil, fault(c.Pos, "INVALID_PARTITION_OPERATION.PARTITION_SCHEMA_IS_EMPTY", "42601", t.FullName()+" is not partitioned.", "")
	}
	for k := range c.Args {
		name, ok := strings.CutPrefix(k, "partition.")
		if !ok {
			if name, ok = strings.CutPrefix(k, "partition null."); !ok {
				continue
			}
		}
		if !slices.ContainsFunc(def.PartitionBy, func(p string) bool { return strings.EqualFold(p, name) }) {
			return nil, fault(c.Pos, "PARTITIONS_NOT_FOUND", "428FT", t.FullName()+" has no partition column "+name+".", "")
		}
	}
	folder, err := e.cfg.Tables.folder(t)
	if err != nil {
		return nil, err
	}
	files, there, pin, err := folder.List(ctx)
	if err != nil {
		return nil, err
	}
	pin.Release()
	for _, f := range files {
		there = append(there, path.Dir(f.Path))
	}
	slices.Sort(there)
	var rows [][]string
	for _, p := range slices.Compact(there) {
		names, values := delta.HiveValues(p + "/")
		if len(names) < len(def.PartitionBy) {
			continue
		}
		row := make([]*string, len(def.PartitionBy))
		for i, n := range def.PartitionBy {
			if v := values[n]; v != "" {
				row[i] = &v
			}
		}
		if partitionMatches(def.PartitionBy, row, c.Args) {
			rows = append(rows, []string{p})
		}
	}
	return textResult([]string{"partition"}, rows), nil
}

// fileDetail is DESCRIBE DETAIL of a table of files.
func (e *Engine) fileDetail(t catalog.Table) (map[string]any, error) {
	def, err := fileDefOf(t)
	if err != nil {
		return nil, err
	}
	props := def.Properties
	if props == nil {
		props = map[string]string{}
	}
	return map[string]any{
		"format": def.Format, "id": nil, "name": t.FullName(), "description": t.Comment, "location": tableURI(e.cfg.Tables.Place(t)),
		"createdAt": arrowTime(t.Created), "lastModified": nil, "partitionColumns": append([]string{}, def.PartitionBy...), "clusteringColumns": nil,
		"numFiles": nil, "sizeInBytes": nil, "properties": entries(props), "minReaderVersion": nil, "minWriterVersion": nil, "tableFeatures": nil,
	}, nil
}
