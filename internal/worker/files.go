package worker

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/jsonarrow/variant"
)

// The columns that a FileSource has besides those of the files, named as
// DuckDB's reader of Parquet does: the path as it was given, and the row's place
// in the file, from zero.
const (
	FileColumn = "filename"
	RowColumn  = "file_row_number"
)

// FileSource are Parquet files that are read here and not by DuckDB, which
// cannot tell NULL from the VARIANT null. Their columns come as s0, s1, … in the
// order of Schema, VARIANTs as bytes of package variant.
type FileSource struct {
	// Name stands for the source in the SQL; it must be in no other place of it.
	Name string `json:"name"`
	// Schema are the columns to read, as Arrow's IPC writes them (SchemaBytes).
	Schema []byte   `json:"schema"`
	Paths  []string `json:"paths"`
	// Text, if set, says that the files are no Parquet: Schema has one STRING
	// column at most, for what Text makes of them.
	Text *Text `json:"text,omitempty"`
}

// SchemaBytes writes a schema for FileSource.
func SchemaBytes(s *arrow.Schema) ([]byte, error) {
	var b bytes.Buffer
	w := ipc.NewWriter(&b, ipc.WithSchema(s))
	err := w.Close()
	return b.Bytes(), err
}

// Bind makes the sources readable in sql on conn and gives the text that reads
// them. release ends that.
func Bind(conn *duck.Conn, sql string, sources []FileSource) (text string, release func(), err error) {
	var ends []func()
	release = func() {
		for _, f := range ends {
			f()
		}
	}
	for _, s := range sources {
		src, err := s.open()
		if err != nil {
			release()
			return "", nil, err
		}
		from, end, err := conn.Bind(src)
		if err != nil {
			release()
			return "", nil, err
		}
		ends = append(ends, end)
		sql = strings.ReplaceAll(sql, s.Name, from)
	}
	return sql, release, nil
}

func (s FileSource) open() (duck.Source, error) {
	r, err := ipc.NewReader(bytes.NewReader(s.Schema))
	if err != nil {
		return nil, fmt.Errorf("worker: the schema of files: %w", err)
	}
	defer r.Release()
	f := &files{paths: s.Paths, text: s.Text, stored: r.Schema()}
	fields := make([]arrow.Field, 0, f.stored.NumFields()+2)
	for i, c := range f.stored.Fields() {
		fields = append(fields, arrow.Field{Name: fmt.Sprintf("s%d", i), Type: variant.EncodedType(c.Type), Nullable: true})
	}
	fields = append(fields, arrow.Field{Name: FileColumn, Type: arrow.BinaryTypes.String}, arrow.Field{Name: RowColumn, Type: arrow.PrimitiveTypes.Int64})
	f.schema = arrow.NewSchema(fields, nil)
	return f, nil
}

// files reads its files one after the other, in a goroutine that is a batch
// ahead of DuckDB's threads.
type files struct {
	paths   []string
	text    *Text         // nil: Parquet
	stored  *arrow.Schema // of what is read
	schema  *arrow.Schema // of what is given
	columns []int         // of schema; nil: all
	batches chan arrow.RecordBatch
	cancel  context.CancelFunc
	err     error // what the reading ended with, once batches is closed
}

// Schema is the files' with the columns that tell a row's place.
func (f *files) Schema() *arrow.Schema { return f.schema }

// Project chooses columns.
func (f *files) Project(columns []int) { f.columns = slices.Clone(columns) }

// Rescan reads the files once more.
func (f *files) Rescan() (duck.Source, error) {
	return &files{paths: f.paths, text: f.text, stored: f.stored, schema: f.schema}, nil
}

// Next gives the next batch.
func (f *files) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if f.batches == nil {
		f.begin(ctx)
	}
	select {
	case rec, ok := <-f.batches:
		switch {
		case ok:
			return rec, nil
		case f.err != nil:
			return nil, f.err
		}
		return nil, io.EOF
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// Close ends the reading.
func (f *files) Close() {
	if f.batches == nil {
		return
	}
	f.cancel()
	for rec := range f.batches { // until the goroutine is gone
		rec.Release()
	}
}

func (f *files) begin(ctx context.Context) {
	if f.columns == nil {
		for i := range f.schema.NumFields() {
			f.columns = append(f.columns, i)
		}
	}
	ctx, f.cancel = context.WithCancel(context.WithoutCancel(ctx)) // Close ends it
	f.batches = make(chan arrow.RecordBatch, 1)
	go func() {
		defer close(f.batches)
		f.err = f.read(ctx)
	}()
}

func (f *files) read(ctx context.Context) error {
	want := make([]arrow.Field, 0, len(f.columns))
	for _, c := range f.columns {
		if c < f.stored.NumFields() {
			want = append(want, f.stored.Field(c))
		}
	}
	stored := arrow.NewSchema(want, nil)
	for _, p := range f.paths {
		first := int64(0)
		take := func(rec arrow.RecordBatch) error {
			out, err := f.batch(rec, p, first)
			if err != nil {
				return err
			}
			first += rec.NumRows()
			select {
			case f.batches <- out:
				return nil
			case <-ctx.Done():
				out.Release()
				return ctx.Err()
			}
		}
		var err error
		if f.text != nil {
			err = f.text.read(ctx, p, stored, take)
		} else {
			err = delta.ReadFile(ctx, p, stored, take)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// batch gives what was read, whose first row is at a place, the columns that are
// wanted.
func (f *files) batch(rec arrow.RecordBatch, path string, first int64) (arrow.RecordBatch, error) {
	fields := make([]arrow.Field, len(f.columns))
	cols := make([]arrow.Array, 0, len(f.columns))
	defer func() {
		for _, c := range cols {
			c.Release()
		}
	}()
	at := 0
	for i, c := range f.columns {
		fields[i] = f.schema.Field(c)
		switch c - f.stored.NumFields() {
		case 0:
			cols = append(cols, repeated(path, int(rec.NumRows())))
		case 1:
			cols = append(cols, places(first, int(rec.NumRows())))
		default:
			a, err := variant.Encoded(rec.Column(at))
			if err != nil {
				return nil, fmt.Errorf("column %s of %s: %w", fields[i].Name, path, err)
			}
			cols = append(cols, a)
			at++
		}
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, rec.NumRows()), nil
}

func repeated(s string, n int) arrow.Array {
	b := array.NewStringBuilder(memory.DefaultAllocator)
	defer b.Release()
	b.Reserve(n)
	b.ReserveData(n * len(s))
	for range n {
		b.Append(s)
	}
	return b.NewArray()
}

func places(first int64, n int) arrow.Array {
	b := array.NewInt64Builder(memory.DefaultAllocator)
	defer b.Release()
	b.Reserve(n)
	for i := range n {
		b.UnsafeAppend(first + int64(i))
	}
	return b.NewArray()
}
