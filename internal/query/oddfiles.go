package query

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/worker"
)

// maxOdd bounds the files that are remembered.
const maxOdd = 10_000

// oddFiles remembers the local files that package delta reads because DuckDB's
// reader of Parquet does not: it does not know their pages, or not their
// calendar. For pages, files are looked at once a statement over them has failed:
// that costs the others nothing.
type oddFiles struct {
	mu        sync.Mutex
	paths     map[string]bool
	calendars perFile[bool] // whether each keeps old dates in another
}

// old tells whether a file keeps old dates in another calendar. It looks at each
// once.
func (o *oddFiles) old(path string) bool {
	st, err := os.Stat(path)
	if err != nil { // reading the file says more
		return false
	}
	old, err := o.calendars.get(footer{path, st.Size(), st.ModTime().UnixNano()}, func() (bool, error) { return delta.OldCalendar(path) })
	return err == nil && old
}

func (o *oddFiles) has(path string) bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.paths[path]
}

// learn looks at the footers of files; it tells whether one is odd that was not
// known to be.
func (o *oddFiles) learn(paths []string) bool {
	found := false
	for _, p := range paths {
		if o.has(p) || !oddPages(p) {
			continue
		}
		found = true
		o.mu.Lock()
		if len(o.paths) >= maxOdd {
			clear(o.paths)
		}
		if o.paths == nil {
			o.paths = map[string]bool{}
		}
		o.paths[p] = true
		o.mu.Unlock()
	}
	return found
}

// oddPages tells whether a file has pages of Hadoop's LZ4, or such of
// BYTE_STREAM_SPLIT that hold something else than floats, or columns that are
// marked as geometries, which DuckDB does not give as their bytes.
func oddPages(path string) (odd bool) {
	defer func() {
		// The Parquet reader panics on some malformed files: these are not odd.
		if recover() != nil {
			odd = false
		}
	}()
	r, err := file.OpenParquetFile(path, false)
	if err != nil { // it is read as before, and the error comes from there
		return false
	}
	defer func() { _ = r.Close() }() // only read
	md := r.MetaData()
	for c := range md.Schema.NumColumns() {
		switch md.Schema.Column(c).LogicalType().(type) {
		case schema.GeometryLogicalType, schema.GeographyLogicalType:
			return true
		}
	}
	for g := range md.NumRowGroups() {
		for c := range md.Schema.NumColumns() {
			chunk, err := md.RowGroup(g).ColumnChunk(c)
			if err != nil {
				return false
			}
			floats := chunk.Type() == parquet.Types.Float || chunk.Type() == parquet.Types.Double
			if chunk.Compression() == compress.Codecs.Lz4 || !floats && slices.Contains(chunk.Encodings(), parquet.Encodings.ByteStreamSplit) {
				return true
			}
		}
	}
	return false
}

// Odd implements Locator.
func (t *Tables) Odd(path string) bool { return t.odd.has(path) }

// Old implements Locator.
func (t *Tables) Old(path string) bool { return t.odd.old(path) }

// Learn implements Locator.
func (t *Tables) Learn(paths []string) bool { return t.odd.learn(paths) }

// Odd is whether the tables know a file to be odd.
func (f *statementFiles) Odd(path string) bool { return f.tables.Odd(path) }

// Old has the tables look at a file.
func (f *statementFiles) Old(path string) bool { return f.tables.Old(path) }

// Learn has the tables look at files.
func (f *statementFiles) Learn(paths []string) bool { return f.tables.Learn(paths) }

// learned tells whether the files of a statement that failed hold something that
// another attempt reads.
func learned(err error, inputs []Input) bool {
	q, ok := worker.AsQueryError(err)
	if !ok || q.Class != "" || q.Memory {
		return false
	}
	found := false
	for _, in := range inputs {
		if in.learn != nil {
			found = in.learn() || found
		}
		found = learned(err, in.Union) || found
	}
	return found
}

// namesByID are the columns of a file by the table's names, found by their field
// ids; nil where the file has the names of want, which are the table's.
func namesByID(have *arrow.Schema, table []arrow.Field, want map[string]arrow.Field) map[string]arrow.Field {
	out := map[string]arrow.Field{}
	same := true
	for _, c := range table {
		w, ok := want[c.Name]
		if !ok { // a partition column
			continue
		}
		f := byID(w, have.Fields())
		same = same && f.Name == w.Name && arrow.TypeEqual(f.Type, w.Type)
		out[c.Name] = f
	}
	if same {
		return nil
	}
	return out
}

// byID is a field of the table with the names that the file's field of that id
// has, at every depth. One that the file lacks gets a name that is not there.
func byID(want arrow.Field, in []arrow.Field) arrow.Field {
	id, _ := want.Metadata.GetValue(fieldID)
	for _, f := range in {
		if have, ok := f.Metadata.GetValue(fieldID); ok && have == id {
			want.Name, want.Type = f.Name, typeByID(want.Type, f.Type)
			return want
		}
	}
	want.Name = "marisma absent " + id
	return want
}

const fieldID = "PARQUET:field_id"

func typeByID(want, have arrow.DataType) arrow.DataType {
	switch w := want.(type) {
	case *arrow.StructType:
		h, ok := have.(*arrow.StructType)
		if !ok {
			return want
		}
		fields := slices.Clone(w.Fields())
		for i := range fields {
			fields[i] = byID(fields[i], h.Fields())
		}
		return arrow.StructOf(fields...)
	case *arrow.ListType:
		if h, ok := have.(*arrow.ListType); ok {
			f := w.ElemField()
			f.Type = typeByID(f.Type, h.Elem())
			return arrow.ListOfField(f)
		}
	case *arrow.MapType:
		if h, ok := have.(*arrow.MapType); ok {
			m := arrow.MapOf(typeByID(w.KeyType(), h.KeyType()), typeByID(w.ItemType(), h.ItemType()))
			m.SetItemNullable(w.ItemField().Nullable)
			return m
		}
	}
	return want
}

// nameFiles finds the columns of files, those of the adds, where they go by their
// ids.
func nameFiles(s *delta.Snapshot, adds []delta.Add, at Locator, in *Input) error {
	if !s.FilesByID() {
		return nil
	}
	fields := s.Schema().Fields()
	for i := range in.Files {
		have, err := at.Schema(in.Files[i].Path, adds[i])
		if err != nil {
			return err
		}
		in.Files[i].Columns = namesByID(have, fields, in.Columns)
	}
	return nil
}

// byNames parts files by the names that they have for the columns.
func (in Input) byNames() []Input {
	var out []Input
	at := map[string]int{}
	for _, f := range in.Files {
		var k strings.Builder
		if f.Columns != nil {
			for _, c := range slices.Sorted(maps.Keys(f.Columns)) {
				fmt.Fprintf(&k, "%q %q %s;", c, f.Columns[c].Name, f.Columns[c].Type)
			}
		}
		i, ok := at[k.String()]
		if !ok {
			i = len(out)
			at[k.String()] = i
			part := in
			part.Files = nil
			if f.Columns != nil {
				part.Columns = f.Columns
			}
			out = append(out, part)
		}
		out[i].Files = append(out[i].Files, f)
	}
	return out
}
