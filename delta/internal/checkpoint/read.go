package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/parquet/file"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/parquetfile"
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
	Sidecar  func(action.Sidecar) error
}

// Set visits the actions of a checkpoint that is written as JSON.
func (v *Visitor) Set(s *action.Set) error {
	if s.Protocol != nil && v.Protocol != nil {
		if err := v.Protocol(s.Protocol); err != nil {
			return err
		}
	}
	if s.Metadata != nil && v.Metadata != nil {
		if err := v.Metadata(s.Metadata); err != nil {
			return err
		}
	}
	return errors.Join(each(s.Txns, v.Txn), each(s.Domains, v.Domain), each(s.Removes, v.Remove), each(s.Adds, v.Add), each(s.Sidecars, v.Sidecar))
}

func each[T any](list []T, f func(T) error) error {
	if f == nil {
		return nil
	}
	for _, x := range list {
		if err := f(x); err != nil {
			return err
		}
	}
	return nil
}

// Input is a Parquet file.
type Input = parquetfile.Input

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
	case "sidecar":
		return v.Sidecar != nil
	}
	return false
}

// Read visits the actions of a checkpoint file in the order of its rows.
func Read(ctx context.Context, in Input, v *Visitor) (err error) {
	defer func() {
		// The Parquet reader panics on some malformed files.
		if p := recover(); p != nil {
			err = fmt.Errorf("checkpoint: malformed Parquet: %v", p)
		}
	}()
	pf, err := parquetfile.Open(in)
	if err != nil {
		return err
	}
	defer func() { _ = pf.Close() }()
	d := &decoder{v: v, values: map[string]action.Values{}}
	for g := range pf.NumRowGroups() {
		if err := d.group(ctx, pf, g); err != nil {
			return err
		}
	}
	return nil
}

type decoder struct {
	v      *Visitor
	values map[string]action.Values
	key    []byte
	stats  *statNode // where statistics are a struct
}

func (d *decoder) group(ctx context.Context, pf *file.Reader, g int) error {
	rg := pf.RowGroup(g)
	ps := pf.MetaData().Schema
	cols := columns{}
	var all []*leaf
	structs := d.v.Add != nil && statsMissing(rg, ps)
	for i := range ps.NumColumns() {
		col := ps.Column(i)
		path := col.ColumnPath()
		if !d.v.wants(path[0]) || len(path) > 1 && (strings.HasSuffix(path[1], "_parsed") && (!structs || path[0] != "add" || path[1] != "stats_parsed") || path[0] == "add" && path[1] == "dataChange") {
			continue
		}
		chunk, err := rg.Column(i)
		if err != nil {
			return err
		}
		l, err := newLeaf(chunk, col)
		if err != nil {
			return err
		}
		cols[path.String()] = l
		all = append(all, l)
	}
	if structs {
		d.stats = statTree(cols, ps)
	}
	visits := d.visits(cols)
	for row := range rg.NumRows() {
		if row%leafBatch == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		for _, l := range all {
			if err := l.next(); err != nil {
				return err
			}
		}
		for _, visit := range visits {
			if err := visit(); err != nil {
				return err
			}
		}
	}
	return nil
}

// visits gives for each wanted kind what to do with a row.
func (d *decoder) visits(c columns) []func() error {
	var out []func() error
	when := func(mark *leaf, f func() error) {
		if mark == nil {
			return
		}
		out = append(out, func() error {
			if mark.there() {
				return f()
			}
			if mark.maxDef == 2 && mark.items[0].def == 1 {
				return errors.New("checkpoint: an action without its key")
			}
			return nil
		})
	}
	if d.v.Protocol != nil {
		rd, wr := c.at("protocol.minReaderVersion"), c.at("protocol.minWriterVersion")
		rf, wf := c.list("protocol.readerFeatures"), c.list("protocol.writerFeatures")
		when(rd, func() error {
			return d.v.Protocol(&action.Protocol{
				MinReaderVersion: int(rd.long()), MinWriterVersion: int(wr.long()), ReaderFeatures: rf.list(), WriterFeatures: wf.list(),
			})
		})
	}
	if d.v.Metadata != nil {
		when(c.at("metaData.id"), d.metadata(c))
	}
	if d.v.Txn != nil {
		app, ver, upd := c.at("txn.appId"), c.at("txn.version"), c.at("txn.lastUpdated")
		when(app, func() error {
			return d.v.Txn(action.Txn{AppID: app.text(), Version: ver.long(), LastUpdated: upd.long()})
		})
	}
	if d.v.Domain != nil {
		dom, conf, gone := c.at("domainMetadata.domain"), c.at("domainMetadata.configuration"), c.at("domainMetadata.removed")
		when(dom, func() error {
			return d.v.Domain(action.Domain{Domain: dom.text(), Configuration: conf.text(), Removed: gone.long() == 1})
		})
	}
	if d.v.Sidecar != nil {
		path, size, mtime := c.at("sidecar.path"), c.at("sidecar.sizeInBytes"), c.at("sidecar.modificationTime")
		when(path, func() error {
			return d.v.Sidecar(action.Sidecar{Path: path.text(), SizeInBytes: size.long(), ModificationTime: mtime.long()})
		})
	}
	if d.v.Add != nil {
		when(c.at("add.path"), d.add(c))
	}
	if d.v.Remove != nil {
		when(c.at("remove.path"), d.remove(c))
	}
	return out
}

func (d *decoder) metadata(c columns) func() error {
	id, name, desc, provider := c.at("metaData.id"), c.at("metaData.name"), c.at("metaData.description"), c.at("metaData.format.provider")
	options, schema, created := c.pairs("metaData.format.options"), c.at("metaData.schemaString"), c.at("metaData.createdTime")
	partition, conf := c.list("metaData.partitionColumns"), c.pairs("metaData.configuration")
	return func() error {
		return d.v.Metadata(&action.Metadata{
			ID: id.text(), Name: name.text(), Description: desc.text(), Described: desc.there(),
			Format:       action.Format{Provider: provider.text(), Options: options.words()},
			SchemaString: schema.text(), PartitionColumns: partition.list(), Configuration: conf.words(), CreatedTime: created.long(),
		})
	}
}

func (d *decoder) add(c columns) func() error {
	path, size, mtime, stats := c.at("add.path"), c.at("add.size"), c.at("add.modificationTime"), c.at("add.stats")
	pv, tags, dv, provider := c.pairs("add.partitionValues"), c.pairs("add.tags"), c.vector("add.deletionVector"), c.at("add.clusteringProvider")
	base, ver := c.at("add.baseRowId"), c.at("add.defaultRowCommitVersion")
	return func() error {
		text := stats.text()
		if d.stats != nil {
			text = d.stats.text()
		}
		return d.v.Add(action.Add{
			Path: path.text(), PartitionValues: d.partition(pv), Size: size.long(), ModificationTime: mtime.long(), Stats: text,
			Tags: tags.words(), DeletionVector: dv.get(), BaseRowID: base.opt(), DefaultRowCommitVersion: ver.opt(), ClusteringProvider: provider.text(),
		})
	}
}

func (d *decoder) remove(c columns) func() error {
	path, size, stamp, ext := c.at("remove.path"), c.at("remove.size"), c.at("remove.deletionTimestamp"), c.at("remove.extendedFileMetadata")
	pv, dv := c.pairs("remove.partitionValues"), c.vector("remove.deletionVector")
	base, ver := c.at("remove.baseRowId"), c.at("remove.defaultRowCommitVersion")
	return func() error {
		return d.v.Remove(action.Remove{
			Path: path.text(), DeletionTimestamp: stamp.long(), ExtendedFileMetadata: ext.long() == 1,
			PartitionValues: d.partition(pv), Size: size.long(), DeletionVector: dv.get(), BaseRowID: base.opt(), DefaultRowCommitVersion: ver.opt(),
		})
	}
}

func (v vectorLeaves) get() *action.DeletionVector {
	if !v.kind.there() {
		return nil
	}
	dv := &action.DeletionVector{
		StorageType: v.kind.text(), PathOrInlineDv: v.path.text(), SizeInBytes: int32(v.size.long()), Cardinality: v.rows.long(),
	}
	if v.offset.there() {
		n := int32(v.offset.long())
		dv.Offset = &n
	}
	return dv
}

// partition shares equal values between actions.
func (d *decoder) partition(p pairs) action.Values {
	if !p.there() {
		return nil
	}
	key := d.key[:0]
	for i, k := range p.keys.items {
		key = append(append(key, k.s...), 0)
		if i < len(p.values.items) {
			key = append(append(key, p.values.items[i].s...), 1)
		}
	}
	d.key = key
	if v, ok := d.values[string(key)]; ok {
		return v
	}
	v := action.Values(p.words())
	if len(d.values) > 1<<14 {
		clear(d.values)
	}
	d.values[string(key)] = v
	return v
}
