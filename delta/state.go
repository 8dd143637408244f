package delta

import (
	"errors"
	"fmt"
	"maps"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/schema"
)

// entry is a data file of some versions: from where its slice says it begins
// until gone. Snapshots share entries with the state that goes on.
type entry struct {
	add  Add
	rows int64 // -1 unknown
	// gone is one more than the version that removed the file, 0 while it lives.
	gone atomic.Int64
}

// liveAt tells whether a version not older than the entry has it.
func (e *entry) liveAt(version int64) bool {
	g := e.gone.Load()
	return g == 0 || g-1 > version
}

// state is a table as replay left it. It is guarded by its owner; snapshots
// take a copy of the header and share the rest: files is only appended to, and
// the maps are copied before a change once they are shared.
type state struct {
	version  int64
	time     time.Time
	protocol *Protocol
	meta     *Metadata
	schema   *arrow.Schema
	// schemaErr says why schema is nil.
	schemaErr error
	txns      map[string]Txn
	domains   map[string]action.Domain
	shared    bool
	files     []*entry
	index     map[string]*entry
	bytes     int64
	rows      int64
	unknown   int // files without a row count
}

func newState() *state {
	return &state{version: -1, txns: map[string]Txn{}, domains: map[string]action.Domain{}, index: map[string]*entry{}}
}

// recordCount reads numRecords out of a statistics text.
func recordCount(stats string) int64 {
	if stats == "" {
		return -1
	}
	raw, ok := action.Find([]byte(stats), "numRecords")
	if !ok {
		return -1
	}
	n, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || n < 0 {
		return -1
	}
	return n
}

func (s *state) count(e *entry, sign int64) {
	s.bytes += sign * e.add.Size
	rows := e.rows
	if e.add.DeletionVector != nil && rows >= 0 {
		rows -= e.add.DeletionVector.Cardinality
	}
	if rows < 0 {
		s.unknown += int(sign)
	} else {
		s.rows += sign * rows
	}
}

func (s *state) drop(key string, version int64) {
	if old := s.index[key]; old != nil {
		old.gone.Store(version + 1)
		delete(s.index, key)
		s.count(old, -1)
	}
}

func (s *state) add(a Add, version int64) {
	key := action.Key(a.Path, a.DeletionVector)
	s.drop(key, version)
	e := &entry{add: a, rows: recordCount(a.Stats)}
	s.files = append(s.files, e)
	s.index[key] = e
	s.count(e, 1)
}

// setMetadata keeps a schema it cannot read for check to judge, since a feature
// that the protocol names may explain it.
func (s *state) setMetadata(m *Metadata) {
	if s.meta == nil || s.meta.SchemaString != m.SchemaString {
		s.schema, s.schemaErr = schema.Parse(m.SchemaString)
	}
	s.meta = m
}

func (s *state) unshare() {
	if s.shared {
		s.txns, s.domains, s.shared = maps.Clone(s.txns), maps.Clone(s.domains), false
	}
}

// apply takes the commit of the next version in.
func (s *state) apply(version int64, set *action.Set, at time.Time) {
	if set.Metadata != nil {
		s.setMetadata(set.Metadata)
	}
	if set.Protocol != nil {
		s.protocol = set.Protocol
	}
	if len(set.Txns)+len(set.Domains) > 0 {
		s.unshare()
		for _, t := range set.Txns {
			s.txns[t.AppID] = t
		}
		for _, d := range set.Domains {
			if d.Removed {
				delete(s.domains, d.Domain)
			} else {
				s.domains[d.Domain] = d
			}
		}
	}
	for i := range set.Removes {
		s.drop(action.Key(set.Removes[i].Path, set.Removes[i].DeletionVector), version)
	}
	for i := range set.Adds {
		s.add(set.Adds[i], version)
	}
	s.version, s.time = version, at
	if set.Info != nil && set.Info.InCommitTimestamp != nil {
		s.time = time.UnixMilli(*set.Info.InCommitTimestamp)
	}
	if len(s.files) > 2*len(s.index)+1024 {
		s.compact()
	}
}

// compact leaves the dead entries to the snapshots that still hold them.
func (s *state) compact() {
	files := make([]*entry, 0, len(s.index)+len(s.index)/4+16)
	for _, e := range s.files {
		if e.gone.Load() == 0 {
			files = append(files, e)
		}
	}
	s.files = files
}

// check tells whether the state is a table that can be read.
func (s *state) check() error {
	if s.protocol == nil {
		return fmt.Errorf("%w: no protocol up to version %d", ErrCorrupt, s.version)
	}
	if s.meta == nil {
		return fmt.Errorf("%w: no metadata up to version %d", ErrCorrupt, s.version)
	}
	if err := readable(s.protocol); err != nil {
		return err
	}
	switch {
	case errors.Is(s.schemaErr, schema.ErrType):
		return fmt.Errorf("%w: %w", ErrUnsupportedFeature, s.schemaErr)
	case s.schemaErr != nil:
		return fmt.Errorf("%w: %w", ErrCorrupt, s.schemaErr)
	}
	if err := schema.CheckChanges(s.schema); err != nil {
		return fmt.Errorf("%w: %w", ErrUnsupportedFeature, err)
	}
	return nil
}

// snapshot freezes the state.
func (s *state) snapshot(t *Table) *Snapshot {
	s.shared = true
	return &Snapshot{
		table: t, version: s.version, time: s.time, protocol: s.protocol, meta: s.meta, schema: s.schema,
		mapping: mappingOf(s.protocol, s.meta),
		txns:    s.txns, domains: s.domains, files: s.files[:len(s.files):len(s.files)],
		live: len(s.index), bytes: s.bytes, rows: s.rows, unknown: s.unknown,
	}
}
