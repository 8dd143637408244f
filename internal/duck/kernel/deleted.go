package kernel

import (
	"fmt"

	"github.com/RoaringBitmap/roaring/v2/roaring64"
	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
)

// rowDeleted tells whether the bitmap of its first argument, a portable 64-bit
// Roaring one that the caller has checked, holds the position of its second.
func rowDeleted(g *sig) (kernel, error) {
	if g.ret.ID != duckdb.TypeBoolean || len(g.args) != 2 || g.args[0].ID != duckdb.TypeBlob || g.args[1].ID != duckdb.TypeBigInt {
		return kernel{}, fmt.Errorf("it is (BLOB, BIGINT) to BOOLEAN")
	}
	return kernel{run: func(c *call) error {
		sets, rows, out := vector.Data[vector.Str](&c.args[0], c.n), vector.Data[int64](&c.args[1], c.n), vector.Data[bool](&c.out, c.n)
		var last []byte // a chunk seldom has rows of more than one file
		var set roaring64.Bitmap
		for i := range c.n {
			if c.null(i) {
				continue
			}
			b := sets[i].Bytes()
			if len(b) == 0 {
				return fmt.Errorf("an empty bitmap")
			}
			if last == nil || len(b) != len(last) || &b[0] != &last[0] {
				set = roaring64.Bitmap{}
				if _, err := set.FromUnsafeBytes(b); err != nil {
					return fmt.Errorf("bitmap of deleted rows: %w", err)
				}
				last = b
			}
			out[i] = set.Contains(uint64(rows[i]))
		}
		return nil
	}}, nil
}
