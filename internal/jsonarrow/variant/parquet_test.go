package variant

import (
	"bytes"
	"math"
	"math/big"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	foreign "github.com/apache/arrow-go/v18/parquet/variant"
	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

func big10(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }

// samples are values of each kind and size.
func samples() []Value {
	wide, many := &Object{}, []Value{}
	for i := range 300 {
		k := "k" + strings.Repeat("x", i%7) + string(rune('a'+i%26)) + big.NewInt(int64(i)).String()
		wide.Keys, wide.Values = append(wide.Keys, k), append(wide.Values, int64(i))
		many = append(many, strings.Repeat("y", i))
	}
	o, _ := NewObject(wide.Keys, wide.Values)
	return []Value{
		nil, true, false, int64(0), int64(-128), int64(128), int64(-32768), int64(32768), int64(math.MinInt32), int64(math.MaxInt64), int64(math.MinInt64),
		NewDecimal(big.NewInt(15), 1), NewDecimal(big.NewInt(-1), 3), NewDecimal(big.NewInt(123456789012), 2), NewDecimal(new(big.Int).Neg(new(big.Int).Add(big10(37), big.NewInt(1))), 5),
		1.5, math.Inf(-1), float32(2.5), "", "short", strings.Repeat("é", 40), []byte{}, []byte{1, 2}, Date(-1), Timestamp(1), Local(-1),
		Opaque{primUUID, bytes.Repeat([]byte{0xab}, 16)}, Opaque{primTime, make([]byte, 8)},
		[]Value{}, &Object{}, []Value{nil, []Value{int64(1), &Object{Keys: []string{"a"}, Values: []Value{[]Value{}}}}}, many, o,
	}
}

func TestParquetRoundTrip(t *testing.T) {
	bigs := cmp.Comparer(func(a, b *big.Int) bool { return a.Cmp(b) == 0 })
	empty := cmp.Transformer("keys", func(o *Object) [][]any { // nil and empty are alike
		out := [][]any{}
		for i, k := range o.Keys {
			out = append(out, []any{k, o.Values[i]})
		}
		return out
	})
	for _, v := range samples() {
		metadata, value := Parquet(v)
		got, err := FromParquet(metadata, value)
		if err != nil {
			t.Errorf("%v: %v", v, err)
			continue
		}
		if d := cmp.Diff(v, got, bigs, empty); d != "" {
			t.Error(d)
		}
		if len(metadata) > 255 { // Arrow's reader counts its offsets in a byte
			continue
		}
		f, err := foreign.New(metadata, value)
		if err != nil {
			t.Errorf("%v: Arrow's reader: %v", v, err)
			continue
		}
		if _, opaque := v.(Opaque); opaque {
			continue
		}
		if fl, ok := v.(float64); ok && math.IsInf(fl, 0) { // which its JSON lacks
			continue
		}
		if text, err := f.MarshalJSON(); err != nil || len(text) == 0 {
			t.Errorf("%v: Arrow's reader: %v", v, err)
		}
		for n := range len(value) { // cut short
			if _, err := FromParquet(metadata, value[:n]); err == nil && n > 0 && len(value) < 100 {
				t.Errorf("%v reads from %d of %d bytes", v, n, len(value))
			}
		}
	}
}

// A value whose pieces lie over one another would be endless.
func TestParquetPiecesThatOverlap(t *testing.T) {
	v := []byte{basicPrimitive}
	for range 40 {
		v = append([]byte{basicArray, 2, 0, 0, byte(len(v))}, v...)
	}
	if _, err := FromParquet([]byte{1, 0, 0}, v); err == nil {
		t.Error("2^40 values were read")
	}
}

func FuzzFromParquet(f *testing.F) {
	for _, v := range samples() {
		metadata, value := Parquet(v)
		f.Add(metadata, value)
	}
	f.Fuzz(func(t *testing.T, metadata, value []byte) {
		v, err := FromParquet(metadata, value)
		if err != nil {
			return
		}
		again, err := FromParquet(Parquet(v))
		if err != nil {
			t.Fatalf("what was read is not written so that it reads: %v", err)
		}
		if a, b := AppendJSON(nil, v, cast.UTC()), AppendJSON(nil, again, cast.UTC()); !bytes.Equal(a, b) {
			t.Fatalf("%s is %s when read again", a, b)
		}
		if d, err := Decode(Encode(nil, v)); err != nil || !bytes.Equal(AppendJSON(nil, d, cast.UTC()), AppendJSON(nil, v, cast.UTC())) {
			t.Fatalf("the encoding gives %v, %v", d, err)
		}
	})
}

func TestColumnsChangeForm(t *testing.T) {
	b := array.NewListBuilder(memory.DefaultAllocator, arrow.BinaryTypes.Binary)
	defer b.Release()
	kid := b.ValueBuilder().(*array.BinaryBuilder)
	for _, row := range [][]Value{{int64(1), nil}, nil, {}, {"x"}} {
		b.Append(row != nil)
		for _, v := range row {
			kid.Append(Encode(nil, v))
		}
	}
	kid.AppendNull() // in the last row
	whole := b.NewArray()
	defer whole.Release()
	part := array.NewSlice(whole, 1, 4)
	defer part.Release()
	want := arrow.ListOf(storedType)
	for _, a := range []arrow.Array{whole, part} {
		s, err := Stored(a, want)
		if err != nil {
			t.Fatal(err)
		}
		if !arrow.TypeEqual(s.DataType().(*arrow.ListType).Elem(), storedType) {
			t.Errorf("stored as %s", s.DataType())
		}
		e, err := Encoded(s)
		if err != nil {
			t.Fatal(err)
		}
		if !array.Equal(a, e) {
			t.Errorf("%v became %v", a, e)
		}
		s.Release()
		e.Release()
	}
	if s, err := Stored(whole, arrow.BinaryTypes.Binary); err != nil || s != whole {
		t.Errorf("%v, %v", s, err)
	}
	if _, err := Stored(whole, storedType); err == nil {
		t.Error("a list was stored as a VARIANT")
	}
}
