package fleet

import (
	"context"
	"log/slog"
	"math/rand/v2"
	"net/url"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// SimulateConfig says what the fleet does. Devices and Dial are required.
type SimulateConfig struct {
	Devices []string
	// Interval between two messages of a device, 5 s if zero.
	Interval time.Duration
	// History is sent first, back-dated and as fast as the hub takes it.
	History time.Duration
	// Count ends the fleet after this many live messages a device, 0: never.
	Count int
	Dirt  Dirt
	// Seed makes a fleet that can be repeated; 0 takes one from the clock.
	Seed uint64
	Dial Dialer
	// Progress is told after each acknowledged chunk; nil for none.
	Progress func(Sent)
	Logger   *slog.Logger
}

// Sent counts the fleet's acknowledged messages, repetitions included.
type Sent struct {
	Messages int64
	Again    int64 // of these, repetitions of the message before
	History  bool  // the back-dated hours are still going out
}

// historyChunk is how many back-dated messages a device sends before all must
// be acknowledged.
const historyChunk = 256

type fleet struct {
	cfg      SimulateConfig
	messages atomic.Int64
	again    atomic.Int64
	behind   atomic.Int64 // devices that still send history
}

// Simulate runs the fleet until ctx is done or Count is reached. Connections
// that break are made again; what was not acknowledged is sent again.
func Simulate(ctx context.Context, cfg SimulateConfig) (Sent, error) {
	if cfg.Interval == 0 {
		cfg.Interval = 5 * time.Second
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Seed == 0 {
		cfg.Seed = uint64(time.Now().UnixNano())
	}
	f := &fleet{cfg: cfg}
	f.behind.Store(int64(len(cfg.Devices)))
	// Sequence numbers go on over restarts of the fleet, since devices keep
	// theirs: the clock gives a start that is beyond the last one.
	start := time.Now()
	g, gctx := errgroup.WithContext(ctx)
	for _, d := range cfg.Devices {
		g.Go(func() error { return f.device(gctx, d, start) })
	}
	err := g.Wait()
	return f.sent(), err
}

func (f *fleet) sent() Sent {
	return Sent{Messages: f.messages.Load(), Again: f.again.Load(), History: f.behind.Load() > 0}
}

func (f *fleet) device(ctx context.Context, id string, start time.Time) error {
	firmware := "2." + string(rune('0'+len(id)%4)) + ".1"
	bag := url.Values{"$.ct": jsonProperties["$.ct"], "$.ce": jsonProperties["$.ce"], "firmware": {firmware}}
	s := newSender(id, bag.Encode(), f.cfg.Dial, f.cfg.Logger)
	defer s.close()
	m := NewMachine(id, f.cfg.Seed, f.cfg.Dirt, start.Unix()*10)
	if err := f.history(ctx, s, m, start); err != nil {
		return err
	}
	f.behind.Add(-1)
	// Devices do not tick together.
	timer := time.NewTimer(rand.N(f.cfg.Interval))
	defer timer.Stop()
	for n := 0; f.cfg.Count == 0 || n < f.cfg.Count; n++ {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		timer.Reset(f.cfg.Interval)
		body, again := m.Message(nil, time.Now())
		if err := f.send(ctx, s, [][]byte{body}, boolCount(again)); err != nil {
			return err
		}
	}
	return nil
}

func (f *fleet) history(ctx context.Context, s *sender, m *Machine, start time.Time) error {
	chunk := make([][]byte, 0, historyChunk)
	repeats := int64(0)
	for t := start.Add(-f.cfg.History); t.Before(start); t = t.Add(f.cfg.Interval) {
		body, again := m.Message(nil, t)
		chunk = append(chunk, body)
		repeats += boolCount(again)
		if len(chunk) == historyChunk {
			if err := f.send(ctx, s, chunk, repeats); err != nil {
				return err
			}
			chunk, repeats = chunk[:0], 0
		}
	}
	if len(chunk) == 0 {
		return nil
	}
	return f.send(ctx, s, chunk, repeats)
}

func (f *fleet) send(ctx context.Context, s *sender, chunk [][]byte, again int64) error {
	if err := s.send(ctx, chunk); err != nil {
		return err
	}
	f.messages.Add(int64(len(chunk)))
	f.again.Add(again)
	if f.cfg.Progress != nil {
		f.cfg.Progress(f.sent())
	}
	return nil
}

func boolCount(b bool) int64 {
	if b {
		return 1
	}
	return 0
}
