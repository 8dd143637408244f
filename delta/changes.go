package delta

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/marisma/marisma/delta/internal/logfile"
	"github.com/marisma/marisma/objstore"
)

// VersionChanges is what one version did. A streaming reader takes the adds
// with DataChange, and must decide what removes with DataChange mean to it.
type VersionChanges struct {
	Version int64
	// Time is when the version was committed, by the store.
	Time    time.Time
	Adds    []Add
	Removes []Remove
	// Changes, where there are any, hold all that the version did to the rows.
	Changes []Change
	// Metadata and Protocol are set where the version changed them.
	Metadata  *Metadata
	Protocol  *Protocol
	Txns      []Txn
	Operation string
	// Info is the commit's information, nil where it has none.
	Info *CommitInfo
}

// Changes yields what each version after `after` did, up to the newest. It
// ends with ErrVersionNotFound where the log of a version is cleaned up or
// `after` lies beyond the newest, with ErrTableChanged where the table was made
// anew.
func (t *Table) Changes(ctx context.Context, after int64) iter.Seq2[VersionChanges, error] {
	return func(yield func(VersionChanges, error) bool) {
		s, err := t.Snapshot(ctx)
		if err != nil {
			yield(VersionChanges{}, err)
			return
		}
		if after > s.version {
			yield(VersionChanges{}, fmt.Errorf("%w: %d; the newest is %d", ErrVersionNotFound, after, s.version))
			return
		}
		for v := max(after, -1) + 1; v <= s.version; v++ {
			c, err := t.changesOf(ctx, v)
			if !yield(c, err) || err != nil {
				return
			}
		}
	}
}

func (t *Table) changesOf(ctx context.Context, v int64) (VersionChanges, error) {
	set, at, err := t.readCommit(ctx, v, nil)
	if errors.Is(err, objstore.ErrNotFound) {
		return VersionChanges{}, fmt.Errorf("%w: the log of version %d is cleaned up", ErrVersionNotFound, v)
	}
	if err != nil {
		return VersionChanges{}, err
	}
	c := VersionChanges{
		Version: v, Time: at, Adds: set.Adds, Removes: set.Removes, Changes: set.Changes,
		Metadata: set.Metadata, Protocol: set.Protocol, Txns: set.Txns, Info: set.Info,
	}
	if set.Info != nil {
		c.Operation = set.Info.Operation
		if set.Info.InCommitTimestamp != nil {
			c.Time = time.UnixMilli(*set.Info.InCommitTimestamp)
		}
	}
	return c, nil
}

// HistoryEntry is a version's line in the history.
type HistoryEntry struct {
	Version int64
	Time    time.Time
	// Info is empty where the commit has none.
	Info CommitInfo
}

// History tells the newest versions, newest first, as far as the log goes back
// and at most limit; 0 for all.
func (t *Table) History(ctx context.Context, limit int) ([]HistoryEntry, error) {
	s, err := t.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	var out []HistoryEntry
	for v := s.version; v >= 0 && (limit <= 0 || len(out) < limit); v-- {
		set, at, err := t.readCommit(ctx, v, nil)
		if errors.Is(err, objstore.ErrNotFound) {
			break
		}
		if err != nil {
			return nil, err
		}
		e := HistoryEntry{Version: v, Time: at}
		if set.Info != nil {
			e.Info = *set.Info
		}
		out = append(out, e)
	}
	return out, nil
}

// LogBounds tells the oldest and the newest version whose commit is in the log.
func (t *Table) LogBounds(ctx context.Context) (oldest, newest int64, err error) {
	l, err := logfile.List(ctx, t.store, t.root, 0)
	if err != nil {
		return 0, 0, err
	}
	if len(l.Commits) == 0 {
		return 0, 0, fmt.Errorf("%w: no commit in the log of %q", ErrVersionNotFound, t.root)
	}
	return l.Commits[0].Version, l.Commits[len(l.Commits)-1].Version, nil
}
