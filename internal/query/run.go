package query

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/duck/kernel"
	"github.com/marisma/marisma/internal/jsonarrow/variant"
	"github.com/marisma/marisma/internal/sparksql/lower"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
	"github.com/marisma/marisma/internal/worker"
)

// ErrTypes says that DuckDB reports other column types than the plan has, a bug of the
// lowering found before a row is read.
var ErrTypes = errors.New("query: the engine's column types differ from the plan's")

// Input says how one Scan is read: from Parquet files or from batches.
type Input struct {
	// Files are local Parquet files of a Delta table.
	Files []File
	// Batches is a source in memory, instead of Files; its columns have the
	// names and order of the plan's Source.Columns.
	Batches duck.Source
	// Partition are the names of the columns that Files do not hold, since
	// their values stand in the log.
	Partition []string
	// Rows is the number of rows that Files hold, nil where it is not known.
	// A scan that needs no column reads none of them then.
	Rows *int64
	// Columns are the columns of Files by the table's names for them, where
	// the files have others (column mapping), at whatever depth.
	Columns map[string]arrow.Field
	// Tracked names the columns in which Files keep what row tracking knows of
	// their rows, where it is not what File says.
	Tracked struct{ RowID, Version string }
	// Text, if set, says that Files are of text and not Parquet; the source has
	// one column, for the rows that Text makes.
	Text *worker.Text
	// Kept turns File.Deleted round: these rows are read, and no others.
	Kept bool
	// Union, if not nil, are inputs whose rows are read one after the other;
	// nothing else counts then.
	Union []Input

	release func() // lets the files go, nil without
	// learn looks at files that DuckDB failed to read; true where another attempt
	// reads them.
	learn func() bool
}

// Release lets the files go that were fetched for the scan.
func (in Input) Release() {
	if in.release != nil {
		in.release()
	}
	for _, u := range in.Union {
		u.Release()
	}
}

// files calls f for each file of in.
func (in Input) files(f func(File)) {
	for _, x := range in.Files {
		f(x)
	}
	for _, u := range in.Union {
		u.files(f)
	}
}

// File is a local Parquet file with the values of its partition columns as
// partitionText has them; an empty text is NULL.
type File struct {
	Path      string
	Partition map[string]string
	// Deleted are the positions of rows to leave out as a portable 64-bit
	// Roaring bitmap, nil for none.
	Deleted []byte
	// BaseRowID is the id of the first row and Version the version of all, for
	// tables with row tracking.
	BaseRowID, Version *int64
	// Facts are what _metadata tells of the file.
	Facts func() FileFacts
	// Own has the file read here: DuckDB does not know its pages or its calendar.
	Own bool
	// Columns are Input.Columns of this file, nil where they are the same.
	Columns map[string]arrow.Field
}

// Options of one execution.
type Options struct {
	Now      time.Time
	TimeZone string // UTC if empty
	ANSI     bool
	// TimeParser is spark.sql.legacy.timeParserPolicy: CORRECTED where it is "".
	TimeParser string
	// Encoded gives VARIANTs as bytes of package variant instead of JSON text.
	Encoded bool
	Inputs  func(*plan.Scan) (Input, error)
}

func (o Options) lower(n plan.Node, scan func(*plan.Scan) (string, error)) (lower.Result, error) {
	opt := o.lowering()
	opt.Scan = scan
	return lower.Query(n, opt)
}

func (o Options) lowering() lower.Options {
	return lower.Options{TimeZone: o.TimeZone, Now: o.Now, ANSI: o.ANSI, TimeParser: o.TimeParser, Encoded: o.Encoded}
}

// Rows streams the result of Run. Close it; it frees the sources.
type Rows struct {
	*duck.Reader
	release []func()
	placed  func(error) error
}

// Close ends the query and frees what it read from.
func (r *Rows) Close() {
	r.Reader.Close()
	for _, f := range r.release {
		f()
	}
}

// Next gives the next batch, the caller's to release; io.EOF at the end.
// Errors that the statement raised are *sparksql.Error.
func (r *Rows) Next() (arrow.RecordBatch, error) {
	rec, err := r.Reader.Next()
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, r.placed(err)
	}
	return rec, err
}

// Run lowers n and runs it on conn. The columns of the result are n's output
// by position, under internal names.
func Run(ctx context.Context, conn *duck.Conn, n plan.Node, opt Options) (*Rows, error) {
	var release []func()
	var sources []worker.FileSource
	var inputs []Input
	undo := func() {
		for _, f := range release {
			f()
		}
	}
	alone := len(plan.Scans(n)) == 1
	res, err := opt.lower(n, func(s *plan.Scan) (string, error) {
		in, err := opt.Inputs(s)
		if err != nil {
			return "", err
		}
		if in.Batches == nil {
			release, inputs = append(release, in.Release), append(inputs, in)
			return filesSQL(s, in, alone, &sources)
		}
		from, free, err := conn.Bind(in.Batches)
		if err != nil {
			return "", err
		}
		release = append(release, free)
		return batchesSQL(s, from)
	})
	if err != nil {
		undo()
		return nil, err
	}
	for _, k := range append(res.Kernels, scanKernel) {
		if err := conn.Register(kernel.Spec(k)); err != nil {
			undo()
			return nil, err
		}
	}
	sql, end, err := worker.Bind(conn, res.SQL, sources)
	if err != nil {
		undo()
		return nil, err
	}
	release = append(release, end)
	rd, err := conn.Query(ctx, sql)
	failed := func(err error) error {
		learned(err, inputs) // for the next attempt, which is the caller's
		return placed(err, n, opt)
	}
	if err != nil {
		err = failed(err)
		undo()
		return nil, err
	}
	rows := &Rows{Reader: rd, release: release, placed: failed}
	if err := checkTypes(rd.Schema(), res.Columns, opt.Encoded); err != nil {
		rows.Close()
		return nil, err
	}
	return rows, nil
}

// checkTypes compares what DuckDB will give with what the plan promises.
func checkTypes(got *arrow.Schema, want []lower.Column, encoded bool) error {
	if got.NumFields() != len(want) {
		return fmt.Errorf("%w: %d columns instead of %d", ErrTypes, got.NumFields(), len(want))
	}
	for i, w := range want {
		if w.Type == types.Void {
			continue
		}
		at, err := types.ToArrow(w.Type)
		if err != nil {
			return err
		}
		if variant.Within(at) {
			if !encoded {
				continue // the text of it
			}
			at = variant.EncodedType(at)
		}
		if g := got.Field(i).Type; !sameArrow(g, at) {
			return fmt.Errorf("%w: column %d %q is %s instead of %s", ErrTypes, i+1, w.Name, g, at)
		}
	}
	return nil
}

// sameArrow compares types without the names and nullability of list items.
func sameArrow(a, b arrow.DataType) bool {
	if a.ID() != b.ID() {
		return false
	}
	switch x := a.(type) {
	case *arrow.MapType:
		y, ok := b.(*arrow.MapType)
		return ok && sameArrow(x.KeyType(), y.KeyType()) && sameArrow(x.ItemType(), y.ItemType())
	case arrow.ListLikeType:
		y, ok := b.(arrow.ListLikeType)
		return ok && sameArrow(x.Elem(), y.Elem())
	case *arrow.StructType:
		y, ok := b.(*arrow.StructType)
		if !ok || x.NumFields() != y.NumFields() {
			return false
		}
		for i := range x.NumFields() {
			if x.Field(i).Name != y.Field(i).Name || !sameArrow(x.Field(i).Type, y.Field(i).Type) {
				return false
			}
		}
		return true
	case *arrow.TimestampType:
		y, ok := b.(*arrow.TimestampType)
		return ok && x.Unit == y.Unit && (x.TimeZone == "") == (y.TimeZone == "")
	}
	return arrow.TypeEqual(a, b)
}
