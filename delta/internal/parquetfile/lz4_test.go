package parquetfile

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/apache/arrow-go/v18/parquet/compress"
)

// Hadoop's framing: the decoded size, then blocks with their sizes, and again.
func TestPagesOfHadoopsLZ4(t *testing.T) {
	raw, err := compress.GetCodec(compress.Codecs.Lz4Raw)
	if err != nil {
		t.Fatal(err)
	}
	codec, err := compress.GetCodec(compress.Codecs.Lz4)
	if err != nil {
		t.Fatal(err)
	}
	text := bytes.Repeat([]byte("a page of a file; "), 300)
	size := func(b []byte, n int) []byte { return binary.BigEndian.AppendUint32(b, uint32(n)) }
	block := func(b, part []byte) []byte {
		packed := raw.Encode(nil, part)
		return append(size(b, len(packed)), packed...)
	}
	one := block(size(nil, len(text)), text)
	blocks := block(block(size(nil, len(text)), text[:1000]), text[1000:])
	framesOfBlocks := block(size(block(size(nil, 1000), text[:1000]), len(text)-1000), text[1000:])
	for name, page := range map[string][]byte{"one block": one, "two blocks": blocks, "two frames": framesOfBlocks, "a bare block": raw.Encode(nil, text)} {
		got, err := compress.Decode(codec, make([]byte, len(text)), page)
		if err != nil || !bytes.Equal(got, text) {
			t.Errorf("%s: %d bytes, %v", name, len(got), err)
		}
	}
	for name, page := range map[string][]byte{
		"cut off": one[:len(one)/2], "too large": block(size(nil, 1<<31), text), "a block beyond the page": size(size(nil, len(text)), 1<<30),
	} {
		if got, err := compress.Decode(codec, make([]byte, len(text)), page); err == nil && bytes.Equal(got, text) {
			t.Errorf("%s: read", name)
		}
	}
}
