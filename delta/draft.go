package delta

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strconv"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/uuid"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/logfile"
	"github.com/marisma/marisma/delta/internal/schema"
	"github.com/marisma/marisma/objstore"
)

// Draft is a table, or a table's new definition, that no version has yet. Its
// NewWriter writes files for it; Commit makes definition and files a version in
// one step. It is for one goroutine.
type Draft struct {
	table *Table // has the definition as its tip
	old   *Table // the table to be redefined, nil for a new one
	meta  *Metadata
	proto *Protocol
}

// NewDraft begins a table as Create does, without committing it.
func NewDraft(store objstore.Store, root string, s *arrow.Schema, opts ...Option) (*Draft, error) {
	t := newTable(store, root, newOptions(opts))
	return t.draft(s, uuid.NewString())
}

// Redefine begins another definition of t, which keeps its identity: what
// CREATE OR REPLACE TABLE does. The options are those of Create.
func (t *Table) Redefine(s *arrow.Schema, opts ...Option) (*Draft, error) {
	n := newTable(t.store, t.root, newOptions(opts))
	n.opt.rowRules = n.opt.rowRules || t.opt.rowRules
	d, err := n.draft(s, t.id)
	if err == nil {
		d.old = t
	}
	return d, err
}

func (t *Table) draft(s *arrow.Schema, id string) (*Draft, error) {
	sc, err := schema.Normal(s)
	if err != nil {
		return nil, fmt.Errorf("delta: %w", err)
	}
	if sc.NumFields() > 0 {
		if err := checkPartition(sc, t.opt.partition); err != nil {
			return nil, err
		}
	}
	props := maps.Clone(t.opt.properties)
	if props == nil {
		props = map[string]string{}
	}
	if err := checkLayout(props); err != nil {
		return nil, err
	}
	p, err := t.protocolOf(nil, sc, props)
	if err != nil {
		return nil, err
	}
	if schema.MappingOf(props) != schema.Unmapped {
		var last int32
		sc, last = schema.Assign(sc, 0, newPhysicalName)
		props[schema.MaxIDKey] = strconv.Itoa(int(last))
	}
	text, err := schema.Text(sc)
	if err != nil {
		return nil, fmt.Errorf("delta: %w", err)
	}
	nameRowColumns(p, props)
	m := &Metadata{
		ID: id, Name: t.opt.name, Description: t.opt.description, Described: t.opt.described,
		Format: action.Format{Provider: "parquet", Options: map[string]string{}}, SchemaString: text,
		PartitionColumns: append([]string{}, t.opt.partition...), Configuration: props, CreatedTime: t.opt.clock().UnixMilli(),
	}
	if err := t.writable(p, m, sc); err != nil {
		return nil, err
	}
	st := newState()
	st.protocol = p
	st.setMetadata(m)
	t.settle(st)
	t.id = id
	return &Draft{table: t, meta: m, proto: p}, nil
}

// NewWriter begins writing files for the table that the draft will be.
func (d *Draft) NewWriter(ctx context.Context, opt WriterOptions) (*Writer, error) {
	return d.table.NewWriter(ctx, opt)
}

// Discard deletes files that were written for the draft.
func (d *Draft) Discard(adds []Add) error { return d.table.discard(d.table.keysOf(adds), nil) }

// Commit makes the definition and c's adds a version: 0 of a new table, and one
// that replaces everything of a table that was there. ErrTableExists where a
// new table's place is taken.
func (d *Draft) Commit(ctx context.Context, c Commit) (*Table, CommitResult, error) {
	if d.old != nil {
		c.define, c.ReplaceAll, c.DataChange = d, true, true
		r, err := d.old.Commit(ctx, c)
		return d.old, r, err
	}
	t := d.table
	if err := errors.Join(c.validate(), c.count(d.meta)); err != nil {
		return nil, CommitResult{}, err
	}
	l, err := logfile.List(ctx, t.store, t.root, 0)
	if err != nil {
		return nil, CommitResult{}, err
	}
	if len(l.Commits)+len(l.Checkpoints) > 0 {
		return nil, CommitResult{}, fmt.Errorf("%w: %s", ErrTableExists, t.root)
	}
	id := uuid.NewString()
	set := &action.Set{Protocol: d.proto, Metadata: d.meta, Adds: c.Adds}
	if t.opt.cluster != nil {
		dom, err := clusterAction(t.tip.schema, schema.MappingOf(d.meta.Configuration), t.opt.cluster)
		if err != nil {
			return nil, CommitResult{}, err
		}
		set.Domains = []action.Domain{dom}
	}
	if err := t.trackRows(newState(), set, 0); err != nil {
		return nil, CommitResult{}, err
	}
	now := t.opt.clock().UnixMilli()
	set.Info = t.info(&c, set, id, now)
	stampCommit(newState(), set, now)
	set.Info.IsBlindAppend = c.ReadVersion < 0
	set.Info.IsolationLevel = "Serializable"
	data, err := set.Encode()
	if err != nil {
		return nil, CommitResult{}, err
	}
	at, err := t.put(ctx, 0, data, id, nil)
	if errors.Is(err, objstore.ErrExists) {
		return nil, CommitResult{}, fmt.Errorf("%w: %s", ErrTableExists, t.root)
	}
	if err != nil {
		return nil, CommitResult{}, err
	}
	st := newState()
	st.apply(0, set, at)
	t.settle(st)
	t.putChecksum(ctx, st.checksum(id))
	return t, CommitResult{Version: 0, Time: st.time}, nil
}

// newer is the draft's protocol where a table of protocol p lacks some of it.
func (d *Draft) newer(p *Protocol) *Protocol {
	before, want := features(p), features(d.proto)
	grown := false
	for f := range want {
		grown = grown || !before[f]
	}
	if !grown {
		return nil
	}
	for f := range before {
		want[f] = true
	}
	if n := lowest(want); !reflect.DeepEqual(n, p) {
		return n
	}
	return nil
}
