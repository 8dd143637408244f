package delta

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/marisma/marisma/delta/internal/checkpoint"
	"github.com/marisma/marisma/delta/internal/logfile"
	"github.com/marisma/marisma/objstore"
)

// Defaults of table properties.
const (
	defaultCheckpointInterval = 10
	defaultLogRetention       = 30 * 24 * time.Hour
	defaultFileRetention      = 7 * 24 * time.Hour
	// rowsPerCommit lets large tables have fewer checkpoints: unless the table
	// says how often, one is due after as many commits that each pays for the
	// writing of this many of its rows.
	rowsPerCommit = 500
)

// MaintainResult tells what Maintain did.
type MaintainResult struct {
	// Checkpointed tells whether a checkpoint of Version was written.
	Checkpointed bool
	Version      int64
	// LogFiles is how many log files were deleted.
	LogFiles int
}

// Maintain writes a checkpoint if enough commits have come since the last one
// (table property delta.checkpointInterval; without it every 10 commits, less
// often the more actions the checkpoint holds), and then, at most every hour,
// deletes log files past their retention. It costs little when nothing is due. The table's owner
// calls it now and then, off the path of commits.
func (t *Table) Maintain(ctx context.Context) (MaintainResult, error) {
	if err := lock(ctx, t.maintaining); err != nil {
		return MaintainResult{}, err
	}
	defer unlock(t.maintaining)
	s, err := t.Snapshot(ctx)
	if err != nil {
		return MaintainResult{}, err
	}
	res := MaintainResult{Version: s.version}
	last := checkpoint.Pointer{Version: -1}
	data, err := objstore.ReadAll(ctx, t.store, t.logKey(logfile.Hint))
	if err == nil {
		if p, perr := checkpoint.ParsePointer(data); perr == nil && p.Version <= s.version {
			last = p
		}
	}
	if s.version-max(last.Version, 0) < due(s.meta.Configuration, last.Size) {
		return res, nil
	}
	l, err := t.list(ctx, true)
	if err != nil {
		return res, err
	}
	if err := t.checkpoint(ctx, s, l); err != nil {
		return res, err
	}
	res.Checkpointed = true
	if v, ok := s.meta.Configuration["delta.enableExpiredLogCleanup"]; ok && v != "true" {
		return res, nil
	}
	// Looking through the log takes time in proportion to its files.
	keep := interval(s.meta.Configuration, "delta.logRetentionDuration", defaultLogRetention)
	if time.Since(t.cleaned) < min(keep/8, time.Hour) {
		return res, nil
	}
	res.LogFiles, err = t.cleanup(ctx, CleanupOptions{})
	t.cleaned = time.Now()
	return res, err
}

func due(properties map[string]string, rows int64) int64 {
	if n, err := strconv.ParseInt(properties["delta.checkpointInterval"], 10, 64); err == nil && n > 0 {
		return n
	}
	return max(defaultCheckpointInterval, rows/rowsPerCommit)
}

// CleanupOptions say what CleanupLog deletes.
type CleanupOptions struct {
	// Retention replaces the table's delta.logRetentionDuration (30 days by
	// default). Below some seconds it is for tables that one handle writes:
	// others could miss that the log went on.
	Retention time.Duration
	// DryRun counts only.
	DryRun bool
}

// CleanupLog deletes log files older than the retention, so far as a newer
// checkpoint replaces them, and tells how many. From a day on the retention is
// counted from the last midnight, UTC, as Spark does.
func (t *Table) CleanupLog(ctx context.Context, opt CleanupOptions) (int, error) {
	if err := lock(ctx, t.maintaining); err != nil {
		return 0, err
	}
	defer unlock(t.maintaining)
	if err := t.refresh(ctx); err != nil {
		return 0, err
	}
	return t.cleanup(ctx, opt)
}

func (t *Table) cleanup(ctx context.Context, opt CleanupOptions) (int, error) {
	s := t.current()
	if err := keepable(s.protocol, s.meta, s.schema); err != nil {
		return 0, err
	}
	keep := opt.Retention
	if keep <= 0 {
		keep = interval(s.meta.Configuration, "delta.logRetentionDuration", defaultLogRetention)
	}
	cutoff := t.opt.clock().UTC().Add(-keep)
	if keep >= 24*time.Hour {
		cutoff = cutoff.Truncate(24 * time.Hour)
	}
	l, err := t.listFrom(ctx, 0)
	if err != nil {
		return 0, err
	}
	first, err := t.firstKept(ctx, l, cutoff)
	if err != nil || first <= 0 || protected(s.protocol, s.meta, first) {
		return 0, err
	}
	// Oldest first: whatever is interrupted leaves a log without a hole.
	var doomed []logfile.File
	for _, c := range l.Commits {
		if c.Version < first {
			doomed = append(doomed, c)
		}
	}
	for _, parts := range l.Checkpoints {
		if parts[0].Version < first {
			doomed = append(doomed, parts...)
		}
	}
	for _, f := range l.Rest {
		// What begins at the checkpoint is told by the commits that stay.
		if f.Version < first || f.Kind == logfile.Compacted && f.Version == first {
			doomed = append(doomed, f)
		}
	}
	if opt.DryRun {
		return len(doomed), nil
	}
	for i, f := range doomed {
		if err := t.store.Delete(ctx, f.Key); err != nil {
			return i, fmt.Errorf("delta: log clean-up: %w", err)
		}
	}
	n, err := t.cleanSidecars(ctx)
	return len(doomed) + n, err
}

// firstKept is the version of the newest checkpoint that is not newer than the
// last commit up to the cutoff, and is whole; it, its commit and all after it
// stay. It is -1 without one.
func (t *Table) firstKept(ctx context.Context, l *listing, cutoff time.Time) (int64, error) {
	last := int64(-1)
	commits := map[int64]bool{}
	for i, at := range l.Times() {
		commits[l.Commits[i].Version] = true
		if !at.After(cutoff) {
			last = l.Commits[i].Version
		}
	}
	for _, parts := range slices.Backward(l.Checkpoints) {
		v := parts[0].Version
		if v > last || !commits[v] {
			continue
		}
		whole, err := t.whole(ctx, parts)
		if whole || err != nil {
			return v, err
		}
	}
	return -1, nil
}

// whole tells whether the files of a checkpoint end as they should and those
// that it names are there: what stands before a checkpoint that was cut off is
// still needed.
func (t *Table) whole(ctx context.Context, parts []logfile.File) (bool, error) {
	const end = "PAR1"
	for _, f := range parts {
		if !strings.HasSuffix(f.Key, ".parquet") {
			continue
		}
		r, _, err := t.store.Get(ctx, f.Key, -int64(len(end)), -1)
		if err != nil {
			return false, fmt.Errorf("delta: log clean-up: %w", err)
		}
		tail, err := io.ReadAll(r)
		if err = errors.Join(err, r.Close()); err != nil {
			return false, fmt.Errorf("delta: log clean-up: %w", err)
		}
		if string(tail) != end {
			return false, nil
		}
	}
	if parts[0].Kind != logfile.V2 {
		return true, nil
	}
	named, err := t.visitTop(ctx, parts, checkpoint.Visitor{})
	if err != nil {
		return false, ctx.Err() // it cannot be read
	}
	for _, s := range named {
		if _, err := t.store.Head(ctx, t.sidecar(s.Path)); errors.Is(err, objstore.ErrNotFound) {
			return false, nil
		} else if err != nil {
			return false, fmt.Errorf("delta: log clean-up: %w", err)
		}
	}
	return true, nil
}

// interval reads a property such as "interval 30 days"; other is its default.
func interval(properties map[string]string, name string, other time.Duration) time.Duration {
	words := strings.Fields(strings.ToLower(properties[name]))
	if len(words) > 0 && words[0] == "interval" {
		words = words[1:]
	}
	if len(words) == 0 || len(words)%2 != 0 {
		return other
	}
	units := map[string]time.Duration{
		"week": 7 * 24 * time.Hour, "day": 24 * time.Hour, "hour": time.Hour, "minute": time.Minute,
		"second": time.Second, "millisecond": time.Millisecond, "microsecond": time.Microsecond,
	}
	var sum time.Duration
	for i := 0; i < len(words); i += 2 {
		n, err := strconv.ParseInt(words[i], 10, 32)
		unit, ok := units[strings.TrimSuffix(words[i+1], "s")]
		if err != nil || !ok || n < 0 {
			return other
		}
		sum += time.Duration(n) * unit
	}
	return sum
}
