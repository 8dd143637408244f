package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/marisma/marisma/internal/app"
	"github.com/marisma/marisma/internal/fleet"
	"github.com/marisma/marisma/internal/web/api"
)

// note is one line of sent.jsonl: a body was sent once more, or acknowledged.
type note struct {
	ID    string `json:"id"`
	Event string `json:"event"` // sent, acked
}

// load is the devices that send while the server is killed.
type load struct {
	project string
	devices int
	gap     time.Duration // between two chunks of a device

	mu   sync.Mutex
	out  *bufio.Writer
	file *os.File

	sent, acked atomic.Int64
}

// chunk is how many messages a device sends before it waits for their
// acknowledgements.
const chunk = 20

func newLoad(path, project string, o options) (*load, error) {
	f, err := os.Create(path)
	if err != nil {
		return nil, err
	}
	gap := time.Duration(float64(chunk*o.devices) / float64(o.rate) * float64(time.Second))
	return &load{project: project, devices: o.devices, gap: gap, out: bufio.NewWriter(f), file: f}, nil
}

func (l *load) note(event string, ids []string) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	enc := json.NewEncoder(l.out)
	for _, id := range ids {
		if err := enc.Encode(note{id, event}); err != nil {
			return err
		}
	}
	return nil
}

func (l *load) run(ctx context.Context) error {
	g, gctx := errgroup.WithContext(ctx)
	for i := range l.devices {
		g.Go(func() error { return l.device(gctx, fmt.Sprintf("dev-%02d", i+1)) })
	}
	err := g.Wait()
	if ferr := l.out.Flush(); err == nil {
		err = ferr
	}
	if ferr := l.file.Close(); err == nil {
		err = ferr
	}
	return err
}

// device sends chunk after chunk; one that was not acknowledged as a whole is
// sent again, as devices do.
func (l *load) device(ctx context.Context, id string) error {
	var conn fleet.Conn
	defer func() {
		if conn != nil {
			_ = conn.Close()
		}
	}()
	topic := "devices/" + id + "/messages/events/%24.ct=application%2Fjson"
	for seq := 0; ctx.Err() == nil; seq += chunk {
		ids, bodies := l.bodies(id, seq)
		for ctx.Err() == nil {
			var err error
			if conn == nil {
				if conn, err = l.dial(ctx, id); err != nil {
					conn = nil
					time.Sleep(20 * time.Millisecond)
					continue
				}
			}
			if err := l.note("sent", ids); err != nil {
				return err
			}
			l.sent.Add(chunk)
			if send(ctx, conn, topic, bodies) == nil {
				l.acked.Add(chunk)
				if err := l.note("acked", ids); err != nil {
					return err
				}
				break
			}
			_ = conn.Close()
			conn = nil
		}
		select {
		case <-ctx.Done():
		case <-time.After(l.gap):
		}
	}
	return nil
}

func (l *load) bodies(id string, seq int) (ids []string, bodies [][]byte) {
	for i := range chunk {
		key := fmt.Sprintf("%s-%d", id, seq+i)
		v := float64((seq + i) % 100)
		body := fmt.Appendf(nil, `{"id":%q,"v":%g}`, key, v)
		switch (seq + i) % 17 {
		case 3:
			body = fmt.Appendf(nil, `{"id":%q,"v":-%g}`, key, v+1)
		case 5:
			body = fmt.Appendf(nil, `broken %s`, key)
		}
		ids, bodies = append(ids, string(body)), append(bodies, body)
	}
	return ids, bodies
}

// dial goes by what the ready file says, for each start takes other ports.
func (l *load) dial(ctx context.Context, id string) (fleet.Conn, error) {
	data := filepath.Join(l.project, ".marisma")
	b, err := os.ReadFile(filepath.Join(data, "ready.json"))
	if err != nil {
		return nil, err
	}
	var ready struct {
		Addresses map[string]string `json:"addresses"`
	}
	if err := json.Unmarshal(b, &ready); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	d, err := app.Dialer(filepath.Join(data, "auth", "ca.pem"), ready.Addresses["mqtts"], api.Unix(app.SocketPath(data)).Device)
	if err != nil {
		return nil, err
	}
	return d(ctx, id)
}

func send(ctx context.Context, c fleet.Conn, topic string, bodies [][]byte) error {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	for _, b := range bodies {
		if err := c.Publish(ctx, topic, b); err != nil {
			return err
		}
	}
	return c.Flush(ctx)
}
