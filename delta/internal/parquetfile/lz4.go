package parquetfile

import (
	"encoding/binary"
	"errors"

	"github.com/apache/arrow-go/v18/parquet/compress"
)

// The Parquet reader leaves out the codec LZ4, which stands for Hadoop's framing
// of LZ4 blocks (and, of some old writers, for a bare block). It is entered once,
// before anything reads: the reader's table of codecs has no lock.
var _ = enterLZ4()

func enterLZ4() bool {
	raw, err := compress.GetCodec(compress.Codecs.Lz4Raw)
	if err != nil {
		return false
	}
	compress.RegisterCodec(compress.Codecs.Lz4, hadoopLZ4{Codec: raw})
	return true
}

// hadoopLZ4 reads pages of the codec LZ4. It writes bare blocks, which nothing
// here asks for.
type hadoopLZ4 struct{ compress.Codec }

var errLZ4 = errors.New("malformed LZ4 page")

// Decode implements compress.Codec; DecodeWithError is what the reader calls.
func (c hadoopLZ4) Decode(dst, src []byte) []byte {
	out, err := c.DecodeWithError(dst, src)
	if err != nil {
		panic(err) // as the interface has it
	}
	return out
}

// DecodeWithError implements compress.ErrorCodec: dst has the page's size.
func (c hadoopLZ4) DecodeWithError(dst, src []byte) ([]byte, error) {
	if out, err := c.frames(dst, src); err == nil {
		return out, nil
	}
	return compress.Decode(c.Codec, dst, src)
}

// frames reads frames of a decoded size and blocks with a size each.
func (c hadoopLZ4) frames(dst, src []byte) ([]byte, error) {
	n := 0
	for len(src) > 0 {
		left, rest, err := size(src, len(dst)-n)
		if err != nil {
			return nil, err
		}
		src = rest
		for left > 0 {
			length, rest, err := size(src, len(src))
			if err != nil || length > len(rest) {
				return nil, errLZ4
			}
			out, err := compress.Decode(c.Codec, dst[n:n+left], rest[:length])
			if err != nil || len(out) == 0 || len(out) > left {
				return nil, errLZ4
			}
			src, n, left = rest[length:], n+len(out), left-len(out)
		}
	}
	if n != len(dst) {
		return nil, errLZ4
	}
	return dst, nil
}

// size reads a number up to most.
func size(src []byte, most int) (int, []byte, error) {
	if len(src) < 4 {
		return 0, nil, errLZ4
	}
	n := binary.BigEndian.Uint32(src)
	if uint64(n) > uint64(most) {
		return 0, nil, errLZ4
	}
	return int(n), src[4:], nil
}
