package delta

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/google/uuid"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/deletion"
	"github.com/marisma/marisma/delta/internal/stats"
	"github.com/marisma/marisma/objstore"
)

// RowSet is a set of positions of rows in a data file, from 0.
type RowSet = deletion.Bitmap

// Deleted is the set of rows of a's file that its deletion vector takes out,
// nil where it has none. An unreadable vector is ErrCorrupt and names its file.
func (s *Snapshot) Deleted(ctx context.Context, a Add) (*RowSet, error) {
	d := a.DeletionVector
	if d == nil || d.Cardinality == 0 && d.StorageType != deletion.Relative && d.StorageType != deletion.Absolute {
		return nil, nil
	}
	if d.StorageType == deletion.Inline {
		b, err := deletion.DecodeInline(d)
		if err != nil {
			return nil, fmt.Errorf("%w: of file %s: %w", ErrCorrupt, a.Path, err)
		}
		return b, nil
	}
	key, err := s.table.vectorKey(d)
	if err != nil {
		return nil, fmt.Errorf("%w: of file %s: %w", ErrCorrupt, a.Path, err)
	}
	store, at, err := s.table.where(key)
	var info objstore.Info
	if err == nil {
		info, err = store.Head(ctx, at)
	}
	if err != nil {
		return nil, fmt.Errorf("delta: the deletion vector of %s: %w", a.Path, err)
	}
	b, err := deletion.Read(newInput(ctx, store, at, info.Size), d)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrCorrupt, key, err)
	}
	return b, nil
}

// vectorKey is the store's key of the file that holds a vector.
func (t *Table) vectorKey(d *DeletionVector) (string, error) {
	p, err := deletion.Path(d)
	if err != nil {
		return "", err
	}
	if d.StorageType == deletion.Absolute {
		return t.locate(p), nil
	}
	return t.key(action.Canonical(p)), nil
}

// FileRows are rows of a live data file.
type FileRows struct {
	Add  Add
	Rows *RowSet
}

// DeleteRows writes deletion vectors that take rows out of files, besides those
// that are out already, in one new file, and gives the actions of a commit that
// makes it so. Files without a live row left are removed. It needs the table
// feature deletionVectors with delta.enableDeletionVectors. If the commit does
// not happen, DiscardVectors deletes that file again.
func (s *Snapshot) DeleteRows(ctx context.Context, files []FileRows) ([]Add, []Remove, error) {
	if !s.WritesVectors() {
		return nil, nil, &UnsupportedFeatureError{Writing: true, Features: []string{"deletionVectors"}, Protocol: *s.protocol}
	}
	now := s.table.opt.clock().UnixMilli()
	var adds []Add
	var removes []Remove
	var vectors []*deletion.Bitmap
	for _, f := range files {
		if f.Rows == nil || f.Rows.IsEmpty() {
			continue
		}
		gone, err := s.Deleted(ctx, f.Add)
		if err != nil {
			return nil, nil, err
		}
		all := f.Rows.Clone()
		if gone != nil {
			all.Or(gone)
		}
		rows := recordCount(f.Add.Stats)
		if rows < 0 {
			return nil, nil, fmt.Errorf("%w: a deletion vector needs the row count of %s, which has no statistics", ErrUnsupportedFeature, f.Add.Path)
		}
		if !all.IsEmpty() && all.Maximum() >= uint64(rows) {
			return nil, nil, fmt.Errorf("%w: row %d of %s, which has %d", ErrSchemaMismatch, all.Maximum(), f.Add.Path, rows)
		}
		removes = append(removes, f.Add.Remove(now, true))
		if all.GetCardinality() == uint64(rows) {
			continue
		}
		a := f.Add
		a.DataChange = true
		if a.Stats, err = stats.Loose(a.Stats); err != nil {
			return nil, nil, fmt.Errorf("%w: statistics of %s: %w", ErrCorrupt, a.Path, err)
		}
		adds, vectors = append(adds, a), append(vectors, all)
	}
	if len(vectors) == 0 {
		return nil, removes, nil
	}
	data, places, err := deletion.Encode(vectors)
	if err != nil {
		return nil, nil, err
	}
	id := uuid.New()
	for i := range adds {
		adds[i].DeletionVector = deletion.Descriptor("", id, places[i], int64(vectors[i].GetCardinality()))
	}
	key, err := s.table.vectorKey(adds[0].DeletionVector)
	if err != nil {
		return nil, nil, err
	}
	if _, err := s.table.store.Put(ctx, key, bytes.NewReader(data), objstore.PutOptions{IfAbsent: true}); err != nil {
		return nil, nil, fmt.Errorf("delta: deletion vectors: %w", err)
	}
	return adds, removes, nil
}

// WritesVectors tells whether rows are to be deleted by deletion vectors: the
// table has the feature and its property says so.
func (s *Snapshot) WritesVectors() bool {
	return s.meta.Configuration["delta.enableDeletionVectors"] == "true" && s.protocol.MinReaderVersion == 3 &&
		slices.Contains(s.protocol.ReaderFeatures, "deletionVectors") && slices.Contains(s.protocol.WriterFeatures, "deletionVectors")
}

// DiscardVectors deletes the files of vectors that DeleteRows wrote for a
// commit that did not happen. An OrphanError names those that could not be
// deleted, and wraps cause.
func (s *Snapshot) DiscardVectors(adds []Add, cause error) error {
	keys := map[string]bool{}
	for _, a := range adds {
		if a.DeletionVector == nil || a.DeletionVector.StorageType == deletion.Inline {
			continue
		}
		if k, err := s.table.vectorKey(a.DeletionVector); err == nil {
			keys[k] = true
		}
	}
	return s.table.discard(slices.Sorted(maps.Keys(keys)), cause)
}
