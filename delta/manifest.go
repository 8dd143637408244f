package delta

import (
	"context"
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/marisma/marisma/objstore"
)

// ErrDeletedRows says that files of the table have deletion vectors, which
// manifests cannot tell.
var ErrDeletedRows = errors.New("delta: files have deleted rows")

// manifests is the folder of the symlink manifests below a table's root.
const manifests = "_symlink_format_manifest"

// WriteManifests lists the table's data files in files that Hive, Presto and
// Athena read as symlink tables: _symlink_format_manifest/<partition>/manifest.
// Lists of partitions that are gone are deleted. The table must not be changed
// meanwhile. ErrDeletedRows where a file has a deletion vector.
func (t *Table) WriteManifests(ctx context.Context) error {
	s, err := t.Snapshot(ctx)
	if err != nil {
		return err
	}
	keys := partitionKeys(s.schema, s.mapping, s.meta.PartitionColumns)
	lists := map[string]*strings.Builder{}
	for a := range s.All() {
		if a.DeletionVector != nil {
			return fmt.Errorf("%w: %s", ErrDeletedRows, a.Path)
		}
		key := t.key(path.Join(manifests, folder(keys, a.PartitionValues), "manifest"))
		if lists[key] == nil {
			lists[key] = &strings.Builder{}
		}
		uri, err := t.uri(s.Locate(a))
		if err != nil {
			return err
		}
		_, _ = lists[key].WriteString(uri + "\n") // a Builder does not fail
	}
	if len(keys) == 0 && len(lists) == 0 {
		lists[t.key(path.Join(manifests, "manifest"))] = &strings.Builder{}
	}
	for key, list := range lists {
		if _, err := t.store.Put(ctx, key, strings.NewReader(list.String()), objstore.PutOptions{}); err != nil {
			return fmt.Errorf("delta: manifest: %w", err)
		}
	}
	for o, err := range t.store.List(ctx, t.key(manifests)+"/", "") {
		if err != nil {
			return fmt.Errorf("delta: manifest: %w", err)
		}
		if lists[o.Key] == nil {
			if err := t.store.Delete(ctx, o.Key); err != nil {
				return fmt.Errorf("delta: manifest: %w", err)
			}
		}
	}
	return nil
}
