package eventlog

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/marisma/marisma/internal/vfs"
)

// Config says where a log lies and its bounds. Zero values mean the defaults.
type Config struct {
	FS  vfs.FS // where the log lies; required
	Dir string // the log's folder in FS; required
	// Partitions is the number of partitions of a new log, default 4. A log
	// keeps the number that it was made with: another one is an error, 0 takes
	// what is there.
	Partitions int
	// SegmentBytes is what a segment preallocates and about its size, default
	// 64 MiB, at most 1 GiB.
	SegmentBytes int64
	// BatchBytes bounds a stored batch and so a record, default 1 MiB.
	BatchBytes int
	// MaxPending bounds a partition's uncommitted bytes, default 4 MiB, at
	// least BatchBytes. Appends wait beyond it.
	MaxPending int64
	// Retention is how long records stay; a segment goes once its newest record
	// is older. 0 keeps them.
	Retention time.Duration
	// RetentionBytes is how much the whole log keeps, all partitions together;
	// oldest segments go first. 0 is no bound.
	RetentionBytes int64
	// HardCap is the size of the whole log at which appends are refused
	// (consumer floors can hold it above RetentionBytes). 0 is no bound.
	HardCap int64
	// Linger is how long a commit waits for company. 0 syncs back to back,
	// which groups by itself under load.
	Linger  time.Duration
	Logger  *slog.Logger          // default: discard
	Metrics prometheus.Registerer // default: none
}

// Defaults of Config.
const (
	defaultPartitions   = 4
	defaultSegmentBytes = 64 << 20
	defaultBatchBytes   = 1 << 20
	defaultMaxPending   = 4 << 20
	maxSegmentBytes     = 1 << 30
	maxPartitions       = 1024
)

func (c *Config) validate() error {
	if c.FS == nil || c.Dir == "" {
		return errors.New("eventlog: Config needs FS and Dir")
	}
	setDefault(&c.SegmentBytes, defaultSegmentBytes)
	setDefault(&c.BatchBytes, defaultBatchBytes)
	setDefault(&c.MaxPending, max(defaultMaxPending, int64(c.BatchBytes)))
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	switch {
	case c.Partitions < 0 || c.Partitions > maxPartitions:
		return fmt.Errorf("eventlog: %d partitions, want 1 to %d", c.Partitions, maxPartitions)
	case c.SegmentBytes < batchOverhead || c.SegmentBytes > maxSegmentBytes:
		return fmt.Errorf("eventlog: SegmentBytes %d, want at most %d", c.SegmentBytes, maxSegmentBytes)
	case c.BatchBytes <= batchOverhead || c.MaxPending < int64(c.BatchBytes) || c.MaxPending > maxSegmentBytes:
		return fmt.Errorf("eventlog: BatchBytes %d and MaxPending %d, want %d < BatchBytes <= MaxPending <= %d",
			c.BatchBytes, c.MaxPending, batchOverhead, maxSegmentBytes)
	case c.Retention < 0 || c.RetentionBytes < 0 || c.HardCap < 0 || c.Linger < 0:
		return errors.New("eventlog: Retention, RetentionBytes, HardCap and Linger cannot be negative")
	case c.HardCap > 0 && c.HardCap < c.RetentionBytes:
		return fmt.Errorf("eventlog: HardCap %d is below RetentionBytes %d", c.HardCap, c.RetentionBytes)
	}
	return nil
}

func setDefault[T int | int64](v *T, d T) {
	if *v == 0 {
		*v = d
	}
}
