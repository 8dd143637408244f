package kernel

import (
	"fmt"
	"math"
	"math/big"
	"strings"

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
		d.round(places, halfEven)
		return append(b, grouped(d.text(places))...), true
	})}, nil
}
