package iothub

import "encoding/binary"

// AMQP 1.0 encodings of property values, as Event Hubs shows them to Kafka
// readers in header values.

// amqpString is str8, or str32 where the text is longer than 255 bytes.
func amqpString(s string) []byte {
	if len(s) <= 255 {
		return append([]byte{0xA1, byte(len(s))}, s...)
	}
	return append(binary.BigEndian.AppendUint32([]byte{0xB1}, uint32(len(s))), s...)
}

func amqpNull() []byte { return []byte{0x40} }

// amqpTime is a timestamp of milliseconds since 1970.
func amqpTime(dst []byte, ms int64) []byte {
	return binary.BigEndian.AppendUint64(append(dst, 0x83), uint64(ms))
}
