package delta

import (
	"fmt"
	"os"

	"github.com/marisma/marisma/delta/internal/parquetfile"
	"github.com/marisma/marisma/delta/internal/stats"
)

// OldDates gives what tells of the snapshot's files, by their statistics alone,
// whether they may hold dates or timestamps before 1900: with these, readers
// other than this package have to know the calendar of the file (OldCalendar).
// It is nil for tables without dates, and safe for concurrent use.
func (s *Snapshot) OldDates() func(Add) bool {
	o := stats.NewOld(s.schema, s.mapping, s.meta.PartitionColumns)
	if o == nil {
		return nil
	}
	return func(a Add) bool { return o.May(a.Stats) }
}

// OldCalendar tells by its footer whether a local Parquet file keeps dates or
// timestamps in Java's old calendar, which is the Julian one before 1582-10-15:
// Spark wrote so before version 3.0 and does on demand. Scan and ReadFile
// translate them.
func OldCalendar(name string) (bool, error) {
	in, err := os.Open(name)
	if err != nil {
		return false, err
	}
	defer func() { _ = in.Close() }() // only read
	old, err := parquetfile.Old(in)
	if err != nil {
		return false, fmt.Errorf("delta: reading %s: %w", name, err)
	}
	return old, nil
}
