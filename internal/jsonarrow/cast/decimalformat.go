package cast

import (
	"math/big"
	"strings"
)

// DecimalFormat is a pattern of Java's DecimalFormat: #, 0, comma, point and %
// with text around them. Exponents and sub-patterns for negative numbers are
// not read.
type DecimalFormat struct {
	prefix, suffix           string
	minWhole, minFrac, group int
	maxFrac                  int
	percent                  bool
}

// ParseDecimalFormat reads a pattern; false for one that is not understood.
func ParseDecimalFormat(p string) (*DecimalFormat, bool) {
	f := &DecimalFormat{}
	i := strings.IndexAny(p, "#0,.")
	if i < 0 || strings.ContainsAny(p, ";E'") {
		return nil, false
	}
	n := i
	for n < len(p) && strings.IndexByte("#0,.", p[n]) >= 0 {
		n++
	}
	f.prefix, f.suffix = p[:i], p[n:]
	f.percent = strings.Contains(f.prefix+f.suffix, "%")
	whole, frac, _ := strings.Cut(p[i:n], ".")
	if strings.ContainsAny(frac, ".,") {
		return nil, false
	}
	if c := strings.LastIndexByte(whole, ','); c >= 0 {
		f.group = len(whole) - c - 1
	}
	f.minWhole, f.minFrac, f.maxFrac = strings.Count(whole, "0"), strings.Count(frac, "0"), len(frac)
	return f, true
}

// Append prints v / 10^scale, rounded half to even.
func (f *DecimalFormat) Append(b []byte, v *big.Int, scale int) []byte {
	if f.percent {
		v = new(big.Int).Mul(v, big.NewInt(100))
	}
	v = roundEven(v, scale, f.maxFrac)
	neg := v.Sign() < 0
	s := new(big.Int).Abs(v).String()
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
	if neg {
		b = append(b, '-')
	}
	b = append(b, f.prefix...)
	for i := range len(whole) {
		if f.group > 0 && i > 0 && (len(whole)-i)%f.group == 0 {
			b = append(b, ',')
		}
		b = append(b, whole[i])
	}
	if frac != "" {
		b = append(append(b, '.'), frac...)
	}
	return append(b, f.suffix...)
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
