package checkpoint

import (
	"io"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"

	"github.com/marisma/marisma/delta/internal/action"
)

const (
	batchRows = 8 << 10
	groupRows = 128 << 10
)

var (
	text    = arrow.BinaryTypes.String
	long    = arrow.PrimitiveTypes.Int64
	integer = arrow.PrimitiveTypes.Int32
	boolean = arrow.FixedWidthTypes.Boolean
)

func opt(name string, t arrow.DataType) arrow.Field {
	return arrow.Field{Name: name, Type: t, Nullable: true}
}

func texts() arrow.DataType {
	return arrow.ListOfField(arrow.Field{Name: "element", Type: text, Nullable: true})
}

func vector() arrow.Field {
	return opt("deletionVector", arrow.StructOf(opt("storageType", text), opt("pathOrInlineDv", text),
		opt("offset", integer), opt("sizeInBytes", integer), opt("cardinality", long)))
}

// Part says what a file of a checkpoint holds.
type Part uint8

// The parts of checkpoints: Whole has every kind of action; those of the second
// kind consist of a Manifest and of Sidecars with the file actions.
const (
	Whole Part = iota
	Manifest
	Sidecar
)

// has tells whether a part has a column.
func (p Part) has(column string) bool {
	files := column == "add" || column == "remove"
	second := column == "checkpointMetadata" || column == "sidecar"
	switch p {
	case Manifest:
		return true // Spark wants the columns of file actions, too, which stay empty
	case Sidecar:
		return files
	}
	return !second
}

// schemaFor is the schema of a part. Columns of table features are there only
// where the table may have them.
func schemaFor(part Part, features bool) *arrow.Schema {
	m := arrow.MapOf(text, text)
	add := []arrow.Field{
		opt("path", text), opt("partitionValues", m), opt("size", long), opt("modificationTime", long),
		opt("dataChange", boolean), opt("stats", text), opt("tags", m),
	}
	remove := []arrow.Field{
		opt("path", text), opt("deletionTimestamp", long), opt("dataChange", boolean),
		opt("extendedFileMetadata", boolean), opt("partitionValues", m), opt("size", long),
	}
	if features {
		rows := []arrow.Field{vector(), opt("baseRowId", long), opt("defaultRowCommitVersion", long)}
		add = append(append(add, rows...), opt("clusteringProvider", text))
		remove = append(remove, rows...)
	}
	top := []arrow.Field{
		opt("txn", arrow.StructOf(opt("appId", text), opt("version", long), opt("lastUpdated", long))),
		opt("add", arrow.StructOf(add...)),
		opt("remove", arrow.StructOf(remove...)),
		opt("metaData", arrow.StructOf(
			opt("id", text), opt("name", text), opt("description", text),
			opt("format", arrow.StructOf(opt("provider", text), opt("options", m))),
			opt("schemaString", text), opt("partitionColumns", texts()), opt("configuration", m), opt("createdTime", long))),
		opt("protocol", arrow.StructOf(opt("minReaderVersion", integer), opt("minWriterVersion", integer),
			opt("readerFeatures", texts()), opt("writerFeatures", texts()))),
	}
	if features {
		top = append(top, opt("domainMetadata", arrow.StructOf(opt("domain", text), opt("configuration", text), opt("removed", boolean))))
	}
	top = append(top,
		opt("checkpointMetadata", arrow.StructOf(opt("version", long), opt("tags", m))),
		opt("sidecar", arrow.StructOf(opt("path", text), opt("sizeInBytes", long), opt("modificationTime", long), opt("tags", m))))
	top = slices.DeleteFunc(top, func(f arrow.Field) bool { return !part.has(f.Name) })
	return arrow.NewSchema(top, nil)
}

// Writer writes one checkpoint file. It is for one goroutine.
type Writer struct {
	pq       *pqarrow.FileWriter
	schema   *arrow.Schema
	b        *array.RecordBuilder
	features bool
	pending  int
	group    int
	rows     int64
	adds     int64
}

// NewWriter begins a part of a checkpoint of a table with protocol p; the
// protocol is written where it belongs there. The caller closes out.
func NewWriter(out io.Writer, p *action.Protocol, part Part) (*Writer, error) {
	features := p.MinWriterVersion >= 7
	s := schemaFor(part, features)
	props := parquet.NewWriterProperties(
		parquet.WithCompression(compress.Codecs.Snappy), parquet.WithDictionaryDefault(false),
		parquet.WithStats(false), parquet.WithRootName("spark_schema"), parquet.WithMaxRowGroupLength(1<<40))
	pq, err := pqarrow.NewFileWriter(s, struct{ io.Writer }{out}, props, pqarrow.DefaultWriterProps())
	if err != nil {
		return nil, err
	}
	w := &Writer{pq: pq, schema: s, b: array.NewRecordBuilder(memory.DefaultAllocator, s), features: features}
	if part == Sidecar {
		return w, nil
	}
	return w, w.protocol(p)
}

// row begins a row in a column, which the part has, and leaves the others null.
func (w *Writer) row(column string) *array.StructBuilder {
	i := w.schema.FieldIndices(column)[0]
	for j := range w.b.Fields() {
		if j != i {
			w.b.Field(j).AppendNull()
		}
	}
	sb := w.b.Field(i).(*array.StructBuilder)
	sb.Append(true)
	return sb
}

func (w *Writer) done() error {
	w.rows++
	if w.pending++; w.pending >= batchRows {
		return w.flush()
	}
	return nil
}

func (w *Writer) flush() error {
	if w.pending == 0 {
		return nil
	}
	rec := w.b.NewRecordBatch()
	defer rec.Release()
	if w.group += w.pending; w.group >= groupRows {
		w.pq.NewBufferedRowGroup()
		w.group = w.pending
	}
	w.pending = 0
	return w.pq.WriteBuffered(rec)
}

func setText(b array.Builder, s string) {
	if s == "" {
		b.AppendNull()
	} else {
		b.(*array.StringBuilder).Append(s)
	}
}

func setLong(b array.Builder, v *int64) {
	if v == nil {
		b.AppendNull()
	} else {
		b.(*array.Int64Builder).Append(*v)
	}
}

func setMap(b array.Builder, m map[string]string, null bool) {
	mb := b.(*array.MapBuilder)
	if null && m == nil {
		mb.AppendNull()
		return
	}
	mb.Append(true)
	for k, v := range m {
		mb.KeyBuilder().(*array.StringBuilder).Append(k)
		setText(mb.ItemBuilder(), v)
	}
}

// setWords writes a map whose empty values are texts, not nulls.
func setWords(b array.Builder, m map[string]string) {
	mb := b.(*array.MapBuilder)
	mb.Append(true)
	for k, v := range m {
		mb.KeyBuilder().(*array.StringBuilder).Append(k)
		mb.ItemBuilder().(*array.StringBuilder).Append(v)
	}
}

func setList(b array.Builder, l []string, there bool) {
	lb := b.(*array.ListBuilder)
	if !there {
		lb.AppendNull()
		return
	}
	lb.Append(true)
	for _, s := range l {
		lb.ValueBuilder().(*array.StringBuilder).Append(s)
	}
}

func (w *Writer) vector(b array.Builder, v *action.DeletionVector) {
	sb := b.(*array.StructBuilder)
	if v == nil {
		sb.AppendNull()
		return
	}
	sb.Append(true)
	setText(sb.FieldBuilder(0), v.StorageType)
	sb.FieldBuilder(1).(*array.StringBuilder).Append(v.PathOrInlineDv)
	if v.Offset == nil {
		sb.FieldBuilder(2).AppendNull()
	} else {
		sb.FieldBuilder(2).(*array.Int32Builder).Append(*v.Offset)
	}
	sb.FieldBuilder(3).(*array.Int32Builder).Append(v.SizeInBytes)
	sb.FieldBuilder(4).(*array.Int64Builder).Append(v.Cardinality)
}

// Txn writes an application's progress.
func (w *Writer) Txn(t *action.Txn) error {
	sb := w.row("txn")
	sb.FieldBuilder(0).(*array.StringBuilder).Append(t.AppID)
	sb.FieldBuilder(1).(*array.Int64Builder).Append(t.Version)
	if t.LastUpdated == 0 {
		sb.FieldBuilder(2).AppendNull()
	} else {
		sb.FieldBuilder(2).(*array.Int64Builder).Append(t.LastUpdated)
	}
	return w.done()
}

// Add writes a live file.
func (w *Writer) Add(a *action.Add) error {
	sb := w.row("add")
	sb.FieldBuilder(0).(*array.StringBuilder).Append(a.Path)
	setMap(sb.FieldBuilder(1), a.PartitionValues, false)
	sb.FieldBuilder(2).(*array.Int64Builder).Append(a.Size)
	sb.FieldBuilder(3).(*array.Int64Builder).Append(a.ModificationTime)
	sb.FieldBuilder(4).(*array.BooleanBuilder).Append(false)
	setText(sb.FieldBuilder(5), a.Stats)
	setMap(sb.FieldBuilder(6), a.Tags, true)
	if w.features {
		w.vector(sb.FieldBuilder(7), a.DeletionVector)
		setLong(sb.FieldBuilder(8), a.BaseRowID)
		setLong(sb.FieldBuilder(9), a.DefaultRowCommitVersion)
		setText(sb.FieldBuilder(10), a.ClusteringProvider)
	}
	w.adds++
	return w.done()
}

// Remove writes a tombstone.
func (w *Writer) Remove(r *action.Remove) error {
	sb := w.row("remove")
	sb.FieldBuilder(0).(*array.StringBuilder).Append(r.Path)
	sb.FieldBuilder(1).(*array.Int64Builder).Append(r.DeletionTimestamp)
	sb.FieldBuilder(2).(*array.BooleanBuilder).Append(false)
	sb.FieldBuilder(3).(*array.BooleanBuilder).Append(r.ExtendedFileMetadata)
	setMap(sb.FieldBuilder(4), r.PartitionValues, true)
	sb.FieldBuilder(5).(*array.Int64Builder).Append(r.Size)
	if w.features {
		w.vector(sb.FieldBuilder(6), r.DeletionVector)
		setLong(sb.FieldBuilder(7), r.BaseRowID)
		setLong(sb.FieldBuilder(8), r.DefaultRowCommitVersion)
	}
	return w.done()
}

// Metadata writes the table's description.
func (w *Writer) Metadata(m *action.Metadata) error {
	sb := w.row("metaData")
	sb.FieldBuilder(0).(*array.StringBuilder).Append(m.ID)
	setText(sb.FieldBuilder(1), m.Name)
	if m.Described {
		sb.FieldBuilder(2).(*array.StringBuilder).Append(m.Description)
	} else {
		setText(sb.FieldBuilder(2), m.Description)
	}
	f := sb.FieldBuilder(3).(*array.StructBuilder)
	f.Append(true)
	f.FieldBuilder(0).(*array.StringBuilder).Append(m.Format.Provider)
	setWords(f.FieldBuilder(1), m.Format.Options)
	sb.FieldBuilder(4).(*array.StringBuilder).Append(m.SchemaString)
	setList(sb.FieldBuilder(5), m.PartitionColumns, true)
	setWords(sb.FieldBuilder(6), m.Configuration)
	if m.CreatedTime == 0 {
		sb.FieldBuilder(7).AppendNull()
	} else {
		sb.FieldBuilder(7).(*array.Int64Builder).Append(m.CreatedTime)
	}
	return w.done()
}

func (w *Writer) protocol(p *action.Protocol) error {
	sb := w.row("protocol")
	sb.FieldBuilder(0).(*array.Int32Builder).Append(int32(p.MinReaderVersion))
	sb.FieldBuilder(1).(*array.Int32Builder).Append(int32(p.MinWriterVersion))
	setList(sb.FieldBuilder(2), p.ReaderFeatures, p.MinReaderVersion >= 3)
	setList(sb.FieldBuilder(3), p.WriterFeatures, p.MinWriterVersion >= 7)
	return w.done()
}

// Domain writes a domain's metadata; tables without features have none.
func (w *Writer) Domain(d *action.Domain) error {
	if !w.features {
		return nil
	}
	sb := w.row("domainMetadata")
	sb.FieldBuilder(0).(*array.StringBuilder).Append(d.Domain)
	sb.FieldBuilder(1).(*array.StringBuilder).Append(d.Configuration)
	sb.FieldBuilder(2).(*array.BooleanBuilder).Append(d.Removed)
	return w.done()
}

// Version writes of which version the checkpoint is, as those of the second
// kind say in their manifest.
func (w *Writer) Version(v int64) error {
	sb := w.row("checkpointMetadata")
	sb.FieldBuilder(0).(*array.Int64Builder).Append(v)
	sb.FieldBuilder(1).AppendNull()
	return w.done()
}

// Sidecar names a file that holds adds and removes.
func (w *Writer) Sidecar(s *action.Sidecar) error {
	sb := w.row("sidecar")
	sb.FieldBuilder(0).(*array.StringBuilder).Append(s.Path)
	sb.FieldBuilder(1).(*array.Int64Builder).Append(s.SizeInBytes)
	sb.FieldBuilder(2).(*array.Int64Builder).Append(s.ModificationTime)
	sb.FieldBuilder(3).AppendNull()
	return w.done()
}

// Close ends the file and tells how many actions and how many adds it holds.
func (w *Writer) Close() (rows, adds int64, err error) {
	defer w.b.Release()
	if err := w.flush(); err != nil {
		_ = w.pq.Close() // the file is given up
		return 0, 0, err
	}
	return w.rows, w.adds, w.pq.Close()
}
