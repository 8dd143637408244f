package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/pqarrow"
	"github.com/marisma/marisma/delta/internal/action"
)

// Visitor takes the actions of a checkpoint; nil functions skip their kind,
// and its columns are not read.
type Visitor struct {
	Protocol func(*action.Protocol) error
	Metadata func(*action.Metadata) error
	Txn      func(action.Txn) error
	Domain   func(action.Domain) error
	Add      func(action.Add) error
	Remove   func(action.Remove) error
}

// Input is a Parquet file.
type Input interface {
	io.ReaderAt
	io.Seeker
}

func (v *Visitor) wants(top string) bool {
	switch top {
	case "protocol":
		return v.Protocol != nil
	case "metaData":
		return v.Metadata != nil
	case "txn":
		return v.Txn != nil
	case "domainMetadata":
		return v.Domain != nil
	case "add":
		return v.Add != nil
	case "remove":
		return v.Remove != nil
	}
	return false
}

// Read visits the actions of a checkpoint file.
func Read(ctx context.Context, in Input, v *Visitor) (err error) {
	defer func() {
		// The Parquet reader panics on some malformed files.
		if p := recover(); p != nil {
			err = fmt.Errorf("checkpoint: malformed Parquet: %v", p)
		}
	}()
	pf, err := file.NewParquetReader(in)
	if err != nil {
		return err
	}
	defer func() { _ = pf.Close() }()
	fr, err := pqarrow.NewFileReader(pf, pqarrow.ArrowReadProperties{BatchSize: batchRows}, memory.DefaultAllocator)
	if err != nil {
		return err
	}
	var cols []int
	ps := pf.MetaData().Schema
	for i := range ps.NumColumns() {
		path := ps.Column(i).ColumnPath()
		if v.wants(path[0]) && (len(path) < 2 || !strings.HasSuffix(path[1], "_parsed")) {
			cols = append(cols, i)
		}
	}
	if len(cols) == 0 {
		return nil
	}
	rr, err := fr.GetRecordReader(ctx, cols, nil)
	if err != nil {
		return err
	}
	defer rr.Release()
	d := &decoder{v: v, values: map[string]action.Values{}}
	for rr.Next() {
		if err := d.batch(rr.RecordBatch()); err != nil {
			return err
		}
	}
	if err := rr.Err(); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil
}

type decoder struct {
	v      *Visitor
	values map[string]action.Values
	key    []byte
}

func (d *decoder) batch(rec arrow.RecordBatch) error {
	for i, f := range rec.Schema().Fields() {
		st, ok := rec.Column(i).(*array.Struct)
		if !ok {
			return fmt.Errorf("checkpoint: column %s is no struct", f.Name)
		}
		if st.NullN() == st.Len() {
			continue
		}
		if err := d.column(f.Name, row{st: st}); err != nil {
			return err
		}
	}
	return nil
}

func (d *decoder) column(name string, r row) error {
	var one func(row) error
	switch name {
	case "add":
		one = d.adder(r)
	case "remove":
		one = d.remover(r)
	case "txn":
		one = func(r row) error {
			return d.v.Txn(action.Txn{AppID: r.text("appId"), Version: r.long("version"), LastUpdated: r.long("lastUpdated")})
		}
	case "domainMetadata":
		one = func(r row) error {
			return d.v.Domain(action.Domain{Domain: r.text("domain"), Configuration: r.text("configuration"), Removed: r.boolean("removed")})
		}
	case "protocol":
		one = func(r row) error {
			return d.v.Protocol(&action.Protocol{
				MinReaderVersion: int(r.long("minReaderVersion")), MinWriterVersion: int(r.long("minWriterVersion")),
				ReaderFeatures: r.list("readerFeatures"), WriterFeatures: r.list("writerFeatures"),
			})
		}
	case "metaData":
		one = d.metadata
	default:
		return nil
	}
	for r.i = 0; r.i < r.st.Len(); r.i++ {
		if r.st.IsValid(r.i) {
			if err := one(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (d *decoder) metadata(r row) error {
	m := &action.Metadata{
		ID: r.text("id"), Name: r.text("name"), Description: r.text("description"),
		SchemaString: r.text("schemaString"), PartitionColumns: r.list("partitionColumns"),
		Configuration: r.words("configuration"), CreatedTime: r.long("createdTime"),
	}
	if f, ok := r.at("format").(*array.Struct); ok {
		fr := row{st: f, i: r.i}
		m.Format = action.Format{Provider: fr.text("provider"), Options: fr.words("options")}
	}
	return d.v.Metadata(m)
}

func (d *decoder) adder(r row) func(row) error {
	path, size, mtime, stats := r.at("path"), r.at("size"), r.at("modificationTime"), r.at("stats")
	pv, tags, dv, provider := r.at("partitionValues"), r.at("tags"), r.at("deletionVector"), r.at("clusteringProvider")
	base, ver := r.at("baseRowId"), r.at("defaultRowCommitVersion")
	return func(r row) error {
		a := action.Add{
			Path: textOf(path, r.i), PartitionValues: d.partition(pv, r.i), Size: longOf(size, r.i), ModificationTime: longOf(mtime, r.i),
			Stats: textOf(stats, r.i), Tags: mapOf(tags, r.i), DeletionVector: vectorOf(dv, r.i),
			BaseRowID: optOf(base, r.i), DefaultRowCommitVersion: optOf(ver, r.i), ClusteringProvider: textOf(provider, r.i),
		}
		if a.Path == "" {
			return errors.New("checkpoint: an add without path")
		}
		return d.v.Add(a)
	}
}

func (d *decoder) remover(r row) func(row) error {
	path, size, stamp, ext := r.at("path"), r.at("size"), r.at("deletionTimestamp"), r.at("extendedFileMetadata")
	pv, dv, base, ver := r.at("partitionValues"), r.at("deletionVector"), r.at("baseRowId"), r.at("defaultRowCommitVersion")
	return func(r row) error {
		x := action.Remove{
			Path: textOf(path, r.i), DeletionTimestamp: longOf(stamp, r.i), ExtendedFileMetadata: boolOf(ext, r.i),
			PartitionValues: d.partition(pv, r.i), Size: longOf(size, r.i), DeletionVector: vectorOf(dv, r.i),
			BaseRowID: optOf(base, r.i), DefaultRowCommitVersion: optOf(ver, r.i),
		}
		if x.Path == "" {
			return errors.New("checkpoint: a remove without path")
		}
		return d.v.Remove(x)
	}
}

// partition shares equal values between actions.
func (d *decoder) partition(a arrow.Array, i int) action.Values {
	m, ok := a.(*array.Map)
	if !ok || m.IsNull(i) {
		return nil
	}
	from, to := m.ValueOffsets(i)
	if from == to {
		return nil
	}
	key := d.key[:0]
	for j := int(from); j < int(to); j++ {
		key = append(append(key, rawText(m.Keys(), j)...), 0)
		key = append(append(key, rawText(m.Items(), j)...), 1)
	}
	d.key = key
	if v, ok := d.values[string(key)]; ok {
		return v
	}
	v := action.Values(mapOf(a, i))
	if len(d.values) > 1<<14 {
		clear(d.values)
	}
	d.values[string(key)] = v
	return v
}
