package delta

import (
	"log/slog"
	"time"
)

// Option configures Create and Open.
type Option func(*options)

type options struct {
	name, description string
	described         bool
	partition         []string
	properties        map[string]string
	engine            string
	clock             func() time.Time
	logger            *slog.Logger
	retries           int
	rowRules          bool
	rows              RowEngine
	checksums         bool
	cluster           [][]string
}

func newOptions(opts []Option) options {
	o := options{engine: "Marisma", clock: time.Now, logger: slog.New(slog.DiscardHandler), retries: 100, checksums: true}
	for _, f := range opts {
		f(&o)
	}
	return o
}

// WithName names a new table.
func WithName(name string) Option { return func(o *options) { o.name = name } }

// WithDescription describes a new table.
func WithDescription(text string) Option {
	return func(o *options) { o.description, o.described = text, true }
}

// WithPartitionBy partitions a new table.
func WithPartitionBy(columns ...string) Option {
	return func(o *options) { o.partition = append([]string(nil), columns...) }
}

// WithProperties sets a new table's properties, such as
// delta.logRetentionDuration.
func WithProperties(p map[string]string) Option { return func(o *options) { o.properties = p } }

// WithEngine is what commits call their writer; "Marisma" by default.
func WithEngine(name string) Option { return func(o *options) { o.engine = name } }

// WithClock replaces time.Now.
func WithClock(now func() time.Time) Option { return func(o *options) { o.clock = now } }

// WithLogger tells where to report what is survived, such as a damaged
// checkpoint; nowhere by default.
func WithLogger(l *slog.Logger) Option { return func(o *options) { o.logger = l } }

// WithRetries bounds how often a commit that lost a race is tried again; 100 by default.
func WithRetries(n int) Option { return func(o *options) { o.retries = n } }

// WithChecksums tells whether each commit is followed by a checksum file
// (N.crc), by which readers check what they have read; they are by default.
func WithChecksums(on bool) Option { return func(o *options) { o.checksums = on } }
