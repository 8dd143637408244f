package collation

import (
	"bytes"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/collate"
	"golang.org/x/text/unicode/norm"
)

// Keys makes sort keys. It may be used by many goroutines.
type Keys struct {
	c    *Collation
	pool sync.Pool // *weigher
}

type weigher struct {
	col *collate.Collator
	buf collate.Buffer
}

// NewKeys makes the keys of a collation.
func NewKeys(c *Collation) *Keys {
	return &Keys{c: c, pool: sync.Pool{New: func() any {
		var opts []collate.Option
		if c.CaseInsensitive || c.AccentInsensitive {
			opts = append(opts, collate.IgnoreCase)
		}
		if c.AccentInsensitive {
			opts = append(opts, collate.IgnoreDiacritics)
		}
		return &weigher{col: collate.New(c.tag, opts...)}
	}}}
}

// Append appends the key of a text.
func (k *Keys) Append(dst, s []byte) []byte {
	if k.c.TrimRight {
		s = bytes.TrimRight(s, " ")
	}
	return k.weigh(dst, s)
}

func (k *Keys) weigh(dst, s []byte) []byte {
	switch k.c.family {
	case utf8Binary:
		return append(dst, s...)
	case utf8Lower:
		return appendLower(dst, s)
	}
	w, _ := k.pool.Get().(*weigher)
	defer k.pool.Put(w)
	w.buf.Reset()
	dst = append(dst, w.col.Key(&w.buf, s)...)
	if k.c.AccentInsensitive && !k.c.CaseInsensitive {
		dst = appendCases(append(dst, 0), s)
	}
	return dst
}

// appendCases appends the case of each letter, up to the last upper-case one:
// the level of case that stands behind weights without accents.
func appendCases(dst, s []byte) []byte {
	end := len(dst)
	for _, r := range string(norm.NFD.Bytes(s)) {
		switch {
		case unicode.IsUpper(r):
			dst = append(dst, 2)
			end = len(dst)
		case unicode.IsLetter(r):
			dst = append(dst, 1)
		}
	}
	return dst[:end]
}

// Equal tells whether two texts are the same under the collation.
func (k *Keys) Equal(a, b []byte) bool {
	return bytes.Equal(a, b) || bytes.Equal(k.Append(nil, a), k.Append(nil, b))
}

// appendLower lowers each code point by itself; both small sigmas are one.
func appendLower(dst, s []byte) []byte {
	for len(s) > 0 {
		r, n := utf8.DecodeRune(s)
		s = s[n:]
		switch r {
		case 'İ':
			dst = append(dst, "i̇"...)
		case 'ς':
			dst = utf8.AppendRune(dst, 'σ')
		default:
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
	}
	return dst
}
