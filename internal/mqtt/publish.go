package mqtt

import "encoding/binary"

// Publish is a PUBLISH packet. The parsed one points into the buffer that it
// was read from.
type Publish struct {
	Topic   []byte
	Payload []byte
	ID      uint16 // 0 at QoS 0
	QoS     byte
	Dup     bool
	Retain  bool
}

// ParsePublish reads a PUBLISH packet; flags are those of its fixed header,
// which Split has checked. Wildcards in a topic name are for the owner of the
// topic space to refuse [MQTT-3.3.2-2]: IoT Hub topics end with properties that
// some SDKs do not encode, and '+' is just a character there.
func ParsePublish(flags byte, body []byte) (Publish, error) {
	p := Publish{QoS: flags >> 1 & 3, Dup: flags&8 != 0, Retain: flags&1 != 0}
	topic, b, err := cutText(body) // [MQTT-3.3.2-1]
	if err != nil {
		return Publish{}, err
	}
	if len(topic) == 0 { // [MQTT-4.7.3-1]
		return Publish{}, malformed("empty topic name")
	}
	p.Topic = topic
	if p.QoS > 0 {
		if len(b) < 2 {
			return Publish{}, malformed("field cut short")
		}
		p.ID = binary.BigEndian.Uint16(b)
		if p.ID == 0 { // [MQTT-2.3.1-1]
			return Publish{}, malformed("packet identifier 0")
		}
		b = b[2:]
	}
	p.Payload = b
	return p, nil
}

// AppendPublish appends a PUBLISH packet. Topics above 65535 bytes and bodies
// that make the packet larger than MaxRemaining are the caller's to refuse.
func AppendPublish[T string | []byte](dst []byte, topic T, payload []byte, id uint16, qos byte, dup, retain bool) []byte {
	flags, n := qos<<1, 2+len(topic)+len(payload)
	if dup {
		flags |= 8
	}
	if retain {
		flags |= 1
	}
	if qos > 0 {
		n += 2
	}
	dst = appendHeader(dst, PUBLISH, flags, n)
	dst = appendBytes(dst, topic)
	if qos > 0 {
		dst = binary.BigEndian.AppendUint16(dst, id)
	}
	return append(dst, payload...)
}
