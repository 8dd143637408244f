package delta

import (
	"context"
	"fmt"
	"os"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta/internal/parquetfile"
	"github.com/marisma/marisma/delta/internal/schema"
)

// ReadFile calls f for each batch of a local Parquet file, in the order of its
// rows, with exactly the columns of want: found by their names, NULL where the
// file lacks them, widened where it has a narrower type, and shredded VARIANTs
// put together. It knows nothing of a table: no partition values, no deleted
// rows. Batches are valid during the call.
func ReadFile(ctx context.Context, name string, want *arrow.Schema, f func(arrow.RecordBatch) error) error {
	in, err := os.Open(name)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }() // only read
	picks := func(c arrow.Field) bool {
		for _, w := range want.Fields() {
			if indexOf([]arrow.Field{c}, w, schema.Unmapped) == 0 {
				return true
			}
		}
		return false
	}
	err = parquetfile.Read(ctx, in, parquetfile.ReadOptions{Want: picks}, func(rec arrow.RecordBatch) error {
		cols := make([]arrow.Array, 0, want.NumFields())
		defer func() {
			for _, c := range cols {
				c.Release()
			}
		}()
		for _, w := range want.Fields() {
			at := indexOf(rec.Schema().Fields(), w, schema.Unmapped)
			if at < 0 {
				cols = append(cols, array.MakeArrayOfNull(memory.DefaultAllocator, w.Type, int(rec.NumRows())))
				continue
			}
			c, err := align(rec.Column(at), w.Type, schema.Unmapped)
			if err != nil {
				return fmt.Errorf("%w: column %s: %w", ErrSchemaMismatch, w.Name, err)
			}
			cols = append(cols, c)
		}
		out := array.NewRecordBatch(want, cols, rec.NumRows())
		defer out.Release()
		return f(out)
	})
	if err != nil {
		return fmt.Errorf("delta: reading %s: %w", name, err)
	}
	return nil
}

// FileSchema is the schema of a local Parquet file with the types that ReadFile
// gives.
func FileSchema(name string) (*arrow.Schema, error) {
	in, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = in.Close() }() // only read
	s, err := parquetfile.Schema(in)
	if err != nil {
		return nil, fmt.Errorf("delta: reading %s: %w", name, err)
	}
	return s, nil
}
