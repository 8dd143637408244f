package eventlog

import "math/bits"

// Header is a named value of a record. Keys may repeat; order is kept.
type Header struct {
	Key   string
	Value []byte // nil is Kafka's null
}

// Record is what a partition holds. Nil Key and Value are Kafka's null, which
// differs from empty.
type Record struct {
	Key, Value []byte
	Headers    []Header
	Timestamp  int64 // milliseconds since 1970, set by the appender
}

// recordBound is at least the encoded size of r.
func recordBound(r *Record) int {
	n := len(r.Key) + len(r.Value) + 36 // length 5, attributes 1, time 10, offset 5, key 5, value 5, headers 5
	for i := range r.Headers {
		n += len(r.Headers[i].Key) + len(r.Headers[i].Value) + 10
	}
	return n
}

// varintLen is the length of v as a zigzag varint.
func varintLen(v int64) int {
	u := uint64(v<<1) ^ uint64(v>>63)
	return (bits.Len64(u|1) + 6) / 7
}

// putVarint writes v as a zigzag varint at dst[i:] and returns the index after it.
func putVarint(dst []byte, i int, v int64) int {
	u := uint64(v<<1) ^ uint64(v>>63)
	for u >= 0x80 {
		dst[i] = byte(u) | 0x80
		u >>= 7
		i++
	}
	dst[i] = byte(u)
	return i + 1
}

// varint reads a zigzag varint at b[i:]; n is the index after it, or -1.
func varint(b []byte, i int) (v int64, n int) {
	if uint(i) < uint(len(b)) && b[i] < 0x80 {
		u := uint64(b[i])
		return int64(u>>1) ^ -int64(u&1), i + 1
	}
	var u uint64
	for s := uint(0); s < 70; s += 7 {
		if uint(i) >= uint(len(b)) {
			return 0, -1
		}
		c := b[i]
		i++
		if s == 63 && c > 1 {
			return 0, -1
		}
		u |= uint64(c&0x7f) << s
		if c < 0x80 {
			return int64(u>>1) ^ -int64(u&1), i
		}
	}
	return 0, -1
}

// bytesLen is what putBytes writes.
func bytesLen(b []byte) int {
	if b == nil {
		return 1
	}
	return varintLen(int64(len(b))) + len(b)
}

// putBytes writes a nullable byte string with its length.
func putBytes(dst []byte, i int, b []byte) int {
	if b == nil {
		dst[i] = 1 // -1
		return i + 1
	}
	i = putVarint(dst, i, int64(len(b)))
	return i + copy(dst[i:], b)
}

// putRecord encodes r at dst[i:], which has room for recordBound(r).
func putRecord(dst []byte, i int, r *Record, timeDelta, offsetDelta int64) int {
	body := 1 + varintLen(timeDelta) + varintLen(offsetDelta) +
		bytesLen(r.Key) + bytesLen(r.Value) + varintLen(int64(len(r.Headers)))
	for k := range r.Headers {
		h := &r.Headers[k]
		body += varintLen(int64(len(h.Key))) + len(h.Key) + bytesLen(h.Value)
	}
	i = putVarint(dst, i, int64(body))
	dst[i] = 0 // attributes
	i = putVarint(dst, i+1, timeDelta)
	i = putVarint(dst, i, offsetDelta)
	i = putBytes(dst, i, r.Key)
	i = putBytes(dst, i, r.Value)
	i = putVarint(dst, i, int64(len(r.Headers)))
	for k := range r.Headers {
		h := &r.Headers[k]
		i = putVarint(dst, i, int64(len(h.Key)))
		i += copy(dst[i:], h.Key)
		i = putBytes(dst, i, h.Value)
	}
	return i
}
