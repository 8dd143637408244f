package parquetfile

import (
	"encoding/binary"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
)

// levels are the definition levels of a page of an optional column: 1 where a
// value is there.
type levels struct {
	n, nulls int
	bits     []byte // kept from the first null on
}

func (l *levels) add(a arrow.Array, from, n int) {
	if a.NullN() == 0 {
		if l.nulls > 0 {
			l.room(n)
			bitutil.SetBitsTo(l.bits, int64(l.n), int64(n), true)
		}
		l.n += n
		return
	}
	if l.nulls == 0 {
		l.bits = l.bits[:0]
		l.room(n)
		bitutil.SetBitsTo(l.bits, 0, int64(l.n), true)
	}
	l.room(n)
	for i := range n {
		if a.IsNull(from + i) {
			l.nulls++
		} else {
			bitutil.SetBit(l.bits, l.n+i)
		}
	}
	l.n += n
}

// room has bits for n rows more; they are zeros.
func (l *levels) room(n int) {
	for need := int(bitutil.BytesForBits(int64(l.n + n))); len(l.bits) < need; {
		l.bits = append(l.bits, 0)
	}
}

// appendTo appends the levels as a page has them.
func (l *levels) appendTo(dst []byte) []byte {
	at := len(dst)
	dst = append(dst, 0, 0, 0, 0)
	switch l.nulls {
	case 0, l.n:
		dst = binary.AppendUvarint(dst, uint64(l.n)<<1)
		dst = append(dst, byte(min(1, l.n-l.nulls)))
	default:
		groups := (l.n + 7) / 8
		dst = binary.AppendUvarint(dst, uint64(groups)<<1|1)
		dst = append(dst, l.bits[:groups]...)
	}
	binary.LittleEndian.PutUint32(dst[at:], uint32(len(dst)-at-4))
	return dst
}
