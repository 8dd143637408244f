package query

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/duck/kernel"
	"github.com/marisma/marisma/internal/sparksql/lower"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
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
	// Uniform says that every file has all columns, so that no footer need be
	// read to find out.
	Uniform bool
}

// File is a local Parquet file with the values of its partition columns as the
// Delta log writes them; an empty text is NULL.
type File struct {
	Path      string
	Partition map[string]string
}

// Options of one execution.
type Options struct {
	Now      time.Time
	TimeZone string // UTC if empty
	ANSI     bool
	Inputs   func(*plan.Scan) (Input, error)
}

func (o Options) lower(n plan.Node, scan func(*plan.Scan) (string, error)) (lower.Result, error) {
	zone := o.TimeZone
	if zone == "" {
		zone = "UTC"
	}
	return lower.Query(n, lower.Options{Scan: scan, TimeZone: zone, Now: o.Now, ANSI: o.ANSI})
}

// Rows streams the result of Run. Close it; it frees the sources.
type Rows struct {
	*duck.Reader
	release []func()
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
		return nil, RuntimeError(err)
	}
	return rec, err
}

// Run lowers n and runs it on conn. The columns of the result are n's output
// by position, under internal names.
func Run(ctx context.Context, conn *duck.Conn, n plan.Node, opt Options) (*Rows, error) {
	var release []func()
	undo := func() {
		for _, f := range release {
			f()
		}
	}
	res, err := opt.lower(n, func(s *plan.Scan) (string, error) {
		in, err := opt.Inputs(s)
		if err != nil {
			return "", err
		}
		if in.Batches == nil {
			return filesSQL(s, in)
		}
		from, free, err := conn.Bind(in.Batches)
		if err != nil {
			return "", err
		}
		release = append(release, free)
		return batchesSQL(s, from), nil
	})
	if err != nil {
		undo()
		return nil, err
	}
	for _, k := range res.Kernels {
		if err := conn.Register(kernel.Spec(k)); err != nil {
			undo()
			return nil, err
		}
	}
	rd, err := conn.Query(ctx, res.SQL)
	if err != nil {
		undo()
		return nil, RuntimeError(err)
	}
	rows := &Rows{Reader: rd, release: release}
	if err := checkTypes(rd.Schema(), res.Columns); err != nil {
		rows.Close()
		return nil, err
	}
	return rows, nil
}

// checkTypes compares what DuckDB will give with what the plan promises.
func checkTypes(got *arrow.Schema, want []lower.Column) error {
	if got.NumFields() != len(want) {
		return fmt.Errorf("%w: %d columns instead of %d", ErrTypes, got.NumFields(), len(want))
	}
	for i, w := range want {
		at, err := types.ToArrow(w.Type)
		if err != nil {
			return err
		}
		if w.Type == types.Void {
			continue
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

// batchesSQL selects the scan's columns from a bound source.
func batchesSQL(s *plan.Scan, from string) string {
	if len(s.Attrs) == 0 {
		return "(SELECT 1 AS one FROM " + from + ")"
	}
	cols := make([]string, len(s.Attrs))
	for i, a := range s.Attrs {
		cols[i] = ident(s.Source.Columns[s.Ordinals[i]].Name) + " AS " + lower.Col(a)
	}
	return "(SELECT " + strings.Join(cols, ", ") + " FROM " + from + ")"
}

// filesSQL selects the scan's columns from Parquet files: columns that a file
// lacks are NULL, partition columns come from the log.
func filesSQL(s *plan.Scan, in Input) (string, error) {
	parts := map[string]bool{}
	for _, p := range in.Partition {
		parts[p] = true
	}
	var outer, empty, pvals []string
	needParts := false
	for i, a := range s.Attrs {
		f := s.Source.Columns[s.Ordinals[i]]
		t, err := lower.DuckType(f.Type)
		if err != nil {
			return "", err
		}
		if parts[f.Name] {
			needParts = true
			outer = append(outer, fmt.Sprintf("CAST(p.%s AS %s) AS %s", ident(f.Name), t, lower.Col(a)))
			pvals = append(pvals, f.Name)
		} else {
			outer = append(outer, fmt.Sprintf("f.%s AS %s", ident(f.Name), lower.Col(a)))
			empty = append(empty, fmt.Sprintf("CAST(NULL AS %s) AS %s", t, ident(f.Name)))
		}
	}
	if len(outer) == 0 {
		outer, empty = []string{"1 AS one"}, append(empty, "1 AS one")
	}
	if len(in.Files) == 0 {
		return emptySQL(s)
	}
	names := make([]string, len(in.Files))
	for i, f := range in.Files {
		names[i] = str(f.Path)
	}
	read := "read_parquet([" + strings.Join(names, ", ") + "]"
	if needParts {
		read += ", filename = 'marisma file'"
	}
	if !in.Uniform {
		read += ", union_by_name = true"
	}
	read += ")"
	if !in.Uniform && len(empty) > 0 {
		read = "(SELECT * FROM " + read + " UNION ALL BY NAME SELECT " + strings.Join(empty, ", ") + " WHERE false)"
	}
	from := read + " AS f"
	if needParts {
		from += " JOIN " + partitionsSQL(in.Files, pvals) + " ON f.\"marisma file\" = p.\"marisma file\""
	}
	return "(SELECT " + strings.Join(outer, ", ") + " FROM " + from + ")", nil
}

// partitionsSQL is an inline table of each file's partition values as text.
func partitionsSQL(files []File, cols []string) string {
	rows := make([]string, len(files))
	for i, f := range files {
		vals := make([]string, 0, len(cols)+1)
		vals = append(vals, str(f.Path))
		for _, c := range cols {
			if v := f.Partition[c]; v != "" {
				vals = append(vals, str(v))
			} else {
				vals = append(vals, "CAST(NULL AS VARCHAR)")
			}
		}
		rows[i] = "(" + strings.Join(vals, ", ") + ")"
	}
	names := []string{"\"marisma file\""}
	for _, c := range cols {
		names = append(names, ident(c))
	}
	return "(VALUES " + strings.Join(rows, ", ") + ") AS p(" + strings.Join(names, ", ") + ")"
}

func emptySQL(s *plan.Scan) (string, error) {
	if len(s.Attrs) == 0 {
		return "(SELECT 1 AS one WHERE false)", nil
	}
	cols := make([]string, len(s.Attrs))
	for i, a := range s.Attrs {
		t, err := lower.DuckType(s.Source.Columns[s.Ordinals[i]].Type)
		if err != nil {
			return "", err
		}
		cols[i] = fmt.Sprintf("CAST(NULL AS %s) AS %s", t, lower.Col(a))
	}
	return "(SELECT " + strings.Join(cols, ", ") + " WHERE false)", nil
}

func ident(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

func str(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// Files gives the local files of a snapshot that may hold rows for preds.
func Files(s *delta.Snapshot, path func(key string) string, preds ...delta.Predicate) (Input, error) {
	adds, _, err := s.Files(preds...)
	if err != nil {
		return Input{}, err
	}
	in := Input{Files: make([]File, len(adds)), Partition: s.Metadata().PartitionColumns}
	for i, a := range adds {
		in.Files[i] = File{Path: path(s.Locate(a)), Partition: a.PartitionValues}
	}
	return in, nil
}
