package delta

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"strings"
	"time"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/deletion"
	"github.com/marisma/marisma/delta/internal/logfile"
	"github.com/marisma/marisma/objstore"
)

// VacuumOptions say what Vacuum deletes. The zero value is good.
type VacuumOptions struct {
	// Keep, if set, spares data files that no version names yet, such as those
	// of prepared commits; it is asked with their DataPath.
	Keep func(path string) bool
	// DryRun counts only.
	DryRun bool
	// Retention replaces the table's delta.deletedFileRetentionDuration. A
	// shorter one is refused with ErrRetention unless Force is set: readers of
	// older versions and writers under way may need the files.
	Retention *time.Duration
	Force     bool
	// Lite looks at the log alone and lists nothing: it finds the files that
	// commits took out, but not those that no commit ever named.
	Lite bool
	// List collects the keys of the files in the result.
	List bool
}

// ErrRetention says that a vacuum would delete files within the table's retention.
var ErrRetention = errors.New("delta: shorter than the table's retention")

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
	retention := fileRetention(s.meta)
	if opt.Retention != nil {
		if *opt.Retention < retention && !opt.Force {
			return res, fmt.Errorf("%w: %s instead of %s", ErrRetention, *opt.Retention, retention)
		}
		retention = *opt.Retention
	}
	needed, err := t.needed(ctx, s, retention)
	if err != nil {
		return res, err
	}
	cutoff := t.opt.clock().Add(-retention)
	all := t.store.List(ctx, t.key(""), "")
	if opt.Lite {
		all = t.takenOut(ctx, cutoff)
	}
	for o, err := range all {
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
func (t *Table) needed(ctx context.Context, s *Snapshot, retention time.Duration) (map[string]bool, error) {
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
	err = t.tombstones(ctx, s, base, retention, func(r *Remove) error { return note(r.Path, r.DeletionVector) })
	return keys, err
}

// takenOut are the objects below the root that commits in the log took out
// before a time, as far as they are there.
func (t *Table) takenOut(ctx context.Context, before time.Time) iter.Seq2[objstore.Info, error] {
	return func(yield func(objstore.Info, error) bool) {
		l, err := t.listFrom(ctx, 0)
		if err != nil {
			yield(objstore.Info{}, err)
			return
		}
		seen := map[string]bool{}
		for _, c := range l.Commits {
			set, _, err := t.readCommit(ctx, c.Version, nil)
			if err != nil {
				yield(objstore.Info{}, err)
				return
			}
			for _, key := range t.gone(set, c.ModTime, before) {
				if seen[key] || !strings.HasPrefix(key, t.key("")) {
					continue
				}
				seen[key] = true
				info, err := t.store.Head(ctx, key)
				if errors.Is(err, objstore.ErrNotFound) {
					continue
				}
				if !yield(info, err) || err != nil {
					return
				}
			}
		}
	}
}

// gone are the keys of what a commit, made at a time, took out before another;
// its change data is out when it is that old.
func (t *Table) gone(set *action.Set, at, before time.Time) []string {
	var out []string
	for _, r := range set.Removes {
		if r.DeletionTimestamp >= before.UnixMilli() {
			continue
		}
		out = append(out, t.locate(r.Path))
		if d := r.DeletionVector; d != nil && d.StorageType != deletion.Inline {
			if k, err := t.vectorKey(d); err == nil {
				out = append(out, k)
			}
		}
	}
	if at.Before(before) {
		for _, c := range set.Changes {
			out = append(out, t.locate(c.Path))
		}
	}
	return out
}

// isData tells whether a path below the root may be a data file.
func isData(path string) bool {
	path = strings.TrimPrefix(path, changeFolder+"/")
	return path != "" && !hidden(path)
}

// hidden tells whether a path names no data: a part of it begins with "_" or
// ".", unless it names a partition.
func hidden(path string) bool {
	for part := range strings.SplitSeq(path, "/") {
		if strings.HasPrefix(part, "_") && !strings.Contains(part, "=") || strings.HasPrefix(part, ".") {
			return true
		}
	}
	return false
}

// DataPath is the path below the table's root of the file that a names, as
// Vacuum hands paths to Keep.
func DataPath(a Add) string { return action.Canonical(a.Path) }
