package dml

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/objstore"
)

// CloneCounts are what SHALLOW CLONE tells of its source.
type CloneCounts struct{ Bytes, Files int64 }

// Place is where a new table is made.
type Place struct {
	Store objstore.Store
	Root  string
	// Old is the table to be replaced, nil where there is none.
	Old     *delta.Table
	Options []delta.Option
	Managed bool
}

// Define makes a table, or gives one that is there another definition, with the
// rows of AS SELECT or the files of a clone, in one version.
func Define(ctx context.Context, e Engine, c *plan.CreateTable, at Place) (*delta.Table, CloneCounts, error) {
	var n CloneCounts
	schema, err := definedSchema(e, c)
	if err != nil {
		return nil, n, err
	}
	opts := append(slices.Clone(at.Options), delta.WithPartitionBy(c.PartitionBy...), delta.WithProperties(tableProperties(c, schema)))
	if c.Comment != "" {
		opts = append(opts, delta.WithDescription(c.Comment))
	}
	if c.ClusterBy != nil {
		opts = append(opts, delta.WithClusterBy(c.ClusterBy...))
	}
	var d *delta.Draft
	if at.Old != nil {
		d, err = at.Old.Redefine(schema, opts...)
	} else {
		d, err = delta.NewDraft(at.Store, at.Root, schema, opts...)
	}
	if err != nil {
		return nil, n, commitError(err)
	}
	out := delta.Commit{ReadVersion: -1, DataChange: true, Serializable: true, Operation: operation(c), Parameters: map[string]string{
		"partitionBy": jsonText(append([]string{}, c.PartitionBy...)), "clusterBy": jsonText(dotted(c.ClusterBy)), "description": c.Comment,
		"isManaged": fmt.Sprint(at.Managed), "properties": jsonText(c.Properties),
	}}
	switch {
	case c.Clone != nil:
		if out.Adds, n, err = cloned(e, c.Clone); err != nil {
			return nil, n, err
		}
	case c.Rows != nil:
		if out.Adds, err = Fill(ctx, e, c.Rows, d, schema); err != nil {
			return nil, n, err
		}
	default:
		out.Metrics = map[string]string{"numFiles": "", "numOutputRows": "", "numOutputBytes": ""}
	}
	t, _, err := d.Commit(ctx, out)
	if err != nil {
		if c.Clone == nil {
			if derr := d.Discard(out.Adds); derr != nil {
				return nil, n, derr
			}
		}
		return nil, n, commitError(err)
	}
	return t, n, nil
}

func dotted(cols [][]string) []string {
	out := []string{}
	for _, c := range cols {
		out = append(out, strings.Join(c, "."))
	}
	return out
}

// definedSchema is the table's schema; a clone's is its source's own.
func definedSchema(e Engine, c *plan.CreateTable) (*arrow.Schema, error) {
	if c.Clone == nil {
		return Schema(c.Columns)
	}
	_, snap, err := e.Table(c.Clone)
	if err != nil {
		return nil, err
	}
	return snap.Schema(), nil
}

// tableProperties are those of the statement; a column whose type needs a
// feature of readers asks for it, for the statement names the type.
func tableProperties(c *plan.CreateTable, s *arrow.Schema) map[string]string {
	props := maps.Clone(c.Properties)
	delete(props, "delta.columnMapping.maxColumnId")
	for _, f := range s.Fields() {
		if hasNTZ(f.Type) {
			props["delta.feature.timestampNtz"] = "supported"
		}
	}
	return props
}

func hasNTZ(t arrow.DataType) bool {
	if ts, ok := t.(*arrow.TimestampType); ok {
		return ts.TimeZone == ""
	}
	if n, ok := t.(arrow.NestedType); ok {
		return slices.ContainsFunc(n.Fields(), func(f arrow.Field) bool { return hasNTZ(f.Type) })
	}
	return false
}

// operation is the statement's name in the history.
func operation(c *plan.CreateTable) string {
	name := "CREATE TABLE"
	switch {
	case c.Clone != nil:
		return "CLONE"
	case c.Create && c.Replace:
		name = "CREATE OR REPLACE TABLE"
	case c.Replace:
		name = "REPLACE TABLE"
	}
	if c.Rows != nil {
		name += " AS SELECT"
	}
	return name
}

// Fill writes rows into files of a draft with this schema.
func Fill(ctx context.Context, e Engine, rows *plan.Rows, d *delta.Draft, schema *arrow.Schema) ([]delta.Add, error) {
	w, err := d.NewWriter(ctx, delta.WriterOptions{OptimizeWrite: rows.OptimizeWrite})
	if err != nil {
		return nil, commitError(err)
	}
	defer func() { _ = w.Abort() }() // after Close it does nothing
	s := newSink(into(w), schema, rows, nil)
	if err := each(ctx, e, rows.Plan, nil, nil, s.take); err != nil {
		return nil, err
	}
	return w.Close()
}

// cloned are the files of a table by their full paths.
func cloned(e Engine, src *plan.Source) ([]delta.Add, CloneCounts, error) {
	_, snap, err := e.Table(src)
	if err != nil {
		return nil, CloneCounts{}, err
	}
	out, err := snap.AbsoluteFiles()
	if errors.Is(err, delta.ErrUnsupportedFeature) {
		return nil, CloneCounts{}, &sparksql.Error{Class: "UNSUPPORTED_FEATURE.CLONE", SQLState: "0A000", Phase: sparksql.PhaseRuntime, Message: "tables are cloned on a local store only."}
	}
	if err != nil {
		return nil, CloneCounts{}, err
	}
	return out, CloneCounts{Bytes: snap.Bytes(), Files: int64(len(out))}, nil
}
