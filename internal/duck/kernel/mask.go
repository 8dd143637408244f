package kernel

import (
	"slices"
	"unicode"
	"unicode/utf8"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// luhnCheck is the check of card numbers; a text with other characters than
// digits fails it.
func luhnCheck(b []byte) (bool, bool) {
	sum, double := 0, false
	for _, r := range slices.Backward([]rune(string(b))) {
		if !unicode.Is(unicode.Nd, r) { // of any script, as Java's isDigit
			return false, true
		}
		d := digitValue(r)
		if double {
			if d *= 2; d > 9 {
				d -= 9
			}
		}
		double = !double
		sum += d
	}
	return len(b) > 0 && sum%10 == 0, true
}

// digitValue is the value of a decimal digit of any script: their tens lie
// together, and each begins ten code points after its neighbour or after a gap.
func digitValue(r rune) int {
	n := 0
	for unicode.Is(unicode.Nd, r-1) {
		r--
		n++
	}
	return n % 10
}

func luhn(g *sig) (kernel, error) {
	return kernel{run: fromText(luhnCheck)}, g.want(duckdb.TypeBoolean, duckdb.TypeVarchar)
}

// quoteText writes a text as a SQL literal.
func quoteText(b, s []byte) ([]byte, bool) {
	b = append(b, '\'')
	for _, c := range s {
		if c == '\'' {
			b = append(b, '\\')
		}
		b = append(b, c)
	}
	return append(b, '\''), true
}

// maskText replaces upper-case letters, lower-case letters, digits and others
// by the characters that arguments 2 to 5 give; NULL keeps them.
func maskText(g *sig) (kernel, error) {
	return kernel{nulls: true, run: func(c *call) error {
		out := newTexts(&c.out, c.n)
		defer out.close()
		for i := range c.n {
			if c.args[0].Null(i) {
				out.null(i)
				continue
			}
			start := len(out.buf)
			for s := str(c, 0, i); len(s) > 0; {
				r, n := utf8.DecodeRune(s)
				if arg := maskClass(r); c.args[arg].Null(i) {
					out.buf = append(out.buf, s[:n]...)
				} else {
					by := str(c, arg, i)
					out.buf = append(out.buf, by...)
					if r > 0xFFFF { // Spark sees the two halves of a pair
						out.buf = append(out.buf, by...)
					}
				}
				s = s[n:]
			}
			out.end(i, start)
		}
		return nil
	}}, g.want(duckdb.TypeVarchar, duckdb.TypeVarchar, duckdb.TypeVarchar, duckdb.TypeVarchar, duckdb.TypeVarchar, duckdb.TypeVarchar)
}

func maskClass(r rune) int {
	switch {
	case unicode.IsUpper(r):
		return 1
	case unicode.IsLower(r):
		return 2
	case unicode.IsDigit(r):
		return 3
	}
	return 4
}

// bytesToText makes a text of any bytes; what is no UTF-8 becomes U+FFFD.
func bytesToText(b, s []byte) ([]byte, bool) { return cast.AppendUTF8(b, s), true }
