package flow

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math/bits"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/cespare/xxhash/v2"
)

// digest sums up a result so that two results are told apart whatever the
// order of their rows: two sums over the hashes of the rows, and their number.
type digest struct {
	rows     uint64
	sum, alt uint64
	hashes   []uint64
}

// add takes the rows of a batch.
func (d *digest) add(rec arrow.RecordBatch) error {
	n := int(rec.NumRows())
	if cap(d.hashes) < n {
		d.hashes = make([]uint64, n)
	}
	h := d.hashes[:n]
	for i := range h {
		h[i] = 0x9e3779b97f4a7c15
	}
	for _, col := range rec.Columns() {
		if err := hashColumn(col, h); err != nil {
			return err
		}
	}
	for _, x := range h {
		d.sum += x
		d.alt += mix(x, 0xd6e8feb86659fd93)
	}
	d.rows += uint64(n)
	return nil
}

// String is the digest as a text.
func (d *digest) String() string {
	var b [24]byte
	binary.BigEndian.PutUint64(b[0:], d.rows)
	binary.BigEndian.PutUint64(b[8:], d.sum)
	binary.BigEndian.PutUint64(b[16:], d.alt)
	return hex.EncodeToString(b[:])
}

// mix combines a hash with the next value's.
func mix(h, v uint64) uint64 {
	hi, lo := bits.Mul64(h^0xa0761d6478bd642f, v^0xe7037ed1a0b428db)
	return hi ^ lo ^ bits.RotateLeft64(h, 23)
}

const nullHash = 0x5bf03635f0a31e2d

// hashColumn mixes each row's value into h; col has as many rows as h.
func hashColumn(col arrow.Array, h []uint64) error {
	var value func(i int) uint64
	switch c := col.(type) {
	case *array.Null:
		value = func(int) uint64 { return nullHash }
	case *array.Boolean:
		value = func(i int) uint64 {
			if c.Value(i) {
				return 1
			}
			return 2
		}
	case *array.String:
		value = func(i int) uint64 { return xxhash.Sum64String(c.Value(i)) }
	case *array.Binary:
		value = func(i int) uint64 { return xxhash.Sum64(c.Value(i)) }
	case *array.Map:
		return hashLists(c.List, h)
	case *array.List:
		return hashLists(c, h)
	case *array.Struct:
		return hashStruct(c, h)
	default:
		t, ok := col.DataType().(arrow.FixedWidthDataType)
		if !ok || t.BitWidth()%8 != 0 {
			return fmt.Errorf("pipeline: no digest of %s", col.DataType())
		}
		width := t.BitWidth() / 8
		raw := col.Data().Buffers()[1].Bytes()[col.Data().Offset()*width:]
		value = func(i int) uint64 { return hashFixed(raw[i*width : (i+1)*width]) }
	}
	for i := range h {
		v := uint64(nullHash)
		if !col.IsNull(i) {
			v = value(i)
		}
		h[i] = mix(h[i], v)
	}
	return nil
}

func hashFixed(b []byte) uint64 {
	switch len(b) {
	case 8:
		return binary.LittleEndian.Uint64(b)
	case 4:
		return uint64(binary.LittleEndian.Uint32(b))
	}
	return xxhash.Sum64(b)
}

func hashStruct(c *array.Struct, h []uint64) error {
	own := make([]uint64, len(h))
	for f := range c.NumField() {
		// Field gives the values of the struct's own slice.
		if err := hashColumn(c.Field(f), own); err != nil {
			return err
		}
	}
	for i := range h {
		v := own[i]
		if c.IsNull(i) {
			v = nullHash
		}
		h[i] = mix(h[i], v)
	}
	return nil
}

func hashLists(c *array.List, h []uint64) error {
	items := c.ListValues()
	own := make([]uint64, items.Len())
	if err := hashColumn(items, own); err != nil {
		return err
	}
	for i := range h {
		v := uint64(nullHash)
		if !c.IsNull(i) {
			from, to := c.ValueOffsets(i)
			v = uint64(to - from)
			for _, x := range own[from:to] {
				v = mix(v, x)
			}
		}
		h[i] = mix(h[i], v)
	}
	return nil
}
