package pipeline

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/pipeline/flow"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/lineage"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// wanted is a table as the pipeline's files define it.
type wanted struct {
	name       []string
	kind       catalog.Type
	fields     []types.Field
	comment    string
	partition  []string
	properties map[string]string
	pos        sparksql.Pos
	lineage    *lineage.Lineage // nil: not known
}

// ensure gives the Delta table of a definition: made where there is none
// (catalog row CREATING, version 0, ACTIVE; a crash in between is picked up
// here), with added columns where it lacks some.
func (p *Pipeline) ensure(ctx context.Context, w wanted) (*flow.Sink, error) {
	fields, err := types.ArrowFields(w.fields)
	if err != nil {
		return nil, fmt.Errorf("%s: %s: %w", w.pos, strings.Join(w.name, "."), err)
	}
	schema := arrow.NewSchema(fields, nil)
	if err := p.cfg.Catalog.EnsureSchema(ctx, w.name[0], w.name[1], p.cfg.Owner); err != nil {
		return nil, err
	}
	row, err := p.cfg.Catalog.Table(ctx, w.name[0], w.name[1], w.name[2])
	if errors.Is(err, catalog.ErrNotFound) {
		row, err = p.cfg.Catalog.CreateTable(ctx, catalog.Table{
			Catalog: w.name[0], Schema: w.name[1], Name: w.name[2], Type: w.kind, Owner: p.cfg.Owner,
			Comment: w.comment, Columns: columnsOf(w.fields), Properties: w.properties,
		})
	}
	if err != nil {
		return nil, err
	}
	if row.Type != w.kind {
		return nil, &sparksql.Error{
			Class: "TABLE_OR_VIEW_ALREADY_EXISTS", SQLState: "42P07", Phase: sparksql.PhaseAnalysis, Pos: w.pos,
			Message: fmt.Sprintf("%s is there already as %s.", row.FullName(), row.Type), Hint: "Drop it, or take another name.",
		}
	}
	t, err := p.openOrCreate(ctx, row, schema, w)
	if err != nil {
		return nil, err
	}
	if err := p.cfg.Catalog.Activate(ctx, row.ID); err != nil {
		return nil, err
	}
	schema, err = p.evolve(ctx, row, t, schema, w)
	if err != nil {
		return nil, err
	}
	if w.lineage != nil {
		if err := p.cfg.Catalog.SetLineage(ctx, row.ID, "pipeline "+p.cfg.Pipeline.Key, *w.lineage); err != nil {
			return nil, err
		}
	}
	return &flow.Sink{Name: strings.Join(w.name, "."), Table: t, Schema: schema}, nil
}

func (p *Pipeline) openOrCreate(ctx context.Context, row catalog.Table, schema *arrow.Schema, w wanted) (*delta.Table, error) {
	t, err := p.cfg.Tables.Open(ctx, row)
	if !errors.Is(err, delta.ErrNotATable) {
		return t, err
	}
	opts := append([]delta.Option{}, p.cfg.Tables.Options()...)
	opts = append(opts, delta.WithName(row.FullName()))
	if w.comment != "" {
		opts = append(opts, delta.WithDescription(w.comment))
	}
	if len(w.partition) > 0 {
		opts = append(opts, delta.WithPartitionBy(w.partition...))
	}
	if props := deltaProperties(w.kind, w.properties); len(props) > 0 {
		opts = append(opts, delta.WithProperties(props))
	}
	t, err = delta.Create(ctx, p.cfg.Tables.Store(), row.ID, schema, opts...)
	if err != nil {
		return nil, fmt.Errorf("%s: table %s: %w", w.pos, row.FullName(), err)
	}
	p.cfg.Tables.Put(row, t)
	return t, nil
}

// viewRetention is what a view's table has unless its properties say
// otherwise: each refresh replaces all of its files, and a refresh every few
// seconds would fill the disk with old ones that are kept for a week.
var viewRetention = map[string]string{
	"delta.deletedFileRetentionDuration": "interval 1 hours",
	"delta.logRetentionDuration":         "interval 1 days",
}

// deltaProperties are the properties that go into the table; the pipeline's
// own settings are not the table's.
func deltaProperties(kind catalog.Type, props map[string]string) map[string]string {
	out := map[string]string{}
	if kind == catalog.MaterializedView {
		maps.Copy(out, viewRetention)
	}
	maps.Copy(out, props)
	maps.DeleteFunc(out, func(k, _ string) bool { return strings.HasPrefix(k, "pipelines.") })
	return out
}

// evolve compares the table's schema with the definition: columns that are
// new are added at the end, a changed type is refused. It gives the schema
// that files are written with.
func (p *Pipeline) evolve(ctx context.Context, row catalog.Table, t *delta.Table, want *arrow.Schema, w wanted) (*arrow.Schema, error) {
	snap, err := t.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	have := snap.Schema()
	at := map[string]int{}
	for i, f := range have.Fields() {
		at[strings.ToLower(f.Name)] = i
	}
	fields := append([]arrow.Field{}, have.Fields()...)
	changed := false
	for _, f := range want.Fields() {
		j, ok := at[strings.ToLower(f.Name)]
		if !ok {
			f.Nullable = true // rows from before have no value
			fields = append(fields, f)
			changed = true
			continue
		}
		old, err := types.FromArrow(have.Field(j).Type)
		if err != nil {
			return nil, err
		}
		now, err := types.FromArrow(f.Type) // CHAR(n) is a STRING in the table
		if err != nil {
			return nil, err
		}
		if !types.Equal(old, now) {
			return nil, &sparksql.Error{
				Class: "DELTA_SCHEMA_CHANGED", SQLState: "KD007", Phase: sparksql.PhaseAnalysis, Pos: w.pos,
				Message: fmt.Sprintf("column %s of %s is %s in the table and %s in the query.", f.Name, row.FullName(), old, now),
				Hint:    "Cast it to the old type, give it another name, or drop the table to begin anew (a reset keeps the columns).",
			}
		}
	}
	if !changed {
		return have, p.noteColumns(ctx, row, have, w.comment)
	}
	next := arrow.NewSchema(fields, nil)
	if _, err := t.Commit(ctx, delta.Commit{SchemaTo: next, ReadVersion: snap.Version(), Operation: "ADD COLUMNS"}); err != nil {
		return nil, fmt.Errorf("%s: table %s: %w", w.pos, row.FullName(), err)
	}
	if snap, err = t.Snapshot(ctx); err != nil {
		return nil, err
	}
	return snap.Schema(), p.noteColumns(ctx, row, snap.Schema(), w.comment)
}

// noteColumns keeps the catalog's picture of the columns.
func (p *Pipeline) noteColumns(ctx context.Context, row catalog.Table, schema *arrow.Schema, comment string) error {
	fields, err := types.FromArrowFields(schema.Fields())
	if err != nil {
		return err
	}
	return p.cfg.Catalog.SetColumns(ctx, row.ID, columnsOf(fields), comment)
}

func columnsOf(fields []types.Field) []catalog.Column {
	out := make([]catalog.Column, len(fields))
	for i, f := range fields {
		out[i] = catalog.Column{Name: f.Name, Type: f.Type.String(), Nullable: f.Nullable, Comment: f.Comment}
	}
	return out
}

// tableOfDataset is the definition of a dataset's own table.
func tableOfDataset(d *dataset) wanted {
	kind := catalog.StreamingTable
	if d.kind == plan.MaterializedView {
		kind = catalog.MaterializedView
	}
	return wanted{
		name: d.name, kind: kind, fields: d.cols, comment: d.comment, partition: d.def.PartitionBy,
		properties: d.def.Properties, pos: d.pos, lineage: d.lineage(),
	}
}

// lineage is where the dataset's columns come from, nil for a table without a
// query.
func (d *dataset) lineage() *lineage.Lineage {
	l, ok := lineage.Statement(d.def)
	if !ok {
		return nil
	}
	return &l
}

// quarantineSuffix makes the name of a quarantine table.
const quarantineSuffix = "_quarantine"

// quarantineOf is the definition of a dataset's quarantine table.
func quarantineOf(d *dataset) wanted {
	fields := make([]types.Field, 0, len(d.cols)+2)
	for _, f := range d.cols {
		f.Nullable = true
		fields = append(fields, f)
	}
	fields = append(fields,
		types.Field{Name: flow.FailedColumn, Type: types.Array{Elem: types.String, ContainsNull: true}, Nullable: true, Comment: "Expectations that the row failed"},
		types.Field{Name: flow.TimeColumn, Type: types.Timestamp, Nullable: true, Comment: "Time of the batch that set the row aside"},
	)
	return wanted{
		name: []string{d.name[0], d.name[1], d.name[2] + quarantineSuffix}, kind: catalog.StreamingTable, fields: fields,
		comment: "Rows of " + d.full + " that an expectation dropped", pos: d.pos,
	}
}

// eventLogTable is the definition of the pipeline's event log.
func (p *Pipeline) eventLogTable() (wanted, error) {
	fields, err := types.FromArrowFields(eventSchema().Fields())
	return wanted{
		name: []string{strings.ToLower(p.graph.catalog), strings.ToLower(p.graph.schema), "event_log_" + plainName(p.cfg.Pipeline.Key)},
		kind: catalog.Managed, fields: fields, comment: "Event log of the pipeline " + p.cfg.Pipeline.Name,
	}, err
}

// plainName is a table name made of a key.
func plainName(key string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9':
			return r
		case r >= 'A' && r <= 'Z':
			return r + 'a' - 'A'
		}
		return '_'
	}, key)
}
