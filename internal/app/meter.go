package app

import (
	"context"
	"math"
	"sync/atomic"
	"time"

	"github.com/marisma/marisma/internal/iothub"
)

// meter measures the hub's rate over the last seconds.
type meter struct {
	bits atomic.Uint64 // float64, messages a second
}

// meterSmooth is the weight of the newest second.
const meterSmooth = 0.4

func (m *meter) rate() float64 { return math.Float64frombits(m.bits.Load()) }

func (m *meter) run(ctx context.Context, hub *iothub.Hub) {
	t := time.NewTicker(time.Second)
	defer t.Stop()
	last, then, rate := hub.Stats().Accepted, time.Now(), 0.0
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-t.C:
			n := hub.Stats().Accepted
			rate += meterSmooth * (float64(n-last)/now.Sub(then).Seconds() - rate)
			last, then = n, now
			m.bits.Store(math.Float64bits(rate))
		}
	}
}
