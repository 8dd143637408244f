package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/internal/sparksql/types"
)

// CSVReader yields the rows of CSV files as Arrow batches, with Spark's rules:
// columns bind by position, a value that does not fit its type is NULL and
// makes the record malformed. It is for one goroutine at a time and is closed
// by its last Next or by Close.
type CSVReader struct {
	opt     CSVOptions
	files   []File
	columns []types.Field
	cells   []cell // nil for the columns that hold no CSV value
	facts   []Fact // of the last columns
	rescued int    // ordinal, -1 without
	corrupt int
	full    []arrow.Field
	project []int
	whole   *arrow.Schema
	schema  *arrow.Schema // of the batches
	alloc   memory.Allocator

	open   *os.File
	file   File
	scan   *scanner
	header []string
	path   string
	builds []array.Builder // by ordinal, nil where not read
	probes []array.Builder // to try a value with, made on use
}

// Fact is a column that tells something of the file that a row comes from: a
// string, an int64 or a time.
type Fact struct {
	Field types.Field
	Of    func(File) any
}

// NewCSVReader makes a reader of files with the columns that Columns gave, and
// with facts behind them.
func NewCSVReader(opt CSVOptions, files []File, columns []types.Field, alloc memory.Allocator, facts ...Fact) (*CSVReader, error) {
	own := len(columns)
	columns = slices.Clone(columns)
	for _, f := range facts {
		columns = append(columns, f.Field)
	}
	full, err := types.ArrowFields(columns)
	if err != nil {
		return nil, err
	}
	r := &CSVReader{opt: opt, files: files, columns: columns, full: full, alloc: alloc, facts: facts, rescued: -1, corrupt: -1}
	r.whole = arrow.NewSchema(full, nil)
	r.cells = make([]cell, len(columns))
	r.probes = make([]array.Builder, len(columns))
	all := make([]int, len(columns))
	for i, c := range columns {
		all[i] = i
		switch {
		case i >= own:
		case opt.Rescued != "" && c.Name == opt.Rescued:
			r.rescued = i
		case c.Name == opt.Corrupt && types.IsString(c.Type):
			r.corrupt = i
		default:
			if r.cells[i] = cellOf(c.Type); r.cells[i] == nil {
				return nil, fmt.Errorf("source: [UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE] column %s: CSV holds no %s", c.Name, c.Type)
			}
		}
	}
	r.Project(all)
	return r, nil
}

// Project chooses the columns of the batches; it is called before the first Next.
func (r *CSVReader) Project(columns []int) {
	r.project = columns
	fields := make([]arrow.Field, len(columns))
	for i, c := range columns {
		fields[i] = r.full[c]
	}
	r.schema = arrow.NewSchema(fields, nil)
}

// Schema has all columns, before any projection.
func (r *CSVReader) Schema() *arrow.Schema { return r.whole }

// Close closes the file that is open.
func (r *CSVReader) Close() error {
	if r.open == nil {
		return nil
	}
	err := r.open.Close()
	r.open, r.scan = nil, nil
	return err
}

// Next gives the next batch, io.EOF after the last. The caller releases it.
func (r *CSVReader) Next(ctx context.Context) (arrow.RecordBatch, error) {
	b := array.NewRecordBuilder(r.alloc, r.schema)
	defer b.Release()
	r.builds = make([]array.Builder, len(r.columns))
	for i, c := range r.project {
		r.builds[c] = b.Field(i)
	}
	rows, bytes := 0, 0
	for rows < batchRows && bytes < batchBytes {
		if rows%1024 == 0 && ctx.Err() != nil {
			return nil, errors.Join(ctx.Err(), r.Close())
		}
		fields, err := r.record()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		kept, err := r.add(fields)
		if err != nil {
			return nil, errors.Join(err, r.Close())
		}
		if kept {
			rows++
			bytes += len(r.scan.line)
		}
	}
	if rows == 0 {
		return nil, io.EOF
	}
	if len(r.project) == 0 {
		return array.NewRecordBatch(r.schema, nil, int64(rows)), nil
	}
	return b.NewRecordBatch(), nil
}

// record gives the next record of the files.
func (r *CSVReader) record() ([]field, error) {
	for {
		if r.scan == nil {
			if len(r.files) == 0 {
				return nil, io.EOF
			}
			if err := r.start(r.files[0]); err != nil {
				return nil, err
			}
			r.files = r.files[1:]
		}
		fields, err := r.scan.next()
		if err == nil {
			return fields, nil
		}
		if !errors.Is(err, io.EOF) {
			return nil, fmt.Errorf("%s: %w", r.path, err)
		}
		if err := r.Close(); err != nil {
			return nil, err
		}
	}
}

// start opens a file and reads its header.
func (r *CSVReader) start(f File) error {
	file, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	r.file = f
	r.open, r.path, r.scan, r.header = file, f.Path, r.opt.scan(file), nil
	if !r.opt.Header {
		return nil
	}
	fields, err := r.scan.next()
	if err != nil {
		if errors.Is(err, io.EOF) {
			return nil
		}
		return fmt.Errorf("%s: %w", f.Path, err)
	}
	for _, h := range fields {
		r.header = append(r.header, string(h.text))
	}
	return nil
}

// add appends a record; kept is false for a malformed one that is dropped.
func (r *CSVReader) add(fields []field) (kept bool, err error) {
	if r.opt.Mode == "DROPMALFORMED" && !r.fits(fields) {
		return false, nil
	}
	var bad map[string]string
	note := func(name string, text []byte) {
		if bad == nil {
			bad = map[string]string{}
		}
		bad[name] = string(text)
	}
	at, malformed := 0, false
	todo := make([]int, 0, 4) // columns whose value comes last
	for i, c := range r.cells {
		if c == nil {
			todo = append(todo, i)
			continue
		}
		b := r.builds[i]
		switch {
		case at >= len(fields):
			malformed = true
			null(b)
		case r.isNull(&fields[at]):
			null(b)
		case b == nil:
			// Not read: Spark does not convert such columns either.
		case !c(b, fields[at].text, r.opt.Zone):
			malformed = true
			note(r.columns[i].Name, fields[at].text)
			null(b)
		}
		at++
	}
	for ; at < len(fields); at++ {
		malformed = true
		if at < len(r.header) {
			note(r.header[at], fields[at].text)
		} else {
			note(fmt.Sprintf("_c%d", at), fields[at].text)
		}
	}
	if malformed && r.opt.Mode == "FAILFAST" {
		return false, fmt.Errorf("source: [MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION] %s: a record does not fit the schema: %.200s", r.path, r.scan.line)
	}
	for _, i := range todo {
		if fact := i - len(r.columns) + len(r.facts); fact >= 0 {
			r.fact(r.builds[i], r.facts[fact].Of(r.file))
			continue
		}
		r.last(i, malformed, bad)
	}
	return true, nil
}

// fact appends what is known of the file.
func (r *CSVReader) fact(to array.Builder, v any) {
	switch b := to.(type) {
	case *array.StringBuilder:
		if s, ok := v.(string); ok {
			b.Append(s)
			return
		}
	case *array.Int64Builder:
		if n, ok := v.(int64); ok {
			b.Append(n)
			return
		}
	case *array.TimestampBuilder:
		if t, ok := v.(time.Time); ok {
			b.Append(arrow.Timestamp(t.UnixMicro()))
			return
		}
	}
	null(to)
}

// last fills the rescued data and the corrupt record column.
func (r *CSVReader) last(i int, malformed bool, bad map[string]string) {
	b, ok := r.builds[i].(*array.StringBuilder)
	switch {
	case !ok:
	case i == r.corrupt && malformed:
		b.BinaryBuilder.Append(r.scan.line)
	case i == r.rescued && len(bad) > 0:
		bad["_file_path"] = r.path
		text, err := json.Marshal(bad)
		if err != nil {
			b.AppendNull() // cannot be: a map of strings always has a text
			return
		}
		b.BinaryBuilder.Append(text)
	default:
		b.AppendNull()
	}
}

// fits tells whether a record fits the schema, without appending it.
func (r *CSVReader) fits(fields []field) bool {
	at := 0
	for i, c := range r.cells {
		if c == nil {
			continue
		}
		if at >= len(fields) {
			return false
		}
		if r.builds[i] != nil && !r.isNull(&fields[at]) {
			if r.probes[i] == nil {
				r.probes[i] = array.NewBuilder(memory.DefaultAllocator, r.full[i].Type)
			}
			if !c(r.probes[i], fields[at].text, r.opt.Zone) {
				return false
			}
			r.probes[i].NewArray().Release()
		}
		at++
	}
	return at == len(fields)
}

func null(b array.Builder) {
	if b != nil {
		b.AppendNull()
	}
}

// isNull trims the value as asked and tells whether it stands for NULL: what
// is empty does, and what equals nullValue.
func (r *CSVReader) isNull(f *field) bool {
	if !f.quoted {
		if r.opt.TrimLead {
			f.text = trimLeft(f.text)
		}
		if r.opt.TrimTrail {
			f.text = trimRight(f.text)
		}
	}
	if len(f.text) == 0 {
		return !f.quoted || r.opt.NullValue == ""
	}
	return r.opt.NullValue != "" && string(f.text) == r.opt.NullValue
}

func trimLeft(b []byte) []byte {
	for len(b) > 0 && (b[0] == ' ' || b[0] == '\t') {
		b = b[1:]
	}
	return b
}

func trimRight(b []byte) []byte {
	for len(b) > 0 && (b[len(b)-1] == ' ' || b[len(b)-1] == '\t') {
		b = b[:len(b)-1]
	}
	return b
}

// Columns are the columns of a read_files: the given ones, or those that the
// files' header and first records suggest, and the rescued data column.
func Columns(opt CSVOptions, given []types.Field, files []File) ([]types.Field, error) {
	cols := slices.Clone(given)
	if cols == nil {
		var err error
		if cols, err = infer(opt, files); err != nil {
			return nil, err
		}
	}
	for i := range cols {
		cols[i].Nullable = true
	}
	has := slices.ContainsFunc(cols, func(f types.Field) bool { return strings.EqualFold(f.Name, opt.Rescued) })
	if opt.Rescued != "" && !has {
		cols = append(cols, types.Field{Name: opt.Rescued, Type: types.String, Nullable: true})
	}
	return cols, nil
}
