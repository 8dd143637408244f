package mqtt

import (
	"encoding/binary"
	"fmt"
)

// Connect is a CONNECT packet. The parsed one owns its memory.
type Connect struct {
	ClientID     string
	Username     string
	Password     []byte
	HasUsername  bool
	HasPassword  bool
	CleanSession bool
	KeepAlive    uint16 // seconds, 0: off
	Will         *Will
}

// Will is the message that a client leaves for its unannounced end.
type Will struct {
	Topic   string
	Payload []byte
	QoS     byte
	Retain  bool
}

// flags of CONNECT
const (
	flagClean    = 0x02
	flagWill     = 0x04
	flagRetain   = 0x20
	flagPassword = 0x40
	flagUsername = 0x80
)

// ParseConnect reads the body of CONNECT. Another protocol level is
// ErrVersion, told before anything else of the packet is looked at, for the
// rest may follow other rules.
func ParseConnect(body []byte) (*Connect, error) {
	name, b, err := cutText(body)
	if err != nil {
		return nil, err
	}
	if s := string(name); s != "MQTT" && s != "MQIsdp" { // [MQTT-3.1.2-1]
		return nil, malformed("unknown protocol name")
	}
	if len(b) < 1 {
		return nil, malformed("field cut short")
	}
	if string(name) != "MQTT" || b[0] != 4 { // [MQTT-3.1.2-2]
		return nil, fmt.Errorf("%w %d", ErrVersion, b[0])
	}
	if len(b) < 4 {
		return nil, malformed("field cut short")
	}
	flags := b[1]
	if err := checkConnectFlags(flags); err != nil {
		return nil, err
	}
	p := &Connect{CleanSession: flags&flagClean != 0, KeepAlive: binary.BigEndian.Uint16(b[2:])}
	return p, p.parsePayload(b[4:], flags)
}

func checkConnectFlags(flags byte) error {
	qos := flags >> 3 & 3
	switch {
	case flags&1 != 0: // [MQTT-3.1.2-3]
		return malformed("reserved CONNECT flag")
	case qos == 3: // [MQTT-3.1.2-14]
		return malformed("will QoS 3")
	case flags&flagWill == 0 && (qos != 0 || flags&flagRetain != 0): // [MQTT-3.1.2-11] [MQTT-3.1.2-13] [MQTT-3.1.2-15]
		return malformed("will flags without a will")
	case flags&flagUsername == 0 && flags&flagPassword != 0: // [MQTT-3.1.2-22]
		return malformed("password without user name")
	}
	return nil
}

// parsePayload reads client identifier, will topic, will message, user name
// and password, in this order [MQTT-3.1.3-1].
func (p *Connect) parsePayload(b []byte, flags byte) error {
	id, b, err := cutText(b)
	if err != nil {
		return err
	}
	p.ClientID = string(id)
	if flags&flagWill != 0 {
		w := &Will{QoS: flags >> 3 & 3, Retain: flags&flagRetain != 0}
		var topic, payload []byte
		if topic, b, err = cutText(b); err != nil {
			return err
		}
		if len(topic) == 0 { // [MQTT-4.7.3-1]
			return malformed("empty will topic")
		}
		if payload, b, err = cutBytes(b); err != nil {
			return err
		}
		w.Topic, w.Payload = string(topic), append([]byte(nil), payload...)
		p.Will = w
	}
	if flags&flagUsername != 0 {
		var name []byte
		if name, b, err = cutText(b); err != nil { // [MQTT-3.1.3-11]
			return err
		}
		p.Username, p.HasUsername = string(name), true
	}
	if flags&flagPassword != 0 {
		var pw []byte
		if pw, b, err = cutBytes(b); err != nil {
			return err
		}
		p.Password, p.HasPassword = append([]byte(nil), pw...), true
	}
	if len(b) != 0 {
		return malformed("bytes after the end of CONNECT")
	}
	return nil
}

// AppendConnect appends a CONNECT packet. Texts above 65535 bytes are cut by
// the wire format: the caller keeps to it.
func AppendConnect(dst []byte, p *Connect) []byte {
	flags, n := byte(0), 10+2+len(p.ClientID)
	if p.CleanSession {
		flags |= flagClean
	}
	if p.Will != nil {
		flags |= flagWill | p.Will.QoS<<3
		if p.Will.Retain {
			flags |= flagRetain
		}
		n += 4 + len(p.Will.Topic) + len(p.Will.Payload)
	}
	if p.HasUsername {
		flags |= flagUsername
		n += 2 + len(p.Username)
	}
	if p.HasPassword {
		flags |= flagPassword
		n += 2 + len(p.Password)
	}
	dst = appendHeader(dst, CONNECT, 0, n)
	dst = appendBytes(dst, "MQTT")
	dst = append(dst, 4, flags)
	dst = binary.BigEndian.AppendUint16(dst, p.KeepAlive)
	dst = appendBytes(dst, p.ClientID)
	if p.Will != nil {
		dst = appendBytes(dst, p.Will.Topic)
		dst = appendBytes(dst, p.Will.Payload)
	}
	if p.HasUsername {
		dst = appendBytes(dst, p.Username)
	}
	if p.HasPassword {
		dst = appendBytes(dst, p.Password)
	}
	return dst
}

// AppendConnack appends CONNACK; a refusal never tells a session
// [MQTT-3.2.2-4].
func AppendConnack(dst []byte, sessionPresent bool, code ConnackCode) []byte {
	present := byte(0)
	if sessionPresent && code == Accepted {
		present = 1
	}
	return append(dst, byte(CONNACK)<<4, 2, present, byte(code))
}

// ParseConnack reads the body of CONNACK.
func ParseConnack(body []byte) (sessionPresent bool, code ConnackCode, err error) {
	if len(body) != 2 || body[0] > 1 {
		return false, 0, malformed("CONNACK")
	}
	return body[0] == 1, ConnackCode(body[1]), nil
}
