package delta

import (
	"context"
	"fmt"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/deletion"
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
	key, err := s.vectorKey(d)
	if err != nil {
		return nil, fmt.Errorf("%w: of file %s: %w", ErrCorrupt, a.Path, err)
	}
	info, err := s.table.store.Head(ctx, key)
	if err != nil {
		return nil, fmt.Errorf("delta: the deletion vector of %s: %w", a.Path, err)
	}
	b, err := deletion.Read(newInput(ctx, s.table.store, key, info.Size), d)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrCorrupt, key, err)
	}
	return b, nil
}

// vectorKey is the store's key of the file that holds a vector.
func (s *Snapshot) vectorKey(d *DeletionVector) (string, error) {
	p, err := deletion.Path(d)
	if err != nil {
		return "", err
	}
	if d.StorageType == deletion.Absolute {
		return s.table.locate(p), nil
	}
	return s.table.key(action.Canonical(p)), nil
}
