package delta

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/deletion"
	"github.com/marisma/marisma/delta/internal/schema"
	"github.com/marisma/marisma/objstore"
)

// AbsoluteFiles are the live files by the full paths under which another table
// can name them, their deletion vectors, too. It needs a store on a local disk.
func (s *Snapshot) AbsoluteFiles() ([]Add, error) {
	out := make([]Add, 0, s.live)
	for a := range s.All() {
		uri, err := s.table.uri(s.Locate(a))
		if err != nil {
			return nil, err
		}
		a.Path = uri
		if d := a.DeletionVector; d != nil && d.StorageType == deletion.Relative {
			key, err := s.table.vectorKey(d)
			if err != nil {
				return nil, fmt.Errorf("%w: of file %s: %w", ErrCorrupt, a.Path, err)
			}
			v := *d
			v.StorageType = deletion.Absolute
			if v.PathOrInlineDv, err = s.table.uri(key); err != nil {
				return nil, err
			}
			a.DeletionVector = &v
		}
		out = append(out, a)
	}
	return out, nil
}

// uri is the URI of what locate gave.
func (t *Table) uri(located string) (string, error) {
	p, ok := t.store.(objstore.Pather)
	if !ok {
		return "", fmt.Errorf("%w: the files of a table that is not on a local disk have no full paths", ErrUnsupportedFeature)
	}
	if !strings.HasPrefix(located, "/") {
		located = p.Path(located)
	}
	return "file://" + action.Encode(located), nil
}

// ShallowClone makes a new table with the content and definition of a snapshot,
// whose files it names and does not copy. Changes of one do not show in the
// other; a Vacuum of the snapshot's table takes the clone's files, too. Both
// must lie on one local disk. Options add to the snapshot's definition.
func ShallowClone(ctx context.Context, s *Snapshot, store objstore.Store, root string, opts ...Option) (*Table, error) {
	props := map[string]string{}
	for k, v := range s.meta.Configuration {
		if k != schema.MaxIDKey && k != ictVersionKey && k != ictTimeKey {
			props[k] = v
		}
	}
	if s.protocol.MinWriterVersion >= 7 {
		for f := range features(s.protocol) {
			props[featurePrefix+f] = "supported"
		}
	}
	adds, err := s.AbsoluteFiles()
	if err != nil {
		return nil, err
	}
	first := []Option{WithProperties(props), WithPartitionBy(s.meta.PartitionColumns...), func(o *options) {
		o.description, o.described = s.meta.Description, s.meta.Described
		o.rowRules, o.rows, o.cluster = s.table.opt.rowRules, s.table.opt.rows, s.ClusterBy()
	}}
	d, err := NewDraft(store, root, s.schema, append(first, opts...)...)
	if err != nil {
		return nil, err
	}
	for i := range adds {
		adds[i].DataChange = true
	}
	t, _, err := d.Commit(ctx, Commit{Adds: adds, ReadVersion: -1, DataChange: true, Operation: "CLONE", Parameters: map[string]string{
		"source": s.table.root, "sourceVersion": strconv.FormatInt(s.version, 10), "isShallow": "true",
	}})
	return t, err
}
