package eventlog

import (
	"encoding/binary"
	"hash/crc32"
	"slices"
)

// Places of a v2 batch's header fields.
const (
	atBaseOffset  = 0
	atLength      = 8  // bytes after this field
	atMagic       = 16 // after the leader epoch, which stays 0
	atCRC         = 17 // of everything after this field
	atAttributes  = 21
	atLastDelta   = 23
	atBaseTime    = 27
	atMaxTime     = 35
	atProducer    = 43 // id, epoch and sequence: 14 bytes of ones, "none"
	atCount       = 57
	batchOverhead = 61

	magic2      = 2
	batchPrefix = 12 // base offset and length, not counted in the length field
)

// castagnoli is built once; a crc32.Table is never written.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// pend is an Append that waits for its commit.
type pend struct {
	// index is the first record's offset less the batch's base: negative
	// where an Append began in an earlier batch.
	index int64
	done  func(base int64, err error)
}

// batch is a record batch being filled. It belongs to its partition's lock
// until the scheduler takes it.
type batch struct {
	buf     []byte // header and records, ready but for base offset and CRC
	count   int
	base    int64 // base timestamp
	maxTime int64
	pends   []pend
}

// reset makes b empty with a header whose fixed fields are set.
func (b *batch) reset() {
	b.buf = slices.Grow(b.buf[:0], batchOverhead)[:batchOverhead]
	clear(b.buf[:atProducer])
	for i := atProducer; i < atCount; i++ {
		b.buf[i] = 0xff
	}
	b.buf[atMagic] = magic2
	b.count, b.base, b.maxTime = 0, 0, 0
	clear(b.pends)
	b.pends = b.pends[:0]
}

// add encodes r, whose recordBound is bound.
func (b *batch) add(r *Record, bound int) {
	if b.count == 0 {
		b.base, b.maxTime = r.Timestamp, r.Timestamp
	}
	n := len(b.buf)
	b.buf = slices.Grow(b.buf, bound)
	end := putRecord(b.buf[:n+bound], n, r, r.Timestamp-b.base, int64(b.count))
	b.buf = b.buf[:end]
	b.maxTime = max(b.maxTime, r.Timestamp)
	b.count++
}

// seal completes the header for the batch at offset.
func (b *batch) seal(offset int64) {
	h := b.buf
	be := binary.BigEndian
	be.PutUint64(h[atBaseOffset:], uint64(offset))
	be.PutUint32(h[atLength:], uint32(len(h)-batchPrefix))
	be.PutUint32(h[atLastDelta:], uint32(b.count-1))
	be.PutUint64(h[atBaseTime:], uint64(b.base))
	be.PutUint64(h[atMaxTime:], uint64(b.maxTime))
	be.PutUint32(h[atCount:], uint32(b.count))
	be.PutUint32(h[atCRC:], crc32.Checksum(h[atAttributes:], castagnoli))
}

// header is a stored batch's header.
type header struct {
	base     int64 // offset of the first record
	size     int   // whole batch in bytes
	crc      uint32
	attrs    uint16
	count    int
	baseTime int64
	maxTime  int64
}

// next is the offset after the batch.
func (h *header) next() int64 { return h.base + int64(h.count) }

// parseHeader reads the header at b; ok is false where b does not start with
// one that this log could have written.
func parseHeader(b []byte) (h header, ok bool) {
	if len(b) < batchOverhead {
		return h, false
	}
	be := binary.BigEndian
	length := int64(be.Uint32(b[atLength:]))
	count := be.Uint32(b[atCount:])
	h = header{
		base:     int64(be.Uint64(b[atBaseOffset:])),
		size:     int(length + batchPrefix),
		crc:      be.Uint32(b[atCRC:]),
		attrs:    be.Uint16(b[atAttributes:]),
		count:    int(count),
		baseTime: int64(be.Uint64(b[atBaseTime:])),
		maxTime:  int64(be.Uint64(b[atMaxTime:])),
	}
	ok = b[atMagic] == magic2 && h.base >= 0 && h.size > batchOverhead && h.size <= maxFile &&
		count > 0 && int64(count) <= length && be.Uint32(b[atLastDelta:]) == count-1 &&
		h.base <= 1<<62
	return h, ok
}

// intact checks the whole batch's CRC.
func (h *header) intact(raw []byte) bool {
	return crc32.Checksum(raw[atAttributes:h.size], castagnoli) == h.crc
}
