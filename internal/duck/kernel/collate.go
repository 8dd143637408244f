package kernel

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/collation"
	"github.com/marisma/marisma/internal/duck/vector"
)

func (g *sig) collation() (*collation.Keys, string, error) {
	var p struct{ Collation, Op string }
	if err := g.param(&p); err != nil {
		return nil, "", err
	}
	c, err := collation.Parse(p.Collation)
	if err != nil {
		return nil, "", err
	}
	return collation.NewKeys(c), p.Op, nil
}

// collationKey makes the bytes by which texts are compared.
func collationKey(ret vector.ID) maker {
	return func(g *sig) (kernel, error) {
		k, _, err := g.collation()
		if err != nil {
			return kernel{}, err
		}
		return text1(ret, duckdb.TypeVarchar, func(b, s []byte) ([]byte, bool) { return k.Append(b, s), true })(&sig{args: g.args, ret: g.ret})
	}
}

// collatedSearch are the functions that look for a text in another.
func collatedSearch(g *sig) (kernel, error) {
	k, op, err := g.collation()
	if err != nil {
		return kernel{}, err
	}
	s := searcher{k}
	switch g.ret.ID {
	case duckdb.TypeBoolean:
		return kernel{run: func(c *call) error {
			out := vector.Data[bool](&c.out, c.n)
			for i := range out {
				if !c.null(i) {
					out[i] = s.has(op, str(c, 0, i), str(c, 1, i))
				}
			}
			return nil
		}}, g.want(0, duckdb.TypeVarchar, duckdb.TypeVarchar)
	case duckdb.TypeInteger:
		return kernel{run: func(c *call) error {
			out := vector.Data[int32](&c.out, c.n)
			for i := range out {
				if !c.null(i) {
					out[i] = s.place(op, c, i)
				}
			}
			return nil
		}}, nil
	}
	if len(g.args) < 2 || g.ret.ID != duckdb.TypeVarchar {
		return kernel{}, fmt.Errorf("%s over %d arguments", op, len(g.args))
	}
	return kernel{run: rowText(func(b []byte, c *call, i int) ([]byte, bool) {
		x, y := str(c, 0, i), str(c, 1, i)
		switch op {
		case "replace":
			return s.replace(b, x, y, str(c, 2, i)), true
		case "translate":
			return s.translate(b, x, y, str(c, 2, i)), true
		case "substring_index":
			return append(b, s.index(x, y, int(num[int32](c, 2, i)))...), true
		case "split_part":
			return append(b, s.part(x, y, int(num[int32](c, 2, i)))...), true
		case "btrim":
			return append(b, s.trim(x, y, true, true)...), true
		}
		return append(b, s.trim(y, x, op != "rtrim", op != "ltrim")...), true
	})}, nil
}

type searcher struct{ *collation.Keys }

func (s searcher) has(op string, text, p []byte) bool {
	ok := false
	switch op {
	case "startswith":
		_, ok = s.Prefix(text, p)
	case "endswith":
		_, ok = s.Suffix(text, p)
	default:
		_, ok = s.Find(text, p, 0)
	}
	return ok
}

// place is instr(text, p), locate(p, text, from) or find_in_set(p, list),
// counted in code points or members from 1; 0 is none.
func (s searcher) place(op string, c *call, i int) int32 {
	text, p, from := str(c, 0, i), str(c, 1, i), 0
	switch op {
	case "find_in_set":
		if bytes.IndexByte(text, ',') >= 0 {
			return 0
		}
		for n, m := range bytes.Split(p, []byte{','}) {
			if s.Equal(m, text) {
				return int32(n) + 1
			}
		}
		return 0
	case "locate":
		text, p = p, text
		if from = int(num[int32](c, 2, i)) - 1; from < 0 {
			return 0
		}
	}
	at := 0
	for range from {
		_, n := utf8.DecodeRune(text[at:])
		if n == 0 {
			return 0
		}
		at += n
	}
	m, ok := s.Find(text, p, at)
	if !ok {
		return 0
	}
	return int32(utf8.RuneCount(text[:m.From])) + 1
}

func (s searcher) replace(b, text, p, with []byte) []byte {
	if len(p) == 0 {
		return append(b, text...)
	}
	at := 0
	for {
		m, ok := s.Find(text, p, at)
		if !ok {
			return append(b, text[at:]...)
		}
		b = append(append(b, text[at:m.From]...), with...)
		at = m.To
	}
}

func (s searcher) translate(b, text, from, to []byte) []byte {
	f, t := []rune(string(from)), []rune(string(to))
	for _, r := range string(text) {
		hit := -1
		for i, x := range f {
			if x == r || s.Equal([]byte(string(x)), []byte(string(r))) {
				hit = i
				break
			}
		}
		switch {
		case hit < 0:
			b = utf8.AppendRune(b, r)
		case hit < len(t):
			b = utf8.AppendRune(b, t[hit])
		}
	}
	return b
}

// matches are all places of a pattern that do not overlap.
func (s searcher) matches(text, p []byte) []collation.Match {
	var out []collation.Match
	for at := 0; len(p) > 0; {
		m, ok := s.Find(text, p, at)
		if !ok {
			break
		}
		out = append(out, m)
		at = m.To
	}
	return out
}

func (s searcher) index(text, p []byte, n int) []byte {
	ms := s.matches(text, p)
	switch {
	case n == 0 || len(p) == 0:
		return nil
	case n > 0 && n <= len(ms):
		return text[:ms[n-1].From]
	case n < 0 && -n <= len(ms):
		return text[ms[len(ms)+n].To:]
	}
	return text
}

func (s searcher) part(text, p []byte, n int) []byte {
	ms := s.matches(text, p)
	if n < 0 {
		n += len(ms) + 2
	}
	if n < 1 || n > len(ms)+1 {
		return nil
	}
	from, to := 0, len(text)
	if n > 1 {
		from = ms[n-2].To
	}
	if n <= len(ms) {
		to = ms[n-1].From
	}
	return text[from:to]
}

// trim takes the code points of a set off the ends.
func (s searcher) trim(text, set []byte, left, right bool) []byte {
	in := func(r rune) bool {
		for _, x := range string(set) {
			if x == r || s.Equal([]byte(string(x)), []byte(string(r))) {
				return true
			}
		}
		return false
	}
	if left {
		text = bytes.TrimLeftFunc(text, in)
	}
	if right {
		text = bytes.TrimRightFunc(text, in)
	}
	return text
}
