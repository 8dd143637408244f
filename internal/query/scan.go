package query

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"golang.org/x/sync/errgroup"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql/lower"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
	"github.com/marisma/marisma/internal/worker"
)

// batchesSQL selects the scan's columns from a bound source.
func batchesSQL(s *plan.Scan, from string) (string, error) {
	if len(s.Attrs) == 0 {
		return "(SELECT 1 AS one FROM " + from + ")", nil
	}
	cols := make([]string, len(s.Attrs))
	for i, a := range s.Attrs {
		x := ident(scanColumn(s, i))
		if s.Ordinals[i] == plan.MetadataOrdinal {
			var err error
			if x, err = structSQL(s, func(f string) string { return ident(MetadataColumn(f)) }); err != nil {
				return "", err
			}
		}
		cols[i] = x + " AS " + lower.Col(a)
	}
	return "(SELECT " + strings.Join(cols, ", ") + " FROM " + from + ")", nil
}

// scanColumn is the name of the i-th column that a scan reads.
func scanColumn(s *plan.Scan, i int) string {
	switch at := s.Ordinals[i]; at {
	case plan.FileOrdinal:
		return MetadataColumn(metaPath)
	case plan.RowOrdinal:
		return MetadataColumn(metaRow)
	case plan.MetadataOrdinal:
		return s.Attrs[i].Name
	case plan.RowIDOrdinal:
		return delta.RowID
	case plan.RowVersionOrdinal:
		return delta.RowCommitVersion
	default:
		return s.Source.Columns[at].Name
	}
}

// scanKernel tells whether a row of a file is deleted.
var scanKernel = lower.Kernel{Name: "marisma_row_deleted", Kind: "row_deleted", Args: []string{"BLOB", "BIGINT"}, Return: "BOOLEAN"}

// filesSQL selects the scan's columns from Parquet files: columns that a file
// lacks are NULL, partition columns come from the log, deleted rows are left
// out. Where files hold deleted rows the statement needs scanKernel. alone says
// that the statement has no other scan.
func filesSQL(s *plan.Scan, in Input, alone bool, sources *[]worker.FileSource) (string, error) {
	if len(in.Union) > 0 {
		parts := make([]string, len(in.Union))
		for i, u := range in.Union {
			var err error
			if parts[i], err = filesSQL(s, u, alone, sources); err != nil {
				return "", err
			}
		}
		return "(" + strings.Join(parts, " UNION ALL ") + ")", nil
	}
	if len(s.Attrs) == 0 && in.Rows != nil {
		return fmt.Sprintf("(SELECT 1 AS one FROM range(%d))", *in.Rows), nil
	}
	if len(in.Files) == 0 {
		return emptySQL(s)
	}
	switch parts := in.byNames(); {
	case len(parts) > 1:
		in.Union = parts
		return filesSQL(s, in, alone, sources)
	default:
		in = parts[0]
	}
	f := fileScan{
		in: in, alone: alone, deleted: slices.ContainsFunc(in.Files, func(f File) bool { return f.Deleted != nil }),
		clash: slices.ContainsFunc(s.Source.Columns, func(c types.Field) bool {
			return strings.EqualFold(c.Name, worker.RowColumn) || strings.EqualFold(in.Columns[c.Name].Name, worker.RowColumn)
		}),
	}
	for i, a := range s.Attrs {
		if name, ok := placeColumns[s.Ordinals[i]]; ok {
			f.outer = append(f.outer, "f."+name+" AS "+lower.Col(a))
			continue
		}
		if at := s.Ordinals[i]; at == plan.RowIDOrdinal || at == plan.RowVersionOrdinal {
			f.outer = append(f.outer, f.trackedColumn(at)+" AS "+lower.Col(a))
			continue
		}
		if s.Ordinals[i] == plan.MetadataOrdinal {
			x, err := structSQL(s, f.metadata)
			if err != nil {
				return "", err
			}
			f.outer = append(f.outer, x+" AS "+lower.Col(a))
			continue
		}
		if err := f.column(s.Source.Columns[s.Ordinals[i]], lower.Col(a)); err != nil {
			return "", err
		}
	}
	if len(f.outer) == 0 {
		f.outer = []string{"1 AS one"}
	}
	read, err := f.read(in.Text != nil || readsVariant(s), sources)
	if err != nil {
		return "", err
	}
	return f.sql(read), nil
}

// read has files read by DuckDB, or here: all of them, or those that it cannot
// read.
func (f *fileScan) read(all bool, sources *[]worker.FileSource) (string, error) {
	if len(f.schema) == 0 {
		f.stored("marisma none", "BOOLEAN", arrow.FixedWidthTypes.Boolean) // without a schema the files' columns would hide read_parquet's own
	}
	own := f.paths(func(x File) bool { return all || x.Own })
	rest := f.paths(func(x File) bool { return !all && !x.Own })
	if len(own) == 0 {
		return f.parquetSQL(rest), nil
	}
	src, err := f.source(own)
	if err != nil {
		return "", err
	}
	*sources = append(*sources, src)
	if len(rest) == 0 {
		return src.Name, nil
	}
	cols := make([]string, len(f.schema))
	for i := range cols {
		cols[i] = fmt.Sprintf("s%d", i)
	}
	list := strings.Join(append(cols, worker.FileColumn, worker.RowColumn), ", ")
	return "(SELECT " + list + " FROM " + f.parquetSQL(rest) + " UNION ALL SELECT " + list + " FROM " + src.Name + ")", nil
}

// readsVariant tells whether a scan reads a VARIANT, at whatever depth.
func readsVariant(s *plan.Scan) bool {
	return slices.ContainsFunc(s.Attrs, func(a plan.Attr) bool {
		return types.Contains(a.Type, func(t types.Type) bool { return t == types.Variant })
	})
}

// fileScan gathers the parts of a scan's SQL.
type fileScan struct {
	in      Input
	outer   []string      // what the scan gives
	schema  []string      // the types of the files' columns that it reads, for DuckDB
	fields  []arrow.Field // and for a worker.FileSource
	parts   []string      // partition columns that are wanted
	deleted bool
	tracked bool // what row tracking knows of the rows is wanted
	facts   bool // what is known of the files is wanted
	alone   bool // the statement has no other scan
	clash   bool // a column of the files has a name of read_parquet's own
}

// stored is the file's column of a name as a value of DuckDB's type t, Arrow's at: NULL
// where a file lacks it, cast where it has another type. The names that it has
// in the statement are ours, so that none meets those of read_parquet's own
// columns.
func (f *fileScan) stored(name, t string, at arrow.DataType) string {
	f.fields = append(f.fields, arrow.Field{Name: name, Type: at, Nullable: true})
	as := fmt.Sprintf("s%d", len(f.schema))
	f.schema = append(f.schema, t)
	return "f." + as
}

// trackedColumn is what row tracking knows of a row: what its file keeps of it,
// or what the log says of the file's rows.
func (f *fileScan) trackedColumn(at int) string {
	f.tracked = true
	name, log := f.in.Tracked.RowID, `p."marisma base" + f.file_row_number`
	if at == plan.RowVersionOrdinal {
		name, log = f.in.Tracked.Version, `p."marisma version"`
	}
	if name == "" {
		return log
	}
	return "coalesce(" + f.stored(name, "BIGINT", arrow.PrimitiveTypes.Int64) + ", " + log + ")"
}

func (f *fileScan) column(c types.Field, as string) error {
	t, err := lower.DuckType(c.Type)
	if err != nil {
		return err
	}
	if slices.Contains(f.in.Partition, c.Name) {
		f.outer = append(f.outer, partitionSQL(c.Type, t, f.partition(c.Name))+" AS "+as)
		return nil
	}
	col, mapped := f.in.Columns[c.Name]
	if c.Type == types.Void { // no file has it
		col.Type = arrow.PrimitiveTypes.Int32
	} else if !mapped {
		if col.Type, err = types.ToArrow(c.Type); err != nil {
			return err
		}
	}
	if !mapped {
		f.outer = append(f.outer, f.stored(c.Name, t, col.Type)+" AS "+as)
		return nil
	}
	stored, err := types.FromArrow(col.Type)
	if err != nil {
		return err
	}
	if t, err = lower.DuckType(stored); err != nil {
		return err
	}
	f.outer = append(f.outer, renamed(f.stored(col.Name, t, col.Type), stored, c.Type, 0)+" AS "+as)
	return nil
}

// partition is a partition column's text: a literal where all files have the
// same, so that rows need not look for their file's.
func (f *fileScan) partition(column string) string {
	first := f.in.Files[0].Partition[column]
	if slices.ContainsFunc(f.in.Files, func(x File) bool { return x.Partition[column] != first }) {
		f.parts = append(f.parts, column)
		return "p." + ident(column)
	}
	return partitionLiteral(first)
}

// renamed is a value of a file's type with the table's names of its fields.
func renamed(x string, from, to types.Type, depth int) string {
	if types.Equal(from, to) {
		return x
	}
	v := fmt.Sprintf("v%d", depth)
	switch to := to.(type) {
	case types.Struct:
		from, ok := from.(types.Struct)
		if !ok || len(from.Fields) != len(to.Fields) {
			break
		}
		fields := make([]string, len(to.Fields))
		for i, f := range to.Fields {
			fields[i] = ident(f.Name) + " := " + renamed("("+x+")."+ident(from.Fields[i].Name), from.Fields[i].Type, f.Type, depth)
		}
		return "CASE WHEN " + x + " IS NOT NULL THEN struct_pack(" + strings.Join(fields, ", ") + ") END"
	case types.Array:
		if from, ok := from.(types.Array); ok {
			return "list_transform(" + x + ", lambda " + v + ": " + renamed(v, from.Elem, to.Elem, depth+1) + ")"
		}
	case types.Map:
		if from, ok := from.(types.Map); ok {
			return "map_from_entries(list_transform(map_entries(" + x + "), lambda " + v + ": struct_pack(k := " +
				renamed(v+".key", from.Key, to.Key, depth+1) + ", v := " + renamed(v+".value", from.Value, to.Value, depth+1) + ")))"
		}
	}
	return x
}

// placeColumns are the columns that read_parquet has of its own, which tell
// where a row lies.
var placeColumns = map[int]string{plan.FileOrdinal: worker.FileColumn, plan.RowOrdinal: worker.RowColumn}

// paths are those of the files that fulfil a condition, without repetitions: a
// change feed may name one several times.
func (f *fileScan) paths(is func(File) bool) []string {
	var out []string
	seen := map[string]bool{}
	for _, x := range f.in.Files {
		if !seen[x.Path] && is(x) {
			out = append(out, x.Path)
		}
		seen[x.Path] = true
	}
	return out
}

// source has files read here.
func (f *fileScan) source(paths []string) (worker.FileSource, error) {
	schema, err := worker.SchemaBytes(arrow.NewSchema(f.fields, nil))
	return worker.FileSource{Name: `"marisma source ` + rand.Text() + `"`, Schema: schema, Paths: paths, Text: f.in.Text}, err
}

// parquetSQL has DuckDB read the files. A schema spares it their footers before
// it begins, and leaves filters to the files' pages; but with one, a single file
// is read by one thread. In joins all scans have one: without it DuckDB would know
// how many rows this file has and guess of the others by their number, and take
// the larger side for the smaller.
func (f *fileScan) parquetSQL(paths []string) string {
	if len(paths) == 1 && f.alone && !f.clash {
		return f.oneSQL(paths[0])
	}
	names := make([]string, len(paths))
	for i, p := range paths {
		names[i] = str(p)
	}
	columns := make([]string, len(f.schema))
	for i, t := range f.schema {
		columns[i] = fmt.Sprintf("%s: {name: 's%d', type: %s, default_value: NULL}", str(f.fields[i].Name), i, str(t))
	}
	return "read_parquet([" + strings.Join(names, ", ") + "], schema = MAP{" + strings.Join(columns, ", ") + "})"
}

// oneSQL reads a single file beside no rows that have all columns.
func (f *fileScan) oneSQL(path string) string {
	columns, none := make([]string, len(f.schema)), make([]string, 0, len(f.schema))
	seen := map[string]bool{}
	for i, t := range f.schema {
		name := ident(f.fields[i].Name)
		columns[i] = fmt.Sprintf("CAST(%s AS %s) AS s%d", name, t, i)
		if !seen[name] {
			none = append(none, fmt.Sprintf("CAST(NULL AS %s) AS %s", t, name))
		}
		seen[name] = true
	}
	return "(SELECT " + strings.Join(columns, ", ") + `, "marisma file" AS ` + worker.FileColumn + ", " + worker.RowColumn +
		" FROM (SELECT * FROM read_parquet([" + str(path) + "], filename = 'marisma file', " + worker.RowColumn + " = true) UNION ALL BY NAME SELECT " +
		strings.Join(none, ", ") + " WHERE false))"
}

// sql is the scan of files that are read by read.
func (f *fileScan) sql(read string) string {
	from := read + " AS f"
	if f.deleted || f.tracked || f.facts || len(f.parts) > 0 || len(f.paths(func(File) bool { return true })) < len(f.in.Files) {
		from += " JOIN " + f.logSQL() + " ON f.filename = p.\"marisma file\""
	}
	listed := scanKernel.Name + "(p.\"marisma deleted\", f.file_row_number)"
	switch {
	case f.in.Kept:
		from += " WHERE " + listed
	case f.deleted:
		from += " WHERE p.\"marisma deleted\" IS NULL OR NOT " + listed
	}
	return "(SELECT " + strings.Join(f.outer, ", ") + " FROM " + from + ")"
}

// logSQL is an inline table of what the log says of each file: its partition
// values as partitionText has them, and its deleted rows.
func (f *fileScan) logSQL() string {
	rows := make([]string, len(f.in.Files))
	for i, x := range f.in.Files {
		vals := make([]string, 0, len(f.parts)+2)
		vals = append(vals, str(x.Path))
		for _, c := range f.parts {
			vals = append(vals, partitionLiteral(x.Partition[c]))
		}
		if f.deleted {
			vals = append(vals, blob(x.Deleted))
		}
		if f.tracked {
			vals = append(vals, bigint(x.BaseRowID), bigint(x.Version))
		}
		if f.facts {
			vals = append(vals, x.Facts().literals()...)
		}
		rows[i] = "(" + strings.Join(vals, ", ") + ")"
	}
	names := []string{`"marisma file"`}
	for _, c := range f.parts {
		names = append(names, ident(c))
	}
	if f.deleted {
		names = append(names, `"marisma deleted"`)
	}
	if f.tracked {
		names = append(names, `"marisma base"`, `"marisma version"`)
	}
	if f.facts {
		names = append(names, factColumns...)
	}
	return "(VALUES " + strings.Join(rows, ", ") + ") AS p(" + strings.Join(names, ", ") + ")"
}

// bigint is a literal of a number; nil is NULL.
func bigint(n *int64) string {
	if n == nil {
		return "CAST(NULL AS BIGINT)"
	}
	return fmt.Sprintf("CAST(%d AS BIGINT)", *n)
}

// blob is a literal of bytes; nil is NULL.
func blob(b []byte) string {
	if b == nil {
		return "CAST(NULL AS BLOB)"
	}
	return "from_base64('" + base64.StdEncoding.EncodeToString(b) + "')"
}

func emptySQL(s *plan.Scan) (string, error) {
	if len(s.Attrs) == 0 {
		return "(SELECT 1 AS one WHERE false)", nil
	}
	cols := make([]string, len(s.Attrs))
	for i, a := range s.Attrs {
		t, err := lower.DuckType(a.Type)
		if err != nil {
			return "", err
		}
		cols[i] = fmt.Sprintf("CAST(NULL AS %s) AS %s", t, lower.Col(a))
	}
	return "(SELECT " + strings.Join(cols, ", ") + " WHERE false)", nil
}

func ident(s string) string { return `"` + strings.ReplaceAll(s, `"`, `""`) + `"` }

func str(s string) string { return "'" + strings.ReplaceAll(s, "'", "''") + "'" }

// Locator puts data files where the engine can read them, until release is
// called. *Tables is one.
type Locator interface {
	File(ctx context.Context, s *delta.Snapshot, a delta.Add) (file string, release func(), err error)
	// Address is where the file is, whatever File made of it.
	Address(s *delta.Snapshot, a delta.Add) string
	// Odd tells whether a file is known to have pages that DuckDB does not know;
	// Learn looks at files and tells whether it found others.
	Odd(path string) bool
	Learn(paths []string) bool
	// Schema is that of a's file, which has the path that File gave.
	Schema(path string, a delta.Add) (*arrow.Schema, error)
	// Old tells whether a file keeps old dates in a calendar that DuckDB does not
	// know; it may have to look.
	Old(path string) bool
}

// Files gives the files of a snapshot that may hold rows for preds.
func Files(ctx context.Context, s *delta.Snapshot, at Locator, preds ...delta.Predicate) (Input, error) {
	adds, _, err := s.Files(preds...)
	if err != nil {
		return Input{}, err
	}
	return AddsInput(ctx, s, adds, at)
}

// counted are the files that Files gives where the log knows how many rows they
// have: nothing of them is read.
func counted(s *delta.Snapshot, preds []delta.Predicate) (Input, bool, error) {
	adds, _, err := s.Files(preds...)
	if err != nil {
		return Input{}, false, err
	}
	rows := liveRows(adds)
	return Input{Rows: rows}, rows != nil, nil
}

// liveRows is how many rows files hold; nil where the log does not know.
func liveRows(adds []delta.Add) *int64 {
	rows := int64(0)
	for _, a := range adds {
		n, ok := delta.RecordCount(a)
		if !ok {
			return nil
		}
		rows += n
	}
	return &rows
}

// AddsInput reads the live rows of files that are or were a table's; s tells
// how to read them.
func AddsInput(ctx context.Context, s *delta.Snapshot, adds []delta.Add, at Locator) (_ Input, err error) {
	partition := partitionColumns(s)
	in := Input{Files: make([]File, len(adds)), Partition: partition, Columns: fileColumns(s, partition), Rows: liveRows(adds)}
	in.Tracked.RowID, in.Tracked.Version = s.TrackedColumns()
	defer func() {
		if err != nil {
			in.Release()
		}
	}()
	if in.release, err = fetch(ctx, s, adds, at, in.Files); err != nil {
		return in, err
	}
	old := s.OldDates()
	for i, a := range adds {
		values, err := partitionTexts(s, a, in.Partition)
		if err != nil {
			return in, err
		}
		f := File{Path: in.Files[i].Path, Partition: values, BaseRowID: a.BaseRowID, Version: a.DefaultRowCommitVersion}
		f.Own = at.Odd(f.Path) || old != nil && old(a) && at.Old(f.Path)
		f.Facts = func() FileFacts { return FileFacts{URI: at.Address(s, a), Size: a.Size, Modified: a.ModificationTime} }
		gone, err := s.Deleted(ctx, a)
		if err != nil {
			return in, err
		}
		if gone != nil {
			if f.Deleted, err = gone.ToBytes(); err != nil {
				return in, fmt.Errorf("query: deletion vector of %s: %w", a.Path, err)
			}
		}
		in.Files[i] = f
	}
	in.learn = func() bool {
		paths := make([]string, len(in.Files))
		for i, f := range in.Files {
			paths[i] = f.Path
		}
		return at.Learn(paths)
	}
	return in, nameFiles(s, adds, at, &in)
}

// fetch finds files' paths, several at a time; what it gives releases them.
func fetch(ctx context.Context, s *delta.Snapshot, adds []delta.Add, at Locator, to []File) (func(), error) {
	const atOnce = 8
	release := make([]func(), len(adds))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(atOnce)
	for i, a := range adds {
		g.Go(func() (err error) {
			to[i].Path, release[i], err = at.File(ctx, s, a)
			return err
		})
	}
	err := g.Wait()
	return func() {
		for _, f := range release {
			if f != nil {
				f()
			}
		}
	}, err
}

// fileColumns are the columns of a snapshot's files by the table's names, nil
// where they are called the same.
func fileColumns(s *delta.Snapshot, partition []string) map[string]arrow.Field {
	if !s.Mapped() {
		return nil
	}
	out := map[string]arrow.Field{}
	files, at := s.FileSchema(), 0
	for _, f := range s.Schema().Fields() {
		if f.Type.ID() == arrow.NULL || slices.Contains(partition, f.Name) {
			continue
		}
		out[f.Name] = files.Field(at)
		at++
	}
	return out
}
