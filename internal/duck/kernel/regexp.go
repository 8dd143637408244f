package kernel

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
)

// regexpParam is the parameter of all regexp kernels. Without a pattern it is
// the last argument.
type regexpParam struct {
	Pattern  *string
	Group    *int
	Limit    *int
	Position *int
	// Number names the one that is the second argument.
	Number string
}

// of gives the number of a row by its name.
func (p *regexpParam) of(name string, fixed *int, c *call, i, otherwise int) int {
	switch {
	case p.Number == name:
		return int(num[int32](c, 1, i))
	case fixed == nil:
		return otherwise
	}
	return *fixed
}

// regexpKernel checks the signature: args are those before the pattern.
func regexpKernel(g *sig, ret vector.ID, args []vector.ID, f func(p *regexpParam, ms *matchers, c *call) error) (kernel, error) {
	var p regexpParam
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	var fixed *matcher
	if p.Number != "" {
		args = append(args, duckdb.TypeInteger)
	}
	if p.Pattern != nil {
		var err error
		if fixed, err = newMatcher(*p.Pattern); err != nil {
			return kernel{}, err
		}
	} else {
		args = append(args, duckdb.TypeVarchar)
	}
	return kernel{run: func(c *call) error {
		ms := matchers{fixed: fixed}
		if fixed == nil {
			ms.pat = c.strs(len(args) - 1)
		}
		return f(&p, &ms, c)
	}}, g.want(ret, args...)
}

func oneText() []vector.ID { return []vector.ID{duckdb.TypeVarchar} }

// perRow calls f for the rows that have a value and a good pattern; false
// from f, and a bad pattern, make the row NULL.
func perRow(ms *matchers, c *call, f func(i int, m *matcher, b []byte) (bool, error)) error {
	in := c.strs(0)
	for i := range in {
		if c.null(i) {
			continue
		}
		m := ms.get(i)
		ok := m != nil
		if ok {
			var err error
			if ok, err = f(i, m, in[i].Bytes()); err != nil {
				return err
			}
		}
		if !ok {
			c.out.SetNull(i)
		}
	}
	return nil
}

func regexpLike(g *sig) (kernel, error) {
	return regexpKernel(g, duckdb.TypeBoolean, oneText(), func(_ *regexpParam, ms *matchers, c *call) error {
		out := vector.Data[bool](&c.out, c.n)
		return perRow(ms, c, func(i int, m *matcher, b []byte) (ok bool, err error) {
			out[i], err = m.match(b)
			return true, err
		})
	})
}

func regexpCount(g *sig) (kernel, error) {
	return regexpKernel(g, duckdb.TypeInteger, oneText(), func(_ *regexpParam, ms *matchers, c *call) error {
		out := vector.Data[int32](&c.out, c.n)
		return perRow(ms, c, func(i int, m *matcher, b []byte) (bool, error) {
			n := int32(0)
			err := m.each(b, func([]int) bool { n++; return true })
			out[i] = n
			return true, err
		})
	})
}

// regexpInstr counts positions in UTF-16, as Java does.
func regexpInstr(g *sig) (kernel, error) {
	return regexpKernel(g, duckdb.TypeInteger, oneText(), func(_ *regexpParam, ms *matchers, c *call) error {
		out := vector.Data[int32](&c.out, c.n)
		return perRow(ms, c, func(i int, m *matcher, b []byte) (bool, error) {
			out[i] = 0
			err := m.first(b, func(loc []int) { out[i] = int32(utf16Len(b[:loc[0]]) + 1) })
			return true, err
		})
	})
}

func utf16Len(b []byte) (n int) {
	for len(b) > 0 {
		r, w := utf8.DecodeRune(b)
		n += max(utf16.RuneLen(r), 1)
		b = b[w:]
	}
	return n
}

// textRows is perRow for a result that is text.
func textRows(ms *matchers, c *call, f func(t *texts, i int, m *matcher, b []byte) (bool, error)) error {
	out := newTexts(&c.out, c.n)
	defer out.close()
	for i := range out.rows {
		out.rows[i] = vector.Str{}
	}
	return perRow(ms, c, func(i int, m *matcher, b []byte) (bool, error) {
		start := len(out.buf)
		ok, err := f(&out, i, m, b)
		if ok {
			out.end(i, start)
		} else {
			out.buf = out.buf[:start]
		}
		return ok, err
	})
}

func regexpExtract(g *sig) (kernel, error) {
	return regexpKernel(g, duckdb.TypeVarchar, oneText(), func(p *regexpParam, ms *matchers, c *call) error {
		return textRows(ms, c, func(t *texts, i int, m *matcher, b []byte) (bool, error) {
			group, ok := p.of("group", p.Group, c, i, 1), true
			err := m.first(b, func(loc []int) {
				if ok = group >= 0 && group <= m.groups; ok {
					t.buf = appendGroup(t.buf, b, loc, group)
				}
			})
			return ok, err
		})
	})
}

func appendGroup(dst, b []byte, loc []int, group int) []byte {
	if loc[2*group] >= 0 {
		dst = append(dst, piece(b, loc[2*group], loc[2*group+1])...)
	}
	return dst
}

func regexpSubstr(g *sig) (kernel, error) {
	return regexpKernel(g, duckdb.TypeVarchar, oneText(), func(_ *regexpParam, ms *matchers, c *call) error {
		return textRows(ms, c, func(t *texts, _ int, m *matcher, b []byte) (found bool, err error) {
			err = m.first(b, func(loc []int) {
				found = true
				t.buf = appendGroup(t.buf, b, loc, 0)
			})
			return found, err
		})
	})
}

func regexpReplace(g *sig) (kernel, error) {
	args := []vector.ID{duckdb.TypeVarchar, duckdb.TypeVarchar}
	return regexpKernel(g, duckdb.TypeVarchar, args, func(p *regexpParam, ms *matchers, c *call) error {
		with := c.strs(1)
		from := 1
		if p.Position != nil {
			from = *p.Position
		}
		var rep replacement
		return textRows(ms, c, func(t *texts, i int, m *matcher, b []byte) (bool, error) {
			head, ok := prefix(b, from-1)
			if !ok {
				t.buf = append(t.buf, b...)
				return true, nil
			}
			t.buf = append(t.buf, b[:head]...)
			b, done := b[head:], 0 // an expression sees nothing before its place
			err := m.each(b, func(loc []int) bool {
				if ok = rep.compile(with[i].String(), m); !ok { // it matters where something matches
					return false
				}
				t.buf = append(t.buf, piece(b, done, loc[0])...)
				t.buf = rep.append(t.buf, b, loc)
				done = loc[1]
				return true
			})
			t.buf = append(t.buf, piece(b, done, len(b))...)
			return ok, err
		})
	})
}

// prefix is the length of the first n UTF-16 units; false beyond the text's
// last one.
func prefix(b []byte, n int) (int, bool) {
	at := 0
	for n > 0 && at < len(b) {
		r, w := utf8.DecodeRune(b[at:])
		at += w
		n -= max(utf16.RuneLen(r), 1)
	}
	return at, n <= 0 && (at < len(b) || at == 0)
}

// replacement is Java's: $1, ${name}, and \ before what stands for itself.
type replacement struct {
	text  string
	m     *matcher
	ok    bool
	lit   []string
	group []int // behind each literal but the last
}

func (r *replacement) compile(text string, m *matcher) bool {
	if r.m == m && r.text == text {
		return r.ok
	}
	*r = replacement{text: string([]byte(text)), m: m, lit: r.lit[:0], group: r.group[:0]}
	r.ok = r.parse()
	return r.ok
}

func (r *replacement) parse() bool {
	var cur []byte
	s := r.text
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i++; i >= len(s) {
				return false
			}
			cur = append(cur, s[i])
		case '$':
			n, next, ok := r.reference(s, i+1)
			if !ok {
				return false
			}
			r.lit, r.group = append(r.lit, string(cur)), append(r.group, n)
			cur, i = nil, next-1
		default:
			cur = append(cur, s[i])
		}
	}
	r.lit = append(r.lit, string(cur))
	return true
}

func (r *replacement) reference(s string, i int) (n, next int, ok bool) {
	if i >= len(s) {
		return 0, 0, false
	}
	if s[i] == '{' {
		for j := i + 1; j < len(s); j++ {
			if s[j] != '}' {
				continue
			}
			for k, name := range r.m.names {
				if name != "" && name == s[i+1:j] {
					return k + 1, j + 1, true
				}
			}
			return 0, 0, false
		}
		return 0, 0, false
	}
	if s[i]-'0' > 9 {
		return 0, 0, false
	}
	n = int(s[i] - '0')
	if n > r.m.groups {
		return 0, 0, false
	}
	for i++; i < len(s) && s[i]-'0' < 10 && n*10+int(s[i]-'0') <= r.m.groups; i++ {
		n = n*10 + int(s[i]-'0')
	}
	return n, i, true
}

func (r *replacement) append(dst, b []byte, loc []int) []byte {
	for k, l := range r.lit {
		dst = append(dst, l...)
		if k < len(r.group) {
			dst = appendGroup(dst, b, loc, r.group[k])
		}
	}
	return dst
}

// listOut collects lists of texts: rows first, then the elements at once.
type listOut struct {
	vec  *vector.Vec
	rows []vector.Entry
	ends []int // of the elements in buf
	p    *[]byte
	buf  []byte
}

func newList(v *vector.Vec, n int) listOut {
	p := scratch.Get().(*[]byte)
	return listOut{vec: v, rows: vector.Data[vector.Entry](v, n), p: p, buf: (*p)[:0]}
}

func (l *listOut) add(b []byte) {
	l.buf = append(l.buf, b...)
	l.ends = append(l.ends, len(l.buf))
}

func (l *listOut) end(i, first int) {
	l.rows[i] = vector.Entry{Offset: uint64(first), Length: uint64(len(l.ends) - first)}
}

func (l *listOut) close() error {
	defer func() {
		*l.p = l.buf
		scratch.Put(l.p)
	}()
	n := len(l.ends)
	if n == 0 {
		return nil
	}
	if !l.vec.Grow(n) {
		return vector.ErrNoMemory
	}
	e := l.vec.Elem()
	rows := vector.Data[vector.Str](&e, n)
	var base uintptr
	if len(l.buf) > 12 {
		base = e.Heap(l.buf)
	}
	from := 0
	for i, to := range l.ends {
		rows[i] = vector.MakeStr(l.buf[from:to], base+uintptr(from))
		from = to
	}
	return nil
}

// listRows is perRow for a result that is a list of texts.
func listRows(ms *matchers, c *call, f func(l *listOut, i int, m *matcher, b []byte) (bool, error)) error {
	out := newList(&c.out, c.n)
	clear(out.rows)
	err := perRow(ms, c, func(i int, m *matcher, b []byte) (bool, error) {
		first := len(out.ends)
		ok, err := f(&out, i, m, b)
		if ok {
			out.end(i, first)
		}
		return ok, err
	})
	if cerr := out.close(); err == nil {
		err = cerr
	}
	return err
}

func wantTexts(g *sig) error {
	if g.ret.ID != duckdb.TypeList || g.ret.Elem.ID != duckdb.TypeVarchar {
		return fmt.Errorf("result is %s", g.ret)
	}
	return nil
}

func regexpExtractAll(g *sig) (kernel, error) {
	if err := wantTexts(g); err != nil {
		return kernel{}, err
	}
	return regexpKernel(g, duckdb.TypeList, oneText(), func(p *regexpParam, ms *matchers, c *call) error {
		return listRows(ms, c, func(l *listOut, i int, m *matcher, b []byte) (bool, error) {
			group, ok := p.of("group", p.Group, c, i, 1), true
			err := m.each(b, func(loc []int) bool {
				if ok = group >= 0 && group <= m.groups; !ok {
					return false
				}
				if loc[2*group] < 0 {
					l.add(nil)
				} else {
					l.add(piece(b, loc[2*group], loc[2*group+1]))
				}
				return true
			})
			return ok, err
		})
	})
}

func split(g *sig) (kernel, error) {
	if err := wantTexts(g); err != nil {
		return kernel{}, err
	}
	return regexpKernel(g, duckdb.TypeList, oneText(), func(p *regexpParam, ms *matchers, c *call) error {
		return listRows(ms, c, func(l *listOut, i int, m *matcher, b []byte) (bool, error) {
			limit := p.of("limit", p.Limit, c, i, -1)
			if limit <= 0 {
				limit = -1
			}
			return true, splitText(l, m, b, limit)
		})
	})
}

// splitText keeps trailing empty texts, as Spark does for every limit.
func splitText(l *listOut, m *matcher, b []byte, limit int) error {
	if m.empty() && len(b) > 0 { // into characters
		for n := 1; len(b) > 0; n++ {
			_, w := utf8.DecodeRune(b)
			if n == limit {
				w = len(b)
			}
			l.add(b[:w])
			b = b[w:]
		}
		return nil
	}
	from, n := 0, 1
	err := m.each(b, func(loc []int) bool {
		if n == limit {
			return false
		}
		if loc[1] == 0 { // an empty match at the start makes no text
			return true
		}
		l.add(piece(b, from, loc[0]))
		from = loc[1]
		n++
		return true
	})
	l.add(piece(b, from, len(b)))
	return err
}

// empty tells the pattern ”.
func (m *matcher) empty() bool { return m.bt != nil && m.javaPattern.bt.Len() == 0 }
