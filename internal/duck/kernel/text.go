package kernel

import (
	"bytes"
	"fmt"
	"math/bits"
	"strings"
	"unicode/utf8"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
)

// rowText makes a kernel whose result is text: f appends row i; false is NULL.
func rowText(f func(b []byte, c *call, i int) ([]byte, bool)) run {
	return func(c *call) error {
		out := newTexts(&c.out, c.n)
		defer out.close()
		for i := range c.n {
			if c.null(i) {
				out.skip(i)
				continue
			}
			start := len(out.buf)
			b, ok := f(out.buf, c, i)
			if !ok {
				out.buf = b[:start]
				out.null(i)
				continue
			}
			out.buf = b
			out.end(i, start)
		}
		return nil
	}
}

func str(c *call, arg, i int) []byte { return vector.Data[vector.Str](&c.args[arg], c.n)[i].Bytes() }

func num[T any](c *call, arg, i int) T { return vector.Data[T](&c.args[arg], c.n)[i] }

// text1 is a kernel from one text to another.
func text1(ret, arg vector.ID, f func(dst, s []byte) ([]byte, bool)) maker {
	return func(g *sig) (kernel, error) {
		return kernel{run: rowText(func(b []byte, c *call, i int) ([]byte, bool) { return f(b, str(c, 0, i)) })}, g.want(ret, arg)
	}
}

// initcap changes the first character of each word, which blanks divide.
func initcap(dst, s []byte) ([]byte, bool) {
	title, lower := titleCaser(), lowerCaser()
	for len(s) > 0 {
		word := s
		if at := bytes.IndexByte(s, ' '); at >= 0 {
			word = s[:at]
		}
		_, n := utf8.DecodeRune(word)
		dst = append(dst, title.Bytes(word[:n])...)
		head := len(lower.Bytes(word[:n]))
		lower.Reset()
		dst = append(dst, lower.Bytes(word)[head:]...) // a sigma at the end looks back
		title.Reset()
		lower.Reset()
		if s = s[len(word):]; len(s) > 0 {
			dst = append(dst, ' ')
			s = s[1:]
		}
	}
	return dst, true
}

// soundexCodes are for A to Z; 7 is a letter that does not part equal codes.
const soundexCodes = "01230127022455012623017202"

func soundex(dst, s []byte) ([]byte, bool) {
	if len(s) == 0 {
		return dst, true
	}
	upper := func(c byte) byte {
		if c >= 'a' && c <= 'z' {
			c -= 32
		}
		return c
	}
	first := upper(s[0])
	if first < 'A' || first > 'Z' {
		return append(dst, s...), true
	}
	code := [4]byte{first, '0', '0', '0'}
	last, n := soundexCodes[first-'A'], 1
	for _, c := range s[1:] {
		if c = upper(c); c < 'A' || c > 'Z' {
			last = '0'
			continue
		}
		k := soundexCodes[c-'A']
		if k >= '1' && k <= '6' {
			if k != last {
				code[n] = k
				if n++; n == 4 {
					break
				}
			}
			last = k
		} else if k == '0' {
			last = k
		}
	}
	return append(dst, code[:]...), true
}

func substringIndex(g *sig) (kernel, error) {
	return kernel{run: rowText(func(b []byte, c *call, i int) ([]byte, bool) {
		return append(b, cutIndex(str(c, 0, i), str(c, 1, i), int(num[int32](c, 2, i)))...), true
	})}, g.want(duckdb.TypeVarchar, duckdb.TypeVarchar, duckdb.TypeVarchar, duckdb.TypeInteger)
}

// cutIndex is what stands before the n-th delimiter, or, with n negative,
// behind the n-th from the right.
func cutIndex(s, delim []byte, n int) []byte {
	if len(delim) == 0 || n == 0 {
		return nil
	}
	if n > 0 {
		at := 0
		for range n {
			k := bytes.Index(s[at:], delim)
			if k < 0 {
				return s
			}
			if n--; n == 0 {
				return s[:at+k]
			}
			at += k + 1 // delimiters may overlap
		}
		return s
	}
	end := len(s)
	for ; n < 0; n++ {
		k := bytes.LastIndex(s[:end], delim)
		if k < 0 {
			return s
		}
		if n == -1 {
			return s[k+len(delim):]
		}
		end = k + len(delim) - 1
	}
	return s
}

func translateText(g *sig) (kernel, error) {
	return kernel{run: rowText(func(b []byte, c *call, i int) ([]byte, bool) {
		from, to := []rune(string(str(c, 1, i))), []rune(string(str(c, 2, i)))
		for s := str(c, 0, i); len(s) > 0; {
			r, n := utf8.DecodeRune(s)
			s = s[n:]
			k := 0
			for k < len(from) && from[k] != r {
				k++
			}
			switch {
			case k == len(from):
				b = utf8.AppendRune(b, r)
			case k < len(to):
				b = utf8.AppendRune(b, to[k])
			}
		}
		return b, true
	})}, g.want(duckdb.TypeVarchar, duckdb.TypeVarchar, duckdb.TypeVarchar, duckdb.TypeVarchar)
}

// levenshtein takes a threshold as third argument: -1 beyond it.
func levenshtein(g *sig) (kernel, error) {
	args := []vector.ID{duckdb.TypeVarchar, duckdb.TypeVarchar}
	if len(g.args) == 3 {
		args = append(args, duckdb.TypeInteger)
	}
	return kernel{run: func(c *call) error {
		out := vector.Data[int32](&c.out, c.n)
		var row []int32
		for i := range c.n {
			if c.null(i) {
				continue
			}
			out[i], row = distance([]rune(string(str(c, 0, i))), []rune(string(str(c, 1, i))), row)
			if len(args) == 3 && out[i] > num[int32](c, 2, i) {
				out[i] = -1
			}
		}
		return nil
	}}, g.want(duckdb.TypeInteger, args...)
}

func distance(a, b []rune, row []int32) (int32, []int32) {
	row = row[:0]
	for j := range len(b) + 1 {
		row = append(row, int32(j))
	}
	for i, x := range a {
		diag := row[0]
		row[0] = int32(i + 1)
		for j, y := range b {
			cost := diag
			if x != y {
				cost++
			}
			diag = row[j+1]
			row[j+1] = min(cost, diag+1, row[j]+1)
		}
	}
	return row[len(b)], row
}

// conv moves a number between bases of 2 to 36, in 64 bits without a sign; a
// negative target base makes it signed.
// convOverflow stands for a number of more than 64 bits where conv is strict.
const convOverflow = "!"

func conv(g *sig) (kernel, error) {
	var p struct{ Strict bool }
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	return kernel{run: rowText(func(b []byte, c *call, i int) ([]byte, bool) {
		return convert(b, bytes.Trim(str(c, 0, i), " "), int(num[int32](c, 1, i)), int(num[int32](c, 2, i)), p.Strict)
	})}, g.want(duckdb.TypeVarchar, duckdb.TypeVarchar, duckdb.TypeInteger, duckdb.TypeInteger)
}

func convert(b, s []byte, from, to int, strict bool) ([]byte, bool) {
	signed := to < 0
	base := max(to, -to)
	if from < 2 || from > 36 || base < 2 || base > 36 || len(s) == 0 {
		return b, false
	}
	neg := s[0] == '-'
	if neg {
		s = s[1:]
	}
	var v uint64
	for _, ch := range s {
		d := digitOf(ch)
		if d >= from {
			break
		}
		hi, lo := bits.Mul64(v, uint64(from))
		lo, carry := bits.Add64(lo, uint64(d), 0)
		if strict && (hi != 0 || carry != 0) {
			return append(b, convOverflow...), true
		}
		if hi != 0 || carry != 0 {
			v = 1<<64 - 1
			break
		}
		v = lo
	}
	switch {
	case signed && int64(v) < 0:
		neg, v = true, -v
	case neg && !signed && int64(v) < 0:
		v = 1<<64 - 1
	case neg && !signed:
		v = -v
	}
	if neg && signed {
		b = append(b, '-')
	}
	var t [64]byte
	at := len(t)
	for {
		at--
		t[at] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[v%uint64(base)]
		if v /= uint64(base); v == 0 {
			return append(b, t[at:]...), true
		}
	}
}

func digitOf(c byte) int {
	switch {
	case c-'0' < 10:
		return int(c - '0')
	case c|0x20 >= 'a' && c|0x20 <= 'z':
		return int(c|0x20-'a') + 10
	}
	return 99
}

// strToMap splits by two patterns, from the parameters or the second and third
// arguments; the last of equal keys wins, unless the parameter unique makes
// such a text NULL.
func strToMap(g *sig) (kernel, error) {
	p := struct {
		Pair, KeyValue string
		Unique         bool
	}{Pair: ",", KeyValue: ":"}
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	if g.ret.ID != duckdb.TypeMap || g.ret.Key.ID != duckdb.TypeVarchar || g.ret.Elem.ID != duckdb.TypeVarchar {
		return kernel{}, fmt.Errorf("result is %s", g.ret)
	}
	var pair, kv matchers
	args := oneText()
	if len(g.args) == 3 {
		args = append(args, duckdb.TypeVarchar, duckdb.TypeVarchar)
	} else {
		var err error
		if pair.fixed, err = newMatcher(p.Pair); err != nil {
			return kernel{}, err
		}
		if kv.fixed, err = newMatcher(p.KeyValue); err != nil {
			return kernel{}, err
		}
	}
	return kernel{run: func(c *call) error {
		pair, kv := pair, kv
		if len(args) == 3 {
			pair.pat, kv.pat = c.strs(1), c.strs(2)
		}
		return runStrToMap(c, &pair, &kv, p.Unique)
	}}, g.want(duckdb.TypeMap, args...)
}

// pairs are the entries of all rows.
type pairs struct {
	keys, vals []string
	isNull     []bool // of vals
}

func runStrToMap(c *call, pair, kv *matchers, unique bool) error {
	var out pairs
	rows := vector.Data[vector.Entry](&c.out, c.n)
	for i, s := range c.strs(0) {
		rows[i] = vector.Entry{}
		if c.null(i) {
			continue
		}
		first := len(out.keys)
		a, b := pair.get(i), kv.get(i)
		ok := a != nil && b != nil
		if ok {
			dup, err := out.add(s.Bytes(), a, b)
			if err != nil {
				return err
			}
			ok = !dup || !unique
		}
		if !ok {
			out.keys, out.vals, out.isNull = out.keys[:first], out.vals[:first], out.isNull[:first]
			c.out.SetNull(i)
			continue
		}
		rows[i] = vector.Entry{Offset: uint64(first), Length: uint64(len(out.keys) - first)}
	}
	return writeMap(&c.out, out.keys, out.vals, out.isNull)
}

// add splits one text; dup tells that a key came twice.
func (p *pairs) add(s []byte, pair, kv *matcher) (dup bool, err error) {
	var parts, halves listOut
	if err := splitText(&parts, pair, s, -1); err != nil {
		return false, err
	}
	at := map[string]int{}
	for k := range parts.ends {
		halves.ends, halves.buf = halves.ends[:0], halves.buf[:0]
		if err := splitText(&halves, kv, parts.elem(k), 2); err != nil {
			return false, err
		}
		key, val, null := string(halves.elem(0)), "", len(halves.ends) < 2
		if !null {
			val = string(halves.elem(1))
		}
		if old, ok := at[key]; ok {
			p.vals[old], p.isNull[old], dup = val, null, true
			continue
		}
		at[key] = len(p.keys)
		p.keys, p.vals, p.isNull = append(p.keys, key), append(p.vals, val), append(p.isNull, null)
	}
	return dup, nil
}

func writeMap(v *vector.Vec, keys, vals []string, isNull []bool) error {
	if len(keys) == 0 {
		return nil
	}
	if !v.Grow(len(keys)) {
		return vector.ErrNoMemory
	}
	e := v.Elem()
	for side, s := range [][]string{keys, vals} {
		child := e.Child(side)
		t := newTexts(&child, len(s))
		for i := range s {
			if side == 1 && isNull[i] {
				t.null(i)
			} else {
				t.set(i, []byte(s[i]))
			}
		}
		t.close()
	}
	return nil
}

// elem is element k of what was collected.
func (l *listOut) elem(k int) []byte {
	from := 0
	if k > 0 {
		from = l.ends[k-1]
	}
	return l.buf[from:l.ends[k]]
}

const urlSafe = "-_.*"

func urlEncode(dst, s []byte) ([]byte, bool) {
	for _, c := range s {
		switch {
		case digitOf(c) < 36 || strings.IndexByte(urlSafe, c) >= 0:
			dst = append(dst, c)
		case c == ' ':
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', hexUpper[c>>4], hexUpper[c&15])
		}
	}
	return dst, true
}

const hexUpper = "0123456789ABCDEF"

func urlDecode(dst, s []byte) ([]byte, bool) {
	start := len(dst)
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '+':
			dst = append(dst, ' ')
		case '%':
			if i+2 >= len(s) || digitOf(s[i+1]) > 15 || digitOf(s[i+2]) > 15 {
				return dst, false
			}
			dst = append(dst, byte(digitOf(s[i+1])<<4|digitOf(s[i+2])))
			i += 2
		default:
			dst = append(dst, c)
		}
	}
	if !utf8.Valid(dst[start:]) {
		t := bytes.ToValidUTF8(dst[start:], []byte("\uFFFD"))
		dst = append(dst[:start], t...)
	}
	return dst, true
}
