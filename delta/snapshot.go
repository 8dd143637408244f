package delta

import (
	"fmt"
	"iter"
	"maps"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/schema"
	"github.com/marisma/marisma/delta/internal/stats"
)

// Snapshot is a table at one version. It does not change.
type Snapshot struct {
	table    *Table
	version  int64
	time     time.Time
	protocol *Protocol
	meta     *Metadata
	schema   *arrow.Schema
	mapping  schema.Mapping
	txns     map[string]Txn
	domains  map[string]action.Domain
	files    []*entry
	live     int
	bytes    int64
	rows     int64
	unknown  int
}

// Version is the table's version.
func (s *Snapshot) Version() int64 { return s.version }

// Timestamp is when the version was committed, as far as the store or the
// commit tells.
func (s *Snapshot) Timestamp() time.Time { return s.time }

// Metadata describes the table; the caller may change the copy.
func (s *Snapshot) Metadata() Metadata {
	m := *s.meta
	m.PartitionColumns = slices.Clone(m.PartitionColumns)
	m.Configuration = maps.Clone(m.Configuration)
	return m
}

// Protocol says what readers and writers of the table must support.
func (s *Snapshot) Protocol() Protocol { return *s.protocol }

// Schema is the table's schema, partition columns included. Timestamps are
// microseconds in UTC; a column's comment is its metadata "comment".
func (s *Snapshot) Schema() *arrow.Schema { return s.schema }

// Txn tells how far an application has written.
func (s *Snapshot) Txn(appID string) (int64, bool) {
	t, ok := s.txns[appID]
	return t.Version, ok
}

// NumFiles is the number of live data files.
func (s *Snapshot) NumFiles() int { return s.live }

// Bytes is the size of the live data files.
func (s *Snapshot) Bytes() int64 { return s.bytes }

// Rows is the number of rows; false where some file's statistics do not tell.
func (s *Snapshot) Rows() (int64, bool) { return s.rows, s.unknown == 0 }

// All yields the live files in the order in which they came to the table.
func (s *Snapshot) All() iter.Seq[Add] {
	return func(yield func(Add) bool) {
		for _, e := range s.files {
			if e.liveAt(s.version) && !yield(e.add) {
				return
			}
		}
	}
}

// PruneStats counts what Files looked at and why files fell out.
type PruneStats struct {
	Files       int // live files
	ByPartition int // ruled out by partition values
	ByStats     int // ruled out by statistics
}

// Files are the live files that may hold rows for which all predicates are
// true. Unknown columns and values that do not compare are ErrSchemaMismatch.
func (s *Snapshot) Files(preds ...Predicate) ([]Add, PruneStats, error) {
	p := PruneStats{Files: s.live}
	f, err := stats.Compile(s.schema, s.mapping, s.meta.PartitionColumns, preds)
	if err != nil {
		return nil, p, fmt.Errorf("%w: %w", ErrSchemaMismatch, err)
	}
	out := make([]Add, 0, min(s.live, 1024))
	for _, e := range s.files {
		switch {
		case !e.liveAt(s.version):
		case !f.Partition(e.add.PartitionValues):
			p.ByPartition++
		case !f.Stats(e.add.Stats):
			p.ByStats++
		default:
			out = append(out, e.add)
		}
	}
	return out, p, nil
}

// FileSchema is the schema of the table's data files: without partition
// columns, with the names that column mapping gives (at every depth, field ids
// as the metadata "PARQUET:field_id"). Older files may lack columns and have
// narrower types.
func (s *Snapshot) FileSchema() *arrow.Schema {
	return s.mapping.Files(s.schema, s.meta.PartitionColumns)
}

// Mapped tells that columns have other names in the data files.
func (s *Snapshot) Mapped() bool { return s.mapping != schema.Unmapped }

// FilesByID tells that the columns of data files are found by their field ids
// and not by their names.
func (s *Snapshot) FilesByID() bool { return s.mapping == schema.ByID }

// Partition gives a's partition values by the table's column names.
func (s *Snapshot) Partition(a Add) Values {
	if s.mapping == schema.Unmapped || len(s.meta.PartitionColumns) == 0 {
		return a.PartitionValues
	}
	out := make(Values, len(s.meta.PartitionColumns))
	for i, key := range partitionKeys(s.schema, s.mapping, s.meta.PartitionColumns) {
		out[s.meta.PartitionColumns[i]] = a.PartitionValues[key]
	}
	return out
}

// Locate is the store's key of a file. A file that does not lie below the
// table's root, which other writers can name by an absolute path or URI, is
// given by that.
func (s *Snapshot) Locate(a Add) string { return s.table.locate(a.Path) }
