package pipeline

import (
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/marisma/marisma/internal/bundle"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/pipeline/source"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/vfs"
)

// Log is what a pipeline needs of the hub's log; *eventlog.Log is one.
type Log interface {
	source.EventLog
	Changed() <-chan struct{}
	SetFloor(consumer string, offsets []int64)
	RemoveFloor(consumer string)
}

// Config of a Pipeline. Everything without a default named is required.
type Config struct {
	Pipeline bundle.Pipeline
	FS       vfs.FS // holds Dir
	Dir      string // the pipeline's own folder, for its journal
	Catalog  *catalog.Catalog
	Tables   *query.Tables
	Pool     *duck.Pool
	Log      Log
	Topic    string   // the hub's, which read_kafka subscribes to
	Hosts    []string // names of the hub in bootstrapServers; DefaultHosts if empty
	Owner    string   // of new tables; "admin" if empty
	Version  string   // of this program, for the event log
	Logger   *slog.Logger
	Metrics  prometheus.Registerer // nil: none
	// MaxBatchRows bounds the rows that one micro-batch takes of a source;
	// source.DefaultRows if 0.
	MaxBatchRows int64
}

// DefaultHosts are the names under which the examples and local clients know
// the hub.
func DefaultHosts() []string {
	return []string{"marisma.local", "localhost", "127.0.0.1", "::1"}
}

func (c *Config) setDefaults() {
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if len(c.Hosts) == 0 {
		c.Hosts = DefaultHosts()
	}
	if c.Owner == "" {
		c.Owner = "admin"
	}
}

func (c *Config) hub() source.Hub { return source.Hub{Topic: c.Topic, Hosts: c.Hosts} }

// Trigger intervals without pipelines.trigger.interval, as Lakeflow has them.
const (
	streamInterval = 5 * time.Second
	viewInterval   = time.Minute
)

// intervalKey names the trigger interval in the pipeline's configuration and
// in table properties.
const intervalKey = "pipelines.trigger.interval"

// interval of a flow: the table property, the pipeline's configuration, the default.
func interval(properties, configuration map[string]string, def time.Duration) (time.Duration, error) {
	for _, m := range []map[string]string{properties, configuration} {
		if text, ok := m[intervalKey]; ok {
			return parseInterval(text)
		}
	}
	return def, nil
}

var errInterval = errors.New("pipelines.trigger.interval is a number and a unit, such as 5 seconds, 500 milliseconds or 1 hour")

// parseInterval reads "5 seconds", "1 minute", "500 ms".
func parseInterval(text string) (time.Duration, error) {
	words := strings.Fields(strings.ToLower(text))
	if len(words) > 0 && words[0] == "interval" {
		words = words[1:]
	}
	if len(words) != 2 {
		return 0, fmt.Errorf("%w, not %q", errInterval, text)
	}
	n, err := strconv.ParseFloat(words[0], 64)
	unit, ok := map[string]time.Duration{
		"ms": time.Millisecond, "millisecond": time.Millisecond, "second": time.Second,
		"minute": time.Minute, "hour": time.Hour, "day": 24 * time.Hour,
	}[strings.TrimSuffix(words[1], "s")]
	if words[1] == "ms" {
		unit, ok = time.Millisecond, true
	}
	if err != nil || !ok || n < 0 {
		return 0, fmt.Errorf("%w, not %q", errInterval, text)
	}
	return time.Duration(n * float64(unit)), nil
}
