package parquetfile

import (
	"fmt"
	"sync"

	"github.com/apache/arrow-go/v18/parquet/compress"
	"github.com/klauspost/compress/zstd"
)

// encoders keeps zstd's tables, which are costly to make, from page to page.
var encoders = sync.Pool{New: func() any {
	// The fastest level; measured on readings it costs no size.
	e, _ := zstd.NewWriter(nil, zstd.WithEncoderLevel(zstd.SpeedFastest), zstd.WithEncoderConcurrency(1), // no error with these
		zstd.WithZeroFrames(true), zstd.WithEncoderCRC(false))
	return e
}}

// packer compresses src, appending to dst. It is safe for concurrent use.
func packer(codec compress.Compression) (func(src, dst []byte) []byte, error) {
	switch codec {
	case compress.Codecs.Uncompressed:
		return func(src, dst []byte) []byte { return append(dst, src...) }, nil
	case compress.Codecs.Zstd:
		return func(src, dst []byte) []byte {
			e := encoders.Get()
			defer encoders.Put(e)
			return e.(*zstd.Encoder).EncodeAll(src, dst) //nolint:forcetypeassert // nothing else is in the pool
		}, nil
	}
	c, err := compress.GetCodec(codec)
	if err != nil {
		return nil, fmt.Errorf("delta: %w", err)
	}
	return func(src, dst []byte) []byte { return append(dst, c.Encode(nil, src)...) }, nil
}
