package deletion

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/marisma/marisma/delta/internal/action"
)

// The RFC's test vector.
func TestZ85(t *testing.T) {
	b := []byte{0x86, 0x4F, 0xD2, 0x6F, 0xB5, 0x59, 0xF7, 0x5B}
	if got := encodeZ85(b); got != "HelloWorld" {
		t.Errorf("encoded %q", got)
	}
	got, err := decodeZ85("HelloWorld")
	if err != nil || !bytes.Equal(got, b) {
		t.Errorf("decoded %x, %v", got, err)
	}
	for _, bad := range []string{"Hello Worl", "abc", "%nSc0#"[:5] + "~~~~~", "#####"} {
		if _, err := decodeZ85(bad); err == nil {
			t.Errorf("%q was taken for Z85", bad)
		}
	}
}

// The descriptors of PROTOCOL.md's section "Deletion Vector Descriptor Schema".
func TestDescriptorsOfTheProtocol(t *testing.T) {
	p, err := Path(&action.DeletionVector{StorageType: Relative, PathOrInlineDv: "ab^-aqEH.-t@S}K{vb[*k^"})
	if err != nil || p != "ab/deletion_vector_d2c639aa-8816-431a-aaf6-d3fe2512ff61.bin" {
		t.Errorf("%q, %v", p, err)
	}
	b, err := DecodeInline(&action.DeletionVector{
		StorageType: Inline, PathOrInlineDv: "^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L", SizeInBytes: 44, Cardinality: 6,
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.String(); got != "{3,4,7,11,18,29}" {
		t.Errorf("%s", got)
	}
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var vectors []*Bitmap
	for n := range 6 {
		b := &Bitmap{}
		for range n * 1000 {
			b.Add(rng.Uint64N(1 << (20 + 4*n)))
		}
		b.AddRange(7, 7+uint64(n)*100)
		vectors = append(vectors, b)
	}
	data, places, err := Encode(vectors)
	if err != nil {
		t.Fatal(err)
	}
	for i, v := range vectors {
		d := Descriptor("", [16]byte{1, 2, 3}, places[i], int64(v.GetCardinality()))
		got, err := Read(bytes.NewReader(data), d)
		if err != nil || !got.Equals(v) {
			t.Fatalf("vector %d: %v", i, err)
		}
		d.Cardinality++
		if _, err := Read(bytes.NewReader(data), d); err == nil {
			t.Error("a wrong cardinality was not noticed")
		}
		d.Cardinality--
		torn := bytes.Clone(data)
		torn[places[i].Offset+4+places[i].Size-1] ^= 1
		if _, err := Read(bytes.NewReader(torn), d); err == nil {
			t.Error("a flipped bit was not noticed")
		}
		if _, err := Read(bytes.NewReader(data[:places[i].Offset+places[i].Size]), d); err == nil {
			t.Error("a cut file was not noticed")
		}
	}
}

func FuzzBitmap(f *testing.F) {
	b := &Bitmap{}
	b.AddMany([]uint64{1, 5, 1 << 33, 1<<33 + 7})
	raw, _ := b.ToBytes()
	f.Add(raw)
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x3a, 0x30, 0, 0})
	f.Fuzz(func(t *testing.T, raw []byte) {
		b, err := parse(raw)
		if err != nil {
			return
		}
		n := uint64(0)
		for it := b.Iterator(); it.HasNext() && n < 1<<20; n++ {
			it.Next()
		}
	})
}
