package parquetfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// Input is a Parquet file.
type Input interface {
	io.ReaderAt
	io.Seeker
}

// Read calls f for each batch of a file, with those of the named top-level
// columns that it has. Batches are valid during the call.
func Read(ctx context.Context, in Input, columns []string, f func(arrow.RecordBatch) error) (err error) {
	defer func() {
		// The Parquet reader panics on some malformed files.
		if p := recover(); p != nil {
			err = fmt.Errorf("malformed Parquet: %v", p)
		}
	}()
	size, err := in.Seek(0, io.SeekEnd)
	if err != nil {
		return err
	}
	pf, err := file.NewParquetReader(in)
	if err != nil {
		return err
	}
	defer func() { _ = pf.Close() }()
	if err := Bounds(pf.MetaData(), size); err != nil {
		return err
	}
	fr, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{BatchSize: 16 << 10}, memory.DefaultAllocator)
	if err != nil {
		return err
	}
	var leaves []int
	ps := pf.MetaData().Schema
	for i := range ps.NumColumns() {
		top := ps.Column(i).ColumnPath()[0]
		if slices.ContainsFunc(columns, func(c string) bool { return strings.EqualFold(c, top) }) {
			leaves = append(leaves, i)
		}
	}
	for g := range pf.NumRowGroups() {
		if err := group(ctx, fr, leaves, g, f); err != nil {
			return err
		}
	}
	return nil
}

func group(ctx context.Context, fr *pqarrow.FileReader, leaves []int, g int, f func(arrow.RecordBatch) error) error {
	rr, err := fr.GetRecordReader(ctx, leaves, []int{g})
	if err != nil {
		return err
	}
	defer rr.Release()
	for rr.Next() {
		if err := f(rr.RecordBatch()); err != nil {
			return err
		}
	}
	if err := rr.Err(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}
