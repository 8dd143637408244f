package kernel

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

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

func (w *formatter) pad(s *spec, t string) {
	n := s.width - utf16Len([]byte(t))
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
	t, arg, ok := w.argument(s)
	if !ok {
		return false
	}
	null := w.c.args[arg].Null(w.row)
	text, ok := w.convert(s, t, arg, null)
	if !ok {
		return false
	}
	if s.upper {
		text = upperCaser().String(text)
	}
	w.pad(s, text)
	return true
}

// argument is the one that s asks for: by its number, the one before, or the
// next.
func (w *formatter) argument(s *spec) (t *vector.Type, arg int, ok bool) {
	arg = w.first + s.index - 1
	switch {
	case s.again:
		arg = w.first + w.last - 1
	case s.index == 0:
		arg = w.first + w.next
		w.next++
	}
	w.last = arg - w.first + 1
	if s.again && w.last == 0 || arg >= len(w.c.args) || arg < 0 {
		return nil, 0, false
	}
	return &w.g.args[arg], arg, true
}

// convert is the text of an argument before it is padded.
func (w *formatter) convert(s *spec, t *vector.Type, arg int, null bool) (text string, ok bool) {
	ok = true
	if s.time {
		if null {
			return "null", true
		}
		return w.clock(s, t, arg)
	}
	switch s.conv {
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
	default:
		if text, ok = w.float(s, t, arg, null); null {
			text = clip(text, s.prec)
		}
	}
	return text, ok
}

// hashCode is that of the object that Spark has for the value, in hexadecimal.
func (w *formatter) hashCode(t *vector.Type, arg int, null bool) (string, bool) {
	var h uint32
	switch {
	case null:
		return "null", true
	case t.ID == duckdb.TypeVarchar:
		h = uint32(murmur{}.bytes(str(w.c, arg, w.row), hashSeed))
	case t.ID == duckdb.TypeBoolean:
		h = hashBool(num[bool](w.c, arg, w.row))
	case t.ID == duckdb.TypeFloat:
		h = math.Float32bits(num[float32](w.c, arg, w.row))
	case t.ID == duckdb.TypeDouble:
		h = hashLong(math.Float64bits(num[float64](w.c, arg, w.row)))
	case t.ID == duckdb.TypeTinyInt, t.ID == duckdb.TypeSmallInt, t.ID == duckdb.TypeInteger, t.ID == duckdb.TypeDate:
		h = uint32(integer(w.c, t, arg, w.row))
	case t.ID == duckdb.TypeBigInt, t.ID == duckdb.TypeTimestamp, t.ID == duckdb.TypeTimestampTZ:
		h = hashLong(uint64(integer(w.c, t, arg, w.row)))
	case t.ID == duckdb.TypeDecimal:
		in := newDecimals(&w.c.args[arg], t, w.c.n)
		h = scalaDecimal(in.get(w.row).BigInt(), int(t.Scale))
	default:
		return "", false
	}
	return strconv.FormatUint(uint64(h), 16), true
}

// clip keeps prec halves of characters as Java counts them; half a pair is
// printed as a question mark.
func clip(s string, prec int) string {
	if prec < 0 || prec >= len(s) {
		return s
	}
	u := utf16.Encode([]rune(s))
	if prec >= len(u) {
		return s
	}
	if u = u[:prec]; prec > 0 && utf16.IsSurrogate(rune(u[prec-1])) && u[prec-1] < 0xdc00 {
		u[prec-1] = '?'
	}
	return string(utf16.Decode(u))
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
		return string(cast.AppendBigDecimal(nil, d.get(i), int(t.Scale))), true
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
		if !s.has('#') {
			prefix = ""
		}
		text := strconv.FormatUint(u, base)
		if n := s.width - len(text) - len(prefix); s.has('0') && n > 0 {
			text = strings.Repeat("0", n) + text
		}
		return prefix + text, !s.any("+ (")
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
	if s.conv == 'a' {
		v, _ := strconv.ParseFloat(d.text(d.scale), 64)
		return hexFloat(s, v, neg), true
	}
	prec := s.prec
	if prec < 0 {
		prec = 6
	}
	var text string
	switch s.conv {
	case 'f':
		d.round(prec, halfUp)
		text = d.text(prec)
	case 'e':
		text = scientific(d, prec)
	default:
		text = general(d, max(prec, 1))
	}
	if s.has(',') {
		text = grouped(text)
	}
	if s.has('#') && !strings.Contains(text, ".") {
		mant, exp, sci := strings.Cut(text, "e")
		if text = mant + "."; sci {
			text += "e" + exp
		}
	}
	return signed(s, text, neg), true
}

// hexFloat is Double.toHexString with the precision that Java gives it.
func hexFloat(s *spec, v float64, neg bool) string {
	prec := s.prec
	if prec == 0 {
		prec = 1
	}
	text := strconv.FormatFloat(v, 'x', -1, 64)
	if v != 0 && prec > 0 && prec < 13 && v >= 0x1p-1022 {
		text = strconv.FormatFloat(v, 'x', prec, 64)
	}
	mant, exp, _ := strings.Cut(strings.TrimPrefix(text, "0x"), "p")
	e, _ := strconv.Atoi(exp)
	if v != 0 && v < 0x1p-1022 { // Java keeps the exponent and loses the leading one
		bits := math.Float64bits(v)
		mant, e = "0."+strings.TrimRight(fmt.Sprintf("%013x", bits), "0"), -1022
	}
	if !strings.Contains(mant, ".") {
		mant += ".0"
	}
	if n := prec - (len(mant) - strings.IndexByte(mant, '.') - 1); n > 0 {
		mant += strings.Repeat("0", n)
	}
	out := mant + "p" + strconv.Itoa(e)
	if n := s.width - len(out) - 2; s.has('0') && n > 0 {
		out = strings.Repeat("0", n) + out
	}
	return signed(&spec{flags: strings.ReplaceAll(s.flags, "0", "")}, "0x"+out, neg)
}

// scientific is d.ddde+xx with prec digits behind the point, half up.
func scientific(d dec, prec int) string {
	if d.v.Sign() == 0 {
		d = dec{new(big.Int), prec}
		return d.text(prec) + "e+00"
	}
	digits := len(new(big.Int).Abs(d.v).String())
	exp := digits - 1 - d.scale
	d.round(prec-exp, halfUp)
	if len(new(big.Int).Abs(d.v).String()) > prec+1 { // 9.99 became 10.0
		exp++
		d.round(prec-exp, halfUp)
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
	d.round(prec-1-exp, halfUp)
	return d.text(prec - 1 - exp)
}
