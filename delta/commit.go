package delta

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/uuid"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/objstore"
)

// Commit is a change of a table, all or nothing. It may be stored as JSON
// (SchemaTo apart) and committed by a later process.
type Commit struct {
	// Adds are files that a Writer made.
	Adds []Add `json:"adds,omitempty"`
	// Changes are files of a Writer with ChangeData: what the commit does to
	// rows, for readers of the change feed. Without them the feed takes Adds for
	// inserted and Removes for deleted rows.
	Changes []Change `json:"changes,omitempty"`
	// Removes are live files to take out; ErrConflict where one is not live.
	Removes []Remove `json:"removes,omitempty"`
	// ReplaceAll takes out every file that is live when the commit happens,
	// besides Removes; so a replacement needs no list that may grow old.
	ReplaceAll bool `json:"replaceAll,omitempty"`
	// Txn, if set, is recorded with the commit and makes it happen once: if the
	// table has that version of the application or a later one, the commit is
	// refused with ErrAlreadyCommitted.
	Txn *Txn `json:"txn,omitempty"`
	// Txns are more of the kind; any of them that is recorded already is enough
	// for the commit not to happen.
	Txns []Txn `json:"txns,omitempty"`
	// Identity is what a Writer gave columns that the table numbers, by column. The
	// commit notes it; ErrTableChanged where other rows were given these numbers.
	Identity map[string]IdentityRange `json:"identity,omitempty"`
	// Operation is the commit's name in the history, such as "STREAMING UPDATE"
	// or "WRITE", the default.
	Operation string `json:"operation,omitempty"`
	// Parameters are the operation's, as JSON texts.
	Parameters map[string]string `json:"parameters,omitempty"`
	// Metrics are the operation's; rows, files and bytes added are counted
	// where the caller does not. An empty text leaves one out.
	Metrics map[string]string `json:"metrics,omitempty"`
	// SchemaTo, if set, replaces the table's schema; Properties are merged into
	// the table's (an empty text deletes one). Columns may get wider types where
	// the table has delta.enableTypeWidening, and remember those they had.
	SchemaTo   *arrow.Schema     `json:"-"`
	Properties map[string]string `json:"properties,omitempty"`
	// Description, if set, replaces the table's.
	Description *string `json:"description,omitempty"`
	// ClusterBy, if set, replaces the columns that the table is clustered by,
	// each a path; none ends it.
	ClusterBy *[][]string `json:"clusterBy,omitempty"`
	// ReadVersion is the version whose content the change was computed from;
	// rows added since are then an ErrConflict unless they were appended
	// blindly. -1 says that the change does not depend on the table's content.
	ReadVersion int64 `json:"readVersion"`
	// DataChange tells that the rows of the table change. A commit without it
	// whose actions say otherwise is refused.
	DataChange bool `json:"dataChange"`
	// Serializable makes rows that were appended blindly since ReadVersion an
	// ErrConflict, too.
	Serializable bool `json:"serializable,omitempty"`
	// Tags go into the commit's information.
	Tags map[string]string `json:"tags,omitempty"`

	define *Draft // replaces the table's definition
	// restores says that SchemaTo is one that the table had, and so have the files.
	restores bool
	// describes says that Adds are live files of which something else is told.
	describes bool
	// drop is a feature that the commit takes away; protect says that the log
	// before it may only go as a whole.
	drop    string
	protect bool
	// tombstones are removes of files that the table does not name itself.
	tombstones []Remove
	// ready waits until the adds are durable; nil where they are.
	ready func() error
}

// redefines tells whether c changes what the table is.
func (c *Commit) redefines() bool {
	return c.define != nil || c.drop != "" || len(c.Identity) > 0 || c.SchemaTo != nil || len(c.Properties) > 0 || c.Description != nil || c.ClusterBy != nil
}

// CommitResult tells what became of a commit.
type CommitResult struct {
	Version int64
	// Time is when the store took the commit.
	Time time.Time
	// Retries is how often another writer was faster.
	Retries int
}

// Commit makes c the table's next version. It waits for other commits of the
// same handle, and tries again when another writer was faster, unless that
// writer's commit contradicts c (ErrConflict, ErrTableChanged). With any error
// but ErrCommitStateUnknown nothing was committed by this call.
func (t *Table) Commit(ctx context.Context, c Commit) (CommitResult, error) {
	if err := c.validate(); err != nil {
		return CommitResult{}, err
	}
	if err := lock(ctx, t.committing); err != nil {
		return CommitResult{}, err
	}
	defer unlock(t.committing)
	t.mu.Lock()
	old := time.Since(t.seen) > stale
	t.mu.Unlock()
	if old {
		if err := t.refresh(ctx); err != nil {
			return CommitResult{}, err
		}
	}
	if c.ReadVersion >= 0 {
		if err := t.checkSince(ctx, &c); err != nil {
			return CommitResult{}, err
		}
	}
	id := uuid.NewString()
	for tries := 0; ; tries++ {
		r, err := t.try(ctx, &c, id)
		r.Retries = tries
		if !errors.Is(err, objstore.ErrExists) {
			return r, err
		}
		if tries >= t.opt.retries {
			return r, fmt.Errorf("%w: other writers were faster %d times", ErrConflict, tries+1)
		}
		if err := t.yield(ctx, &c); err != nil {
			return r, err
		}
		if err := pause(ctx, tries); err != nil {
			return r, err
		}
	}
}

// pause waits before another try: up to 5 ms at first, twice as long each
// time, up to a second; the length is random so that writers part.
func pause(ctx context.Context, tries int) error {
	most := min(5*time.Millisecond<<min(tries, 10), time.Second)
	timer := time.NewTimer(most/4 + rand.N(most*3/4))
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (c *Commit) validate() error {
	seen := map[string]bool{}
	for i := range c.Adds {
		a := &c.Adds[i]
		if !c.DataChange && a.DataChange {
			return fmt.Errorf("delta: the commit denies a data change that the add of %s makes", a.Path)
		}
		if k := action.Canonical(a.Path); a.Path == "" || seen[k] {
			return fmt.Errorf("delta: the file %q is added twice or has no path", a.Path)
		} else {
			seen[k] = true
		}
	}
	for i := range c.Removes {
		r := &c.Removes[i]
		if !c.DataChange && r.DataChange {
			return fmt.Errorf("delta: the commit denies a data change that the remove of %s makes", r.Path)
		}
		k := "-" + action.Key(r.Path, r.DeletionVector)
		if seen[k] {
			return fmt.Errorf("delta: the file %q is removed twice", r.Path)
		}
		seen[k] = true
	}
	for _, x := range c.transactions() {
		if x.AppID == "" || seen["txn "+x.AppID] {
			return fmt.Errorf("delta: the application id %q of a transaction is empty or there twice", x.AppID)
		}
		seen["txn "+x.AppID] = true
	}
	return nil
}

// try makes one attempt at the version after the tip.
func (t *Table) try(ctx context.Context, c *Commit, id string) (CommitResult, error) {
	set, version, err := t.build(c, id)
	if err != nil {
		return CommitResult{Version: version}, err
	}
	data, err := set.Encode()
	if err != nil {
		return CommitResult{}, err
	}
	at, err := t.put(ctx, version, data, id, c.ready)
	if err != nil {
		return CommitResult{Version: version}, err
	}
	t.putChecksum(ctx, t.enter(version, set, at, id))
	if set.Info.InCommitTimestamp != nil {
		at = time.UnixMilli(*set.Info.InCommitTimestamp)
	}
	return CommitResult{Version: version, Time: at}, nil
}

// build makes the actions of c on top of the tip.
func (t *Table) build(c *Commit, id string) (*action.Set, int64, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	tip := t.tip
	for _, own := range c.transactions() {
		if x, ok := tip.txns[own.AppID]; ok && x.Version >= own.Version {
			return nil, tip.version, &AlreadyCommittedError{AppID: own.AppID, Recorded: x.Version, Version: tip.version}
		}
	}
	if err := tip.check(); err != nil {
		return nil, tip.version, err
	}
	if err := t.writable(tip.protocol, tip.meta, tip.schema); err != nil {
		return nil, tip.version, err
	}
	now := t.opt.clock().UnixMilli()
	set := &action.Set{Adds: slices.Clone(c.Adds), Changes: c.Changes} // each try numbers rows anew
	set.Txns = c.transactions()
	for i := range set.Txns {
		if set.Txns[i].LastUpdated == 0 {
			set.Txns[i].LastUpdated = now
		}
	}
	if err := t.removes(c, set, now); err != nil {
		return nil, tip.version, err
	}
	if c.describes {
		for i := range c.Adds {
			if tip.index[action.Key(c.Adds[i].Path, c.Adds[i].DeletionVector)] == nil {
				return nil, tip.version, fmt.Errorf("%w: %s is not in version %d any more", ErrConflict, c.Adds[i].Path, tip.version)
			}
		}
	}
	set.Removes = append(set.Removes, c.tombstones...)
	if c.redefines() {
		m, p, err := t.alter(tip, c)
		if err != nil {
			return nil, tip.version, err
		}
		set.Metadata, set.Protocol = m, p
		if set.Domains, err = c.clusters(tip, m); err != nil {
			return nil, tip.version, err
		}
		for _, d := range tip.domains {
			if c.drop == "domainMetadata" || c.drop == "rowTracking" && d.Domain == rowTrackingDomain {
				d.Removed = true
				set.Domains = append(set.Domains, d)
			}
		}
	}
	set.Info = t.info(c, set, id, now)
	if err := t.trackRows(tip, set, tip.version+1); err != nil {
		return nil, tip.version, err
	}
	stampCommit(tip, set, now)
	return set, tip.version + 1, nil
}

// removes fills set's removes; t.mu is held.
func (t *Table) removes(c *Commit, set *action.Set, now int64) error {
	listed := map[string]bool{}
	for _, r := range c.Removes {
		k := action.Key(r.Path, r.DeletionVector)
		if t.tip.index[k] == nil {
			return fmt.Errorf("%w: %s is not in version %d any more", ErrConflict, r.Path, t.tip.version)
		}
		if r.DeletionTimestamp == 0 {
			r.DeletionTimestamp = now
		}
		listed[k] = true
		set.Removes = append(set.Removes, r)
	}
	if c.ReplaceAll {
		for _, e := range t.tip.files {
			if e.gone.Load() == 0 && !listed[action.Key(e.add.Path, e.add.DeletionVector)] {
				set.Removes = append(set.Removes, e.add.Remove(now, c.DataChange))
			}
		}
	}
	if c.DataChange && len(set.Removes) > 0 && t.tip.meta.Configuration["delta.appendOnly"] == "true" {
		return fmt.Errorf("%w: the table is append-only", ErrConstraint)
	}
	return nil
}

// blind tells whether a commit at most adds files and depends on none, as one
// does that only says what the table is.
func (c *Commit) blind(set *action.Set) bool {
	if len(set.Removes) > 0 || c.define != nil {
		return false
	}
	return c.ReadVersion < 0 || !c.DataChange && len(set.Adds) == 0
}

func (t *Table) info(c *Commit, set *action.Set, id string, now int64) *CommitInfo {
	i := &CommitInfo{
		Timestamp: now, Operation: c.Operation, OperationParameters: c.Parameters, IsolationLevel: "WriteSerializable",
		IsBlindAppend: c.blind(set),
		EngineInfo:    t.opt.engine, TxnID: id, Tags: c.Tags, OperationMetrics: map[string]string{},
	}
	if c.onlyNumbers() {
		i.Tags = maps.Clone(c.Tags)
		if i.Tags == nil {
			i.Tags = map[string]string{}
		}
		i.Tags[identityTag] = "true"
	}
	if i.Operation == "" {
		i.Operation = "WRITE"
	}
	if i.OperationParameters == nil {
		mode := "Append"
		if len(set.Removes) > 0 {
			mode = "Overwrite"
		}
		i.OperationParameters = map[string]string{"mode": mode}
	}
	if c.Serializable || i.IsBlindAppend {
		i.IsolationLevel = "Serializable"
	}
	if !c.DataChange && !c.redefines() {
		i.IsolationLevel = "SnapshotIsolation"
	}
	if t.tip.version >= 0 {
		read := t.tip.version
		if c.ReadVersion >= 0 {
			read = c.ReadVersion
		}
		i.ReadVersion = &read
	}
	var bytes, rows int64
	for _, a := range set.Adds {
		bytes += a.Size
		rows += max(recordCount(a.Stats), 0)
	}
	i.OperationMetrics["numFiles"] = fmt.Sprint(len(set.Adds))
	i.OperationMetrics["numOutputRows"] = fmt.Sprint(rows)
	i.OperationMetrics["numOutputBytes"] = fmt.Sprint(bytes)
	if len(set.Removes) > 0 {
		i.OperationMetrics["numRemovedFiles"] = fmt.Sprint(len(set.Removes))
	}
	maps.Copy(i.OperationMetrics, c.Metrics)
	maps.DeleteFunc(i.OperationMetrics, func(_, v string) bool { return v == "" })
	return i
}

// yield reads the commits that came in between and takes them into the tip; an
// error where one of them contradicts c.
func (t *Table) yield(ctx context.Context, c *Commit) error {
	t.mu.Lock()
	v := t.tip.version + 1
	t.mu.Unlock()
	for ; ; v++ {
		set, at, err := t.readCommit(ctx, v, nil)
		if errors.Is(err, objstore.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		if err := t.contradicts(c, set, v); err != nil {
			return err
		}
		t.advance(v, set, at)
	}
}

// checkSince checks c against the commits after the version it was computed from.
func (t *Table) checkSince(ctx context.Context, c *Commit) error {
	t.mu.Lock()
	tip := t.tip.version
	t.mu.Unlock()
	if c.ReadVersion > tip {
		if err := t.refresh(ctx); err != nil {
			return err
		}
		if tip = t.current().version; c.ReadVersion > tip {
			return fmt.Errorf("%w: read version %d", ErrVersionNotFound, c.ReadVersion)
		}
	}
	for v := c.ReadVersion + 1; v <= tip; v++ {
		set, _, err := t.readCommit(ctx, v, nil)
		if errors.Is(err, objstore.ErrNotFound) {
			return fmt.Errorf("%w: version %d, needed to check what happened since version %d, is cleaned up", ErrConflict, v, c.ReadVersion)
		}
		if err != nil {
			return err
		}
		if set.Protocol != nil || set.Metadata != nil && (c.redefines() || !onlyNumbered(set.Info)) {
			return fmt.Errorf("%w: by version %d, after version %d", ErrTableChanged, v, c.ReadVersion)
		}
		if err := c.readDiffers(set, v); err != nil {
			return err
		}
	}
	return nil
}

// contradicts tells whether the commit of version v, which c did not know of,
// forbids c. Whether c's removes are still live is seen when it is built anew.
func (t *Table) contradicts(c *Commit, won *action.Set, v int64) error {
	if won.Protocol != nil {
		return fmt.Errorf("%w: version %d has another protocol", ErrTableChanged, v)
	}
	if won.Metadata != nil && (c.redefines() || !onlyNumbered(won.Info)) {
		t.mu.Lock()
		m := t.tip.meta
		t.mu.Unlock()
		if c.redefines() || won.Metadata.SchemaString != m.SchemaString ||
			won.Metadata.ID != m.ID || fmt.Sprint(won.Metadata.PartitionColumns) != fmt.Sprint(m.PartitionColumns) {
			return fmt.Errorf("%w: version %d has other metadata", ErrTableChanged, v)
		}
	}
	if len(won.Txns) > 0 {
		own := map[string]int64{}
		for _, x := range c.transactions() {
			own[x.AppID] = x.Version
		}
		for _, x := range won.Txns {
			mine, same := own[x.AppID]
			switch {
			case same && x.Version >= mine:
				return &AlreadyCommittedError{AppID: x.AppID, Recorded: x.Version, Version: v}
			case same:
				return fmt.Errorf("%w: version %d is of the same application %s", ErrConflict, v, x.AppID)
			}
		}
	}
	return c.readDiffers(won, v)
}

// transactions are all that the commit records.
func (c *Commit) transactions() []Txn {
	out := slices.Clone(c.Txns)
	if c.Txn != nil {
		out = append(out, *c.Txn)
	}
	return out
}

// readDiffers tells whether what c was computed from is no longer what the
// table holds.
func (c *Commit) readDiffers(won *action.Set, v int64) error {
	if c.ReadVersion < 0 || !c.DataChange {
		return nil
	}
	blind := won.Info != nil && won.Info.IsBlindAppend && !c.Serializable
	for i := range won.Adds {
		if won.Adds[i].DataChange && !blind {
			return fmt.Errorf("%w: version %d added rows that version %d does not have", ErrConflict, v, c.ReadVersion)
		}
	}
	for i := range won.Removes {
		if won.Removes[i].DataChange {
			return fmt.Errorf("%w: version %d removed rows of version %d", ErrConflict, v, c.ReadVersion)
		}
	}
	return nil
}
