package kernel

import (
	"encoding/binary"
	"math"
	"strings"
	"unicode/utf16"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/kernel/sketch"
	"github.com/marisma/marisma/internal/duck/vector"
)

// The marks before a number in a sketch of items that are Java Numbers.
const (
	markByte, markShort, markFloat, markInt = 2, 3, 6, 9
)

// itemCodec writes and reads the items of a frequent items sketch of a type.
type itemCodec struct{ t vector.Type }

// size is the number of bytes of an item behind its mark, and the mark, 0 for
// none; size 0 is a text or a wide decimal with its length before it.
func (c itemCodec) size() (size int, mark byte) {
	switch c.t.ID {
	case duckdb.TypeTinyInt:
		return 1, markByte
	case duckdb.TypeSmallInt:
		return 2, markShort
	case duckdb.TypeInteger, duckdb.TypeDate:
		return 4, markInt
	case duckdb.TypeFloat:
		return 4, markFloat
	case duckdb.TypeVarchar:
		return 0, 0
	case duckdb.TypeDecimal:
		switch {
		case c.t.Precision <= 9:
			return 4, markInt
		case c.t.Precision > 18:
			return 0, 0
		}
	}
	return 8, 0
}

// item is the value of an argument.
func (c itemCodec) item(r *row, k int) sketch.Item {
	n := &r.cols[k]
	switch c.t.ID {
	case duckdb.TypeVarchar:
		s := string(r.bytes(k))
		return sketch.Item{Bytes: s, Hash: javaHash(s)}
	case duckdb.TypeFloat:
		u := math.Float32bits(at[float32](n, r.i))
		return c.number(int64(int32(u)))
	case duckdb.TypeDouble:
		return c.number(int64(math.Float64bits(at[float64](n, r.i))))
	case duckdb.TypeDecimal:
		d := n.decimal(r.i)
		if c.t.Precision > 18 {
			b := minimalBytes(uint64(d.HighBits()), d.LowBits())
			return sketch.Item{Bytes: string(b), Hash: c.decimalHash(d)}
		}
		return c.number(int64(d.LowBits()))
	}
	return c.number(r.long(k))
}

// number is an item of a fixed size.
func (c itemCodec) number(v int64) sketch.Item {
	size, _ := c.size()
	if c.t.ID == duckdb.TypeBoolean {
		size = 1
	}
	b := binary.LittleEndian.AppendUint64(nil, uint64(v))[:size]
	h := int32(v)
	switch c.t.ID {
	case duckdb.TypeBoolean:
		if h = 1237; v != 0 {
			h = 1231
		}
	case duckdb.TypeBigInt, duckdb.TypeTimestamp, duckdb.TypeTimestampTZ, duckdb.TypeDouble:
		h = int32(v ^ int64(uint64(v)>>32))
	case duckdb.TypeDecimal:
		h = c.decimalHash(decimal128.FromI64(v))
	}
	return sketch.Item{Bytes: string(b), Hash: h}
}

// decimalHash is Scala's hash of a BigDecimal.
func (c itemCodec) decimalHash(d decimal128.Num) int32 {
	return int32(scalaDecimal(d.BigInt(), int(c.t.Scale)))
}

// javaHash is String.hashCode.
func javaHash(s string) int32 {
	h := int32(0)
	for _, c := range utf16.Encode([]rune(s)) {
		h = 31*h + int32(c)
	}
	return h
}

// join makes the bytes of all items one.
func (c itemCodec) join(items []sketch.Item) []byte {
	var b []byte
	if c.t.ID == duckdb.TypeBoolean {
		b = make([]byte, (len(items)+7)/8)
		for i, it := range items {
			b[i/8] |= it.Bytes[0] << (i % 8)
		}
		return b
	}
	size, mark := c.size()
	for _, it := range items {
		if mark != 0 {
			b = append(b, mark)
		}
		if size == 0 {
			b = binary.LittleEndian.AppendUint32(b, uint32(len(it.Bytes)))
		}
		b = append(b, it.Bytes...)
	}
	return b
}

// cut takes n items off the bytes.
func (c itemCodec) cut(b []byte, n int) ([]sketch.Item, bool) {
	if c.t.ID == duckdb.TypeBoolean {
		if n > 2 || len(b) < (n+7)/8 {
			return nil, false
		}
		var out []sketch.Item
		for i := range n {
			out = append(out, c.number(int64(b[0]>>i&1)))
		}
		return out, true
	}
	size, mark := c.size()
	var out []sketch.Item
	for range n {
		if mark != 0 {
			if len(b) < 1 || b[0] != mark {
				return nil, false
			}
			b = b[1:]
		}
		length := size
		if size == 0 {
			if len(b) < 4 {
				return nil, false
			}
			length, b = int(binary.LittleEndian.Uint32(b)), b[4:]
		}
		if length < 0 || len(b) < length {
			return nil, false
		}
		it, ok := c.decoded(b[:length])
		if !ok {
			return nil, false
		}
		out, b = append(out, it), b[length:]
	}
	return out, true
}

func (c itemCodec) decoded(b []byte) (sketch.Item, bool) {
	if size, _ := c.size(); size > 0 {
		return c.number(c.integer(b)), true
	}
	if c.t.ID == duckdb.TypeVarchar {
		return sketch.Item{Bytes: string(b), Hash: javaHash(string(b))}, true
	}
	if len(b) == 0 || len(b) > 16 {
		return sketch.Item{}, false
	}
	return sketch.Item{Bytes: string(b), Hash: c.decimalHash(wide(b))}, true
}

// integer is a little-endian number with its sign.
func (c itemCodec) integer(b []byte) int64 {
	var v uint64
	for i, x := range b {
		v |= uint64(x) << (8 * i)
	}
	shift := 64 - 8*len(b)
	return int64(v<<shift) >> shift
}

// wide is a big-endian two's complement of up to 16 bytes.
func wide(b []byte) decimal128.Num {
	fill := byte(0)
	if b[0] >= 0x80 {
		fill = 0xff
	}
	var full [16]byte
	for i := range full[:16-len(b)] {
		full[i] = fill
	}
	copy(full[16-len(b):], b)
	return decimal128.New(int64(binary.BigEndian.Uint64(full[:])), binary.BigEndian.Uint64(full[8:]))
}

// value is an item as writeColumn takes it.
func (c itemCodec) value(it *sketch.Item) any {
	if it == nil {
		return nil
	}
	b := []byte(it.Bytes)
	switch c.t.ID {
	case duckdb.TypeVarchar:
		return it.Bytes
	case duckdb.TypeFloat:
		return float64(math.Float32frombits(uint32(c.integer(b))))
	case duckdb.TypeDouble:
		return math.Float64frombits(uint64(c.integer(b)))
	case duckdb.TypeDecimal:
		if c.t.Precision > 18 {
			return wide(b)
		}
		return decimal128.FromI64(c.integer(b))
	case duckdb.TypeBoolean:
		return b[0] != 0
	}
	return c.integer(b)
}

// topKAcc is the sketch of approx_top_k and approx_top_k_accumulate.
type topKAcc struct {
	c    itemCodec
	max  int
	over bool
	*sketch.Frequent
}

func topKAgg(g *sig) (func() accumulator, error) {
	p, err := g.sketch()
	return func() accumulator { return &topKAcc{itemCodec{g.args[0]}, p.Max, p.Over, sketch.NewFrequent(p.Max)} }, err
}

func (a *topKAcc) add(r *row) error {
	if r.null(0) {
		a.AddNull()
	} else {
		a.Add(a.c.item(r, 0), 1)
	}
	return nil
}

func (a *topKAcc) merge(o accumulator) error {
	a.Merge(o.(*topKAcc).Frequent)
	return nil
}

// result reads the sketch back and merges it into an empty one, as Spark's last
// step does: equally frequent items come in the order that this leaves. Window
// functions have no such step.
func (a *topKAcc) result() (any, error) {
	if a.over {
		return a.Bytes(a.c.join), nil
	}
	s, err := sketch.ReadFrequent(a.Bytes(a.c.join), a.c.cut)
	if err != nil {
		return nil, err
	}
	last := sketch.NewFrequent(a.max)
	last.Merge(s)
	return last.Bytes(a.c.join), nil
}

// topKCombineAcc is approx_top_k_combine over the parts of states (sketch,
// items tracked, DDL of the item); nil sketch: no state came.
type topKCombineAcc struct {
	p   *sketchParam
	c   itemCodec
	s   *sketch.Frequent
	max int64
	ddl string
}

func topKCombine(g *sig) (func() accumulator, error) {
	p, err := g.sketch()
	if err == nil && (g.ret.ID != duckdb.TypeStruct || len(g.ret.Fields) != 4 || len(g.args) != 3) {
		err = errShape
	}
	return func() accumulator {
		return &topKCombineAcc{p: &p, c: itemCodec{g.ret.Fields[2].Type}, max: int64(p.Max)}
	}, err
}

func (a *topKCombineAcc) add(r *row) error {
	if r.null(0) || r.null(1) || r.null(2) {
		return nil
	}
	ddl := string(r.bytes(2))
	if c, ok := codecOf(ddl); ok && a.s == nil {
		a.c = c
	}
	s, err := sketch.ReadFrequent(r.bytes(0), a.c.cut)
	if err != nil {
		s = nil
	}
	return a.with(s, r.long(1), ddl)
}

// codecOf reads the type of items out of a state's DDL, "item INT NOT NULL".
func codecOf(ddl string) (itemCodec, bool) {
	words := strings.Fields(strings.ToUpper(ddl))
	if len(words) < 2 {
		return itemCodec{}, false
	}
	name := words[1]
	if duck, ok := map[string]string{"STRING": "VARCHAR", "TIMESTAMP": "TIMESTAMP WITH TIME ZONE", "TIMESTAMP_NTZ": "TIMESTAMP"}[name]; ok {
		name = duck
	}
	t, err := vector.ParseType(name)
	return itemCodec{t}, err == nil && !t.Nested()
}

func (a *topKCombineAcc) with(s *sketch.Frequent, most int64, ddl string) error {
	first := a.s == nil
	if !first && !strings.EqualFold(a.ddl, ddl) {
		return raisef("APPROX_TOP_K_SKETCH_TYPE_NOT_MATCH", "42846", "Sketches of different types cannot be combined: %q and %q.", a.ddl, ddl)
	}
	if s == nil {
		return badTopK()
	}
	if a.p.Max <= 0 {
		if !first && a.max != most {
			return raisef("APPROX_TOP_K_SKETCH_SIZE_NOT_MATCH", "42846", "Sketches that track %d and %d items can only be combined with a number of items given.", a.max, most)
		}
		a.max = most
	}
	if first {
		a.s, a.ddl = sketch.NewFrequent(int(max(1, min(a.max, maxTracked)))), ddl
	}
	a.s.Merge(s)
	return nil
}

// maxTracked is the most items that Spark lets a sketch track.
const maxTracked = 1_000_000

func badTopK() error {
	return raisef("INVALID_PARAMETER_VALUE", "22023", "The state is none of `approx_top_k_accumulate` for items of its type.")
}

func (a *topKCombineAcc) merge(o accumulator) error {
	b := o.(*topKCombineAcc)
	if b.s == nil {
		return nil
	}
	return a.with(b.s, b.max, b.ddl)
}

func (a *topKCombineAcc) result() (any, error) {
	if a.s == nil {
		a.s = sketch.NewFrequent(int(max(1, a.max)))
	}
	return []any{a.s.Bytes(a.c.join), a.max, nil, a.ddl}, nil
}

// topKEstimate lists the K most frequent items of a sketch; its items are of
// the type that the result's elements have first.
func topKEstimate(g *sig) (kernel, error) {
	p, err := g.sketch()
	if err != nil {
		return kernel{}, err
	}
	if !p.Why && (g.ret.ID != duckdb.TypeList || g.ret.Elem.ID != duckdb.TypeStruct) {
		return kernel{}, errShape
	}
	t, err := vector.ParseType(p.Item)
	if err != nil {
		return kernel{}, err
	}
	c := itemCodec{t}
	return rowKernel(g, p.failing, func(r *row) (any, error) {
		s, err := sketch.ReadFrequent(r.bytes(0), c.cut)
		if err != nil {
			return nil, badTopK()
		}
		if most := r.long(1); most < int64(p.K) {
			return nil, raisef("APPROX_TOP_K_MAX_ITEMS_TRACKED_LESS_THAN_K", "22023", "The sketch tracks %d items, fewer than the %d asked for.", most, p.K)
		}
		return anys(s.Top(p.K), func(w sketch.Row) any { return []any{c.value(w.Item), w.Count} }), nil
	}), nil
}
