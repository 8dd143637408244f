package eventlog

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/google/uuid"

	"github.com/marisma/marisma/internal/vfs"
)

// Log is an event log. Its methods are safe for concurrent use. It takes
// appends after Open; they are committed while Run runs.
type Log struct {
	cfg   Config
	log   *slog.Logger
	meta  meta
	parts []*partition

	kick     chan struct{} // there is something to commit
	tend     chan struct{} // there is something to tend: seals, retention
	stopped  chan struct{} // closed when the log takes and commits no more
	stopOnce sync.Once
	running  atomic.Bool
	changed  notifier

	stored  atomic.Int64 // committed bytes of all partitions
	pending atomic.Int64 // uncommitted bytes of all partitions
	capped  atomic.Bool  // an append was refused at the hard cap

	floorMu sync.Mutex
	floors  map[string][]int64

	batches spares[batch]
	readers spares[reader]
	waiters sync.Pool // *waiter

	cacheMu sync.Mutex
	cached  []*segment

	metrics *metrics
}

// meta is log.json.
type meta struct {
	ID         string `json:"id"`
	Partitions int    `json:"partitions"`
	Format     int    `json:"format"`
}

const (
	metaName   = "log.json"
	metaFormat = 1
)

// Open opens the log, making it if there is none, and recovers every
// partition. The caller runs it with Run, or closes it with Close.
func Open(cfg Config) (*Log, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	l := &Log{
		cfg: cfg, log: cfg.Logger,
		kick: make(chan struct{}, 1), tend: make(chan struct{}, 1), stopped: make(chan struct{}),
		floors: map[string][]int64{},
	}
	l.batches.max = spareBatches * cfg.Partitions
	l.readers.max = spareReaders
	l.waiters.New = func() any { return newWaiter() }
	if err := l.openMeta(); err != nil {
		return nil, err
	}
	if err := l.recover(); err != nil {
		_ = l.Close()
		return nil, err
	}
	var err error
	if l.metrics, err = newMetrics(cfg.Metrics, l); err != nil {
		_ = l.Close()
		return nil, err
	}
	return l, nil
}

// openMeta reads log.json or mints it.
func (l *Log) openMeta() error {
	fsys, name := l.cfg.FS, path.Join(l.cfg.Dir, metaName)
	data, err := vfs.ReadFile(fsys, name)
	switch {
	case errors.Is(err, errNotExist):
		return l.mint(name)
	case err != nil:
		return fmt.Errorf("eventlog: %w", err)
	}
	if err := json.Unmarshal(data, &l.meta); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrCorrupt, name, err)
	}
	m := l.meta
	switch {
	case m.Format > metaFormat:
		return fmt.Errorf("eventlog: %s has format %d, this version knows up to %d: run the version that wrote it, or a newer one",
			name, m.Format, metaFormat)
	case m.Format < 1 || m.ID == "" || m.Partitions < 1 || m.Partitions > maxPartitions:
		return fmt.Errorf("%w: %s: %s", ErrCorrupt, name, data)
	case l.cfg.Partitions != 0 && l.cfg.Partitions != m.Partitions:
		return fmt.Errorf("eventlog: the log in %s has %d partitions, %d are asked for: the number is fixed when a log is made",
			l.cfg.Dir, m.Partitions, l.cfg.Partitions)
	}
	return nil
}

// mint makes the folder and log.json, before any partition.
func (l *Log) mint(name string) error {
	fsys, dir := l.cfg.FS, l.cfg.Dir
	if err := fsys.MkdirAll(dir); err != nil {
		return fmt.Errorf("eventlog: %w", err)
	}
	list, err := fsys.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("eventlog: %w", err)
	}
	for _, e := range list {
		if e.IsDir() && strings.Trim(e.Name(), "0123456789") == "" {
			return fmt.Errorf("%w: %s holds partitions and no %s: restore it from a copy, or move the folder away", ErrCorrupt, dir, metaName)
		}
	}
	setDefault(&l.cfg.Partitions, defaultPartitions)
	l.meta = meta{ID: uuid.NewString(), Partitions: l.cfg.Partitions, Format: metaFormat}
	data, err := json.Marshal(l.meta)
	if err != nil {
		return err
	}
	if err := vfs.WriteFile(fsys, name, append(data, '\n')); err != nil {
		return fmt.Errorf("eventlog: %w", err)
	}
	return nil
}

// Close stops a log that Run does not run: waiting appends get ErrClosed.
// After Run has returned it does nothing.
func (l *Log) Close() error {
	if !l.running.CompareAndSwap(false, true) {
		return nil
	}
	l.refuseAll(ErrClosed)
	for _, p := range l.parts {
		p.take()
		p.err = ErrClosed
		l.settle(p)
	}
	return l.stop()
}

// stop closes the files and wakes who waits.
func (l *Log) stop() error {
	l.stopOnce.Do(func() { close(l.stopped) })
	var errs []error
	for _, p := range l.parts {
		errs = append(errs, p.closeFiles())
	}
	if l.metrics != nil {
		l.metrics.unregister()
	}
	return errors.Join(errs...)
}

// Partitions is the number of partitions.
func (l *Log) Partitions() int { return l.meta.Partitions }

// ID is the UUID that was minted when the log was made; a consumer that
// remembers offsets remembers it too.
func (l *Log) ID() string { return l.meta.ID }

// partition gives a partition by its number.
func (l *Log) partition(n int) (*partition, error) {
	if n < 0 || n >= len(l.parts) {
		return nil, fmt.Errorf("%w: %d of %d", ErrNoPartition, n, len(l.parts))
	}
	return l.parts[n], nil
}

// Start is the first offset that the partition holds, 0 where there is no
// such partition.
func (l *Log) Start(partition int) int64 {
	if p, err := l.partition(partition); err == nil {
		return p.start()
	}
	return 0
}

// End is the offset after the last committed record: what readers may see.
func (l *Log) End(partition int) int64 {
	if p, err := l.partition(partition); err == nil {
		return p.end.Load()
	}
	return 0
}

// Bytes is the size of the partition's committed records.
func (l *Log) Bytes(partition int) int64 {
	if p, err := l.partition(partition); err == nil {
		return p.bytes()
	}
	return 0
}

// CheckEnd returns ErrShrunk where the partition ends before known, an end
// that a consumer has seen committed.
func (l *Log) CheckEnd(partition int, known int64) error {
	if end := l.End(partition); end < known {
		return fmt.Errorf("%w: partition %d ends at %d, records up to %d have been read", ErrShrunk, partition, end, known)
	}
	return nil
}

// Problem says why appends are refused now, "" when they are not.
func (l *Log) Problem() string {
	var out []string
	if l.capped.Load() {
		out = append(out, l.capText())
	}
	for _, p := range l.parts {
		p.mu.Lock()
		err := p.refuse
		p.mu.Unlock()
		if err != nil {
			out = append(out, "partition "+strconv.Itoa(p.id)+": "+err.Error())
		}
	}
	return strings.Join(out, "; ")
}

// capText says that and why the hard cap refuses.
func (l *Log) capText() string {
	return fmt.Sprintf("the log holds %d bytes, its hard cap is %d: consumers that have not read yet, or retention, keep them",
		l.stored.Load(), l.cfg.HardCap)
}

// Changed is closed at the next commit of any partition; take a new one each
// time, before looking at End.
func (l *Log) Changed() <-chan struct{} { return l.changed.wait() }

// Wait blocks until End(partition) > offset, ctx is done, or the log stops (ErrClosed).
func (l *Log) Wait(ctx context.Context, partition int, offset int64) error {
	p, err := l.partition(partition)
	if err != nil {
		return err
	}
	for {
		ch := l.changed.wait()
		if p.end.Load() > offset {
			return nil
		}
		select {
		case <-ch:
		case <-ctx.Done():
			return ctx.Err()
		case <-l.stopped:
			return ErrClosed
		}
	}
}

// notifier is a channel that closes at the next fire; it costs nothing while
// nobody waits.
type notifier struct {
	mu sync.Mutex
	ch chan struct{}
}

func (n *notifier) wait() <-chan struct{} {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ch == nil {
		n.ch = make(chan struct{})
	}
	return n.ch
}

func (n *notifier) fire() {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.ch != nil {
		close(n.ch)
		n.ch = nil
	}
}

// nudge fills a signal channel of capacity 1.
func nudge(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
