package parquetfile

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
)

// Input is a Parquet file.
type Input interface {
	io.ReaderAt
	io.Seeker
}

// Open reads a file's footer and checks it against the file's size. The caller
// closes the reader. The Parquet reader panics on some malformed files.
func Open(in Input) (*file.Reader, error) {
	size, err := in.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	pf, err := file.NewParquetReader(in)
	if err != nil {
		return nil, err
	}
	if err := bounds(pf.MetaData(), size); err != nil {
		_ = pf.Close()
		return nil, err
	}
	return pf, nil
}

// Schema is the schema of a file's columns.
func Schema(in Input) (_ *arrow.Schema, err error) {
	defer func() {
		// The Parquet reader panics on some malformed files.
		if p := recover(); p != nil {
			err = fmt.Errorf("malformed Parquet: %v", p)
		}
	}()
	pf, err := Open(in)
	if err != nil {
		return nil, err
	}
	defer func() { _ = pf.Close() }()
	fr, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	s, err := fr.Schema()
	if err != nil {
		return nil, err
	}
	fields := s.Fields()
	ps := pf.MetaData().Schema
	for i := range ps.NumColumns() {
		if c := ps.Column(i); c.PhysicalType() == parquet.Types.Int96 && len(c.ColumnPath()) == 1 {
			for j, f := range fields {
				if f.Name == c.Name() { // Read gives these so
					fields[j].Type = arrow.FixedWidthTypes.Timestamp_us
				}
			}
		}
	}
	return arrow.NewSchema(fields, nil), nil
}

// Read calls f for each batch of a file in the order of its rows, with those
// of its top-level columns that want picks. Where it picks none, batches have
// a row count only. Batches are valid during the call.
func Read(ctx context.Context, in Input, want func(arrow.Field) bool, f func(arrow.RecordBatch) error) (err error) {
	defer func() {
		// The Parquet reader panics on some malformed files.
		if p := recover(); p != nil {
			err = fmt.Errorf("malformed Parquet: %v", p)
		}
	}()
	pf, err := Open(in)
	if err != nil {
		return err
	}
	defer func() { _ = pf.Close() }()
	// Room is made for a batch in each column, however few rows there are.
	props := pqarrow.ArrowReadProperties{BatchSize: max(1, min(batchRows, pf.NumRows()))}
	fr, err := pqarrow.NewFileReader(pf, props, memory.DefaultAllocator)
	if err != nil {
		return err
	}
	whole, err := fr.Schema()
	if err != nil {
		return err
	}
	tops := map[string]bool{}
	for _, c := range whole.Fields() {
		tops[c.Name] = want(c)
	}
	var leaves []int
	ps := pf.MetaData().Schema
	for i := range ps.NumColumns() {
		if tops[ps.Column(i).ColumnPath()[0]] {
			leaves = append(leaves, i)
		}
	}
	r := &reader{fr: fr, legacy: map[string]int{}}
	for _, i := range leaves {
		if c := ps.Column(i); c.PhysicalType() == parquet.Types.Int96 && len(c.ColumnPath()) == 1 {
			r.legacy[c.Name()] = i
		} else {
			r.leaves = append(r.leaves, i)
		}
	}
	for _, c := range whole.Fields() {
		if tops[c.Name] {
			r.columns = append(r.columns, c)
		}
	}
	for g := range pf.NumRowGroups() {
		if err := r.group(ctx, g, f); err != nil {
			return err
		}
	}
	return nil
}

// batchRows is how many rows a batch has at most.
const batchRows = 16 << 10

// reader reads the row groups of one file.
type reader struct {
	fr      *pqarrow.FileReader
	columns []arrow.Field
	leaves  []int          // what pqarrow reads
	legacy  map[string]int // top-level INT96 columns, which it would cut to 64-bit nanoseconds
}

func (r *reader) group(ctx context.Context, g int, f func(arrow.RecordBatch) error) error {
	stamps := map[string]*int96Column{}
	for name, i := range r.legacy {
		chunk, err := r.fr.ParquetReader().RowGroup(g).Column(i)
		if err != nil {
			return err
		}
		if stamps[name], err = newInt96Column(chunk); err != nil {
			return err
		}
	}
	emit := func(plain arrow.RecordBatch, n int64) error {
		rec, err := r.join(plain, stamps, n)
		if err != nil {
			return err
		}
		defer rec.Release()
		return f(rec)
	}
	if len(r.leaves) == 0 {
		for left := r.fr.ParquetReader().RowGroup(g).NumRows(); left > 0; left -= batchRows {
			if err := emit(nil, min(left, batchRows)); err != nil {
				return err
			}
		}
		return nil
	}
	rr, err := r.fr.GetRecordReader(ctx, r.leaves, []int{g})
	if err != nil {
		return err
	}
	defer rr.Release()
	for rr.Next() {
		if err := emit(rr.RecordBatch(), rr.RecordBatch().NumRows()); err != nil {
			return err
		}
	}
	if err := rr.Err(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

// join puts n rows of both kinds of columns together in the file's order.
func (r *reader) join(plain arrow.RecordBatch, stamps map[string]*int96Column, n int64) (arrow.RecordBatch, error) {
	if len(stamps) == 0 && plain != nil {
		plain.Retain()
		return plain, nil
	}
	fields := make([]arrow.Field, 0, len(r.columns))
	cols := make([]arrow.Array, 0, len(r.columns))
	defer func() {
		for _, c := range cols {
			c.Release()
		}
	}()
	at := 0
	for _, c := range r.columns {
		if col := stamps[c.Name]; col != nil {
			a, err := col.next(int(n))
			if err != nil {
				return nil, fmt.Errorf("column %s: %w", c.Name, err)
			}
			c.Type = a.DataType()
			cols = append(cols, a)
		} else {
			a := plain.Column(at)
			a.Retain()
			cols = append(cols, a)
			at++
		}
		fields = append(fields, c)
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, n), nil
}
