package mqtt

import (
	"bytes"
	"testing"
)

func seeds(f *testing.F) {
	f.Add(AppendConnect(nil, &Connect{ClientID: "d", Username: "h/d/?api-version=2021-04-12", HasUsername: true, Password: []byte("x"), HasPassword: true, Will: &Will{Topic: "t", Payload: []byte("w"), QoS: 1, Retain: true}}))
	f.Add(AppendPublish(nil, "devices/d/messages/events/%24.ct=a", []byte("{}"), 3, 1, true, true))
	f.Add(AppendPublish(nil, "a", nil, 0, 0, false, false))
	f.Add(AppendSubscribe(nil, 1, Subscription{"a/#", 1}, Subscription{"+", 2}))
	f.Add(AppendUnsubscribe(nil, 1, "a/#"))
	f.Add(AppendSuback(nil, 1, []byte{0, 1, 0x80}))
	f.Add(AppendConnack(nil, true, Accepted))
	f.Add(AppendEmpty(AppendAck(AppendAck(nil, PUBACK, 1), PUBREL, 2), PINGREQ))
	f.Add([]byte{0x30, 0xff, 0xff, 0xff, 0x7f, 0})
	f.Add([]byte("\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01d"))
}

// FuzzPackets: whatever parses is written again as the same bytes, unless its
// length had been written longer than need be.
func FuzzPackets(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, b []byte) {
		for len(b) > 0 {
			fr, n, err := Split(b, 1<<16)
			if err != nil || n == 0 || n > len(b) {
				return
			}
			whole := b[:n]
			b = b[n:]
			again, ok := rewrite(t, fr)
			if !ok {
				continue
			}
			body := func(p []byte) []byte { fr, _, _ := Split(p, MaxRemaining+5); return fr.Body }
			if again[0] != whole[0] || !bytes.Equal(body(again), fr.Body) {
				t.Fatalf("%x was written again as %x", whole, again)
			}
		}
	})
}

// rewrite parses a packet and writes it; ok is false if it does not parse.
func rewrite(t *testing.T, f Frame) (out []byte, ok bool) {
	t.Helper()
	var err error
	switch f.Type {
	case CONNECT:
		var p *Connect
		if p, err = ParseConnect(f.Body); err == nil {
			out = AppendConnect(nil, p)
		}
	case CONNACK:
		var present bool
		var code ConnackCode
		if present, code, err = ParseConnack(f.Body); err == nil {
			if present && code != Accepted {
				return nil, false
			}
			out = AppendConnack(nil, present, code)
		}
	case PUBLISH:
		var p Publish
		if p, err = ParsePublish(f.Flags, f.Body); err == nil {
			out = AppendPublish(nil, p.Topic, p.Payload, p.ID, p.QoS, p.Dup, p.Retain)
		}
	case SUBSCRIBE:
		var id uint16
		var subs []Subscription
		if id, subs, err = ParseSubscribe(f.Body); err == nil {
			out = AppendSubscribe(nil, id, subs...)
		}
	case UNSUBSCRIBE:
		var id uint16
		var filters []string
		if id, filters, err = ParseUnsubscribe(f.Body); err == nil {
			out = AppendUnsubscribe(nil, id, filters...)
		}
	case SUBACK:
		var id uint16
		var codes []byte
		if id, codes, err = ParseSuback(f.Body); err == nil {
			out = AppendSuback(nil, id, codes)
		}
	case PUBACK, PUBREC, PUBREL, PUBCOMP, UNSUBACK:
		var id uint16
		if id, err = ParsePacketID(f.Body); err == nil {
			out = AppendAck(nil, f.Type, id)
		}
	default:
		return nil, false
	}
	return out, err == nil
}
