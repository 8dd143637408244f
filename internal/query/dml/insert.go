package dml

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Insert runs INSERT.
func Insert(ctx context.Context, e Engine, ins *plan.Insert) error {
	t, err := open(e, ins.Target)
	if err != nil {
		return err
	}
	if ins.Mode != plan.WriteAppend {
		if err := t.appendOnly(); err != nil {
			return err
		}
	}
	c := delta.Commit{ReadVersion: -1, DataChange: true, Serializable: true, Parameters: map[string]string{"mode": "Append", "partitionBy": "[]"}}
	if t.reads(e, ins.Rows.Plan) {
		c.ReadVersion = t.snap.Version()
	}
	schema, err := t.taking(ins, &c)
	if err != nil {
		return err
	}
	if ins.Replace != nil {
		return insertInstead(ctx, e, t, ins, schema, c)
	}
	if _, err := t.fill(ctx, e, ins, schema, &c); err != nil {
		return err
	}
	t.replace(&c, ins.Mode)
	return t.commit(ctx, c)
}

// fill writes the rows of an INSERT into files that c adds, and tells how many.
func (t target) fill(ctx context.Context, e Engine, ins *plan.Insert, schema *arrow.Schema, c *delta.Commit) (rows int64, err error) {
	w, err := t.table.NewWriter(ctx, delta.WriterOptions{SchemaTo: c.SchemaTo, OptimizeWrite: ins.Rows.OptimizeWrite})
	if err != nil {
		return 0, commitError(err)
	}
	defer func() { _ = w.Abort() }() // after Close it does nothing
	s := newSink(into(w), schema, &ins.Rows, ins.Identity)
	err = each(ctx, e, ins.Rows.Plan, nil, nil, func(rec arrow.RecordBatch) error {
		rows += rec.NumRows()
		return s.take(rec)
	})
	if err != nil {
		return 0, err
	}
	if c.Adds, err = w.Close(); err != nil {
		return 0, err
	}
	c.Identity = s.numbered()
	return rows, nil
}

// insertInstead inserts rows in the place of those that ins.Replace deletes.
func insertInstead(ctx context.Context, e Engine, t target, ins *plan.Insert, schema *arrow.Schema, c delta.Commit) error {
	r, err := t.snap.NewRewrite(ctx, delta.RewriteOptions{SchemaTo: c.SchemaTo, Writer: delta.WriterOptions{OptimizeWrite: ins.Rows.OptimizeWrite}})
	if err != nil {
		return commitError(err)
	}
	defer func() { _ = r.Abort() }() // after Commit it does nothing
	old := rewrite{Rewrite: r, e: e, t: t, schema: t.snap.Schema()}
	if err := old.do(ctx, ins.Replace); err != nil {
		return err
	}
	s := newSink(old.take, schema, &ins.Rows, ins.Identity)
	s.replaces = true
	if err := each(ctx, e, ins.Rows.Plan, nil, nil, s.take); err != nil {
		return err
	}
	c.Identity = s.numbered()
	c.Parameters["mode"], c.Parameters["predicate"] = "Overwrite", ins.Replace.Parameters["predicate"]
	_, _, err = r.Commit(c)
	return commitError(err)
}

// replace says what the new files stand for.
func (t target) replace(c *delta.Commit, mode plan.WriteMode) {
	if mode == plan.WriteAppend {
		return
	}
	c.Parameters["mode"] = "Overwrite"
	switch mode {
	case plan.WriteOverwrite:
		c.ReplaceAll = true
		c.Metrics = map[string]string{"numRemovedBytes": num(t.snap.Bytes())}
	case plan.WriteDynamic:
		fresh := map[string]bool{}
		for _, a := range c.Adds {
			fresh[partitionKey(a)] = true
		}
		for _, a := range t.live() {
			if fresh[partitionKey(a)] {
				c.Removes = append(c.Removes, a.Remove(time.Now().UnixMilli(), true))
			}
		}
		c.ReadVersion = t.snap.Version()
		c.Parameters["isDynamicPartitionOverwrite"] = "true"
	}
}

func partitionKey(a delta.Add) string {
	var b strings.Builder
	for _, k := range slices.Sorted(maps.Keys(a.PartitionValues)) {
		b.WriteString(k + "\x00" + a.PartitionValues[k] + "\x01")
	}
	return b.String()
}

// partitionText is the table's partitioning as the history shows it.
func partitionText(t target) string {
	return jsonText(append([]string{}, t.snap.Metadata().PartitionColumns...))
}

func jsonText(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return "[]"
	}
	return string(b)
}

// evolved is the table's schema with the columns that a statement adds.
func (t target) evolved(want []types.Field) (*arrow.Schema, error) {
	s, err := Evolved(t.snap.Schema(), want)
	if err != nil {
		return nil, err
	}
	return t.snap.Extend(s)
}

// Evolved is a schema with the columns of want: those that it has keep what
// else it says of them.
func Evolved(s *arrow.Schema, want []types.Field) (*arrow.Schema, error) {
	to, err := types.ArrowFields(want)
	if err != nil {
		return nil, err
	}
	for i := range to {
		for _, f := range s.Fields() {
			if strings.EqualFold(f.Name, to[i].Name) {
				to[i].Metadata, to[i].Nullable = f.Metadata, f.Nullable
				to[i].Type = evolvedType(f.Type, to[i].Type)
			}
		}
	}
	return arrow.NewSchema(to, nil), nil
}

// evolvedType is want with the metadata of the fields that old has.
func evolvedType(old, want arrow.DataType) arrow.DataType {
	switch w := want.(type) {
	case *arrow.StructType:
		o, ok := old.(*arrow.StructType)
		if !ok {
			return want
		}
		fields := make([]arrow.Field, w.NumFields())
		for i, f := range w.Fields() {
			fields[i] = f
			for _, g := range o.Fields() {
				if strings.EqualFold(f.Name, g.Name) {
					fields[i] = g
					fields[i].Type = evolvedType(g.Type, f.Type)
				}
			}
		}
		return arrow.StructOf(fields...)
	case *arrow.ListType:
		if o, ok := old.(*arrow.ListType); ok {
			f := w.ElemField()
			f.Type = evolvedType(o.Elem(), f.Type)
			return arrow.ListOfField(f)
		}
	case *arrow.MapType:
		if o, ok := old.(*arrow.MapType); ok {
			m := arrow.MapOf(evolvedType(o.KeyType(), w.KeyType()), evolvedType(o.ItemType(), w.ItemType()))
			m.SetItemNullable(w.ItemField().Nullable)
			return m
		}
	}
	return want
}
