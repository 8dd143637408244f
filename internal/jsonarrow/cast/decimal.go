package cast

import (
	"bytes"
	"math/big"
	"math/bits"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// MaxPrecision is the most digits of a DECIMAL.
const MaxPrecision = 38

// U128 is an unsigned 128-bit integer.
type U128 struct{ Hi, Lo uint64 }

// Pow10 is 10^n for n up to 38.
func Pow10(n int) U128 {
	u := U128{Lo: 1}
	for range n {
		u = u.mul10(0)
	}
	return u
}

func (u U128) mul10(add uint64) U128 {
	hi, lo := bits.Mul64(u.Lo, 10)
	lo, c := bits.Add64(lo, add, 0)
	return U128{u.Hi*10 + hi + c, lo}
}

// Less compares.
func (u U128) Less(o U128) bool { return u.Hi < o.Hi || u.Hi == o.Hi && u.Lo < o.Lo }

// Signed gives the two's complement, negated if neg.
func (u U128) Signed(neg bool) decimal128.Num {
	if neg {
		lo, c := bits.Sub64(0, u.Lo, 0)
		hi, _ := bits.Sub64(0, u.Hi, c)
		u = U128{hi, lo}
	}
	return decimal128.New(int64(u.Hi), u.Lo)
}

// Abs gives the absolute value and whether n is negative.
func Abs(n decimal128.Num) (U128, bool) {
	u := U128{uint64(n.HighBits()), n.LowBits()}
	if n.HighBits() >= 0 {
		return u, false
	}
	lo, c := bits.Sub64(0, u.Lo, 0)
	hi, _ := bits.Sub64(0, u.Hi, c)
	return U128{hi, lo}, true
}

// Decimal reads a DECIMAL(precision, scale): digits with a point and an
// exponent, rounded half up; false when malformed or too large. With commas
// true, commas are skipped (as from_json does in strings).
func Decimal(b []byte, precision, scale int, commas bool) (decimal128.Num, bool) {
	b = plainDigits(Trim(b))
	neg := false
	if len(b) > 0 && (b[0] == '-' || b[0] == '+') {
		neg = b[0] == '-'
		b = b[1:]
	}
	// Digits without leading zeros; one more than fit is enough to round and
	// to see an overflow, but all of them count.
	var digits [96]byte
	n, skipped, frac := 0, 0, 0
	any, point := false, false
	i := 0
	for ; i < len(b); i++ {
		switch c := b[i]; {
		case c-'0' < 10:
			any = true
			if point {
				frac++
			}
			switch {
			case n == 0 && c == '0':
			case n < len(digits):
				digits[n] = c - '0'
				n++
			default:
				skipped++
			}
			continue
		case c == '.' && !point:
			point = true
			continue
		case c == ',' && commas:
			continue
		}
		break
	}
	if !any {
		return decimal128.Num{}, false
	}
	exp := 0
	if i < len(b) {
		if b[i]|0x20 != 'e' {
			return decimal128.Num{}, false
		}
		e, ok := Int(b[i+1:], 32, false)
		if !ok || len(b) == i+1 || b[len(b)-1] <= ' ' || b[i+1] <= ' ' {
			return decimal128.Num{}, false
		}
		exp = int(e)
	}
	u, ok := fit(digits[:n], scale+exp-frac+skipped, precision)
	if !ok {
		return decimal128.Num{}, false
	}
	return u.Signed(neg), true
}

// plainDigits puts 0 to 9 in the place of the digits of other scripts, which
// Java's decimals take.
func plainDigits(b []byte) []byte {
	if !slices.ContainsFunc(b, func(c byte) bool { return c >= utf8.RuneSelf }) {
		return b
	}
	return bytes.Map(func(r rune) rune {
		if r > 0xffff { // two characters in Java, and no digit
			return r
		}
		return asciiDigit(r)
	}, b)
}

// fit is digits * 10^shift, rounded half up, if it has at most precision digits.
func fit(digits []byte, shift, precision int) (U128, bool) {
	if len(digits) == 0 {
		return U128{}, true
	}
	if len(digits)+shift > MaxPrecision {
		return U128{}, false
	}
	keep := len(digits)
	if shift < 0 {
		keep += shift
	}
	if keep < 0 {
		return U128{}, true
	}
	var u U128
	for _, d := range digits[:keep] {
		u = u.mul10(uint64(d))
	}
	for range shift {
		u = u.mul10(0)
	}
	if keep < len(digits) && digits[keep] >= 5 {
		lo, c := bits.Add64(u.Lo, 1, 0)
		u = U128{u.Hi + c, lo}
	}
	return u, u.Less(Pow10(precision))
}

// FromBig brings an unscaled value to at most precision digits.
func FromBig(v *big.Int, precision int) (decimal128.Num, bool) {
	if v.BitLen() > 127 {
		return decimal128.Num{}, false
	}
	n := decimal128.FromBigInt(v)
	u, _ := Abs(n)
	return n, u.Less(Pow10(precision))
}

// Languages that write a decimal comma, with points and with spaces between
// thousands.
const (
	pointGroups = " da de el es id it nl pt tr "
	spaceGroups = " bg cs fi fr hu nb no pl ru sk sv uk "
)

// LocalDecimal is Decimal for the text of a document in the writing of a
// locale: of "" and of English ones, commas between thousands are skipped.
// White space around the number makes it malformed.
func LocalDecimal(b []byte, precision, scale int, locale string) (decimal128.Num, bool) {
	if len(Trim(b)) != len(b) {
		return decimal128.Num{}, false
	}
	lang, _, _ := strings.Cut(strings.ToLower(strings.ReplaceAll(locale, "_", "-")), "-")
	groups := "."
	switch lang = " " + lang + " "; {
	case strings.Contains(spaceGroups, lang):
		groups = "\u00a0\u202f"
	case !strings.Contains(pointGroups, lang):
		return Decimal(b, precision, scale, true)
	}
	whole, frac, comma := strings.Cut(string(b), ",")
	for _, g := range groups {
		whole = strings.ReplaceAll(whole, string(g), "")
	}
	if strings.ContainsAny(whole, ".,") || strings.ContainsAny(frac, ".,") {
		return decimal128.Num{}, false
	}
	if comma {
		whole += "." + frac
	}
	return Decimal([]byte(whole), precision, scale, false)
}

// AppendDecimal writes an unscaled value with its scale, without exponent.
func AppendDecimal(b []byte, n decimal128.Num, scale int) []byte {
	u, neg := Abs(n)
	if neg {
		b = append(b, '-')
	}
	start := len(b)
	for digits := 0; digits <= scale || u.Hi|u.Lo != 0; digits++ {
		if digits == scale && scale > 0 {
			b = append(b, '.')
		}
		var r uint64
		u, r = u.div10()
		b = append(b, byte('0'+r))
	}
	slices.Reverse(b[start:])
	return b
}

// AppendBigDecimal prints a decimal as Java's BigDecimal does: small ones with
// an exponent, 1.2E-8.
func AppendBigDecimal(b []byte, n decimal128.Num, scale int) []byte {
	u, neg := Abs(n)
	start := len(b)
	if neg {
		b = append(b, '-')
	}
	first := len(b)
	b = AppendDecimal(b, decimal128.New(int64(u.Hi), u.Lo), 0)
	digits := len(b) - first
	exp := digits - 1 - scale
	if scale == 0 || exp >= -6 {
		return AppendDecimal(b[:start], n, scale)
	}
	if digits > 1 {
		b = slices.Insert(b, first+1, '.')
	}
	return strconv.AppendInt(append(b, 'E'), int64(exp), 10)
}

func (u U128) div10() (U128, uint64) {
	hi, r := u.Hi/10, u.Hi%10
	lo, r := bits.Div64(r, u.Lo, 10)
	return U128{hi, lo}, r
}
