package cast

import (
	"errors"
	"math/big"
	"strings"
	"unicode"
)

// NumberFormat is a format of to_char and to_number: digits 0 and 9, group
// separators G or comma, a point D or dot, $, and S, MI or PR for the sign.
type NumberFormat struct {
	sign    byte // 'S', 'M', 'P' or 0
	leading bool // S or MI stands before the digits
	dollar  bool
	whole   string // 0, 9 and ,
	frac    string // 0 and 9
	point   bool
}

// Errors of number formats.
var (
	ErrFormatDigits = errors.New("the format has no digit")
	ErrFormatToken  = errors.New("the format has a character or an order that is not allowed")
)

// ParseNumberFormat reads a format.
func ParseNumberFormat(s string) (*NumberFormat, error) {
	s = strings.ToUpper(s)
	f := &NumberFormat{}
	take := func(prefix string) bool {
		rest, ok := strings.CutPrefix(s, prefix)
		if ok {
			s = rest
		}
		return ok
	}
	if !strings.ContainsAny(s, "09") {
		return nil, ErrFormatDigits
	}
	switch {
	case take("MI"):
		f.sign, f.leading = 'M', true
	case take("S"):
		f.sign, f.leading = 'S', true
	}
	f.dollar = take("$")
	n := strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune("09G,", r) })
	if n < 0 {
		n = len(s)
	}
	f.whole, s = strings.ReplaceAll(s[:n], "G", ","), s[n:]
	if f.point = take("D") || take("."); f.point {
		n := 0
		for n < len(s) && (s[n] == '0' || s[n] == '9') {
			n++
		}
		f.frac, s = s[:n], s[n:]
	}
	if take("$") {
		if f.dollar {
			return nil, ErrFormatToken
		}
		f.dollar = true
	}
	if f.sign == 0 {
		switch {
		case take("MI"):
			f.sign = 'M'
		case take("S"):
			f.sign = 'S'
		case take("PR"):
			f.sign = 'P'
		}
	}
	if s != "" || strings.HasPrefix(f.whole, ",") || strings.HasSuffix(f.whole, ",") {
		return nil, ErrFormatToken
	}
	return f, nil
}

// Append prints v / 10^scale.
func (f *NumberFormat) Append(b []byte, v *big.Int, scale int) []byte {
	neg := v.Sign() < 0
	digits := new(big.Int).Abs(v).String()
	if len(digits) <= scale {
		digits = strings.Repeat("0", scale-len(digits)+1) + digits
	}
	whole, frac := digits[:len(digits)-scale], strings.TrimRight(digits[len(digits)-scale:], "0")
	whole = strings.TrimLeft(whole, "0")
	if f.leading {
		b = f.appendSign(b, neg)
	}
	if f.sign == 'P' && neg {
		b = append(b, '<')
	}
	if f.dollar {
		b = append(b, '$')
	}
	places := strings.ReplaceAll(f.whole, ",", "")
	if len(whole) > len(places) || len(frac) > len(f.frac) {
		b = append(b, overflow(f)...)
	} else {
		b = f.appendWhole(b, whole, len(places))
		if f.point && f.frac == "" {
			b = append(b, ' ')
		} else if f.point {
			b = append(append(b, '.'), frac...)
			b = append(b, strings.Repeat("0", len(f.frac)-len(frac))...)
		}
	}
	switch {
	case f.sign == 'P' && neg:
		return append(b, '>')
	case f.sign == 'P':
		return append(b, ' ', ' ')
	case !f.leading:
		return f.appendSign(b, neg)
	}
	return b
}

// overflow is what stands for a number that does not fit.
func overflow(f *NumberFormat) string {
	mark := func(s string) string { return strings.NewReplacer("0", "#", "9", "#", ",", " ").Replace(s) }
	switch {
	case f.point && f.frac == "":
		return mark(f.whole) + " "
	case f.point:
		return mark(f.whole) + "." + mark(f.frac)
	}
	return mark(f.whole)
}

func (f *NumberFormat) appendSign(b []byte, neg bool) []byte {
	switch {
	case f.sign != 'S' && f.sign != 'M':
		return b
	case neg:
		return append(b, '-')
	case f.sign == 'S':
		return append(b, '+')
	}
	return append(b, ' ')
}

// appendWhole fills the places from the right; before the first digit a 0 is a
// zero and a 9 a blank. Blanks go before a sign that stands there.
func (f *NumberFormat) appendWhole(b []byte, whole string, places int) []byte {
	signed := len(b) > 0 && !f.dollar && (f.leading && b[len(b)-1] != ' ' || f.sign == 'P' && b[len(b)-1] == '<')
	blank := func() {
		b = append(b, ' ')
		if n := len(b); signed {
			b[n-2], b[n-1] = b[n-1], b[n-2]
		}
	}
	at, started := 0, false
	for i := range len(f.whole) {
		skip := places - len(whole)
		switch {
		case f.whole[i] == ',' && started:
			b = append(b, ',')
		case f.whole[i] == ',':
			blank()
		case at >= skip:
			b, started = append(b, whole[at-skip]), true
		case f.whole[i] == '0' || f.point && at == places-1 && !signed:
			b, started = append(b, '0'), true
		default:
			blank()
		}
		if f.whole[i] != ',' {
			at++
		}
	}
	return b
}

// Parse reads a text that has the format; false for another. The value is
// v / 10^scale with the format's scale.
func (f *NumberFormat) Parse(text []byte) (v *big.Int, ok bool) {
	s := strings.Map(asciiDigit, strings.Join(strings.Fields(string(text)), ""))
	neg := false
	cut := func(c string) bool {
		if f.leading || f.sign == 'P' {
			rest, hit := strings.CutPrefix(s, c)
			s = rest
			return hit
		}
		rest, hit := strings.CutSuffix(s, c)
		s = rest
		return hit
	}
	switch f.sign {
	case 'S':
		if neg = cut("-"); !neg {
			cut("+")
		}
	case 'M':
		neg = cut("-")
	case 'P':
		if neg = cut("<"); neg {
			if s, ok = strings.CutSuffix(s, ">"); !ok {
				return nil, false
			}
		}
	}
	if f.dollar {
		if s, ok = strings.CutPrefix(s, "$"); !ok {
			if s, ok = strings.CutSuffix(s, "$"); !ok {
				return nil, false
			}
		}
	}
	whole, frac, dot := strings.Cut(s, ".")
	if dot && !f.point || whole == "" && frac == "" || !f.fitsWhole(whole) || frac != "" && !fits(frac, f.frac, false) {
		return nil, false
	}
	digits := strings.ReplaceAll(whole, ",", "") + frac + strings.Repeat("0", len(f.frac)-len(frac))
	if v, ok = new(big.Int).SetString("0"+digits, 10); !ok {
		return nil, false
	}
	if neg {
		v.Neg(v)
	}
	return v, true
}

// asciiDigit is the ASCII digit of the same value for a decimal digit of any
// script; other characters stay.
func asciiDigit(r rune) rune {
	if r < 0x80 || !unicode.IsDigit(r) {
		return r
	}
	for _, x := range unicode.Nd.R32 { // sets of ten, from zero on
		if lo := rune(x.Lo); lo <= r && r <= rune(x.Hi) {
			return '0' + (r-lo)%10
		}
	}
	for _, x := range unicode.Nd.R16 {
		if lo := rune(x.Lo); lo <= r && r <= rune(x.Hi) {
			return '0' + (r-lo)%10
		}
	}
	return r
}

// fitsWhole matches the groups from the right.
func (f *NumberFormat) fitsWhole(s string) bool {
	want, got := strings.Split(f.whole, ","), strings.Split(s, ",")
	if len(got) > len(want) {
		return false
	}
	skip := len(want) - len(got)
	for i, w := range want {
		switch {
		case i < skip:
			if strings.Contains(w, "0") {
				return false
			}
		case !fits(got[i-skip], w, i > skip):
			return false
		}
	}
	return true
}

// fits tells whether digits have the places of format: all of them where full
// is asked for or the format says 0.
func fits(digits, format string, full bool) bool {
	if len(digits) > len(format) || strings.Trim(digits, "0123456789") != "" {
		return false
	}
	return len(digits) == len(format) || !full && !strings.Contains(format[:len(format)-len(digits)], "0")
}
