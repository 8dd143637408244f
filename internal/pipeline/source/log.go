package source

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/internal/eventlog"
)

// EventLog is what a Log reads of the hub's log.
type EventLog interface {
	ID() string
	Partitions() int
	Start(partition int) int64
	End(partition int) int64
	Bytes(partition int) int64
	OffsetForTime(partition int, ms int64) (int64, error)
	Read(ctx context.Context, partition int, from, to int64, f func(offset int64, r *eventlog.Record) bool) error
	// ReadBare is Read without the records' headers.
	ReadBare(ctx context.Context, partition int, from, to int64, f func(offset int64, r *eventlog.Record) bool) error
}

// LogKey is the log's key among the sources of a flow.
const LogKey = "log"

// Log reads the hub's log as a stream.
type Log struct {
	log    EventLog
	opt    LogOptions
	limits Limits
	alloc  memory.Allocator
}

// LogPosition is a position in the log: the next offset of each partition.
type LogPosition struct {
	Log     string  `json:"log"`
	Offsets []int64 `json:"offsets"`
}

// NewLog makes a source over log. MaxOffsets of the options lowers the row limit.
func NewLog(log EventLog, opt LogOptions, limits Limits, alloc memory.Allocator) *Log {
	limits = limits.orDefault()
	if opt.MaxOffsets > 0 {
		limits.Rows = opt.MaxOffsets
	}
	return &Log{log: log, opt: opt, limits: limits, alloc: alloc}
}

// Key is LogKey.
func (l *Log) Key() string { return LogKey }

// position reads a position and checks that the log still is the one that it
// was taken in and still holds what comes after it. An empty text is the
// start that the options name.
func (l *Log) position(text json.RawMessage) (LogPosition, error) {
	if len(text) == 0 {
		return l.start()
	}
	var p LogPosition
	if err := json.Unmarshal(text, &p); err != nil {
		return p, fmt.Errorf("%w: position %s: %w", ErrOther, text, err)
	}
	n := l.log.Partitions()
	if p.Log != l.log.ID() {
		return p, fmt.Errorf("%w: the log is %s now and was %s: the data folder holds another log. Put the old one back, or reset the table to read this one from its start",
			ErrOther, l.log.ID(), p.Log)
	}
	if len(p.Offsets) > n {
		return p, fmt.Errorf("%w: the log has %d partitions now and had %d. Put the old log back, or reset the table", ErrOther, n, len(p.Offsets))
	}
	for i, at := range p.Offsets {
		if end := l.log.End(i); at > end {
			return p, fmt.Errorf("%w: partition %d of the log ends at offset %d, but %d was read before: the log has shrunk. Put the old log back, or reset the table",
				ErrOther, i, end, at)
		}
		if start := l.log.Start(i); at < start {
			if l.opt.FailOnDataLoss {
				return p, fmt.Errorf("%w: partition %d of the log starts at offset %d, but %d is to be read next. Set failOnDataLoss => false to go on without them, or reset the table",
					ErrLost, i, start, at)
			}
			p.Offsets[i] = start
		}
	}
	for i := len(p.Offsets); i < n; i++ {
		p.Offsets = append(p.Offsets, l.log.Start(i))
	}
	return p, nil
}

// start is where a first batch begins.
func (l *Log) start() (LogPosition, error) {
	p := LogPosition{Log: l.log.ID(), Offsets: make([]int64, l.log.Partitions())}
	for i := range p.Offsets {
		at, err := l.startOf(i)
		if err != nil {
			return p, err
		}
		p.Offsets[i] = at
	}
	return p, nil
}

func (l *Log) startOf(partition int) (int64, error) {
	start, end := l.log.Start(partition), l.log.End(partition)
	at := l.opt.Starting
	if given, ok := l.opt.StartingOffsets[partition]; ok {
		at = given
	}
	switch {
	case l.opt.StartingTime != nil:
		return l.log.OffsetForTime(partition, *l.opt.StartingTime)
	case at == OffsetEarliest:
		return start, nil
	case at == OffsetLatest:
		return end, nil
	case at < start || at > end:
		return 0, fmt.Errorf("%w: startingOffsets asks for offset %d of partition %d, which holds %d to %d", ErrLost, at, partition, start, end)
	}
	return at, nil
}

// Moving tells that the start is another one later, so that it is to be noted
// when the stream begins.
func (l *Log) Moving() bool { return true }

// Start is the position that a first range begins at.
func (l *Log) Start(context.Context) (json.RawMessage, error) {
	p, err := l.start()
	if err != nil {
		return nil, err
	}
	return json.Marshal(p)
}

// Next plans the range after a position; ok is false where there is nothing.
func (l *Log) Next(_ context.Context, from json.RawMessage) (r Range, ok bool, err error) {
	p, err := l.position(from)
	if err != nil {
		return Range{}, false, err
	}
	ends := make([]int64, len(p.Offsets))
	var total int64
	for i, at := range p.Offsets {
		ends[i] = l.log.End(i)
		total += ends[i] - at
	}
	if total == 0 {
		return Range{}, false, nil
	}
	take := min(total, l.rows(p.Offsets))
	to, rows := share(p.Offsets, ends, take, total)
	text, err := json.Marshal(LogPosition{Log: p.Log, Offsets: to})
	return Range{To: text, Rows: rows, More: rows < total}, true, err
}

// rows is the row limit with the byte limit turned into rows by the mean size
// of the log's records.
func (l *Log) rows(offsets []int64) int64 {
	var bytes, records int64
	for i := range offsets {
		bytes += l.log.Bytes(i)
		records += l.log.End(i) - l.log.Start(i)
	}
	limit := l.limits.Rows
	if records > 0 && bytes > 0 {
		limit = min(limit, max(1, l.limits.Bytes/max(1, bytes/records)))
	}
	return limit
}

// share splits take over the partitions in proportion to what they hold.
func share(from, ends []int64, take, total int64) (to []int64, rows int64) {
	to = make([]int64, len(from))
	for i, at := range from {
		have := ends[i] - at
		n := have
		if take < total {
			// In 128 bits would be exact; the counts are far below 2^53.
			n = min(have, int64(float64(have)*(float64(take)/float64(total))))
		}
		to[i] = at + n
		rows += n
	}
	// What rounding left goes to the partitions that hold more, in order.
	for i := 0; i < len(to) && rows < take; i++ {
		n := min(ends[i]-to[i], take-rows)
		to[i] += n
		rows += n
	}
	return to, rows
}

// Backlog tells what waits after a position.
func (l *Log) Backlog(ctx context.Context, from json.RawMessage) (Backlog, error) {
	p, err := l.position(from)
	if err != nil {
		return Backlog{}, err
	}
	var b Backlog
	oldest := int64(-1)
	for i, at := range p.Offsets {
		end := l.log.End(i)
		if at >= end {
			continue
		}
		b.Records += end - at
		if all := end - l.log.Start(i); all > 0 {
			b.Bytes += int64(float64(l.log.Bytes(i)) * float64(end-at) / float64(all))
		}
		err := l.log.ReadBare(ctx, i, at, at+1, func(_ int64, r *eventlog.Record) bool {
			if oldest < 0 || r.Timestamp < oldest {
				oldest = r.Timestamp
			}
			return false
		})
		if err != nil && !errors.As(err, new(eventlog.ErrOutOfRange)) {
			return b, err
		}
	}
	if oldest >= 0 {
		b.Seconds = max(0, float64(time.Now().UnixMilli()-oldest)/1000)
	}
	return b, nil
}

// Floor are the offsets that the log must keep for a flow at a position.
func (l *Log) Floor(at json.RawMessage) ([]int64, error) {
	p, err := l.position(at)
	return p.Offsets, err
}

// Open reads the planned range, with columns parsed from the values behind
// KafkaColumns. The reader is a duck.Source.
func (l *Log) Open(from, to json.RawMessage, parsed ...JSONColumn) (*LogReader, error) {
	p, err := l.position(from)
	if err != nil {
		return nil, err
	}
	q, err := l.position(to)
	if err != nil {
		return nil, err
	}
	return newLogReader(l.log, l.opt.Topic, l.opt.Headers, p.Offsets, q.Offsets, l.alloc, parsed), nil
}
