package delta

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/checkpoint"
	"github.com/marisma/marisma/delta/internal/logfile"
	"github.com/marisma/marisma/objstore"
)

// errIncomplete: a checkpoint that can be read but cannot be right. Unlike a
// damaged one it is not passed over, for its writer believed it.
var errIncomplete = fmt.Errorf("%w: the checkpoint lacks protocol or metadata", ErrCorrupt)

// load replays the log up to version at, or to its end if at is negative.
func (t *Table) load(ctx context.Context, at int64) (*state, error) {
	l, err := t.list(ctx, at < 0)
	if err != nil {
		return nil, err
	}
	st, err := t.replay(ctx, l, at)
	if err == nil || ctx.Err() != nil || l.from == 0 || errors.Is(err, ErrUnsupportedFeature) || errors.Is(err, errIncomplete) {
		return st, err
	}
	// What the hint led to is damaged: the whole log may know better.
	t.opt.logger.WarnContext(ctx, "checkpoint cannot be used; reading the whole log", "table", t.root, "err", err)
	if l, err = t.listFrom(ctx, 0); err != nil {
		return nil, err
	}
	return t.replay(ctx, l, at)
}

// listing is a log listing that began at a version.
type listing struct {
	*logfile.Listing
	from int64
}

func (t *Table) listFrom(ctx context.Context, from int64) (*listing, error) {
	l, err := logfile.List(ctx, t.store, t.root, from)
	if err != nil {
		return nil, err
	}
	return &listing{l, from}, nil
}

// list lists the log from the checkpoint that the hint names, from its
// beginning where the hint is missing, torn or wrong.
func (t *Table) list(ctx context.Context, hint bool) (*listing, error) {
	if hint {
		data, err := objstore.ReadAll(ctx, t.store, t.logKey(logfile.Hint))
		if err != nil && !errors.Is(err, objstore.ErrNotFound) {
			return nil, err
		}
		if p, perr := checkpoint.ParsePointer(data); err == nil && perr == nil && p.Version > 0 {
			l, err := t.listFrom(ctx, p.Version)
			if err != nil {
				return nil, err
			}
			if len(l.Checkpoints) > 0 {
				return l, nil
			}
		}
	}
	l, err := t.listFrom(ctx, 0)
	if err != nil {
		return nil, err
	}
	if len(l.Commits)+len(l.Checkpoints) == 0 {
		return nil, fmt.Errorf("%w: %q has no %s", ErrNotATable, t.root, logfile.Folder)
	}
	return l, nil
}

// replay builds the state of version at from the newest checkpoint that can be
// read, or from the first commit.
func (t *Table) replay(ctx context.Context, l *listing, at int64) (*state, error) {
	newest := int64(-1)
	if n := len(l.Commits); n > 0 {
		newest = l.Commits[n-1].Version
	}
	if n := len(l.Checkpoints); n > 0 {
		newest = max(newest, l.Checkpoints[n-1][0].Version)
	}
	if at < 0 {
		at = newest
	}
	if at > newest {
		return nil, fmt.Errorf("%w: %d; the newest is %d", ErrVersionNotFound, at, newest)
	}
	var damage error
	for _, parts := range slices.Backward(l.Checkpoints) {
		if parts[0].Version > at {
			continue
		}
		st, err := t.from(ctx, parts, l, at)
		if err == nil || ctx.Err() != nil || errors.Is(err, ErrUnsupportedFeature) || errors.Is(err, errIncomplete) {
			return st, err
		}
		damage = errors.Join(damage, err)
		t.opt.logger.WarnContext(ctx, "checkpoint cannot be read", "table", t.root, "version", parts[0].Version, "err", err)
	}
	if l.from > 0 {
		return nil, fmt.Errorf("%w: no checkpoint from version %d on can be read: %w", ErrCorrupt, l.from, damage)
	}
	st, err := t.from(ctx, nil, l, at)
	if err != nil && ctx.Err() == nil {
		if damage != nil { // what is wrong with the checkpoint is why the log was wanted from its beginning
			err = damage
		}
	}
	return st, err
}

// from replays a checkpoint, if any, and the commits after it up to at.
func (t *Table) from(ctx context.Context, parts []logfile.File, l *listing, at int64) (*state, error) {
	st := newState()
	if parts != nil {
		if err := t.readCheckpoint(ctx, st, parts); err != nil {
			return nil, err
		}
		st.version, st.time = parts[0].Version, parts[0].ModTime
	}
	var commits []logfile.File
	for _, c := range l.Commits {
		if c.Version == st.version && parts != nil {
			st.time = c.ModTime
		}
		if c.Version > st.version && c.Version <= at {
			commits = append(commits, c)
		}
	}
	want := st.version + 1
	for _, c := range commits {
		if c.Version != want {
			break
		}
		want++
	}
	if want != at+1 {
		family := ErrCorrupt
		if parts == nil && want == 0 {
			family = ErrVersionNotFound // its log is cleaned up
		}
		return nil, fmt.Errorf("%w: version %d is missing from the log", family, want)
	}
	if err := t.applyAll(ctx, st, commits); err != nil {
		return nil, err
	}
	if err := st.check(); err != nil {
		return nil, err
	}
	if len(commits) == 0 && st.stamped() {
		when, err := t.commitTime(ctx, st.version, st.time)
		if err != nil && !errors.Is(err, ErrVersionNotFound) {
			return nil, err
		}
		st.time = when
	}
	return st, t.verify(ctx, st, l)
}

type decoded struct {
	set *action.Set
	at  time.Time
	err error
}

// applyAll reads commits on all cores and applies them in order.
func (t *Table) applyAll(ctx context.Context, st *state, commits []logfile.File) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	workers := min(runtime.GOMAXPROCS(0), 8, max(len(commits), 1))
	decoders := make(chan *action.Decoder, workers)
	for range workers {
		decoders <- &action.Decoder{Brief: true}
	}
	queue := make(chan chan decoded, 2*workers)
	go func() {
		defer close(queue)
		for _, c := range commits {
			slot := make(chan decoded, 1)
			select {
			case queue <- slot:
			case <-ctx.Done():
				return
			}
			d := <-decoders
			go func() {
				set, at, err := t.readCommit(ctx, c.Version, d)
				decoders <- d
				slot <- decoded{set, at, err}
			}()
		}
	}()
	for _, c := range commits {
		select {
		case slot, ok := <-queue:
			if !ok {
				return ctx.Err()
			}
			r := <-slot
			if r.err != nil {
				return r.err
			}
			st.apply(c.Version, r.set, r.at)
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

func (t *Table) readCheckpoint(ctx context.Context, st *state, parts []logfile.File) error {
	v := &checkpoint.Visitor{
		Protocol: func(p *Protocol) error { st.protocol = p; return nil },
		Metadata: func(m *Metadata) error { st.setMetadata(m); return nil },
		Txn:      func(x Txn) error { st.txns[x.AppID] = x; return nil },
		Domain: func(d action.Domain) error {
			if !d.Removed {
				st.domains[d.Domain] = d
			}
			return nil
		},
		Add: func(a Add) error { st.add(a, parts[0].Version); return nil },
	}
	if err := t.visit(ctx, parts, v); err != nil {
		return err
	}
	if st.protocol == nil || st.meta == nil {
		return fmt.Errorf("%w: version %d", errIncomplete, parts[0].Version)
	}
	return nil
}

// visit reads the files of a checkpoint and the sidecars that they name.
func (t *Table) visit(ctx context.Context, parts []logfile.File, v *checkpoint.Visitor) error {
	sidecars, err := t.visitTop(ctx, parts, *v)
	if err != nil {
		return err
	}
	files := checkpoint.Visitor{Add: v.Add, Remove: v.Remove}
	for _, s := range sidecars {
		key := t.sidecar(s.Path)
		info, err := t.store.Head(ctx, key)
		if err == nil {
			err = checkpoint.Read(ctx, newInput(ctx, t.store, key, info.Size), &files)
		}
		if err != nil {
			return fmt.Errorf("%w: %s: %w", ErrCorrupt, key, err)
		}
	}
	return nil
}

// visitTop reads the files of a checkpoint, and gives the sidecars that they name.
func (t *Table) visitTop(ctx context.Context, parts []logfile.File, v checkpoint.Visitor) ([]action.Sidecar, error) {
	var sidecars []action.Sidecar
	v.Sidecar = func(s action.Sidecar) error { sidecars = append(sidecars, s); return nil }
	for _, p := range parts {
		var err error
		if strings.HasSuffix(p.Key, ".json") {
			err = t.visitJSON(ctx, p.Key, &v)
		} else {
			err = checkpoint.Read(ctx, newInput(ctx, t.store, p.Key, p.Size), &v)
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %s: %w", ErrCorrupt, p.Key, err)
		}
	}
	return sidecars, nil
}

// sidecar is the store's key of a sidecar by the path that a checkpoint names.
func (t *Table) sidecar(path string) string {
	c := action.Canonical(path)
	if action.Absolute(c) || strings.Contains(c, "/") {
		return t.locate(path)
	}
	return t.logKey(logfile.Sidecars + "/" + c)
}

func (t *Table) visitJSON(ctx context.Context, key string, v *checkpoint.Visitor) error {
	r, _, err := t.store.Get(ctx, key, 0, -1)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	set, err := (&action.Decoder{}).Read(r)
	if err != nil {
		return err
	}
	return v.Set(set)
}

// SnapshotAt is the table as of a version. ErrVersionNotFound where it does not
// exist or its log is gone.
func (t *Table) SnapshotAt(ctx context.Context, version int64) (*Snapshot, error) {
	if version < 0 {
		return nil, fmt.Errorf("%w: %d", ErrVersionNotFound, version)
	}
	if s := t.current(); s.version == version {
		return s, t.checkTip()
	}
	st, err := t.load(ctx, version)
	if err != nil {
		return nil, err
	}
	return st.snapshot(t), nil
}
