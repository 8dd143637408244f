package parquetfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

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
func Open(in Input) (*file.Reader, error) { return open(in, 0) }

// open is Open with a bound for what is read of a column at once, 0 for none.
func open(in Input, piece int64) (*file.Reader, error) {
	size, err := in.Seek(0, io.SeekEnd)
	if err != nil {
		return nil, err
	}
	props := parquet.NewReaderProperties(memory.DefaultAllocator)
	props.BufferedStreamEnabled, props.BufferSize = piece > 0, piece
	pf, err := file.NewParquetReader(in, file.WithReadProps(props))
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

// ReadOptions say what Read gives.
type ReadOptions struct {
	// Want picks top-level columns. Where it picks none, batches have a row count
	// only.
	Want func(arrow.Field) bool
	// Indices has batches of large row groups keep texts as indices of a
	// dictionary (arrow.DICTIONARY of INT32) where the file has them so.
	Indices bool
	// Piece bounds how many bytes are read of a column at once, and with it the
	// memory for a row group; 0 for no bound.
	Piece int64
}

// Read calls f for each batch of a file in the order of its rows. Batches are
// valid during the call.
func Read(ctx context.Context, in Input, opt ReadOptions, f func(arrow.RecordBatch) error) (err error) {
	defer func() {
		// The Parquet reader panics on some malformed files.
		if p := recover(); p != nil {
			err = fmt.Errorf("malformed Parquet: %v", p)
		}
	}()
	pf, err := open(in, opt.Piece)
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
	r := &reader{fr: fr, opt: opt, leaves: map[string][]int{}}
	for _, c := range whole.Fields() {
		if opt.Want(c) {
			r.columns = append(r.columns, c)
			r.leaves[c.Name] = nil
		}
	}
	ps := pf.MetaData().Schema
	for i := range ps.NumColumns() {
		name := ps.Column(i).ColumnPath()[0]
		if _, wanted := r.leaves[name]; wanted {
			r.leaves[name] = append(r.leaves[name], i)
		}
	}
	for g := range pf.NumRowGroups() {
		if err := r.group(ctx, g, f); err != nil {
			return err
		}
	}
	return nil
}

// batchRows is how many rows a batch has at most, batchBytes about how many
// bytes.
const (
	batchRows  = 16 << 10
	batchBytes = 64 << 20
)

// reader reads the row groups of one file.
type reader struct {
	fr      *pqarrow.FileReader
	opt     ReadOptions
	columns []arrow.Field
	leaves  map[string][]int // by the name of a top-level column
}

func (r *reader) group(ctx context.Context, g int, f func(arrow.RecordBatch) error) error {
	own := map[string]columnReader{}
	var rest []int // what pqarrow reads
	rg := r.fr.ParquetReader().RowGroup(g)
	for _, c := range r.columns {
		leaves := r.leaves[c.Name]
		col, err := r.column(rg, c, leaves)
		if err != nil {
			return fmt.Errorf("column %s: %w", c.Name, err)
		}
		if col == nil {
			rest = append(rest, leaves...)
		} else {
			own[c.Name] = col
		}
	}
	emit := func(plain arrow.RecordBatch, n int64) error {
		rec, err := r.join(plain, own, n)
		if err != nil {
			return err
		}
		defer rec.Release()
		return f(rec)
	}
	if len(rest) == 0 {
		rows := rg.NumRows()
		most := min(batchRows, max(1, batchBytes/max(1, rg.MetaData().TotalByteSize()/max(1, rows))))
		for left := rows; left > 0; left -= most {
			if err := ctx.Err(); err != nil {
				return err
			}
			if err := emit(nil, min(left, most)); err != nil {
				return err
			}
		}
		return nil
	}
	slices.Sort(rest)
	rr, err := r.fr.GetRecordReader(ctx, rest, []int{g})
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

// column gives what reads a top-level column, nil for those that pqarrow reads.
func (r *reader) column(rg *file.RowGroupReader, c arrow.Field, leaves []int) (columnReader, error) {
	if len(leaves) != 1 {
		return nil, nil
	}
	i := leaves[0]
	pc := r.fr.ParquetReader().MetaData().Schema.Column(i)
	if pc.PhysicalType() == parquet.Types.Int96 && len(pc.ColumnPath()) == 1 {
		// pqarrow would cut these to 64-bit nanoseconds.
		chunk, err := rg.Column(i)
		if err != nil {
			return nil, err
		}
		return newInt96Column(chunk)
	}
	form, ok := formOf(pc, c.Type)
	if !ok {
		return nil, nil
	}
	md, err := rg.MetaData().ColumnChunk(i)
	if err != nil {
		return nil, err
	}
	if !readable(md) {
		return nil, nil
	}
	pages, err := rg.GetColumnPageReader(i)
	if err != nil {
		return nil, err
	}
	return &flatColumn{pages: pages, form: form, optional: pc.MaxDefinitionLevel() > 0, keep: r.opt.Indices && rg.NumRows() >= batchRows}, nil
}

// join puts n rows of both kinds of columns together in the file's order.
func (r *reader) join(plain arrow.RecordBatch, own map[string]columnReader, n int64) (arrow.RecordBatch, error) {
	if len(own) == 0 && plain != nil {
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
		if col := own[c.Name]; col != nil {
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
