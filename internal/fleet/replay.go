package fleet

import (
	"container/heap"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"time"

	"golang.org/x/sync/errgroup"
)

// Order is the order in which rows of several files are sent.
type Order string

// Orders: EventTime merges the files by their time, FileOrder sends one file
// after the other.
const (
	EventTime Order = "event-time"
	FileOrder Order = "file"
)

// ReplayConfig says what to replay. Files, Dial and Ensure are required.
type ReplayConfig struct {
	Files        []string
	Order        Order          // EventTime if empty
	DeviceColumn string         // found by its usual names if empty; the file's name where there is none
	TimeColumn   string         // likewise; year, month, day, hour columns are put together
	Zone         *time.Location // of times without a zone, UTC if nil
	Rate         float64        // rows a second, 0: as fast as the hub takes them
	// Ensure makes sure that the hub knows the device.
	Ensure func(ctx context.Context, device string) error
	Dial   Dialer
	// Progress is told the rows acknowledged so far, after each chunk; nil for none.
	Progress func(rows int64)
	Logger   *slog.Logger
}

// ReplayStats counts what a replay sent.
type ReplayStats struct {
	Rows    int64         `json:"rows"`
	Devices int           `json:"devices"`
	First   time.Time     `json:"first_event"`
	Last    time.Time     `json:"last_event"`
	Took    time.Duration `json:"took_ns"`
}

// chunkRows is how many rows are sent before all must be acknowledged.
const chunkRows = 2048

// Replay sends the files' rows; it returns when all are acknowledged, at the
// first row that cannot be read, or when ctx is done. Files are read as they
// are sent: memory does not grow with them.
func Replay(ctx context.Context, cfg ReplayConfig) (ReplayStats, error) {
	if cfg.Zone == nil {
		cfg.Zone = time.UTC
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	var files []*csvFile
	defer func() {
		for _, f := range files {
			_ = f.f.Close() // opened for reading only
		}
	}()
	for _, name := range cfg.Files {
		f, err := openCSV(name, cfg.DeviceColumn, cfg.TimeColumn, cfg.Zone)
		if err != nil {
			return ReplayStats{}, err
		}
		files = append(files, f)
		if cfg.Order != FileOrder && f.stamp < 0 && f.parts[0] < 0 {
			return ReplayStats{}, fmt.Errorf("%s has no time column to order by: name it with --time-column, or use --order file", name)
		}
	}
	m, err := newMerge(files, cfg.Order)
	if err != nil {
		return ReplayStats{}, err
	}
	r := &replayer{cfg: cfg, senders: map[string]*sender{}}
	defer r.close()
	start := time.Now()
	err = r.run(ctx, m)
	r.stats.Took = time.Since(start)
	r.stats.Devices = len(r.senders)
	return r.stats, err
}

type replayer struct {
	cfg     ReplayConfig
	senders map[string]*sender
	stats   ReplayStats
}

func (r *replayer) run(ctx context.Context, m *merge) error {
	for {
		chunk := map[string][][]byte{}
		n := 0
		for n < r.chunk() {
			row, err := m.next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			chunk[row.Device] = append(chunk[row.Device], row.Body)
			r.note(row.Time)
			n++
		}
		if n == 0 {
			return nil
		}
		began := time.Now()
		if err := r.send(ctx, chunk); err != nil {
			return err
		}
		r.stats.Rows += int64(n)
		if r.cfg.Progress != nil {
			r.cfg.Progress(r.stats.Rows)
		}
		if r.cfg.Rate > 0 {
			rest := time.Duration(float64(n)/r.cfg.Rate*float64(time.Second)) - time.Since(began)
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(rest):
			}
		}
	}
}

// chunk is smaller under a rate, so that the rate is smooth.
func (r *replayer) chunk() int {
	if r.cfg.Rate <= 0 {
		return chunkRows
	}
	return max(1, min(chunkRows, int(r.cfg.Rate/10)))
}

func (r *replayer) note(t time.Time) {
	if t.IsZero() {
		return
	}
	if r.stats.First.IsZero() || t.Before(r.stats.First) {
		r.stats.First = t
	}
	if t.After(r.stats.Last) {
		r.stats.Last = t
	}
}

func (r *replayer) send(ctx context.Context, chunk map[string][][]byte) error {
	g, gctx := errgroup.WithContext(ctx)
	for device, rows := range chunk {
		s := r.senders[device]
		if s == nil {
			if err := r.cfg.Ensure(ctx, device); err != nil {
				return fmt.Errorf("device %s: %w", device, err)
			}
			s = newSender(device, jsonProperties.Encode(), r.cfg.Dial, r.cfg.Logger)
			r.senders[device] = s
		}
		g.Go(func() error { return s.send(gctx, rows) })
	}
	return g.Wait()
}

func (r *replayer) close() {
	for _, s := range r.senders {
		s.close()
	}
}

// jsonProperties is the property bag that tells IoT Hub what the body is.
var jsonProperties = url.Values{"$.ct": {"application/json"}, "$.ce": {"utf-8"}}

// merge gives the rows of several files in order.
type merge struct {
	files []*csvFile
	order Order
}

func newMerge(files []*csvFile, order Order) (*merge, error) {
	m := &merge{order: order}
	for _, f := range files {
		switch err := f.next(); {
		case errors.Is(err, io.EOF):
		case err != nil:
			return nil, err
		default:
			m.files = append(m.files, f)
		}
	}
	if order != FileOrder {
		heap.Init(m)
	}
	return m, nil
}

// Len, Less, Swap, Push and Pop make merge a heap by event time.
func (m *merge) Len() int { return len(m.files) }

// Less orders by event time.
func (m *merge) Less(i, j int) bool {
	return m.files[i].current.Time.Before(m.files[j].current.Time)
}

// Swap exchanges two files.
func (m *merge) Swap(i, j int) { m.files[i], m.files[j] = m.files[j], m.files[i] }

// Push adds a file.
func (m *merge) Push(x any) { m.files = append(m.files, x.(*csvFile)) }

// Pop takes the last file.
func (m *merge) Pop() any {
	f := m.files[len(m.files)-1]
	m.files = m.files[:len(m.files)-1]
	return f
}

func (m *merge) next() (Row, error) {
	if len(m.files) == 0 {
		return Row{}, io.EOF
	}
	f := m.files[0]
	row := f.current
	err := f.next()
	switch {
	case errors.Is(err, io.EOF) && m.order == FileOrder:
		m.files = m.files[1:]
	case errors.Is(err, io.EOF):
		heap.Pop(m)
	case err != nil:
		return Row{}, err
	case m.order != FileOrder:
		heap.Fix(m, 0)
	}
	return row, nil
}
