package source

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql"
)

// DeltaTable is what a Delta source needs of a table; *delta.Table is one.
type DeltaTable interface {
	Snapshot(ctx context.Context) (*delta.Snapshot, error)
	SnapshotAt(ctx context.Context, version int64) (*delta.Snapshot, error)
	Changes(ctx context.Context, from int64) iter.Seq2[delta.VersionChanges, error]
}

// DeltaOptions are the options of STREAM(t) WITH (...).
type DeltaOptions struct {
	MaxFiles          int
	MaxBytes          int64
	StartingVersion   *int64
	StartingLatest    bool
	SkipChangeCommits bool
}

// DeltaPosition is a position in a table's history: the files of the versions
// before Version, and the first Index of that version's own, have been taken.
// With Snapshot set, Version is the snapshot that the stream began with and
// its files are all live ones, ordered by time and path.
type DeltaPosition struct {
	Table    string `json:"table"` // metaData.id
	Version  int64  `json:"version"`
	Index    int    `json:"index"`
	Snapshot bool   `json:"snapshot,omitempty"`
}

// Delta reads a table as a stream: first its live files, then the files that
// each commit adds. Commits that only rearrange files are not seen.
type Delta struct {
	name   string
	table  DeltaTable
	opt    DeltaOptions
	limits Limits

	mu    sync.Mutex
	began *ordered // files of the first snapshot, kept while they are read
	ahead *aheadOf // how far a position reaches over commits without files
}

type ordered struct {
	version int64
	files   []delta.Add
}

type aheadOf struct{ from, to DeltaPosition }

// NewDelta makes a source over a table with the full name name.
func NewDelta(name string, table DeltaTable, opt DeltaOptions, limits Limits) *Delta {
	if opt.MaxFiles > 0 {
		limits.Files = opt.MaxFiles
	}
	if opt.MaxBytes > 0 {
		limits.Bytes = opt.MaxBytes
	}
	return &Delta{name: name, table: table, opt: opt, limits: limits.orDefault()}
}

// ParseDeltaOptions reads WITH (...) of a streamed table (keys in lower case).
func ParseDeltaOptions(args map[string]string, pos sparksql.Pos) (DeltaOptions, error) {
	var o DeltaOptions
	for key, value := range args {
		var err error
		switch key {
		case "maxfilespertrigger":
			o.MaxFiles, err = strconv.Atoi(value)
			if err != nil || o.MaxFiles <= 0 {
				return o, optionError(pos, "INVALID_PARAMETER_VALUE", "maxFilesPerTrigger is a whole number above 0, not %q.", value)
			}
		case "maxbytespertrigger":
			if o.MaxBytes, err = parseBytes(value); err != nil || o.MaxBytes <= 0 {
				return o, optionError(pos, "INVALID_PARAMETER_VALUE", "maxBytesPerTrigger is a size such as 64m, not %q.", value)
			}
		case "startingversion":
			if strings.EqualFold(value, "latest") {
				o.StartingLatest = true
				break
			}
			v, err := strconv.ParseInt(value, 10, 64)
			if err != nil || v < 0 {
				return o, optionError(pos, "INVALID_PARAMETER_VALUE", "startingVersion is a version or latest, not %q.", value)
			}
			o.StartingVersion = &v
		case "skipchangecommits":
			if o.SkipChangeCommits, err = boolOption(key, value, pos); err != nil {
				return o, err
			}
		default:
			return o, optionError(pos, "UNSUPPORTED_OPTION", "A streamed table has no option %s here.", key)
		}
	}
	return o, nil
}

// parseBytes reads 100, 64k, 10m, 1g, with or without b.
func parseBytes(text string) (int64, error) {
	s := strings.TrimSuffix(strings.ToLower(strings.TrimSpace(text)), "b")
	shift := 0
	for i, unit := range []string{"k", "m", "g", "t"} {
		if t, ok := strings.CutSuffix(s, unit); ok {
			s, shift = t, 10*(i+1)
			break
		}
	}
	n, err := strconv.ParseInt(s, 10, 64)
	return n << shift, err
}

// Key is the table's full name.
func (d *Delta) Key() string { return d.name }

// Moving tells whether the start is another one later, so that it is to be
// noted when the stream begins.
func (d *Delta) Moving() bool { return d.opt.StartingLatest }

// position reads a position and checks that the table still is the same.
func (d *Delta) position(text json.RawMessage, now *delta.Snapshot) (DeltaPosition, error) {
	id := now.Metadata().ID
	if len(text) == 0 {
		switch {
		case d.opt.StartingLatest:
			return DeltaPosition{Table: id, Version: now.Version() + 1}, nil
		case d.opt.StartingVersion != nil:
			return DeltaPosition{Table: id, Version: *d.opt.StartingVersion}, nil
		}
		return DeltaPosition{Table: id, Version: now.Version(), Snapshot: true}, nil
	}
	var p DeltaPosition
	if err := json.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("%w: position %s: %w", ErrOther, text, err)
	}
	if p.Table != id {
		return p, fmt.Errorf("%w: [DIFFERENT_DELTA_TABLE_READ_BY_STREAMING_SOURCE] %s was made anew: its id is %s now and was %s. Reset the table that reads it to start from its beginning",
			ErrOther, d.name, id, p.Table)
	}
	if p.Version > now.Version()+1 {
		return p, fmt.Errorf("%w: %s is at version %d, but version %d was read before: its log has shrunk. Put the old log back, or reset the table that reads it",
			ErrOther, d.name, now.Version(), p.Version-1)
	}
	return p, nil
}

// step is a file on the way, with the position after it. Steps without a file
// only move the position.
type step struct {
	add   *delta.Add
	after DeltaPosition
}

// walk yields what comes after a position, up to the version of now.
func (d *Delta) walk(ctx context.Context, p DeltaPosition, now *delta.Snapshot, yield func(step) bool) error {
	if p.Snapshot {
		files, err := d.first(ctx, p.Version, now)
		if err != nil {
			return err
		}
		for i := p.Index; i < len(files); i++ {
			after := DeltaPosition{Table: p.Table, Version: p.Version, Index: i + 1, Snapshot: true}
			if i == len(files)-1 {
				after = DeltaPosition{Table: p.Table, Version: p.Version + 1}
			}
			if !yield(step{&files[i], after}) {
				return nil
			}
		}
		p = DeltaPosition{Table: p.Table, Version: p.Version + 1}
		if !yield(step{nil, p}) {
			return nil
		}
	}
	if p.Version > now.Version() {
		return nil
	}
	for c, err := range d.table.Changes(ctx, p.Version-1) {
		if err != nil {
			if errors.Is(err, delta.ErrVersionNotFound) {
				return fmt.Errorf("%w: version %d of %s has been cleaned up. Reset the table that reads it: %w", ErrLost, p.Version, d.name, err)
			}
			return err
		}
		if c.Version > now.Version() {
			return nil
		}
		more, err := d.version(p, c, yield)
		if err != nil || !more {
			return err
		}
	}
	return nil
}

// version yields the files of one commit.
func (d *Delta) version(p DeltaPosition, c delta.VersionChanges, yield func(step) bool) (bool, error) {
	if c.Metadata != nil && c.Metadata.ID != p.Table {
		return false, fmt.Errorf("%w: [DIFFERENT_DELTA_TABLE_READ_BY_STREAMING_SOURCE] version %d of %s made the table anew", ErrOther, c.Version, d.name)
	}
	next := DeltaPosition{Table: p.Table, Version: c.Version + 1}
	adds, err := d.adds(c)
	if err != nil {
		return false, err
	}
	from := 0
	if c.Version == p.Version {
		from = p.Index
	}
	for i := from; i < len(adds); i++ {
		after := DeltaPosition{Table: p.Table, Version: c.Version, Index: i + 1}
		if i == len(adds)-1 {
			after = next
		}
		if !yield(step{&adds[i], after}) {
			return false, nil
		}
	}
	return len(adds) > from || yield(step{nil, next}), nil
}

// adds are the files of a commit that hold new rows.
func (d *Delta) adds(c delta.VersionChanges) ([]delta.Add, error) {
	var adds []delta.Add
	for _, a := range c.Adds {
		if a.DataChange {
			adds = append(adds, a)
		}
	}
	removed := slices.ContainsFunc(c.Removes, func(r delta.Remove) bool { return r.DataChange })
	switch {
	case !removed:
		return adds, nil
	case d.opt.SkipChangeCommits:
		return nil, nil
	case len(adds) > 0:
		return nil, fmt.Errorf("%w: [DELTA_SOURCE_TABLE_IGNORE_CHANGES] version %d of %s (%s) rewrites rows, which a stream cannot take back. Set skipChangeCommits => true to pass over such commits, or reset the table that reads it",
			ErrChanged, c.Version, d.name, c.Operation)
	}
	return nil, fmt.Errorf("%w: [DELTA_SOURCE_IGNORE_DELETE] version %d of %s (%s) deletes rows, which a stream cannot take back. Set skipChangeCommits => true to pass over such commits, or reset the table that reads it",
		ErrChanged, c.Version, d.name, c.Operation)
}

// first lists the files of the snapshot that the stream began with.
func (d *Delta) first(ctx context.Context, version int64, now *delta.Snapshot) ([]delta.Add, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.began != nil && d.began.version == version {
		return d.began.files, nil
	}
	s := now
	if now.Version() != version {
		var err error
		if s, err = d.table.SnapshotAt(ctx, version); err != nil {
			return nil, fmt.Errorf("%w: version %d of %s, with which the stream began: %w", ErrLost, version, d.name, err)
		}
	}
	files, _, err := s.Files()
	if err != nil {
		return nil, err
	}
	files = slices.Clone(files)
	slices.SortFunc(files, func(a, b delta.Add) int {
		return cmp.Or(cmp.Compare(a.ModificationTime, b.ModificationTime), cmp.Compare(a.Path, b.Path))
	})
	d.began = &ordered{version, files}
	return files, nil
}

// Next plans the range after a position; ok is false where there are no files.
func (d *Delta) Next(ctx context.Context, from json.RawMessage) (r Range, ok bool, err error) {
	now, err := d.table.Snapshot(ctx)
	if err != nil {
		return Range{}, false, err
	}
	p, err := d.position(from, now)
	if err != nil {
		return Range{}, false, err
	}
	start := d.skip(p)
	to, files, bytes := start, 0, int64(0)
	err = d.walk(ctx, start, now, func(s step) bool {
		if s.add != nil {
			rows := numRecords(*s.add)
			if files > 0 && (files >= d.limits.Files || bytes+s.add.Size > d.limits.Bytes || r.Rows+rows > d.limits.Rows) {
				r.More = true
				return false
			}
			files++
			bytes += s.add.Size
			r.Rows += rows
		}
		to = s.after
		return true
	})
	if err != nil && files == 0 {
		return Range{}, false, err
	}
	// An error behind files that can be read waits for its turn.
	r.More = r.More || err != nil
	if files == 0 {
		d.mu.Lock()
		d.ahead = &aheadOf{p, to}
		d.mu.Unlock()
		return Range{}, false, nil
	}
	if !to.Snapshot {
		d.mu.Lock()
		d.began = nil
		d.mu.Unlock()
	}
	r.To, err = json.Marshal(to)
	return r, true, err
}

// skip passes over commits without files that an earlier Next saw.
func (d *Delta) skip(p DeltaPosition) DeltaPosition {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.ahead != nil && d.ahead.from == p {
		return d.ahead.to
	}
	return p
}

// Files lists the files of a planned range.
func (d *Delta) Files(ctx context.Context, from, to json.RawMessage) ([]delta.Add, error) {
	now, err := d.table.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	q, err := d.position(to, now)
	if err != nil {
		return nil, err
	}
	p, err := d.position(from, now)
	if err != nil {
		return nil, err
	}
	var files []delta.Add
	err = d.walk(ctx, p, now, func(s step) bool {
		if before(q, s.after) {
			return false
		}
		if s.add != nil {
			files = append(files, *s.add)
		}
		return s.after != q
	})
	return files, err
}

// Start is the position that a first range begins at.
func (d *Delta) Start(ctx context.Context) (json.RawMessage, error) {
	now, err := d.table.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	p, err := d.position(nil, now)
	if err != nil {
		return nil, err
	}
	return json.Marshal(p)
}

// before tells whether a comes before b.
func before(a, b DeltaPosition) bool {
	if a.Version != b.Version {
		return a.Version < b.Version
	}
	if a.Snapshot != b.Snapshot {
		return a.Snapshot
	}
	return a.Index < b.Index
}

// Backlog tells what waits after a position.
func (d *Delta) Backlog(ctx context.Context, from json.RawMessage) (Backlog, error) {
	now, err := d.table.Snapshot(ctx)
	if err != nil {
		return Backlog{}, err
	}
	p, err := d.position(from, now)
	if err != nil {
		return Backlog{}, err
	}
	var b Backlog
	oldest := int64(0)
	err = d.walk(ctx, d.skip(p), now, func(s step) bool {
		if s.add == nil {
			return true
		}
		b.Files++
		b.Bytes += s.add.Size
		b.Records += numRecords(*s.add)
		if oldest == 0 || s.add.ModificationTime < oldest {
			oldest = s.add.ModificationTime
		}
		return b.Files < 10_000 // enough to say that it is far behind
	})
	if oldest > 0 {
		b.Seconds = max(0, float64(time.Now().UnixMilli()-oldest)/1000)
	}
	if errors.Is(err, ErrChanged) {
		err = nil // said by Next when its turn comes
	}
	return b, err
}

// numRecords is the row count of a file's statistics, 0 without.
func numRecords(a delta.Add) int64 {
	var s struct {
		NumRecords int64 `json:"numRecords"`
	}
	if a.Stats == "" || json.Unmarshal([]byte(a.Stats), &s) != nil {
		return 0
	}
	return s.NumRecords
}
