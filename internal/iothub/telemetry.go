package iothub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/marisma/marisma/internal/eventlog"
	"github.com/marisma/marisma/internal/mqtt"
)

// retryTime is the pause between two tries to hand messages to a full log.
const retryTime = 250 * time.Millisecond

// willTime bounds the handing over of a will.
const willTime = 5 * time.Second

// store hands telemetry to the log and owes its acknowledgement.
func (s *session) store(ctx context.Context, c *mqtt.Conn, batch []mqtt.Publish) error {
	if s.failed.Load() {
		// What came before is not in the log and will be sent again: taking
		// later messages now would turn their order around.
		<-ctx.Done()
		return ErrNotStored
	}
	h := s.hub
	now := time.Now()
	amqpTime(s.enqueued[:0], now.UnixMilli())
	s.recs = s.recs[:0]
	var tooBig error
	bytes := 0
	for i := range batch {
		m := &batch[i]
		headers, size := s.headers(m)
		if size += len(m.Payload); size > MaxMessage {
			batch, tooBig = batch[:i], fmt.Errorf("%w: %d bytes", ErrTooBig, size)
			break
		}
		bytes += len(m.Payload)
		s.recs = append(s.recs, eventlog.Record{Key: s.key, Value: m.Payload, Headers: headers, Timestamp: now.UnixMilli()})
	}
	h.counts.attempts.Add(int64(len(batch)))
	if len(batch) > 0 {
		b := &batchDone{s: s, owed: c.Owe(batch), messages: len(batch), bytes: bytes, since: now}
		if err := s.append(ctx, b); err != nil {
			return err
		}
		s.entry.last.Store(now.UnixMilli())
	}
	clear(s.recs)
	if tooBig != nil {
		h.counts.invalid.Add(1)
	}
	return tooBig
}

// append hands s.recs to the log. Where the log is full it holds them, with
// the connection's read buffer, and tries again for the hold time: devices
// see a slow hub, not a storm of broken connections.
func (s *session) append(ctx context.Context, b *batchDone) error {
	h := s.hub
	until := time.Now().Add(h.cfg.HoldTime)
	for {
		err := h.cfg.Log.Append(ctx, s.partition, s.recs, b.done)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return mqtt.ErrClosed
		}
		h.stall(err)
		h.counts.throttled.Add(1)
		wait := retryTime
		if !errors.Is(err, eventlog.ErrFull) {
			wait = h.cfg.HoldTime // nothing will change: only keep the device from coming back at once
		}
		if time.Now().Add(wait).After(until.Add(retryTime)) {
			h.counts.dropped.Add(int64(b.messages))
			return errors.Join(ErrNotStored, err)
		}
		select {
		case <-ctx.Done():
			return mqtt.ErrClosed
		case <-time.After(wait):
		}
		if !errors.Is(err, eventlog.ErrFull) {
			h.counts.dropped.Add(int64(b.messages))
			return errors.Join(ErrNotStored, err)
		}
	}
}

// batchDone is told by the log's commit what became of a batch.
type batchDone struct {
	s        *session
	owed     *mqtt.Pending
	messages int
	bytes    int
	since    time.Time
}

func (b *batchDone) done(_ int64, err error) {
	h := b.s.hub
	if err == nil {
		h.counts.success.Add(int64(b.messages))
		h.counts.bytes.Add(int64(b.bytes))
		h.counts.latency.Observe(time.Since(b.since).Seconds())
		b.owed.Done()
		if h.stalled.Load() && h.stalled.Swap(false) {
			h.cfg.Logger.Info("messages are acknowledged again")
		}
		return
	}
	h.counts.dropped.Add(int64(b.messages))
	h.stall(err)
	if !b.s.failed.Swap(true) {
		time.AfterFunc(h.cfg.HoldTime, func() { b.s.conn.Close(errors.Join(ErrNotStored, err)) })
	}
}

// stall says that the log takes no messages.
func (h *Hub) stall(err error) {
	h.stalled.Store(true)
	h.complaints.alarm("messages are not acknowledged", err, "problem", h.cfg.Log.Problem())
}

// headers are a message's record headers: its properties, then the hub's
// stamps. size is what the properties count for.
func (s *session) headers(m *mqtt.Publish) (h []eventlog.Header, size int) {
	for i := range s.seen {
		t := &s.seen[i]
		if t.headers != nil && t.retain == m.Retain && bytes.Equal(t.topic, m.Topic) {
			return t.headers, t.size
		}
	}
	bag, _ := cutTopic(m.Topic, s.telemetry)
	props := ParseBag(bag)
	if m.Retain {
		props = set(props, Property{Name: "mqtt-retain", Value: "true"})
	}
	own, size := propertyHeaders(props)
	h = append(own, s.stamps...)
	t := &s.seen[s.next]
	s.next = (s.next + 1) % len(s.seen)
	// Not in the old memory: records of this batch may point to its headers.
	t.topic, t.retain, t.headers, t.size = append(t.topic[:0], m.Topic...), m.Retain, h, size
	return h, size
}

// sendWill stores the message that a device left for its unannounced end.
func (s *session) sendWill(ctx context.Context) {
	w := s.will
	bag, _ := cutTopic([]byte(w.Topic), s.telemetry)
	props := set(ParseBag(bag), Property{Name: "iothub-MessageType", Value: "Will"})
	if w.Retain { // [MQTT-3.1.2-17]
		props = set(props, Property{Name: "mqtt-retain", Value: "true"})
	}
	own, _ := propertyHeaders(props)
	now := time.Now()
	amqpTime(s.enqueued[:0], now.UnixMilli())
	rec := eventlog.Record{Key: s.key, Value: w.Payload, Headers: append(own, s.stamps...), Timestamp: now.UnixMilli()}
	h := s.hub
	h.counts.attempts.Add(1)
	failed := func(err error) {
		h.counts.dropped.Add(1)
		h.complaints.say("will is lost", "", s.id.name(), err)
	}
	ctx, cancel := context.WithTimeout(ctx, willTime)
	defer cancel()
	err := h.cfg.Log.Append(ctx, s.partition, []eventlog.Record{rec}, func(_ int64, err error) {
		if err != nil {
			failed(err)
			return
		}
		h.counts.success.Add(1)
		h.counts.bytes.Add(int64(len(w.Payload)))
	})
	if err != nil {
		failed(err)
	}
}
