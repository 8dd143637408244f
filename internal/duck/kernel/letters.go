package kernel

import (
	"slices"
	"unicode/utf8"

	duckdb "github.com/duckdb/duckdb-go-bindings"
	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"github.com/marisma/marisma/internal/duck/vector"
	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// foldText is upper or lower as Java has it, where one letter may become two
// and a final sigma has a form of its own. Plain ASCII, which most texts are,
// is done at once.
func foldText(fold func(c byte) byte, caser func() cases.Caser) maker {
	return func(g *sig) (kernel, error) {
		return kernel{run: func(c *call) error {
			full := caser() // keeps state: one for each chunk
			return rowText(func(b []byte, c *call, i int) ([]byte, bool) {
				s := str(c, 0, i)
				start := len(b)
				for _, x := range s {
					if x >= utf8.RuneSelf {
						full.Reset()
						return append(b[:start], full.Bytes(s)...), true
					}
					b = append(b, fold(x))
				}
				return b, true
			})(c)
		}}, g.want(duckdb.TypeVarchar, duckdb.TypeVarchar)
	}
}

func upperASCII(c byte) byte {
	if c >= 'a' && c <= 'z' {
		return c - 32
	}
	return c
}

func lowerASCII(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 32
	}
	return c
}

func upperCaser() cases.Caser { return cases.Upper(language.Und) }
func lowerCaser() cases.Caser { return cases.Lower(language.Und) }
func titleCaser() cases.Caser { return cases.Title(language.Und) }

// reverseText turns the order of the code points around.
func reverseText(b, s []byte) ([]byte, bool) {
	for len(s) > 0 {
		_, n := utf8.DecodeLastRune(s)
		b = append(b, s[len(s)-n:]...)
		s = s[:len(s)-n]
	}
	return b, true
}

func reverseBytes(b, s []byte) ([]byte, bool) {
	for _, c := range slices.Backward(s) {
		b = append(b, c)
	}
	return b, true
}

// overlayBytes puts argument 2 into argument 1 at a position from 1, over as
// many bytes as argument 4 says, or as it has where that is negative.
func overlayBytes(g *sig) (kernel, error) {
	return kernel{run: rowText(func(b []byte, c *call, i int) ([]byte, bool) {
		x, y := str(c, 0, i), str(c, 1, i)
		pos, n := int(num[int32](c, 2, i)), int(num[int32](c, 3, i))
		if n < 0 {
			n = len(y)
		}
		b = append(b, x[:max(0, min(pos-1, len(x)))]...)
		b = append(b, y...)
		return append(b, x[max(0, min(pos-1+n, len(x))):]...), true
	})}, g.want(duckdb.TypeBlob, duckdb.TypeBlob, duckdb.TypeBlob, duckdb.TypeInteger, duckdb.TypeInteger)
}

func validUTF8(b, s []byte) ([]byte, bool) { return cast.AppendValidUTF8(b, s), true }

func isURL(g *sig) (kernel, error) {
	return kernel{run: fromText(func(b []byte) (bool, bool) {
		_, ok := parsedURL(string(b))
		return ok, true
	})}, g.want(duckdb.TypeBoolean, vector.ID(duckdb.TypeVarchar))
}
