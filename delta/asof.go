package delta

import (
	"context"
	"errors"
	"fmt"
	"sort"
	"strconv"
	"time"

	"github.com/marisma/marisma/objstore"
)

// In-commit timestamps (PROTOCOL.md): the property that switches them on, and
// those that tell from which version on commits have them.
const (
	ictKey        = "delta.enableInCommitTimestamps"
	ictVersionKey = "delta.inCommitTimestampEnablementVersion"
	ictTimeKey    = "delta.inCommitTimestampEnablementTimestamp"
)

// SnapshotAsOf is the table as it was at a time: the newest version committed
// then or before. Times are those that commits carry, where the table has
// in-commit timestamps, and else those of their files. ErrVersionNotFound
// where the log begins later.
func (t *Table) SnapshotAsOf(ctx context.Context, at time.Time) (*Snapshot, error) {
	version, err := t.VersionAsOf(ctx, at)
	if err != nil {
		return nil, err
	}
	return t.SnapshotAt(ctx, version)
}

// VersionAsOf is the newest version committed at a time or before it.
func (t *Table) VersionAsOf(ctx context.Context, at time.Time) (int64, error) {
	now, err := t.Snapshot(ctx)
	if err != nil {
		return 0, err
	}
	l, err := t.listFrom(ctx, 0)
	if err != nil {
		return 0, err
	}
	times := l.Times()
	n := len(times)
	first := n // index of the first commit with a time of its own
	if now.meta.Configuration[ictKey] == "true" {
		since, _ := strconv.ParseInt(now.meta.Configuration[ictVersionKey], 10, 64) // absent: from the beginning
		first = sort.Search(n, func(i int) bool { return l.Commits[i].Version >= since })
	}
	if ms, err := strconv.ParseInt(now.meta.Configuration[ictTimeKey], 10, 64); first < n && (err != nil || at.UnixMilli() >= ms) {
		var failed error
		end := first + sort.Search(n-first, func(i int) bool {
			when, err := t.commitTime(ctx, l.Commits[first+i].Version, times[first+i])
			failed = errors.Join(failed, err)
			return when.After(at)
		})
		if failed != nil {
			return 0, failed
		}
		if end > first {
			return l.Commits[end-1].Version, nil
		}
	}
	end := sort.Search(first, func(i int) bool { return times[i].After(at) })
	if end == 0 {
		return 0, fmt.Errorf("%w: none at or before %s", ErrVersionNotFound, at.UTC().Format(time.RFC3339Nano))
	}
	return l.Commits[end-1].Version, nil
}

// commitTime is when a version says that it was committed; other where it does not.
func (t *Table) commitTime(ctx context.Context, version int64, other time.Time) (time.Time, error) {
	set, _, err := t.readCommit(ctx, version, nil)
	if errors.Is(err, objstore.ErrNotFound) {
		return other, fmt.Errorf("%w: the log of version %d is cleaned up", ErrVersionNotFound, version)
	}
	if err != nil {
		return other, err
	}
	if set.Info == nil || set.Info.InCommitTimestamp == nil {
		return other, nil
	}
	return time.UnixMilli(*set.Info.InCommitTimestamp), nil
}
