package delta

import (
	"context"
	"fmt"
	"iter"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/arrow/scalar"

	"github.com/marisma/marisma/delta/internal/parquetfile"
	"github.com/marisma/marisma/delta/internal/schema"
	"github.com/marisma/marisma/delta/internal/stats"
)

// Read yields the rows of the files that may satisfy the predicates, file by
// file; rows that do not satisfy them are among them. Columns are those named,
// all if none are. Batches are the caller's to release. A missing data file is
// an error that names it.
func (s *Snapshot) Read(ctx context.Context, columns []string, preds ...Predicate) iter.Seq2[arrow.RecordBatch, error] {
	return func(yield func(arrow.RecordBatch, error) bool) {
		want, err := s.columns(columns)
		if err != nil {
			yield(nil, err)
			return
		}
		files, _, err := s.Files(preds...)
		if err != nil {
			yield(nil, err)
			return
		}
		stop := fmt.Errorf("stop")
		for _, a := range files {
			err := s.readFile(ctx, a, want, func(rec arrow.RecordBatch) error {
				if !yield(rec, nil) {
					return stop
				}
				return nil
			})
			if err == stop { //nolint:errorlint // our own, never wrapped
				return
			}
			if err != nil {
				yield(nil, fmt.Errorf("delta: reading %s: %w", s.Locate(a), err))
				return
			}
		}
	}
}

func (s *Snapshot) columns(names []string) (*arrow.Schema, error) {
	if len(names) == 0 {
		return s.schema, nil
	}
	var fields []arrow.Field
	for _, n := range names {
		i := find(s.schema, n)
		if i < 0 {
			return nil, fmt.Errorf("%w: no column %q", ErrSchemaMismatch, n)
		}
		fields = append(fields, s.schema.Field(i))
	}
	return arrow.NewSchema(fields, nil), nil
}

func (s *Snapshot) readFile(ctx context.Context, a Add, want *arrow.Schema, f func(arrow.RecordBatch) error) error {
	if a.DeletionVector != nil {
		return &UnsupportedFeatureError{Features: []string{"deletionVectors"}, Protocol: *s.protocol}
	}
	files := schema.Files(want, s.meta.PartitionColumns)
	var names []string
	for _, c := range files.Fields() {
		names = append(names, c.Name)
	}
	counted := len(names) == 0
	if counted { // only partition columns: some column tells how many rows there are
		all := schema.Files(s.schema, s.meta.PartitionColumns)
		names = append(names, all.Field(0).Name)
	}
	info, err := s.table.store.Head(ctx, s.Locate(a))
	if err != nil {
		return err
	}
	return parquetfile.Read(ctx, newInput(ctx, s.table.store, s.Locate(a), info.Size), names, func(rec arrow.RecordBatch) error {
		out, err := s.complete(rec, a, want, counted)
		if err != nil {
			return err
		}
		return f(out)
	})
}

// complete gives a file's batch the wanted columns.
func (s *Snapshot) complete(rec arrow.RecordBatch, a Add, want *arrow.Schema, counted bool) (arrow.RecordBatch, error) {
	n := int(rec.NumRows())
	cols := make([]arrow.Array, 0, want.NumFields())
	defer func() {
		for _, c := range cols {
			c.Release()
		}
	}()
	for _, f := range want.Fields() {
		var c arrow.Array
		var err error
		switch at := find(rec.Schema(), f.Name); {
		case s.partitioned(f.Name):
			c, err = constant(f.Type, a.PartitionValues[f.Name], n)
		case at < 0 || counted:
			c = array.MakeArrayOfNull(memory.DefaultAllocator, f.Type, n)
		default:
			c, err = fit(rec.Column(at), f.Type)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: column %s: %w", ErrSchemaMismatch, f.Name, err)
		}
		cols = append(cols, c)
	}
	return array.NewRecordBatch(want, cols, int64(n)), nil
}

func (s *Snapshot) partitioned(name string) bool {
	for _, p := range s.meta.PartitionColumns {
		if strings.EqualFold(p, name) {
			return true
		}
	}
	return false
}

// constant is a partition value n times.
func constant(t arrow.DataType, text string, n int) (arrow.Array, error) {
	if text == "" {
		return array.MakeArrayOfNull(memory.DefaultAllocator, t, n), nil
	}
	sc, err := partitionScalar(t, text)
	if err != nil {
		return nil, err
	}
	return scalar.MakeArrayFromScalar(sc, n, memory.DefaultAllocator)
}

func partitionScalar(t arrow.DataType, text string) (scalar.Scalar, error) {
	switch t := t.(type) {
	case *arrow.StringType:
		return scalar.NewStringScalar(text), nil
	case *arrow.BinaryType:
		b := memory.NewBufferBytes([]byte(text))
		return scalar.NewBinaryScalar(b, t), nil
	case *arrow.TimestampType:
		us, err := stats.Micros(text, true)
		if err != nil {
			return nil, err
		}
		return scalar.NewTimestampScalar(arrow.Timestamp(us), t), nil
	}
	return scalar.ParseScalar(t, text)
}
