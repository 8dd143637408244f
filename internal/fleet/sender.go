package fleet

import (
	"context"
	"log/slog"
	"time"
)

// Conn is one device's connection to the hub.
type Conn interface {
	// Publish sends at QoS 1 and may return before the acknowledgement; it
	// blocks while the connection's window is full.
	Publish(ctx context.Context, topic string, payload []byte) error
	// Flush waits until everything published is acknowledged.
	Flush(ctx context.Context) error
	Close() error
}

// Dialer opens the connection of a device.
type Dialer func(ctx context.Context, device string) (Conn, error)

// sender keeps one device connected and sends its messages in chunks: a chunk
// whose acknowledgements did not all come is sent again as a whole, as a
// device does, so a message may arrive twice but is never left out.
type sender struct {
	device string
	topic  string
	dial   Dialer
	log    *slog.Logger
	conn   Conn
}

// Waits between two attempts to connect.
const (
	firstWait = 200 * time.Millisecond
	lastWait  = 10 * time.Second
)

func newSender(device, properties string, dial Dialer, log *slog.Logger) *sender {
	return &sender{device: device, topic: "devices/" + device + "/messages/events/" + properties, dial: dial, log: log}
}

// send returns once every message is acknowledged or ctx is done.
func (s *sender) send(ctx context.Context, messages [][]byte) error {
	wait := firstWait
	for {
		err := s.try(ctx, messages)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		s.close()
		s.log.Warn("device sends again", "device", s.device, "messages", len(messages), "after", wait, "error", err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(wait):
		}
		wait = min(2*wait, lastWait)
	}
}

func (s *sender) try(ctx context.Context, messages [][]byte) error {
	if s.conn == nil {
		c, err := s.dial(ctx, s.device)
		if err != nil {
			return err
		}
		s.conn = c
	}
	for _, m := range messages {
		if err := s.conn.Publish(ctx, s.topic, m); err != nil {
			return err
		}
	}
	return s.conn.Flush(ctx)
}

func (s *sender) close() {
	if s.conn != nil {
		// The connection is given up: its close error says nothing new.
		_ = s.conn.Close()
		s.conn = nil
	}
}
