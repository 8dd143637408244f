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
	int96s, err := bareInt96(pf.MetaData())
	if err != nil {
		return nil, err
	}
	fr, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{}, memory.DefaultAllocator)
	if err != nil {
		return nil, err
	}
	s, err := fr.Schema()
	if err != nil {
		return nil, err
	}
	fields := s.Fields()
	for name, at := range leavesAt(pf) {
		i := slices.IndexFunc(fields, func(f arrow.Field) bool { return f.Name == name })
		if leaves := leavesOf(pf.MetaData().Schema, int96s, calendar{}, at); leaves != nil && i >= 0 {
			fields[i].Type = typeOf(fields[i].Type, &leaves)
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
	cal, err := calendarOf(pf.MetaData())
	if err != nil {
		return err
	}
	int96s, err := bareInt96(pf.MetaData())
	if err != nil {
		return err
	}
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
	r := &reader{fr: fr, opt: opt, at: leavesAt(pf), calendar: cal, mend: map[string][]leaf{}}
	for _, c := range whole.Fields() {
		if !opt.Want(c) {
			continue
		}
		r.columns = append(r.columns, c)
		if leaves := leavesOf(pf.MetaData().Schema, int96s, cal, r.at[c.Name]); leaves != nil {
			r.mend[c.Name] = leaves
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

// leavesAt are the places of the leaves of a file's top-level columns.
func leavesAt(pf *file.Reader) map[string][]int {
	out := map[string][]int{}
	s := pf.MetaData().Schema
	for i := range s.NumColumns() {
		name := s.Column(i).ColumnPath()[0]
		out[name] = append(out[name], i)
	}
	return out
}

// reader reads the row groups of one file.
type reader struct {
	fr      *pqarrow.FileReader
	opt     ReadOptions
	columns []arrow.Field
	at      map[string][]int // leavesAt

	calendar calendar
	mend     map[string][]leaf // the leaves of columns to which something is to be done
}

func (r *reader) group(ctx context.Context, g int, f func(arrow.RecordBatch) error) error {
	own := map[string]columnReader{}
	var rest []int // what pqarrow reads
	rg := r.fr.ParquetReader().RowGroup(g)
	for _, c := range r.columns {
		leaves := r.at[c.Name]
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
	if len(own) == 0 && len(r.mend) == 0 && plain != nil {
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
		var a arrow.Array
		var err error
		if col := own[c.Name]; col != nil {
			a, err = col.next(int(n))
		} else {
			a = plain.Column(at)
			a.Retain()
			at++
		}
		if leaves := r.mend[c.Name]; leaves != nil && err == nil {
			a, err = r.calendar.mended(a, leaves)
		}
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", c.Name, err)
		}
		cols = append(cols, a)
		c.Type = a.DataType()
		fields = append(fields, c)
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, n), nil
}
