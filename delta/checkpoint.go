package delta

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"sort"
	"time"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/checkpoint"
	"github.com/marisma/marisma/delta/internal/logfile"
	"github.com/marisma/marisma/objstore"
)

// Checkpoint writes a checkpoint of the newest version, unless there is one,
// and gives the version. It streams; memory does not grow with the table.
func (t *Table) Checkpoint(ctx context.Context) (int64, error) {
	if err := lock(ctx, t.maintaining); err != nil {
		return 0, err
	}
	defer unlock(t.maintaining)
	s, err := t.Snapshot(ctx)
	if err != nil {
		return 0, err
	}
	l, err := t.list(ctx, true)
	if err != nil {
		return 0, err
	}
	return s.version, t.checkpoint(ctx, s, l)
}

// checkpoint writes s; l is the log from some older checkpoint or from its beginning.
func (t *Table) checkpoint(ctx context.Context, s *Snapshot, l *listing) error {
	if err := keepable(s.protocol, s.meta, s.schema); err != nil {
		return err
	}
	bases := [][]logfile.File{nil}
	for _, parts := range l.Checkpoints {
		if parts[0].Version == s.version {
			return nil
		}
		if parts[0].Version < s.version {
			bases = append(bases, parts)
		}
	}
	// An older checkpoint that cannot be read must not keep the table from new
	// ones; at worst the tombstones in it are forgotten.
	for _, base := range slices.Backward(bases) {
		err := t.putCheckpoint(ctx, s, base)
		if !errors.Is(err, errTombstones) || base == nil || ctx.Err() != nil {
			return err
		}
		t.opt.logger.WarnContext(ctx, "tombstones cannot be read", "table", t.root, "err", err)
	}
	return nil
}

// errTombstones: the removes before a version could not be read.
var errTombstones = errors.New("delta: tombstones cannot be read")

func (t *Table) putCheckpoint(ctx context.Context, s *Snapshot, base []logfile.File) error {
	var p checkpoint.Pointer
	var err error
	if s.meta.Configuration[policyKey] == "v2" && features(s.protocol)["v2Checkpoint"] {
		p, err = t.putSecondKind(ctx, s, base)
	} else {
		p, err = t.putClassic(ctx, s, base)
	}
	if err != nil {
		return fmt.Errorf("delta: checkpoint of version %d: %w", s.version, err)
	}
	data, err := action.Marshal(p)
	if err != nil {
		return err
	}
	if _, err := t.store.Put(ctx, t.logKey(logfile.Hint), bytes.NewReader(data), objstore.PutOptions{}); err != nil {
		return fmt.Errorf("delta: checkpoint of version %d: %w", s.version, err)
	}
	return nil
}

// putClassic writes a checkpoint of one file.
func (t *Table) putClassic(ctx context.Context, s *Snapshot, base []logfile.File) (checkpoint.Pointer, error) {
	p := checkpoint.Pointer{Version: s.version}
	// Put again over an older try of the same version is harmless: both are whole.
	info, err := t.stream(ctx, t.logKey(logfile.CheckpointName(s.version)), func(out io.Writer) error {
		w, err := checkpoint.NewWriter(out, s.protocol, checkpoint.Whole)
		if err != nil {
			return err
		}
		if err = t.writeDefinition(w, s); err == nil {
			err = t.writeFiles(ctx, s, base, w.Remove, w.Add)
		}
		rows, adds, cerr := w.Close()
		p.Size, p.NumOfAddFiles = rows, adds
		return errors.Join(err, cerr)
	})
	p.SizeInBytes = info.Size
	return p, err
}

// stream puts an object while it is being written.
func (t *Table) stream(ctx context.Context, key string, write func(io.Writer) error) (objstore.Info, error) {
	r, pw := io.Pipe()
	done := make(chan error, 1)
	go func() {
		buf := bufio.NewWriterSize(pw, 256<<10)
		err := write(buf)
		if err == nil {
			err = buf.Flush()
		}
		_ = pw.CloseWithError(err)
		done <- err
	}()
	info, err := t.store.Put(ctx, key, r, objstore.PutOptions{})
	_ = r.Close()
	if werr := <-done; werr != nil && !errors.Is(werr, io.ErrClosedPipe) {
		err = werr
	}
	return info, err
}

// writeDefinition writes what a checkpoint says besides files.
func (t *Table) writeDefinition(w *checkpoint.Writer, s *Snapshot) error {
	err := w.Metadata(s.meta)
	for _, x := range sortedTxns(s) {
		if err == nil {
			err = w.Txn(&x)
		}
	}
	for _, k := range slices.Sorted(maps.Keys(s.domains)) {
		if d := s.domains[k]; err == nil {
			err = w.Domain(&d)
		}
	}
	return err
}

// writeFiles hands on the file actions of a checkpoint.
func (t *Table) writeFiles(ctx context.Context, s *Snapshot, base []logfile.File, remove func(*Remove) error, add func(*Add) error) error {
	if err := t.tombstones(ctx, s, base, fileRetention(s.meta), remove); err != nil {
		return err
	}
	for _, e := range s.files {
		if e.liveAt(s.version) {
			if err := add(&e.add); err != nil {
				return err
			}
		}
	}
	return nil
}

func sortedTxns(s *Snapshot) []Txn {
	keep := interval(s.meta.Configuration, "delta.setTransactionRetentionDuration", -1)
	out := make([]Txn, 0, len(s.txns))
	for _, x := range s.txns {
		if keep >= 0 && x.LastUpdated > 0 && x.LastUpdated < s.table.opt.clock().Add(-keep).UnixMilli() {
			continue
		}
		out = append(out, x)
	}
	sort.Slice(out, func(i, j int) bool { return out[i].AppID < out[j].AppID })
	return out
}

// fileRetention is how long files that were taken out of a table are kept.
func fileRetention(m *Metadata) time.Duration {
	return interval(m.Configuration, "delta.deletedFileRetentionDuration", defaultFileRetention)
}

// tombstones hands on the removes that are younger than a time: from the checkpoint
// before and from the commits since. They are no part of snapshots, so that a
// snapshot's memory follows the live files.
func (t *Table) tombstones(ctx context.Context, s *Snapshot, base []logfile.File, keep time.Duration, yield func(*Remove) error) error {
	expired := t.opt.clock().Add(-keep).UnixMilli()
	from := int64(0)
	if base != nil {
		from = base[0].Version + 1
	} else if l, err := t.listFrom(ctx, 0); err != nil {
		return err
	} else if len(l.Commits) > 0 {
		from = l.Commits[0].Version
	}
	fresh := map[string]*Remove{}
	added := map[string]bool{}
	for v := from; v <= s.version; v++ {
		set, _, err := t.readCommit(ctx, v, nil)
		if err != nil {
			return fmt.Errorf("%w: version %d: %w", errTombstones, v, err)
		}
		for i := range set.Removes {
			k := action.Key(set.Removes[i].Path, set.Removes[i].DeletionVector)
			fresh[k] = &set.Removes[i]
			delete(added, k)
		}
		for i := range set.Adds {
			k := action.Key(set.Adds[i].Path, set.Adds[i].DeletionVector)
			delete(fresh, k)
			added[k] = true
		}
	}
	keys := make([]string, 0, len(fresh))
	for k := range fresh {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, k := range keys {
		if fresh[k].DeletionTimestamp > expired {
			if err := yield(fresh[k]); err != nil {
				return err
			}
		}
	}
	v := &checkpoint.Visitor{Remove: func(r Remove) error {
		k := action.Key(r.Path, r.DeletionVector)
		if r.DeletionTimestamp <= expired || added[k] || fresh[k] != nil {
			return nil
		}
		return yield(&r)
	}}
	if err := t.visit(ctx, base, v); err != nil {
		return fmt.Errorf("%w: %w", errTombstones, err)
	}
	return nil
}
