package kernel

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
)

// sha2 takes 0, 224, 256, 384 or 512 bits; NULL for others.
func sha2(g *sig) (kernel, error) {
	return kernel{run: rowText(func(b []byte, c *call, i int) ([]byte, bool) {
		s := str(c, 0, i)
		switch num[int32](c, 1, i) {
		case 0, 256:
			h := sha256.Sum256(s)
			return hex.AppendEncode(b, h[:]), true
		case 224:
			h := sha256.Sum224(s)
			return hex.AppendEncode(b, h[:]), true
		case 384:
			h := sha512.Sum384(s)
			return hex.AppendEncode(b, h[:]), true
		case 512:
			h := sha512.Sum512(s)
			return hex.AppendEncode(b, h[:]), true
		}
		return b, false
	})}, g.want(duckdb.TypeVarchar, duckdb.TypeBlob, duckdb.TypeInteger)
}

func crc(g *sig) (kernel, error) {
	return kernel{run: func(c *call) error {
		out := vector.Data[int64](&c.out, c.n)
		for i := range out {
			if !c.null(i) {
				out[i] = int64(crc32.ChecksumIEEE(str(c, 0, i)))
			}
		}
		return nil
	}}, g.want(duckdb.TypeBigInt, duckdb.TypeBlob)
}

// mimeBase64 breaks lines of 76 characters with CRLF.
func mimeBase64(dst, s []byte) ([]byte, bool) {
	const line = 76 / 4 * 3
	for len(s) > line {
		dst = append(base64.StdEncoding.AppendEncode(dst, s[:line]), '\r', '\n')
		s = s[line:]
	}
	return base64.StdEncoding.AppendEncode(dst, s), true
}

// unbase64 skips characters that are none of base64, as Java's MIME decoder.
// False is a text that ends within a byte, or whose filling is not what the
// last group lacks.
func unbase64(dst, s []byte) ([]byte, bool) {
	clean := make([]byte, 0, len(s))
	digit := func(c byte) bool { return digitOf(c) < 36 || c == '+' || c == '/' }
	for i, c := range s {
		if c == '=' {
			n := len(clean) % 4
			if n < 2 || n == 2 && !bytes.HasPrefix(s[i:], []byte("==")) || bytes.ContainsFunc(s[i:], func(r rune) bool { return r < 0x80 && digit(byte(r)) }) {
				return dst, false
			}
			break
		}
		if digit(c) {
			clean = append(clean, c)
		}
	}
	out, err := base64.RawStdEncoding.AppendDecode(dst, clean)
	return out, err == nil
}

// strictBase64 is unbase64 that refuses what is neither base64 nor a blank
// before the filling.
func strictBase64(dst, s []byte) ([]byte, bool) {
	body, fill := s, 0
	for ; fill < 2 && len(body) > 0 && body[len(body)-1] == '='; fill++ {
		body = body[:len(body)-1]
	}
	n := 0
	for _, c := range body {
		switch {
		case digitOf(c) < 36 || c == '+' || c == '/':
			n++
		case c != ' ' && (c < '\t' || c > '\r'):
			return dst, false
		}
	}
	if fill > 0 && (n+fill)%4 != 0 || len(body) < len(s) && n > 0 && body[len(body)-1] <= ' ' {
		return dst, false
	}
	return unbase64(dst, s)
}

// unhex takes an odd number of digits as if a zero stood before them.
func unhex(dst, s []byte) ([]byte, bool) {
	if len(s)%2 == 1 {
		if digitOf(s[0]) > 15 {
			return dst, false
		}
		dst, s = append(dst, byte(digitOf(s[0]))), s[1:]
	}
	for ; len(s) > 0; s = s[2:] {
		hi, lo := digitOf(s[0]), digitOf(s[1])
		if hi > 15 || lo > 15 {
			return dst, false
		}
		dst = append(dst, byte(hi<<4|lo))
	}
	return dst, true
}

// charset is a pair of conversions from and to UTF-8; false where a character
// or a byte has no counterpart.
type charset struct {
	encode, decode func(dst, s []byte) ([]byte, bool)
}

// charsets are those that Spark allows.
func charsetOf(name string) (charset, bool) {
	switch strings.ToUpper(name) {
	case "UTF-8":
		same := func(dst, s []byte) ([]byte, bool) { return append(dst, s...), utf8.Valid(s) }
		return charset{same, same}, true
	case "US-ASCII":
		return oneByte(0x80), true
	case "ISO-8859-1":
		return oneByte(0x100), true
	case "UTF-16BE":
		return wide16(true, false), true
	case "UTF-16LE":
		return wide16(false, false), true
	case "UTF-16":
		return wide16(true, true), true
	case "UTF-32":
		return charset{encode32, decode32}, true
	}
	return charset{}, false
}

func oneByte(limit rune) charset {
	return charset{
		encode: func(dst, s []byte) ([]byte, bool) {
			for _, r := range string(s) {
				if r >= limit {
					return dst, false
				}
				dst = append(dst, byte(r))
			}
			return dst, true
		},
		decode: func(dst, s []byte) ([]byte, bool) {
			for _, c := range s {
				if rune(c) >= limit {
					return dst, false
				}
				dst = utf8.AppendRune(dst, rune(c))
			}
			return dst, true
		},
	}
}

func wide16(big, mark bool) charset {
	put := func(dst []byte, u uint16, big bool) []byte {
		if big {
			return append(dst, byte(u>>8), byte(u))
		}
		return append(dst, byte(u), byte(u>>8))
	}
	return charset{
		encode: func(dst, s []byte) ([]byte, bool) {
			if mark && len(s) > 0 {
				dst = put(dst, 0xfeff, big)
			}
			for _, u := range utf16.Encode([]rune(string(s))) {
				dst = put(dst, u, big)
			}
			return dst, true
		},
		decode: func(dst, s []byte) ([]byte, bool) {
			big := big
			if mark && len(s) >= 2 {
				switch {
				case s[0] == 0xfe && s[1] == 0xff:
					s = s[2:]
				case s[0] == 0xff && s[1] == 0xfe:
					big, s = false, s[2:]
				}
			}
			if len(s)%2 != 0 {
				return dst, false
			}
			u := make([]uint16, len(s)/2)
			for i := range u {
				if u[i] = uint16(s[2*i])<<8 | uint16(s[2*i+1]); !big {
					u[i] = u[i]<<8 | u[i]>>8
				}
			}
			for _, r := range utf16.Decode(u) {
				dst = utf8.AppendRune(dst, r)
			}
			return dst, true
		},
	}
}

func encode32(dst, s []byte) ([]byte, bool) {
	for _, r := range string(s) {
		dst = append(dst, byte(r>>24), byte(r>>16), byte(r>>8), byte(r))
	}
	return dst, true
}

func decode32(dst, s []byte) ([]byte, bool) {
	s = bytes.TrimPrefix(s, []byte{0, 0, 0xfe, 0xff})
	if len(s)%4 != 0 {
		return dst, false
	}
	for ; len(s) > 0; s = s[4:] {
		r := rune(s[0])<<24 | rune(s[1])<<16 | rune(s[2])<<8 | rune(s[3])
		if !utf8.ValidRune(r) {
			return dst, false
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst, true
}

// ErrCharset says that a character set is not known.
var ErrCharset = errors.New("charset")

// charsetKernel encodes text or decodes bytes by the parameter charset.
func charsetKernel(encode bool) maker {
	return func(g *sig) (kernel, error) {
		var p struct{ Charset string }
		if err := g.param(&p); err != nil {
			return kernel{}, err
		}
		cs, ok := charsetOf(p.Charset)
		if !ok {
			return kernel{}, fmt.Errorf("%w %s is not supported", ErrCharset, p.Charset)
		}
		if encode {
			return text1(duckdb.TypeBlob, duckdb.TypeVarchar, cs.encode)(&sig{args: g.args, ret: g.ret})
		}
		return text1(duckdb.TypeVarchar, duckdb.TypeBlob, cs.decode)(&sig{args: g.args, ret: g.ret})
	}
}
