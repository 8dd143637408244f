package delta

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/logfile"
	"github.com/marisma/marisma/objstore"
)

// Table is a handle on a table. It keeps the newest state that it has seen and
// reads only what came after.
type Table struct {
	store objstore.Store
	root  string
	opt   options
	id    string

	// committing is held by the one commit of this handle under way; it comes
	// before tail.
	committing chan struct{}
	// tail is held while the log's end is read.
	tail chan struct{}
	// maintaining is held by the one checkpoint, clean-up or compaction under way.
	maintaining chan struct{}
	// cleaned is when log files were last looked through for deletion; it
	// belongs to the holder of maintaining.
	cleaned time.Time

	mu   sync.Mutex
	tip  *state
	seen time.Time // when the tip was last known to be in the log
}

// stale is the time after which a handle no longer trusts that the log still
// goes on where it left off: it may have been cleaned up past that place. It
// must be shorter than any log retention.
const stale = time.Second

// cleanupTime bounds the deletion of files that a failed write leaves.
const cleanupTime = 30 * time.Second

func newTable(store objstore.Store, root string, o options) *Table {
	return &Table{
		store: store, root: strings.Trim(root, "/"), opt: o,
		committing: make(chan struct{}, 1), tail: make(chan struct{}, 1), maintaining: make(chan struct{}, 1),
	}
}

func lock(ctx context.Context, c chan struct{}) error {
	select {
	case c <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func unlock(c chan struct{}) { <-c }

func (t *Table) key(path string) string {
	if t.root == "" {
		return path
	}
	return t.root + "/" + path
}

func (t *Table) logKey(name string) string { return logfile.Key(t.root, name) }

// locate is the store's key of the file that an action names. Files
// outside the table, which shallow clones have, keep their absolute path.
func (t *Table) locate(named string) string {
	c := action.Canonical(named)
	switch {
	case action.Absolute(c):
	case climbs(c):
		root := t.folder()
		if root == "" { // a store that only has keys
			return path.Join(t.root, c)
		}
		c = path.Join(root, c)
	default:
		return t.key(c)
	}
	if root := t.folder(); root != "" {
		if rest, ok := strings.CutPrefix(c, root+"/"); ok {
			return t.key(rest)
		}
	}
	return c
}

// folder is the table's absolute path, "" on a store that is not local.
func (t *Table) folder() string {
	p, ok := t.store.(objstore.Pather)
	if !ok {
		return ""
	}
	return strings.TrimSuffix(p.Path(t.logKey("x")), "/"+logfile.Folder+"/x")
}

// climbs tells whether a relative path leads out of its folder on the way.
func climbs(p string) bool {
	return strings.HasPrefix(p, "../") || strings.Contains(p, "/../")
}

// where is the store and the key in it of what locate gave: of files outside
// the table on a local disk the disk's. Files of other stores are out of reach.
func (t *Table) where(located string) (objstore.Store, string, error) {
	switch {
	case !action.Absolute(located) && !climbs(located):
		return t.store, located, nil
	case strings.HasPrefix(located, "/") && t.folder() != "":
		return objstore.Local("/"), strings.TrimPrefix(located, "/"), nil
	}
	return nil, "", fmt.Errorf("%w: %s lies outside of the table's store", objstore.ErrNotFound, located)
}

// Create makes a table whose data is below root, a key prefix; "" is the
// store's whole. ErrTableExists where there is one.
func Create(ctx context.Context, store objstore.Store, root string, s *arrow.Schema, opts ...Option) (*Table, error) {
	d, err := NewDraft(store, root, s, opts...)
	if err != nil {
		return nil, err
	}
	if err := checkPartition(d.table.tip.schema, d.meta.PartitionColumns); err != nil {
		return nil, err
	}
	by, err := action.Marshal(d.meta.PartitionColumns)
	if err != nil {
		return nil, err
	}
	t, _, err := d.Commit(ctx, Commit{ReadVersion: -1, Operation: "CREATE TABLE", Parameters: map[string]string{
		"partitionBy": string(by), "description": d.meta.Description, "isManaged": "false", "properties": jsonText(d.meta.Configuration),
	}, Metrics: map[string]string{"numFiles": "", "numOutputRows": "", "numOutputBytes": ""}})
	return t, err
}

func checkPartition(s *arrow.Schema, partition []string) error {
	for i, p := range partition {
		f, ok := s.FieldsByName(p)
		if !ok {
			return fmt.Errorf("%w: no column %q to partition by", ErrSchemaMismatch, p)
		}
		if _, nested := f[0].Type.(arrow.NestedType); nested || f[0].Type.ID() == arrow.NULL {
			return fmt.Errorf("%w: cannot partition by %q, a %s", ErrSchemaMismatch, p, f[0].Type)
		}
		if slices.Contains(partition[:i], p) {
			return fmt.Errorf("%w: partitioned by %q twice", ErrSchemaMismatch, p)
		}
	}
	if len(partition) == s.NumFields() {
		return ErrNoColumn
	}
	return nil
}

// ErrNoColumn says that rows have nothing that a data file could hold: all
// columns of the table are VOID or partition it. It is an ErrSchemaMismatch.
var ErrNoColumn = fmt.Errorf("%w: no column is left for the data files", ErrSchemaMismatch)

func jsonText(v any) string {
	b, err := action.Marshal(v)
	if err != nil {
		return "{}"
	}
	return string(b)
}

// Open opens a table. ErrNotATable where there is none.
func Open(ctx context.Context, store objstore.Store, root string, opts ...Option) (*Table, error) {
	t := newTable(store, root, newOptions(opts))
	st, err := t.load(ctx, -1)
	if err != nil {
		return nil, err
	}
	t.settle(st)
	t.id = st.meta.ID
	return t, nil
}

// ID is the table's identity, metaData.id: a table made anew at the same place
// has another.
func (t *Table) ID() string { return t.id }

// Root is the key prefix of the table.
func (t *Table) Root() string { return t.root }

func (t *Table) settle(st *state) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.tip, t.seen = st, time.Now()
}

// current is the newest state seen, frozen.
func (t *Table) current() *Snapshot {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.tip.snapshot(t)
}

// advance takes a commit in if it is the tip's next; it tells whether the tip
// is at that version or later.
func (t *Table) advance(version int64, set *action.Set, at time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tip.version == version-1 {
		t.tip.apply(version, set, at)
		t.seen = time.Now()
	}
	return t.tip.version >= version
}

// Snapshot is the table as of its newest version. Only commits that are new to
// the handle are read.
func (t *Table) Snapshot(ctx context.Context) (*Snapshot, error) {
	if err := t.refresh(ctx); err != nil {
		return nil, err
	}
	s := t.current()
	if err := t.checkTip(); err != nil {
		return nil, err
	}
	return s, nil
}

func (t *Table) checkTip() error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if err := t.tip.check(); err != nil {
		return err
	}
	if t.id != "" && t.tip.meta.ID != t.id {
		return fmt.Errorf("%w: the table was made anew: its id is %s, not %s", ErrTableChanged, t.tip.meta.ID, t.id)
	}
	return nil
}

// refresh brings the tip up to the log's end.
func (t *Table) refresh(ctx context.Context) error {
	if err := lock(ctx, t.tail); err != nil {
		return err
	}
	defer unlock(t.tail)
	for {
		t.mu.Lock()
		v, old := t.tip.version, time.Since(t.seen) > stale
		t.mu.Unlock()
		set, at, err := t.readCommit(ctx, v+1, nil)
		if err == nil {
			t.advance(v+1, set, at)
			continue
		}
		if !errors.Is(err, objstore.ErrNotFound) {
			return err
		}
		if old {
			return t.relocate(ctx, v)
		}
		return nil
	}
}

// relocate makes sure that version v, the tip, is still the log's end when the
// next version is not there: the log may have been cleaned up past it, or the
// table removed.
func (t *Table) relocate(ctx context.Context, v int64) error {
	_, err := t.store.Head(ctx, t.logKey(logfile.CommitName(v)))
	if errors.Is(err, objstore.ErrNotFound) {
		st, err := t.load(ctx, -1)
		if err != nil {
			return err
		}
		t.mu.Lock()
		defer t.mu.Unlock()
		if st.version > t.tip.version || st.meta.ID != t.tip.meta.ID {
			t.tip = st
		}
		t.seen = time.Now()
		return nil
	}
	if err == nil {
		t.mu.Lock()
		t.seen = time.Now()
		t.mu.Unlock()
	}
	return err
}

// readCommit reads one commit file. A nil decoder makes one.
func (t *Table) readCommit(ctx context.Context, v int64, d *action.Decoder) (*action.Set, time.Time, error) {
	r, info, err := t.store.Get(ctx, t.logKey(logfile.CommitName(v)), 0, -1)
	if err != nil {
		return nil, time.Time{}, err
	}
	defer func() { _ = r.Close() }()
	if d == nil {
		d = &action.Decoder{}
	}
	set, err := d.Read(r)
	if err != nil {
		if ctx.Err() != nil {
			return nil, time.Time{}, ctx.Err()
		}
		return nil, time.Time{}, fmt.Errorf("%w: version %d: %w", ErrCorrupt, v, err)
	}
	return set, info.ModTime, nil
}

// put tries to make data the commit of a version and settles what the store
// cannot tell; ready, if not nil, comes first. objstore.ErrExists means that
// another commit has the version.
func (t *Table) put(ctx context.Context, v int64, data []byte, txnID string, ready func() error) (time.Time, error) {
	key := t.logKey(logfile.CommitName(v))
	var last error
	for attempt := range 4 {
		if attempt > 0 {
			if err := pause(ctx, attempt+3); err != nil {
				break
			}
		}
		info, err := t.putAfter(ctx, key, data, ready)
		if err == nil {
			return info.ModTime, nil
		}
		last = err
		mine, at, rerr := t.readBack(ctx, v, txnID)
		switch {
		case rerr == nil && mine:
			return at, t.confirm(ctx, v, txnID)
		case rerr == nil:
			return time.Time{}, fmt.Errorf("%w: %s", objstore.ErrExists, key)
		case !errors.Is(rerr, objstore.ErrNotFound):
			return time.Time{}, fmt.Errorf("%w: version %d: %w; reading it back: %w", ErrCommitStateUnknown, v, err, rerr)
		case errors.Is(err, objstore.ErrUnknownOutcome), errors.Is(err, objstore.ErrExists):
			// The same bytes for the same version: a late arrival of the first
			// try shows as a commit of ours.
		case ctx.Err() != nil:
			return time.Time{}, fmt.Errorf("%w: version %d: %w", ErrCommitStateUnknown, v, err)
		default:
			return time.Time{}, fmt.Errorf("delta: commit of version %d: %w", v, err)
		}
	}
	return time.Time{}, fmt.Errorf("%w: version %d: %w", ErrCommitStateUnknown, v, last)
}

// putAfter puts a commit once ready has returned.
func (t *Table) putAfter(ctx context.Context, key string, data []byte, ready func() error) (objstore.Info, error) {
	opt := objstore.PutOptions{IfAbsent: true}
	if d, ok := t.store.(objstore.Deferrer); ok && ready != nil {
		return d.PutAfter(ctx, key, bytes.NewReader(data), opt, ready)
	}
	if ready != nil {
		if err := ready(); err != nil {
			return objstore.Info{}, err
		}
	}
	return t.store.Put(ctx, key, bytes.NewReader(data), opt)
}

// confirm makes sure that a commit which is there, but whose put did not
// return, is durable: what a store does for a later put in the same folder
// covers it.
func (t *Table) confirm(ctx context.Context, v int64, txnID string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	key := t.logKey(".settled-" + txnID)
	_, err := t.store.Put(ctx, key, strings.NewReader(""), objstore.PutOptions{})
	if err == nil {
		err = t.store.Delete(ctx, key)
	}
	if err != nil {
		return fmt.Errorf("%w: version %d is there, but whether for good is unknown: %w", ErrCommitStateUnknown, v, err)
	}
	return nil
}

// readBack tells whether the commit of a version is ours. It goes on for a
// while after ctx has ended, for the answer decides what the caller may do.
func (t *Table) readBack(ctx context.Context, v int64, txnID string) (bool, time.Time, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 10*time.Second)
	defer cancel()
	set, at, err := t.readCommit(ctx, v, nil)
	if err != nil {
		return false, time.Time{}, err
	}
	return set.Info != nil && set.Info.TxnID == txnID, at, nil
}
