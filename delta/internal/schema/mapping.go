package schema

import (
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// Mapping says how a table's columns are found in its data files
// (PROTOCOL.md, "Column Mapping").
type Mapping uint8

// The mappings: by the column's own name, by delta.columnMapping.physicalName,
// by delta.columnMapping.id, which files hold as Parquet's field id.
const (
	Unmapped Mapping = iota
	ByName
	ByID
)

// The property that switches the mapping on, and the metadata of fields.
const (
	ModeKey         = "delta.columnMapping.mode"
	MaxIDKey        = "delta.columnMapping.maxColumnId"
	idKey           = "delta.columnMapping.id"
	physicalKey     = "delta.columnMapping.physicalName"
	parquetFieldKey = "PARQUET:field_id"
)

// MappingOf reads the mode out of a table's properties.
func MappingOf(configuration map[string]string) Mapping {
	switch strings.ToLower(configuration[ModeKey]) {
	case "name":
		return ByName
	case "id":
		return ByID
	}
	return Unmapped
}

// Name is what a column is called in the data files, in statistics and in
// partition values.
func (m Mapping) Name(f arrow.Field) string {
	if m != Unmapped {
		if n, ok := f.Metadata.GetValue(physicalKey); ok {
			return n
		}
	}
	return f.Name
}

// ID is a column's id, -1 where it has none.
func ID(f arrow.Field) int32 { return number(f, rawPrefix+idKey) }

// FileID is the Parquet field id of a column that was read from a file, -1
// where it has none.
func FileID(f arrow.Field) int32 { return number(f, parquetFieldKey) }

func number(f arrow.Field, key string) int32 {
	text, ok := f.Metadata.GetValue(key)
	if !ok {
		return -1
	}
	n, err := strconv.ParseInt(text, 10, 32)
	if err != nil {
		return -1
	}
	return int32(n)
}

// Is tells whether column inFile of a data file is the table's column f.
func (m Mapping) Is(f, inFile arrow.Field) bool {
	if id := ID(f); m == ByID && id >= 0 {
		return id == FileID(inFile)
	}
	return m.Name(f) == inFile.Name
}

// Files is the schema of the data files of a table: physical names and field
// ids at every depth, without partition and void columns and without the
// metadata that is the log's.
func (m Mapping) Files(s *arrow.Schema, partition []string) *arrow.Schema {
	var out []arrow.Field
	for _, f := range s.Fields() {
		if f.Type.ID() != arrow.NULL && !slices.Contains(partition, f.Name) {
			out = append(out, m.file(f))
		}
	}
	return arrow.NewSchema(out, nil)
}

func (m Mapping) file(f arrow.Field) arrow.Field {
	out := arrow.Field{Name: m.Name(f), Type: m.bare(f.Type), Nullable: f.Nullable}
	if id := ID(f); m != Unmapped && id >= 0 {
		out.Metadata = arrow.NewMetadata([]string{parquetFieldKey}, []string{strconv.Itoa(int(id))})
	}
	return out
}

func (m Mapping) bare(t arrow.DataType) arrow.DataType {
	switch t := t.(type) {
	case *arrow.StructType:
		fields := make([]arrow.Field, 0, t.NumFields())
		for _, f := range t.Fields() {
			fields = append(fields, m.file(f))
		}
		return arrow.StructOf(fields...)
	case *arrow.ListType:
		f := t.ElemField()
		return arrow.ListOfField(arrow.Field{Name: f.Name, Type: m.bare(f.Type), Nullable: f.Nullable})
	case *arrow.MapType:
		out := arrow.MapOf(m.bare(t.KeyType()), m.bare(t.ItemType()))
		out.SetItemNullable(t.ItemField().Nullable)
		return out
	}
	return t
}

// Assign gives every column of s, at every depth, an id and a physical name
// where it has none, counting on from max; names makes a new physical name. It
// returns the largest id in use.
func Assign(s *arrow.Schema, maxID int32, names func(column string) string) (*arrow.Schema, int32) {
	a := assigner{last: maxID, names: names}
	a.known(s.Fields())
	return arrow.NewSchema(a.fields(s.Fields()), nil), a.last
}

type assigner struct {
	last  int32
	names func(string) string
}

// known raises last to the ids that are there.
func (a *assigner) known(fields []arrow.Field) {
	for _, f := range fields {
		a.last = max(a.last, ID(f))
		if n, ok := f.Type.(arrow.NestedType); ok {
			a.known(n.Fields())
		}
	}
}

func (a *assigner) fields(fields []arrow.Field) []arrow.Field {
	out := make([]arrow.Field, len(fields))
	for i, f := range fields {
		f.Type = a.typ(f.Type)
		keys, values := slices.Clone(f.Metadata.Keys()), slices.Clone(f.Metadata.Values())
		if ID(f) < 0 {
			a.last++
			keys, values = append(keys, rawPrefix+idKey), append(values, strconv.Itoa(int(a.last)))
		}
		if _, ok := f.Metadata.GetValue(physicalKey); !ok {
			keys, values = append(keys, physicalKey), append(values, a.names(f.Name))
		}
		f.Metadata = arrow.NewMetadata(keys, values)
		out[i] = f
	}
	return out
}

func (a *assigner) typ(t arrow.DataType) arrow.DataType {
	switch t := t.(type) {
	case *arrow.StructType:
		return arrow.StructOf(a.fields(t.Fields())...)
	case *arrow.ListType:
		f := t.ElemField()
		f.Type = a.typ(f.Type)
		return arrow.ListOfField(f)
	case *arrow.MapType:
		out := arrow.MapOf(a.typ(t.KeyType()), a.typ(t.ItemType()))
		out.SetItemNullable(t.ItemField().Nullable)
		return out
	}
	return t
}
