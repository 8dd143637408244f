package delta

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta/internal/schema"
)

// RowEngine computes expressions over rows: conditions and values of Delete,
// Update, Merge and ReplaceWhere, CHECK constraints, invariants, generated
// columns and column defaults. The package itself has none; without one
// (WithRowEngine) what needs it is refused with ErrUnsupportedFeature before
// anything is written.
//
// An engine must be safe for concurrent use. How much memory a Merge takes is
// the engine's matter: it reads its sources batch by batch and may spill.
type RowEngine interface {
	// Select runs a SELECT of Spark's SQL dialect. The tables that it names are
	// the keys of sources. The result's columns have the names that the SELECT
	// gives, types of other widths than Spark's are errors; batches are the
	// consumer's to release. A loop that is left early ends the statement.
	Select(ctx context.Context, query string, sources map[string]RowSource) iter.Seq2[arrow.RecordBatch, error]
}

// Pruner is an extra ability of a RowEngine: it tells beforehand what the rows
// of a source must fulfil to matter to a SELECT, so that Delete, Update, Merge
// and ReplaceWhere leave files alone that have none of them.
type Pruner interface {
	// Prune gives comparisons that hold for all rows of the source of that name
	// which can make a difference to the result of query; none where it cannot
	// tell. It reads no source.
	Prune(ctx context.Context, query string, sources map[string]RowSource, name string) ([]Predicate, error)
}

// RowSource is a relation that a RowEngine reads.
type RowSource struct {
	Schema *arrow.Schema
	// Read yields the rows with the columns at these places of Schema, in that
	// order; all if columns is nil. Batches are the consumer's to release. It may
	// be called again for another reading.
	Read func(ctx context.Context, columns []int) iter.Seq2[arrow.RecordBatch, error]
}

// WithRowEngine sets what computes expressions over rows.
func WithRowEngine(e RowEngine) Option { return func(o *options) { o.rows = e } }

// SourceOf makes batches, which stay the caller's, a source; they must have the
// schema.
func SourceOf(s *arrow.Schema, recs ...arrow.RecordBatch) RowSource {
	return RowSource{Schema: s, Read: func(_ context.Context, columns []int) iter.Seq2[arrow.RecordBatch, error] {
		return func(yield func(arrow.RecordBatch, error) bool) {
			for _, rec := range recs {
				if !yield(pick(rec, columns), nil) {
					return
				}
			}
		}
	}}
}

// Source makes the snapshot's rows a source, as far as they are in files that
// may satisfy the predicates.
func (s *Snapshot) Source(preds ...Predicate) RowSource {
	return RowSource{Schema: s.schema, Read: func(ctx context.Context, columns []int) iter.Seq2[arrow.RecordBatch, error] {
		names := make([]string, len(columns))
		for i, c := range columns {
			names[i] = s.schema.Field(c).Name
		}
		return s.Read(ctx, names, preds...)
	}}
}

// pick gives the columns of a batch at some places, all where places is nil;
// the caller releases it.
func pick(rec arrow.RecordBatch, places []int) arrow.RecordBatch {
	if places == nil {
		rec.Retain()
		return rec
	}
	fields := make([]arrow.Field, len(places))
	cols := make([]arrow.Array, len(places))
	for i, p := range places {
		fields[i], cols[i] = rec.Schema().Field(p), rec.Column(p)
	}
	return newBatch(fields, cols, rec.NumRows())
}

// engine is what computes expressions; what names what needs it.
func (t *Table) engine(what string) (RowEngine, error) {
	if t.opt.rows == nil {
		return nil, fmt.Errorf("%w: %s needs an engine for expressions (WithRowEngine)", ErrUnsupportedFeature, what)
	}
	return t.opt.rows, nil
}

// each gives the batches of a SELECT to f, which does not release them.
func each(ctx context.Context, e RowEngine, query string, sources map[string]RowSource, f func(arrow.RecordBatch) error) error {
	for rec, err := range e.Select(ctx, query, sources) {
		if err != nil {
			return err
		}
		err = f(rec)
		rec.Release()
		if err != nil {
			return err
		}
	}
	return ctx.Err()
}

// ident quotes a name for SQL.
func ident(name string) string { return "`" + strings.ReplaceAll(name, "`", "``") + "`" }

// paren keeps an expression one: a comment in it ends with its line.
func paren(expr string) string { return "(" + expr + "\n)" }

// castTo makes an expression a value of a column's type.
func castTo(expr string, t arrow.DataType) (string, error) {
	name, err := sqlType(t)
	if err != nil {
		return "", err
	}
	return "CAST(" + paren(expr) + " AS " + name + ")", nil
}

// sqlType is a column's type in Spark's SQL.
func sqlType(t arrow.DataType) (string, error) {
	switch t := t.(type) {
	case *arrow.ListType:
		elem, err := sqlType(t.Elem())
		return "ARRAY<" + elem + ">", err
	case *arrow.MapType:
		key, err := sqlType(t.KeyType())
		if err != nil {
			return "", err
		}
		value, err := sqlType(t.ItemType())
		return "MAP<" + key + ", " + value + ">", err
	case *arrow.StructType:
		parts := make([]string, 0, t.NumFields())
		for _, f := range t.Fields() {
			ft, err := sqlType(f.Type)
			if err != nil {
				return "", err
			}
			parts = append(parts, ident(f.Name)+": "+ft)
		}
		return "STRUCT<" + strings.Join(parts, ", ") + ">", nil
	}
	name, err := schema.Name(t)
	return strings.ToUpper(name), err
}
