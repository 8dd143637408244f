package mqtt

import (
	"bytes"
	"encoding/binary"
)

// Subscription is one topic filter with the quality asked for.
type Subscription struct {
	Filter string
	QoS    byte
}

// Refused is the SUBACK code of a filter that is not granted.
const Refused byte = 0x80

// ParseSubscribe reads the body of SUBSCRIBE.
func ParseSubscribe(body []byte) (id uint16, subs []Subscription, err error) {
	id, b, err := cutID(body)
	if err != nil {
		return 0, nil, err
	}
	for len(b) > 0 {
		var f []byte
		if f, b, err = cutText(b); err != nil { // [MQTT-3.8.3-1]
			return 0, nil, err
		}
		if len(b) < 1 || b[0] > 2 { // [MQTT-3-8.3-4]
			return 0, nil, malformed("requested QoS")
		}
		if !ValidFilter(f) {
			return 0, nil, malformed("topic filter")
		}
		subs = append(subs, Subscription{Filter: string(f), QoS: b[0]})
		b = b[1:]
	}
	if len(subs) == 0 { // [MQTT-3.8.3-3]
		return 0, nil, malformed("SUBSCRIBE without a filter")
	}
	return id, subs, nil
}

// ParseUnsubscribe reads the body of UNSUBSCRIBE.
func ParseUnsubscribe(body []byte) (id uint16, filters []string, err error) {
	id, b, err := cutID(body)
	if err != nil {
		return 0, nil, err
	}
	for len(b) > 0 {
		var f []byte
		if f, b, err = cutText(b); err != nil { // [MQTT-3.10.3-1]
			return 0, nil, err
		}
		if !ValidFilter(f) {
			return 0, nil, malformed("topic filter")
		}
		filters = append(filters, string(f))
	}
	if len(filters) == 0 { // [MQTT-3.10.3-2]
		return 0, nil, malformed("UNSUBSCRIBE without a filter")
	}
	return id, filters, nil
}

func cutID(body []byte) (uint16, []byte, error) {
	if len(body) < 2 {
		return 0, nil, malformed("field cut short")
	}
	id := binary.BigEndian.Uint16(body)
	if id == 0 { // [MQTT-2.3.1-1]
		return 0, nil, malformed("packet identifier 0")
	}
	return id, body[2:], nil
}

// ValidFilter tells whether b can be a topic filter: '#' stands alone in the
// last level, '+' alone in any [MQTT-4.7.1-2] [MQTT-4.7.1-3] [MQTT-4.7.3-1].
func ValidFilter(b []byte) bool {
	if len(b) == 0 {
		return false
	}
	for {
		level, rest, more := bytes.Cut(b, []byte{'/'})
		if i := bytes.IndexAny(level, "#+"); i >= 0 {
			if len(level) != 1 || level[0] == '#' && more {
				return false
			}
		}
		if !more {
			return true
		}
		b = rest
	}
}

// AppendSubscribe appends SUBSCRIBE.
func AppendSubscribe(dst []byte, id uint16, subs ...Subscription) []byte {
	n := 2
	for _, s := range subs {
		n += 3 + len(s.Filter)
	}
	dst = appendHeader(dst, SUBSCRIBE, 2, n)
	dst = binary.BigEndian.AppendUint16(dst, id)
	for _, s := range subs {
		dst = append(appendBytes(dst, s.Filter), s.QoS)
	}
	return dst
}

// AppendUnsubscribe appends UNSUBSCRIBE.
func AppendUnsubscribe(dst []byte, id uint16, filters ...string) []byte {
	n := 2
	for _, f := range filters {
		n += 2 + len(f)
	}
	dst = appendHeader(dst, UNSUBSCRIBE, 2, n)
	dst = binary.BigEndian.AppendUint16(dst, id)
	for _, f := range filters {
		dst = appendBytes(dst, f)
	}
	return dst
}

// AppendSuback appends SUBACK with one code per filter, in their order
// [MQTT-3.8.4-5] [MQTT-3.9.3-1].
func AppendSuback(dst []byte, id uint16, codes []byte) []byte {
	dst = appendHeader(dst, SUBACK, 0, 2+len(codes))
	dst = binary.BigEndian.AppendUint16(dst, id)
	return append(dst, codes...)
}

// ParseSuback reads the body of SUBACK; codes point into it.
func ParseSuback(body []byte) (id uint16, codes []byte, err error) {
	id, codes, err = cutID(body)
	if err != nil {
		return 0, nil, err
	}
	for _, c := range codes {
		if c > 2 && c != Refused { // [MQTT-3.9.3-2]
			return 0, nil, malformed("SUBACK code")
		}
	}
	return id, codes, nil
}
