package dml

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// Alter runs ALTER TABLE, but for renames, which are the catalog's.
func Alter(ctx context.Context, e Engine, c *plan.AlterTable) error {
	if c.Operation == "" {
		return nil
	}
	t, err := open(e, c.Target)
	if err != nil {
		return err
	}
	if c.DropFeature != nil {
		return dropFeature(ctx, t, c)
	}
	out := delta.Commit{
		ReadVersion: t.snap.Version(), Operation: c.Operation, Parameters: c.Parameters, Properties: c.Properties, Serializable: true,
		Metrics: map[string]string{"numFiles": "", "numOutputRows": "", "numOutputBytes": ""},
	}
	if c.Check != nil {
		out.DataChange = true // it holds for the rows that were read
		if err := t.fulfils(ctx, e, c); err != nil {
			return err
		}
	}
	if c.Properties != nil && len(out.Parameters) == 0 {
		out.Parameters = map[string]string{"properties": jsonText(c.Properties)}
		if c.Operation == "UNSET TBLPROPERTIES" {
			out.Parameters["ifExists"] = "true"
		}
	}
	describe(&out)
	if len(c.Edits) > 0 {
		to, err := Edit(t.snap.Schema(), c.Edits)
		if err != nil {
			return err
		}
		if out.SchemaTo, err = t.snap.Extend(to); err != nil {
			return err
		}
	}
	if c.Clustering {
		out.ClusterBy = &c.ClusterBy
	}
	if c.Operation == "SYNC IDENTITY" {
		if out.SchemaTo, err = t.synced(ctx, e, c); err != nil {
			return err
		}
	}
	if out.SchemaTo == nil && out.Properties == nil && out.Description == nil && out.ClusterBy == nil {
		out.SchemaTo = t.snap.Schema()
	}
	return featureError(t.commit(ctx, out))
}

// describe takes the comment out of the properties: it is the description.
func describe(c *delta.Commit) {
	for k, v := range c.Properties {
		if strings.EqualFold(k, "comment") {
			delete(c.Properties, k)
			c.Description = &v
		}
	}
}

func featureError(err error) error {
	if u, ok := errors.AsType[*sparksql.Error](err); ok && u.Class == "DELTA_UNSUPPORTED_FEATURES_FOR_WRITE" {
		v := *u
		v.Class = "DELTA_UNSUPPORTED_FEATURES_IN_CONFIG"
		return &v
	}
	return err
}

// fulfils refuses a new CHECK that a row breaks.
func (t target) fulfils(ctx context.Context, e Engine, c *plan.AlterTable) error {
	broken := false
	err := each(ctx, e, c.Violation, nil, nil, func(rec arrow.RecordBatch) error {
		broken = broken || rec.NumRows() > 0
		return nil
	})
	if err == nil && broken {
		return &sparksql.Error{
			Class: "DELTA_NEW_CHECK_CONSTRAINT_VIOLATION", SQLState: "23512", Phase: sparksql.PhaseAnalysis, Pos: c.Pos,
			Message: "a row of the table breaks the constraint " + c.Check.Name + " (" + c.Check.Text + "); NULL breaks it, too.",
		}
	}
	return err
}

// synced raises the last numbers given out to what stands in the table.
func (t target) synced(ctx context.Context, e Engine, c *plan.AlterTable) (*arrow.Schema, error) {
	fields := slices.Clone(t.snap.Schema().Fields())
	for i, f := range fields {
		id, ok := delta.IdentityOf(f)
		if !ok {
			continue
		}
		// As Spark: numbers before the start leave the mark alone.
		further := func(v, than int64) bool { return id.Step > 0 && v > than || id.Step < 0 && v < than }
		scan := &plan.Scan{Source: c.Target, Ordinals: []int{i}, Attrs: []plan.Attr{{ID: plan.NewID(), Name: f.Name, Type: c.Target.Columns[i].Type, Nullable: true}}}
		err := each(ctx, e, scan, nil, nil, func(rec arrow.RecordBatch) error {
			for row := range int(rec.NumRows()) {
				v := intAt(rec.Column(0), row)
				if rec.Column(0).IsValid(row) && !further(id.Start, v) && (id.High == nil || further(v, *id.High)) {
					id.High = &v
				}
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		if id.High != nil && id.Step != 0 { // rows may have brought what is none of the column's numbers
			if over := (*id.High - id.Start) % id.Step; over != 0 {
				*id.High += id.Step - over
			}
		}
		fields[i] = delta.WithIdentity(f, id)
	}
	return arrow.NewSchema(fields, nil), nil
}

// Describe replaces a table's description.
func Describe(ctx context.Context, d *delta.Table, text string) error {
	_, err := d.Commit(ctx, delta.Commit{
		ReadVersion: -1, Description: &text, Operation: "SET TBLPROPERTIES", Parameters: map[string]string{"properties": jsonText(map[string]string{"comment": text})},
		Metrics: map[string]string{"numFiles": "", "numOutputRows": "", "numOutputBytes": ""},
	})
	return commitError(err)
}
