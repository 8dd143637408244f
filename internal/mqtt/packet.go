package mqtt

import (
	"bytes"
	"encoding/binary"
	"unicode/utf8"
)

// Type is the kind of a control packet.
type Type byte

// The control packets of MQTT 3.1.1.
const (
	CONNECT     Type = 1
	CONNACK     Type = 2
	PUBLISH     Type = 3
	PUBACK      Type = 4
	PUBREC      Type = 5
	PUBREL      Type = 6
	PUBCOMP     Type = 7
	SUBSCRIBE   Type = 8
	SUBACK      Type = 9
	UNSUBSCRIBE Type = 10
	UNSUBACK    Type = 11
	PINGREQ     Type = 12
	PINGRESP    Type = 13
	DISCONNECT  Type = 14
)

// MaxRemaining is the largest remaining length that a packet can tell.
const MaxRemaining = 268_435_455

// Frame is one packet cut from a buffer; Body points into it.
type Frame struct {
	Type  Type
	Flags byte
	Body  []byte
}

// Split cuts the first packet from b. n is its whole size in bytes: 0 with no
// error while the fixed header is not complete, more than len(b) while the
// body is not. A packet of more than limit bytes is ErrTooLarge as soon as its
// header is there.
func Split(b []byte, limit int) (f Frame, n int, err error) {
	if len(b) == 0 {
		return Frame{}, 0, nil
	}
	f.Type, f.Flags = Type(b[0]>>4), b[0]&0x0f
	if err := checkFlags(f.Type, f.Flags); err != nil {
		return Frame{}, 0, err
	}
	length, i := 0, 1
	for shift := 0; ; shift += 7 {
		if i > 4 {
			return Frame{}, 0, malformed("remaining length of more than four bytes")
		}
		if i >= len(b) {
			return Frame{}, 0, nil
		}
		c := b[i]
		i++
		length |= int(c&0x7f) << shift
		if c < 0x80 {
			break
		}
	}
	n = i + length
	if n > limit {
		return Frame{}, 0, ErrTooLarge
	}
	if n <= len(b) {
		f.Body = b[i:n:n]
	}
	return f, n, nil
}

// checkFlags holds the reserved bits of the fixed header to their values
// [MQTT-2.2.2-1] [MQTT-2.2.2-2].
func checkFlags(t Type, flags byte) error {
	switch t {
	case PUBLISH:
		if flags>>1&3 == 3 {
			return malformed("QoS 3") // [MQTT-3.3.1-4]
		}
		if flags&0x0e == 0x08 {
			return malformed("DUP with QoS 0") // [MQTT-3.3.1-2]
		}
		return nil
	case PUBREL, SUBSCRIBE, UNSUBSCRIBE: // [MQTT-3.6.1-1] [MQTT-3.8.1-1] [MQTT-3.10.1-1]
		if flags != 2 {
			return malformed("reserved header bits")
		}
		return nil
	case 0, 15:
		return malformed("reserved packet type")
	}
	if flags != 0 {
		return malformed("reserved header bits")
	}
	return nil
}

// appendHeader appends a fixed header; length must not exceed MaxRemaining.
func appendHeader(dst []byte, t Type, flags byte, length int) []byte {
	dst = append(dst, byte(t)<<4|flags)
	for length >= 0x80 {
		dst = append(dst, byte(length)|0x80)
		length >>= 7
	}
	return append(dst, byte(length))
}

func appendBytes[T string | []byte](dst []byte, s T) []byte {
	dst = binary.BigEndian.AppendUint16(dst, uint16(len(s)))
	return append(dst, s...)
}

// cutBytes takes a length-prefixed field off b.
func cutBytes(b []byte) (field, rest []byte, err error) {
	if len(b) < 2 {
		return nil, nil, malformed("field cut short")
	}
	n := 2 + int(binary.BigEndian.Uint16(b))
	if len(b) < n {
		return nil, nil, malformed("field cut short")
	}
	return b[2:n:n], b[n:], nil
}

// cutText takes a UTF-8 string off b: well-formed, without U+0000
// [MQTT-1.5.3-1] [MQTT-1.5.3-2].
func cutText(b []byte) (text, rest []byte, err error) {
	text, rest, err = cutBytes(b)
	if err != nil {
		return nil, nil, err
	}
	if !validText(text) {
		return nil, nil, malformed("text is not UTF-8")
	}
	return text, rest, nil
}

func validText(b []byte) bool { return bytes.IndexByte(b, 0) < 0 && utf8.Valid(b) }

// ParsePacketID reads the body of PUBACK, PUBREC, PUBREL, PUBCOMP and
// UNSUBACK: a packet identifier, never 0 [MQTT-2.3.1-1].
func ParsePacketID(body []byte) (uint16, error) {
	if len(body) != 2 {
		return 0, malformed("acknowledgement of wrong length")
	}
	id := binary.BigEndian.Uint16(body)
	if id == 0 {
		return 0, malformed("packet identifier 0")
	}
	return id, nil
}

// AppendAck appends PUBACK or another packet whose body is an identifier.
func AppendAck(dst []byte, t Type, id uint16) []byte {
	flags := byte(0)
	if t == PUBREL {
		flags = 2
	}
	return append(dst, byte(t)<<4|flags, 2, byte(id>>8), byte(id))
}

// AppendEmpty appends PINGREQ, PINGRESP or DISCONNECT.
func AppendEmpty(dst []byte, t Type) []byte { return append(dst, byte(t)<<4, 0) }
