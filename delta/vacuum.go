package delta

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/deletion"
	"github.com/marisma/marisma/delta/internal/logfile"
)

// VacuumOptions say what Vacuum deletes. The zero value is good.
type VacuumOptions struct {
	// Keep, if set, spares data files that no version names yet, such as those
	// of prepared commits; it is asked with their DataPath.
	Keep func(path string) bool
	// DryRun counts only.
	DryRun bool
	// Retention replaces the table's delta.deletedFileRetentionDuration.
	Retention *time.Duration
	// List collects the keys of the files in the result.
	List bool
}

// VacuumResult tells what Vacuum deleted.
type VacuumResult struct {
	Files int
	Bytes int64
	// Keys are the store's keys of the files, where List asks for them.
	Keys []string
}

// Vacuum deletes the data files below the table's root that no reader needs
// any more: those that neither the newest version holds nor a version within
// the table's delta.deletedFileRetentionDuration (7 days by default), among
// them what writers left behind that long ago. Change data goes with its
// age alone. Other files and folders whose names begin with "_" or "." are not
// data. Older versions cannot be read
// afterwards. A crash in between leaves files for the next time.
func (t *Table) Vacuum(ctx context.Context, opt VacuumOptions) (VacuumResult, error) {
	var res VacuumResult
	if err := lock(ctx, t.maintaining); err != nil {
		return res, err
	}
	defer unlock(t.maintaining)
	s, err := t.Snapshot(ctx)
	if err != nil {
		return res, err
	}
	if err := t.writable(s.protocol, s.meta, s.schema); err != nil {
		return res, err
	}
	needed, err := t.needed(ctx, s)
	if err != nil {
		return res, err
	}
	retention := fileRetention(s.meta)
	if opt.Retention != nil {
		retention = *opt.Retention
	}
	cutoff := t.opt.clock().Add(-retention)
	for o, err := range t.store.List(ctx, t.key(""), "") {
		if err != nil {
			return res, err
		}
		path := strings.TrimPrefix(o.Key, t.key(""))
		if !isData(path) || needed[o.Key] || !o.ModTime.Before(cutoff) || opt.Keep != nil && opt.Keep(path) {
			continue
		}
		if !opt.DryRun {
			if err := t.store.Delete(ctx, o.Key); err != nil {
				return res, fmt.Errorf("delta: vacuum of %s: %w", t.root, err)
			}
		}
		if opt.List {
			res.Keys = append(res.Keys, o.Key)
		}
		res.Files++
		res.Bytes += o.Size
	}
	return res, nil
}

// needed are the keys of the files that s holds or that were removed within
// the retention.
func (t *Table) needed(ctx context.Context, s *Snapshot) (map[string]bool, error) {
	keys := map[string]bool{}
	note := func(path string, d *DeletionVector) error {
		keys[t.locate(path)] = true
		if d == nil || d.StorageType == deletion.Inline {
			return nil
		}
		k, err := t.vectorKey(d)
		if err != nil {
			return fmt.Errorf("%w: of file %s: %w", ErrCorrupt, path, err)
		}
		keys[k] = true
		return nil
	}
	for a := range s.All() {
		if err := note(a.Path, a.DeletionVector); err != nil {
			return nil, err
		}
	}
	l, err := t.list(ctx, true)
	if err != nil {
		return nil, err
	}
	var base []logfile.File
	for _, parts := range l.Checkpoints {
		if parts[0].Version <= s.version {
			base = parts
		}
	}
	err = t.tombstones(ctx, s, base, func(r *Remove) error { return note(r.Path, r.DeletionVector) })
	return keys, err
}

// isData tells whether a path below the root may be a data file.
func isData(path string) bool {
	path = strings.TrimPrefix(path, changeFolder+"/")
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, "_") && !strings.Contains(part, "=") || strings.HasPrefix(part, ".") {
			return false
		}
	}
	return path != ""
}

// DataPath is the path below the table's root of the file that a names, as
// Vacuum hands paths to Keep.
func DataPath(a Add) string { return action.Canonical(a.Path) }
