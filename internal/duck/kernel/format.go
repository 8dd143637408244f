package kernel

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// text is the plain decimal text with the given number of places.
func (d *dec) text(places int) string {
	s := new(big.Int).Abs(d.v).String()
	if places > 0 {
		if len(s) <= places {
			s = strings.Repeat("0", places-len(s)+1) + s
		}
		s = s[:len(s)-places] + "." + s[len(s)-places:]
	}
	return s
}

// grouped puts commas between thousands of the whole part.
func grouped(s string) string {
	whole, frac, dot := strings.Cut(s, ".")
	var b strings.Builder
	for i := range len(whole) {
		if i > 0 && (len(whole)-i)%3 == 0 {
			b.WriteByte(',')
		}
		b.WriteByte(whole[i])
	}
	if dot {
		b.WriteString("." + frac)
	}
	return b.String()
}

// exact is the value of argument arg as a decimal; special is the text of what
// has none.
func exact(c *call, g *sig, arg, i int, short bool) (d dec, neg bool, special string) {
	switch t := &g.args[arg]; t.ID {
	case duckdb.TypeDouble, duckdb.TypeFloat:
		f := 0.0
		if t.ID == duckdb.TypeFloat {
			f = float64(num[float32](c, arg, i))
		} else {
			f = num[float64](c, arg, i)
		}
		switch {
		case f != f:
			return d, false, "NaN"
		case math.IsInf(f, 0):
			return d, f < 0, "Infinity"
		}
		neg = math.Signbit(f)
		if short {
			d, _ = parseDec(string(cast.AppendDouble(nil, f)))
		} else {
			d, _ = parseDec(new(big.Float).SetFloat64(f).Text('f', 1100))
		}
		return d, neg, ""
	case duckdb.TypeDecimal:
		in := newDecimals(&c.args[arg], t, c.n)
		d = dec{in.get(i).BigInt(), int(t.Scale)}
	default:
		d = dec{big.NewInt(integer(c, t, arg, i)), 0}
	}
	return d, d.v.Sign() < 0, ""
}

func integer(c *call, t *vector.Type, arg, i int) int64 {
	switch t.ID {
	case duckdb.TypeTinyInt:
		return int64(num[int8](c, arg, i))
	case duckdb.TypeSmallInt:
		return int64(num[int16](c, arg, i))
	case duckdb.TypeInteger, duckdb.TypeDate:
		return int64(num[int32](c, arg, i))
	}
	return num[int64](c, arg, i)
}

func numeric(t *vector.Type) bool {
	switch t.ID {
	case duckdb.TypeTinyInt, duckdb.TypeSmallInt, duckdb.TypeInteger, duckdb.TypeBigInt, duckdb.TypeFloat, duckdb.TypeDouble, duckdb.TypeDecimal:
		return true
	}
	return false
}

// formatNumber groups thousands and rounds half to even to a number of places,
// NULL for a negative one.
func formatNumber(g *sig) (kernel, error) {
	if err := g.want(duckdb.TypeVarchar, 0, duckdb.TypeInteger); err != nil {
		return kernel{}, err
	}
	if !numeric(&g.args[0]) {
		return kernel{}, fmt.Errorf("argument 1 is %s", g.args[0])
	}
	return kernel{run: rowText(func(b []byte, c *call, i int) ([]byte, bool) {
		places := int(num[int32](c, 1, i))
		if places < 0 || places > 1000 {
			return b, false
		}
		d, neg, special := exact(c, g, 0, i, true)
		if special == "" && d.scale > places { // Java rounds by the exact value
			d, neg, special = exact(c, g, 0, i, false)
		}
		if neg {
			b = append(b, '-')
		}
		switch special {
		case "NaN":
			return append(b, "NaN"...), true
		case "Infinity":
			return append(b, "\u221e"...), true
		}
		d.round(places, true)
		return append(b, grouped(d.text(places))...), true
	})}, nil
}

// formatString is Java's String.format for the conversions that have an
// answer in SQL; a text that Java refuses is NULL.
func formatString(g *sig) (kernel, error) {
	var p struct {
		Format *string
		Types  any
	}
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	first := 0
	if p.Format == nil {
		if first = 1; len(g.args) == 0 || g.args[0].ID != duckdb.TypeVarchar {
			return kernel{}, fmt.Errorf("neither a format nor an argument for one")
		}
	}
	for i := range g.args {
		if g.args[i].Nested() {
			return kernel{}, fmt.Errorf("argument %d is %s", i+1, g.args[i])
		}
	}
	f := rowText(func(b []byte, c *call, i int) ([]byte, bool) {
		if first == 1 && c.args[0].Null(i) {
			return b, false
		}
		w := formatter{c: c, g: g, row: i, first: first, out: b}
		format := ""
		if first == 1 {
			format = string(str(c, 0, i))
		} else {
			format = *p.Format
		}
		ok := w.run(format)
		return w.out, ok
	})
	return kernel{run: f, nulls: true}, g.want(duckdb.TypeVarchar, make([]vector.ID, len(g.args))...)
}

type formatter struct {
	c          *call
	g          *sig
	row, first int
	next, last int // arguments: the next, and the one used last plus 1
	out        []byte
}

// spec is %[index$][flags][width][.precision]conversion.
type spec struct {
	flags       string
	again       bool // %<: the argument of the one before
	index       int
	width, prec int
	conv        byte
}

func (w *formatter) run(f string) bool {
	for {
		lit, rest, found := strings.Cut(f, "%")
		w.out = append(w.out, lit...)
		if !found {
			return true
		}
		s, n, ok := parseSpec(rest)
		if !ok || !w.one(&s) {
			return false
		}
		f = rest[n:]
	}
}

func parseSpec(s string) (sp spec, n int, ok bool) {
	sp.prec = -1
	digits := func() (v, from int) {
		from = n
		for n < len(s) && s[n]-'0' < 10 && v < 1<<20 {
			v = v*10 + int(s[n]-'0')
			n++
		}
		return v, from
	}
	if strings.HasPrefix(s, "<") {
		sp.again = true
		n = 1
	} else if v, _ := digits(); n > 0 && n < len(s) && s[n] == '$' {
		sp.index = v
		n++
	} else {
		n = 0
	}
	from := n
	for n < len(s) && strings.IndexByte("-#+ 0,(", s[n]) >= 0 {
		n++
	}
	sp.flags = s[from:n]
	sp.width, _ = digits()
	if n < len(s) && s[n] == '.' {
		n++
		v, at := digits()
		if at == n {
			return sp, n, false
		}
		sp.prec = v
	}
	if n >= len(s) || sp.width > 1<<16 || sp.prec > 1<<16 {
		return sp, n, false
	}
	sp.conv = s[n]
	return sp, n + 1, true
}

func (s *spec) has(c byte) bool { return strings.IndexByte(s.flags, c) >= 0 }

func (w *formatter) pad(s *spec, t string) {
	n := s.width - utf8.RuneCountInString(t)
	if n > 0 && !s.has('-') {
		t = strings.Repeat(" ", n) + t
	} else if n > 0 {
		t += strings.Repeat(" ", n)
	}
	w.out = append(w.out, t...)
}

func (w *formatter) one(s *spec) bool {
	switch s.conv {
	case '%':
		w.pad(s, "%")
		return true
	case 'n':
		w.out = append(w.out, '\n')
		return true
	}
	arg := w.first + s.index - 1
	switch {
	case s.again:
		arg = w.first + w.last - 1
	case s.index == 0:
		arg = w.first + w.next
		w.next++
	}
	w.last = arg - w.first + 1
	if s.again && w.last == 0 {
		return false
	}
	if arg >= len(w.c.args) || arg < 0 {
		return false
	}
	t, null := &w.g.args[arg], w.c.args[arg].Null(w.row)
	text, ok := "", true
	switch s.conv | 0x20 {
	case 's':
		text = "null"
		if !null {
			text, ok = w.plain(t, arg)
		}
		text = clip(text, s.prec)
	case 'b':
		text = strconv.FormatBool(!null && (t.ID != duckdb.TypeBoolean || num[bool](w.c, arg, w.row)))
		text = clip(text, s.prec)
	case 'h':
		text, ok = w.hashCode(t, arg, null)
		text = clip(text, s.prec)
	case 'd', 'x', 'o':
		text, ok = w.whole(s, t, arg, null)
	case 'c':
		text, ok = w.char(s, t, arg, null)
	case 'f', 'e', 'g':
		if text, ok = w.float(s, t, arg, null); null {
			text = clip(text, s.prec)
		}
	default:
		return false
	}
	if !ok {
		return false
	}
	if s.conv >= 'A' && s.conv <= 'Z' {
		if s.conv != 'S' && s.conv != 'X' && s.conv != 'E' && s.conv != 'G' && s.conv != 'B' && s.conv != 'H' && s.conv != 'C' {
			return false
		}
		text = strings.ToUpper(text)
	}
	w.pad(s, text)
	return true
}

// hashCode is that of Spark's texts, or of an int, in hexadecimal.
func (w *formatter) hashCode(t *vector.Type, arg int, null bool) (string, bool) {
	switch {
	case null:
		return "null", true
	case t.ID == duckdb.TypeVarchar:
		h := murmur{}.bytes(str(w.c, arg, w.row), hashSeed)
		return strconv.FormatUint(h, 16), true
	case t.ID == duckdb.TypeInteger:
		return strconv.FormatUint(uint64(num[uint32](w.c, arg, w.row)), 16), true
	}
	return "", false
}

func clip(s string, prec int) string {
	if r := []rune(s); prec >= 0 && prec < len(r) {
		return string(r[:prec])
	}
	return s
}

// plain is toString of the value as Spark holds it: times are numbers.
func (w *formatter) plain(t *vector.Type, arg int) (string, bool) {
	i := w.row
	switch t.ID {
	case duckdb.TypeVarchar:
		return string(str(w.c, arg, i)), true
	case duckdb.TypeBoolean:
		return strconv.FormatBool(num[bool](w.c, arg, i)), true
	case duckdb.TypeDouble:
		return string(cast.AppendDouble(nil, num[float64](w.c, arg, i))), true
	case duckdb.TypeFloat:
		return string(cast.AppendFloat(nil, num[float32](w.c, arg, i))), true
	case duckdb.TypeDecimal:
		d := newDecimals(&w.c.args[arg], t, w.c.n)
		return string(cast.AppendDecimal(nil, d.get(i), int(t.Scale))), true
	case duckdb.TypeBlob:
		return "", false // Java prints an address
	}
	return strconv.FormatInt(integer(w.c, t, arg, i), 10), true
}

// char is the character of a code point.
func (w *formatter) char(s *spec, t *vector.Type, arg int, null bool) (string, bool) {
	if null {
		return "null", s.prec < 0
	}
	if t.ID != duckdb.TypeTinyInt && t.ID != duckdb.TypeSmallInt && t.ID != duckdb.TypeInteger || s.prec >= 0 {
		return "", false
	}
	v := integer(w.c, t, arg, w.row)
	return string(rune(v)), v >= 0 && v <= unicode.MaxRune
}

func (w *formatter) whole(s *spec, t *vector.Type, arg int, null bool) (string, bool) {
	if null {
		return "null", s.prec < 0
	}
	if !numeric(t) && t.ID != duckdb.TypeDate && t.ID != duckdb.TypeTimestamp && t.ID != duckdb.TypeTimestampTZ ||
		t.ID == duckdb.TypeDouble || t.ID == duckdb.TypeFloat || t.ID == duckdb.TypeDecimal || s.prec >= 0 {
		return "", false
	}
	v := integer(w.c, t, arg, w.row)
	if s.conv != 'd' {
		u := uint64(v)
		if n := map[vector.ID]uint{duckdb.TypeTinyInt: 8, duckdb.TypeSmallInt: 16, duckdb.TypeInteger: 32, duckdb.TypeDate: 32}[t.ID]; n > 0 {
			u &= 1<<n - 1
		}
		base, prefix := 16, "0x"
		if s.conv == 'o' {
			base, prefix = 8, "0"
		}
		text := strconv.FormatUint(u, base)
		if s.has('#') {
			text = prefix + text
		}
		if n := s.width - len(text); s.has('0') && n > 0 {
			text = strings.Repeat("0", n) + text
		}
		return text, true
	}
	text := strings.TrimPrefix(strconv.FormatInt(v, 10), "-")
	if s.has(',') {
		text = grouped(text)
	}
	return signed(s, text, v < 0), true
}

// signed puts the sign by the flags and fills with zeros.
func signed(s *spec, text string, neg bool) string {
	pre, post := "", ""
	switch {
	case neg && s.has('('):
		pre, post = "(", ")"
	case neg:
		pre = "-"
	case s.has('+'):
		pre = "+"
	case s.has(' '):
		pre = " "
	}
	if n := s.width - len(text) - len(pre) - len(post); s.has('0') && n > 0 {
		text = strings.Repeat("0", n) + text
	}
	return pre + text + post
}

func (w *formatter) float(s *spec, t *vector.Type, arg int, null bool) (string, bool) {
	if null {
		return "null", true
	}
	if t.ID != duckdb.TypeDouble && t.ID != duckdb.TypeFloat {
		return "", false
	}
	d, neg, special := exact(w.c, w.g, arg, w.row, true)
	if special != "" {
		return signed(&spec{flags: strings.ReplaceAll(s.flags, "0", ""), width: s.width}, special, neg), true
	}
	prec := s.prec
	if prec < 0 {
		prec = 6
	}
	var text string
	switch s.conv | 0x20 {
	case 'f':
		d.round(prec, false)
		text = d.text(prec)
	case 'e':
		text = scientific(d, prec)
	default:
		text = general(d, max(prec, 1))
	}
	if s.has(',') {
		text = grouped(text)
	}
	return signed(s, text, neg), true
}

// scientific is d.ddde+xx with prec digits behind the point, half up.
func scientific(d dec, prec int) string {
	if d.v.Sign() == 0 {
		d = dec{new(big.Int), prec}
		return d.text(prec) + "e+00"
	}
	digits := len(new(big.Int).Abs(d.v).String())
	exp := digits - 1 - d.scale
	d.round(prec-exp, false)
	if len(new(big.Int).Abs(d.v).String()) > prec+1 { // 9.99 became 10.0
		exp++
		d.round(prec-exp, false)
	}
	return fmt.Sprintf("%se%+03d", d.text(prec), exp)
}

// general is plain from 10^-4 to 10^prec, else scientific; prec counts digits.
func general(d dec, prec int) string {
	if d.v.Sign() == 0 {
		return (&dec{new(big.Int), 0}).text(max(prec-1, 0))
	}
	exp := len(new(big.Int).Abs(d.v).String()) - 1 - d.scale
	if exp < -4 || exp >= prec {
		return scientific(d, prec-1)
	}
	d.round(prec-1-exp, false)
	return d.text(prec - 1 - exp)
}
