package iothub

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/marisma/marisma/internal/eventlog"
	"github.com/marisma/marisma/internal/mqtt"
)

// Reasons for which the hub ends a connection.
var (
	ErrTakenOver    = errors.New("the device connected again elsewhere")
	ErrTokenExpired = errors.New("token expired")
	ErrTooBig       = errors.New("message above 256 KB")
	ErrForeignTopic = errors.New("topic is not the device's")
	ErrNotStored    = errors.New("the log does not take messages")
)

// maxSubscriptions is how many topic filters a connection may have.
const maxSubscriptions = 5

// session is one device's connection.
type session struct {
	hub       *Hub
	conn      *mqtt.Conn
	entry     *entry
	id        identity
	telemetry []byte // "devices/{id}/messages/events"
	partition int
	will      *mqtt.Will
	expiry    *time.Timer
	clean     bool // CleanSession=1; under hub.mu
	subs      []mqtt.Subscription

	// The batch that is handed to the log; memory is used again and again.
	key      []byte
	recs     []eventlog.Record
	enqueued [9]byte           // AMQP timestamp that stamps points to
	stamps   []eventlog.Header // what the hub says of every message of this connection
	seen     [4]seenTopic
	next     int // of seen, to be replaced

	failed atomic.Bool // the log has refused messages that were handed over
}

// seenTopic holds the headers of a topic that came before: most devices send
// the same properties with every message.
type seenTopic struct {
	topic   []byte
	retain  bool
	headers []eventlog.Header
	size    int
}

// Connect checks who connects and replaces an older connection of the same
// identity [MQTT-3.1.4-2].
func (h *Hub) Connect(_ context.Context, c *mqtt.Conn, p *mqtt.Connect) (mqtt.Session, bool, mqtt.ConnackCode) {
	now := time.Now()
	g, err := h.authenticate(p, now)
	if err == nil {
		err = checkWill(p.Will, g.id)
	}
	e := h.cfg.Registry.entry(g.id.name())
	if err == nil && e == nil { // removed this moment
		err = ErrUnknownDevice
	}
	if err != nil {
		h.refused(c, p.ClientID, err)
		return nil, false, mqtt.NotAuthorized
	}
	s := h.newSession(c, g, e, p)
	present := h.takeOver(s)
	e.last.Store(now.UnixMilli())
	s.expiry = time.AfterFunc(g.expires.Sub(now), func() { c.Close(ErrTokenExpired) })
	if d, ok := h.cfg.Registry.Get(g.id.name()); !ok || d.Status != Enabled { // meanwhile: forget may have missed this session
		c.Close(ErrDropped)
	}
	h.cfg.Logger.Debug("device connected", "device", g.id.name(), "remote", c.RemoteAddr().String())
	return s, present, mqtt.Accepted
}

// refused counts a refused CONNECT and logs it: by device where there is such
// a device, else by the peer's address, for names are free to make up.
func (h *Hub) refused(c *mqtt.Conn, clientID string, err error) {
	reason, remote := refusal(err), c.RemoteAddr().String()
	h.counts.refused.WithLabelValues(reason).Inc()
	h.counts.refusals.Add(1)
	who := hostOf(remote)
	if _, ok := h.cfg.Registry.Get(clientID); ok {
		who = clientID
	}
	h.complaints.say("device refused", reason, who, err, "client_id", shorten(clientID), "remote", remote)
}

func (h *Hub) newSession(c *mqtt.Conn, g grant, e *entry, p *mqtt.Connect) *session {
	s := &session{
		hub: h, conn: c, entry: e, id: g.id, will: p.Will, clean: p.CleanSession, key: []byte(g.id.device),
		telemetry: []byte(g.id.telemetry()), partition: PartitionOf(g.id.device, h.cfg.Log.Partitions()),
	}
	stamp := func(name, value string) {
		s.stamps = append(s.stamps, eventlog.Header{Key: name, Value: amqpString(value)})
	}
	stamp("iothub-connection-device-id", g.id.device)
	if g.id.module != "" {
		stamp("iothub-connection-module-id", g.id.module)
	}
	stamp("iothub-connection-auth-method", g.method)
	stamp("iothub-connection-auth-generation-id", g.device.GenerationID)
	stamp("iothub-message-source", "Telemetry")
	s.stamps = append(s.stamps, eventlog.Header{Key: "iothub-enqueuedtime", Value: s.enqueued[:]})
	return s
}

// telemetry is the topic below which an identity sends.
func (id identity) telemetry() string {
	t := "devices/" + id.device
	if id.module != "" {
		t += "/modules/" + id.module
	}
	return t + "/messages/events"
}

// checkWill holds a will to the device's telemetry topic and to QoS 0 and 1.
func checkWill(w *mqtt.Will, id identity) error {
	if w == nil {
		return nil
	}
	if _, ok := cutTopic([]byte(w.Topic), []byte(id.telemetry())); !ok || w.QoS > 1 {
		return ErrForeignWill
	}
	return nil
}

// takeOver makes s the session of its identity. It tells whether an older one
// is carried on [MQTT-3.1.2-4] or dropped [MQTT-3.1.2-6].
func (h *Hub) takeOver(s *session) (present bool) {
	name := s.id.name()
	h.mu.Lock()
	old := h.sessions[name]
	subs, present := h.kept[name]
	if old != nil && !old.clean {
		subs, present = old.granted(), true
	}
	delete(h.kept, name)
	if s.clean {
		present = false
	}
	if present {
		s.subs = subs
	}
	h.sessions[name] = s
	s.entry.connected.Store(true)
	h.mu.Unlock()
	if old != nil {
		old.conn.Close(ErrTakenOver)
	}
	return present
}

// Ended takes the session's last will and writes down why it ended.
func (h *Hub) Ended(ctx context.Context, c *mqtt.Conn, ms mqtt.Session, err error) {
	s, ok := ms.(*session)
	if !ok || s == nil {
		h.unknownEnded(c, err)
		return
	}
	s.expiry.Stop()
	name := s.id.name()
	h.mu.Lock()
	if h.sessions[name] == s {
		delete(h.sessions, name)
		s.entry.connected.Store(false)
		if !s.clean {
			h.kept[name] = s.granted()
		}
	}
	h.mu.Unlock()
	if errors.Is(err, mqtt.ErrDisconnected) {
		h.cfg.Logger.Debug("device disconnected", "device", name)
		return
	}
	if s.will != nil { // [MQTT-3.1.2-8]
		s.sendWill(ctx)
	}
	reason, bad := ending(err)
	h.counts.closed.WithLabelValues(reason).Inc()
	if bad {
		h.counts.faults.Add(1)
		h.complaints.say("device connection closed", reason, name, err, "remote", c.RemoteAddr().String())
		return
	}
	h.cfg.Logger.Debug("device connection closed", "device", name, "reason", err)
}

// unknownEnded is the end of a connection that never was a device's.
func (h *Hub) unknownEnded(c *mqtt.Conn, err error) {
	if ce, ok := errors.AsType[*mqtt.ConnackError](err); ok && ce.Code == mqtt.NotAuthorized {
		return // Connect has counted and logged it
	}
	reason, bad := ending(err)
	h.counts.closed.WithLabelValues(reason).Inc()
	if bad {
		h.counts.faults.Add(1)
		h.complaints.say("connection closed before a device was known", reason, hostOf(c.RemoteAddr().String()), err)
	}
}

// granted is a copy of the subscriptions; under hub.mu where the session may
// still be served.
func (s *session) granted() []mqtt.Subscription { return append([]mqtt.Subscription(nil), s.subs...) }

// Publish takes what came in one read: runs of telemetry go to the log in one
// call, for a device has one partition; requests are answered.
func (s *session) Publish(ctx context.Context, c *mqtt.Conn, batch []mqtt.Publish) error {
	for len(batch) > 0 {
		n := 0
		for n < len(batch) {
			if _, ok := cutTopic(batch[n].Topic, s.telemetry); !ok {
				break
			}
			n++
		}
		if n == 0 {
			if err := s.request(c, &batch[0]); err != nil {
				return err
			}
			batch = batch[1:]
			continue
		}
		if err := s.store(ctx, c, batch[:n]); err != nil {
			return err
		}
		batch = batch[n:]
	}
	return nil
}

// cutTopic takes a telemetry prefix off a topic; what stays is the bag. The
// slash before it may be missing, the bag empty.
func cutTopic(topic, prefix []byte) (bag []byte, ok bool) {
	bag, ok = bytes.CutPrefix(topic, prefix)
	if !ok || len(bag) == 0 {
		return nil, ok
	}
	if bag[0] != '/' {
		return nil, false
	}
	return bag[1:], true
}

// Subscribe grants the filters that SDKs ask for, at most QoS 1.
func (s *session) Subscribe(sub mqtt.Subscription) byte {
	if !s.mayRead(sub.Filter) {
		s.hub.complaints.say("subscription refused", "", s.id.name(), fmt.Errorf("%w: %.200q", ErrForeignTopic, sub.Filter))
		return mqtt.Refused
	}
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	for i := range s.subs { // [MQTT-3.8.4-3]
		if s.subs[i].Filter == sub.Filter {
			s.subs[i].QoS = sub.QoS
			return sub.QoS
		}
	}
	if len(s.subs) >= maxSubscriptions {
		return mqtt.Refused
	}
	s.subs = append(s.subs, sub)
	return sub.QoS
}

// Unsubscribe takes a filter back.
func (s *session) Unsubscribe(filter string) {
	s.hub.mu.Lock()
	defer s.hub.mu.Unlock()
	for i := range s.subs {
		if s.subs[i].Filter == filter {
			s.subs = append(s.subs[:i:i], s.subs[i+1:]...)
			return
		}
	}
}

func (s *session) subscribed(filter string) bool {
	for i := range s.subs { // only this session's goroutine changes it
		if s.subs[i].Filter == filter {
			return true
		}
	}
	return false
}
