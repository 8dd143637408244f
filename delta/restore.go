package delta

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/deletion"
	"github.com/marisma/marisma/objstore"
)

// RestoreResult tells what Restore did. Files and Bytes are the table's after it.
type RestoreResult struct {
	Version                  int64
	Files, Bytes             int64
	Removed, Added           int64
	RemovedBytes, AddedBytes int64
}

// Restore makes the table what it was in an older snapshot of it: its files,
// schema and properties, in a new version. ErrVersionNotFound, before anything
// is changed, where files of the snapshot are vacuumed.
func (t *Table) Restore(ctx context.Context, to *Snapshot, opts ...WriteOption) (RestoreResult, error) {
	now, err := t.Snapshot(ctx)
	if err != nil {
		return RestoreResult{}, err
	}
	if !slices.Equal(now.meta.PartitionColumns, to.meta.PartitionColumns) {
		return RestoreResult{}, fmt.Errorf("%w: restoring a table to other partition columns", ErrUnsupportedFeature)
	}
	c := Commit{
		ReadVersion: now.version, DataChange: true, Serializable: true, Operation: "RESTORE",
		Parameters: map[string]string{"version": strconv.FormatInt(to.version, 10)},
	}
	r := RestoreResult{Files: int64(to.live), Bytes: to.bytes}
	then, live := to.keys(), now.keys()
	for a := range to.All() {
		if live[action.Key(a.Path, a.DeletionVector)] {
			continue
		}
		if err := to.present(ctx, a); err != nil {
			return RestoreResult{}, err
		}
		a.DataChange = true
		c.Adds = append(c.Adds, a)
		r.AddedBytes += a.Size
	}
	ms := t.opt.clock().UnixMilli()
	for a := range now.All() {
		if !then[action.Key(a.Path, a.DeletionVector)] {
			c.Removes = append(c.Removes, a.Remove(ms, true))
			r.RemovedBytes += a.Size
		}
	}
	r.Added, r.Removed = int64(len(c.Adds)), int64(len(c.Removes))
	c.restoreDefinition(now, to)
	c.Metrics = map[string]string{
		"numFiles": "", "numOutputRows": "", "numOutputBytes": "", "tableSizeAfterRestore": num(r.Bytes), "numOfFilesAfterRestore": num(r.Files),
		"numRemovedFiles": num(r.Removed), "numRestoredFiles": num(r.Added), "removedFilesSize": num(r.RemovedBytes), "restoredFilesSize": num(r.AddedBytes),
	}
	var unused WriterOptions
	for _, f := range opts {
		f(&c, &unused)
	}
	res, err := t.Commit(ctx, c) // its files are older versions': they stay where it fails
	r.Version = res.Version
	return r, err
}

// keys are those of the live files.
func (s *Snapshot) keys() map[string]bool {
	out := make(map[string]bool, s.live)
	for a := range s.All() {
		out[action.Key(a.Path, a.DeletionVector)] = true
	}
	return out
}

// present makes sure that a file and its deletion vector are still there.
func (s *Snapshot) present(ctx context.Context, a Add) error {
	keys := []string{s.Locate(a)}
	if d := a.DeletionVector; d != nil && d.StorageType != deletion.Inline {
		k, err := s.table.vectorKey(d)
		if err != nil {
			return fmt.Errorf("%w: of file %s: %w", ErrCorrupt, a.Path, err)
		}
		keys = append(keys, k)
	}
	for _, k := range keys {
		store, at, err := s.table.where(k)
		if err == nil {
			_, err = store.Head(ctx, at)
		}
		if errors.Is(err, objstore.ErrNotFound) {
			return fmt.Errorf("%w: %s of version %d is vacuumed", ErrVersionNotFound, k, s.version)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// restoreDefinition gives the table the schema and properties that it had.
func (c *Commit) restoreDefinition(now, then *Snapshot) {
	if now.meta.SchemaString != then.meta.SchemaString {
		c.SchemaTo, c.restores = then.schema, true
	}
	if now.meta.Description != then.meta.Description || now.meta.Described != then.meta.Described {
		c.Description = &then.meta.Description
	}
	if maps.Equal(now.meta.Configuration, then.meta.Configuration) {
		return
	}
	c.Properties = maps.Clone(then.meta.Configuration)
	if c.Properties == nil {
		c.Properties = map[string]string{}
	}
	for k := range now.meta.Configuration {
		if _, ok := then.meta.Configuration[k]; !ok {
			c.Properties[k] = ""
		}
	}
}
