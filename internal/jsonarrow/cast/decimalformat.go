package cast

import (
	"math/big"
	"strconv"
	"strings"
)

// DecimalFormat is a pattern of Java's DecimalFormat, with the symbols of the
// locale US.
type DecimalFormat struct {
	prefix, suffix       string // of numbers that are not negative
	negPrefix, negSuffix string
	minWhole, maxWhole   int // maxWhole counts for exponents only
	minFrac, maxFrac     int
	group                int // 0: none
	multiplier           int64
	point                bool // shown even without a fraction
	minExp               int  // 0: no exponent
}

// defaultDecimalFormat is what Spark takes for an empty pattern.
const defaultDecimalFormat = "#,###,###,###,###,###,##0"

// ParseDecimalFormat reads a pattern; false for one that Java refuses.
func ParseDecimalFormat(p string) (*DecimalFormat, bool) {
	if p == "" {
		p = defaultDecimalFormat
	}
	pos := decimalPattern{s: []rune(p)}
	if !pos.read(false) {
		return nil, false
	}
	f, ok := pos.format()
	if !ok {
		return nil, false
	}
	f.prefix, f.suffix = pos.prefix.String(), pos.suffix.String()
	f.negPrefix, f.negSuffix = "-"+f.prefix, f.suffix
	if pos.more {
		neg := decimalPattern{s: pos.s[pos.at:]}
		if !neg.read(true) {
			return nil, false
		}
		if a, b := neg.prefix.String(), neg.suffix.String(); a != f.prefix || b != f.suffix {
			f.negPrefix, f.negSuffix = a, b
		}
	}
	return f, true
}

// decimalPattern is a sub-pattern while it is read.
type decimalPattern struct {
	s                  []rune
	at                 int
	prefix, suffix     strings.Builder
	left, zeros, right int // # before the zeros, 0, # behind them
	pointAt, grouping  int // -1: none
	multiplier         int64
	minExp             int
	more               bool // a sub-pattern for negative numbers follows
}

// read goes through text, digits and text; of the negative sub-pattern only
// the texts count.
func (d *decimalPattern) read(negative bool) bool {
	d.pointAt, d.grouping, d.multiplier = -1, -1, 1
	affix, quoted := &d.prefix, false
	for ; d.at < len(d.s) && !d.more; d.at++ {
		c := d.s[d.at]
		switch {
		case c == '\'' && d.at+1 < len(d.s) && d.s[d.at+1] == '\'':
			affix.WriteRune(c)
			d.at++
		case c == '\'':
			quoted = !quoted
		case quoted:
			affix.WriteRune(c)
		case strings.ContainsRune("#0,.", c):
			if !d.digits(negative) {
				return false
			}
			affix = &d.suffix
			d.at--
		case c == ';':
			if affix == &d.prefix || negative {
				return false
			}
			d.more = true
		case c == '%', c == '\u2030':
			if d.multiplier != 1 {
				return false
			}
			if d.multiplier = 100; c != '%' {
				d.multiplier = 1000
			}
			affix.WriteRune(c)
		case c == '¤':
			sign := "$"
			if d.at+1 < len(d.s) && d.s[d.at+1] == c {
				sign = "USD"
				d.at++
			}
			affix.WriteString(sign)
		default:
			affix.WriteRune(c)
		}
	}
	return !quoted
}

// digits reads #, 0, comma, point and exponent.
func (d *decimalPattern) digits(skip bool) bool {
	for ; d.at < len(d.s); d.at++ {
		c := d.s[d.at]
		switch {
		case skip && strings.ContainsRune("#0,.E", c):
			continue
		case c == '#' && d.zeros > 0:
			d.right++
		case c == '#':
			d.left++
		case c == '0' && d.right > 0:
			return false
		case c == '0':
			d.zeros++
		case c == ',':
			d.grouping = 0
			continue
		case c == '.' && d.pointAt < 0:
			d.pointAt = d.left + d.zeros + d.right
			continue
		case c == '.':
			return false
		case c == 'E' && !skip:
			if d.minExp > 0 || d.left+d.zeros < 1 {
				return false
			}
			for d.at++; d.at < len(d.s) && d.s[d.at] == '0'; d.at++ {
				d.minExp++
			}
			return d.minExp > 0
		default:
			return true
		}
		if d.grouping >= 0 && d.pointAt < 0 {
			d.grouping++
		}
	}
	return true
}

func (d *decimalPattern) format() (*DecimalFormat, bool) {
	if d.zeros == 0 && d.left > 0 && d.pointAt >= 0 { // ##.## is #0.##
		n := max(d.pointAt, 1)
		d.right, d.left, d.zeros = d.left-n, n-1, 1
	}
	if d.pointAt < 0 && d.right > 0 || d.pointAt >= 0 && (d.pointAt < d.left || d.pointAt > d.left+d.zeros) || d.grouping == 0 {
		return nil, false
	}
	total := d.left + d.zeros + d.right
	f := &DecimalFormat{group: max(d.grouping, 0), multiplier: d.multiplier, minExp: d.minExp, point: d.pointAt == 0 || d.pointAt == total}
	if d.pointAt < 0 {
		f.minWhole = total - d.left
	} else {
		f.minWhole = d.pointAt - d.left
		f.minFrac, f.maxFrac = d.left+d.zeros-d.pointAt, total-d.pointAt
	}
	f.maxWhole = d.left + f.minWhole
	return f, true
}

// Multiplier is what numbers are multiplied by before they are printed: 100
// for a percent sign, 1000 for a per mille sign, else 1.
func (f *DecimalFormat) Multiplier() int64 { return f.multiplier }

// Fits tells whether v / 10^scale is printed without rounding.
func (f *DecimalFormat) Fits(v *big.Int, scale int) bool {
	if f.minExp > 0 {
		return len(new(big.Int).Abs(v).String()) <= f.maxWhole+f.maxFrac
	}
	return scale <= f.maxFrac
}

// Append prints v / 10^scale, rounded half to even; neg says whether it has a
// minus, which zeros may have too. The multiplier is applied already.
func (f *DecimalFormat) Append(b []byte, v *big.Int, scale int, neg bool) []byte {
	v = new(big.Int).Abs(v)
	prefix, suffix := f.prefix, f.suffix
	if neg {
		prefix, suffix = f.negPrefix, f.negSuffix
	}
	b = append(b, prefix...)
	if f.minExp > 0 {
		b = f.appendExponent(b, v, scale)
	} else {
		b = f.appendPlain(b, v, scale)
	}
	return append(b, suffix...)
}

func (f *DecimalFormat) appendPlain(b []byte, v *big.Int, scale int) []byte {
	s := roundEven(v, scale, f.maxFrac).String()
	if len(s) <= f.maxFrac {
		s = strings.Repeat("0", f.maxFrac-len(s)+1) + s
	}
	whole, frac := strings.TrimLeft(s[:len(s)-f.maxFrac], "0"), s[len(s)-f.maxFrac:]
	for len(frac) > f.minFrac && frac[len(frac)-1] == '0' {
		frac = frac[:len(frac)-1]
	}
	if len(whole) < f.minWhole {
		whole = strings.Repeat("0", f.minWhole-len(whole)) + whole
	}
	if whole == "" && frac == "" {
		whole = "0"
	}
	for i := range len(whole) {
		if f.group > 0 && i > 0 && (len(whole)-i)%f.group == 0 {
			b = append(b, ',')
		}
		b = append(b, whole[i])
	}
	if frac != "" || f.point {
		b = append(append(b, '.'), frac...)
	}
	return b
}

// appendExponent prints as many digits before the point as the pattern says;
// with # before its zeros the exponent is a multiple of their number.
func (f *DecimalFormat) appendExponent(b []byte, v *big.Int, scale int) []byte {
	digits := v.String()
	at := len(digits) - scale // of the point in 0.digits
	if n := f.maxWhole + f.maxFrac; len(digits) > n && n > 0 {
		digits = roundEven(v, len(digits)-n, 0).String()
		if len(digits) > n {
			at++
		}
	}
	digits = strings.TrimRight(digits, "0")
	exp, least := at, f.minWhole
	switch repeat := f.maxWhole; {
	case digits == "":
		exp, least = 0, max(least, 1)
	case repeat > 1 && repeat > f.minWhole && exp >= 1:
		exp, least = (exp-1)/repeat*repeat, 1
	case repeat > 1 && repeat > f.minWhole:
		exp, least = (exp-repeat)/repeat*repeat, 1
	default:
		exp -= least
	}
	whole := at - exp
	if digits == "" {
		whole = least
	}
	n := max(len(digits), f.minWhole+f.minFrac, whole)
	digits += strings.Repeat("0", n-len(digits))
	b = append(b, digits[:whole]...)
	if whole < n || f.point {
		b = append(append(b, '.'), digits[whole:]...)
	}
	b = append(b, 'E')
	if exp < 0 {
		b, exp = append(b, '-'), -exp
	}
	text := strconv.Itoa(exp)
	return append(append(b, strings.Repeat("0", max(f.minExp-len(text), 0))...), text...)
}

// roundEven brings v / 10^scale to another scale.
func roundEven(v *big.Int, scale, to int) *big.Int {
	ten := big.NewInt(10)
	if scale <= to {
		return new(big.Int).Mul(v, new(big.Int).Exp(ten, big.NewInt(int64(to-scale)), nil))
	}
	d := new(big.Int).Exp(ten, big.NewInt(int64(scale-to)), nil)
	q, r := new(big.Int).QuoRem(v, d, new(big.Int))
	twice := new(big.Int).Abs(r)
	twice.Lsh(twice, 1)
	if c := twice.Cmp(d); c > 0 || c == 0 && q.Bit(0) == 1 {
		q.Add(q, big.NewInt(int64(v.Sign())))
	}
	return q
}
