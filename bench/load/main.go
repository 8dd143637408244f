package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/marisma/marisma/internal/auth"
	"github.com/marisma/marisma/internal/mqtt"
)

// options of a run.
type options struct {
	to      string // hub, broker, kafka
	addr    string
	socket  string // the hub's local socket, for the keys
	clients int
	window  int
	count   int64 // messages in all
	rate    int   // messages a second in all, 0: as fast as they are taken
	payload int   // fixed payload size instead of JSON messages, 0: JSON
	topic   string
}

// result is what is printed.
type result struct {
	Sent      int64   `json:"sent"`
	Seconds   float64 `json:"seconds"`
	PerSecond float64 `json:"per_second"`
	AckP50    float64 `json:"ack_p50_ms,omitempty"` // of bursts, under a rate
	AckP99    float64 `json:"ack_p99_ms,omitempty"`
}

func main() {
	var o options
	flag.StringVar(&o.to, "to", "hub", "hub, broker or kafka")
	flag.StringVar(&o.addr, "addr", "", "host:port")
	flag.StringVar(&o.socket, "socket", "", "the hub's local socket")
	flag.IntVar(&o.clients, "clients", 500, "connections")
	flag.IntVar(&o.window, "window", 16, "messages in flight per connection")
	flag.Int64Var(&o.count, "count", 1_000_000, "messages in all")
	flag.IntVar(&o.rate, "rate", 0, "messages a second in all, 0: as fast as they are taken")
	flag.IntVar(&o.payload, "payload", 0, "fixed payload size instead of JSON messages")
	flag.StringVar(&o.topic, "topic", "telemetry", "of a broker or Kafka")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	res, err := run(ctx, o)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(res)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) (result, error) {
	if o.to == "kafka" {
		return kafka(ctx, o)
	}
	l := &sending{o: o}
	conns, err := l.connect(ctx)
	if err != nil {
		return result{}, err
	}
	defer func() {
		for i := range conns {
			conns[i].close()
		}
	}()
	start := time.Now()
	g, gctx := errgroup.WithContext(ctx)
	for i := range conns {
		g.Go(func() error { return l.send(gctx, i, &conns[i], start) })
	}
	if err := g.Wait(); err != nil {
		return result{}, err
	}
	took := time.Since(start).Seconds()
	res := result{Sent: l.sent.Load(), Seconds: took, PerSecond: float64(l.sent.Load()) / took}
	if n := len(l.acks); n > 0 {
		slices.Sort(l.acks)
		res.AckP50, res.AckP99 = l.acks[n/2], l.acks[n*99/100]
	}
	return res, nil
}

// sending is the state of an MQTT run.
type sending struct {
	o    options
	sent atomic.Int64

	mu   sync.Mutex
	acks []float64 // ms from a burst's first publish to its last acknowledgement
}

// connects bounds the connections that are made at a time.
const connects = 32

// conn is a connection: a client that keeps to a schedule, or a pump.
type conn struct {
	client *mqtt.Client
	pump   *pump
}

func (c *conn) close() {
	switch {
	case c.client != nil:
		_ = c.client.Close()
	case c.pump != nil:
		_ = c.pump.nc.Close()
	}
}

func (l *sending) connect(ctx context.Context) ([]conn, error) {
	conns := make([]conn, l.o.clients)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(connects)
	for i := range conns {
		g.Go(func() error {
			cfg := mqtt.ClientConfig{Addr: l.o.addr, ClientID: device(i), Window: l.o.window, CleanSession: l.o.to == "broker"}
			if l.o.to == "hub" {
				key, err := deviceKey(gctx, l.o.socket, device(i))
				if err != nil {
					return err
				}
				cfg.Username = "localhost/" + device(i) + "/?api-version=2021-04-12"
				cfg.Password = auth.SignSAS("localhost/devices/"+device(i), key, "", time.Now().Add(time.Hour))
			}
			var err error
			if l.o.rate > 0 {
				conns[i].client, err = mqtt.Dial(gctx, cfg)
			} else {
				conns[i].pump, err = dialPump(gctx, cfg)
			}
			return err
		})
	}
	return conns, g.Wait()
}

// device is the name of a seed of bench/project, which has 500.
func device(i int) string { return fmt.Sprintf("dev-%03d", i+1) }

// tick is the time between two bursts of a connection under a rate.
const tick = 50 * time.Millisecond

func (l *sending) send(ctx context.Context, i int, c *conn, start time.Time) error {
	dev := device(i)
	topic := "devices/" + dev + "/messages/events/%24.ct=application%2Fjson"
	if l.o.to == "broker" {
		topic = l.o.topic + "/" + dev
	}
	share := l.o.count / int64(l.o.clients)
	if int64(i) < l.o.count%int64(l.o.clients) {
		share++
	}
	payload := make([]byte, l.o.payload)
	body := func(dst []byte, n int64) []byte {
		if l.o.payload > 0 {
			return append(dst, payload...)
		}
		return message(dst, dev, n*int64(l.o.clients)+int64(i), time.Now())
	}
	if c.pump != nil {
		err := c.pump.run(ctx, topic, share, body)
		l.sent.Add(share)
		return err
	}
	var msg []byte
	return l.paced(ctx, i, c.client, share, start, func(n int64) error {
		msg = body(msg[:0], n)
		return c.client.Publish(ctx, topic, msg)
	})
}

// paced sends what is due each tick, whatever the acknowledgements take: the
// schedule is fixed beforehand, so that a slow server shows as latency.
func (l *sending) paced(ctx context.Context, i int, c *mqtt.Client, share int64, start time.Time, publish func(int64) error) error {
	perSecond := float64(l.o.rate) / float64(l.o.clients)
	// Connections do not tick together.
	begin := start.Add(tick * time.Duration(i) / time.Duration(l.o.clients))
	for n := int64(0); n < share; {
		due := min(share, int64(time.Since(begin).Seconds()*perSecond)+1)
		if n >= due {
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(tick):
			}
			continue
		}
		t := time.Now()
		for ; n < due; n++ {
			if err := publish(n); err != nil {
				return err
			}
			l.sent.Add(1)
		}
		if err := c.Flush(ctx); err != nil {
			return err
		}
		l.mu.Lock()
		l.acks = append(l.acks, float64(time.Since(t).Microseconds())/1000)
		l.mu.Unlock()
	}
	return nil
}

// errKey: the hub does not know the device.
var errKey = errors.New("no key")
