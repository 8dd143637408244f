package kernel

import (
	"errors"
	"fmt"
	"math/big"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// ErrFormat says that a number format is malformed.
var ErrFormat = errors.New("number format")

func (g *sig) numberFormat() (*cast.NumberFormat, error) {
	var p struct{ Format string }
	if err := g.param(&p); err != nil {
		return nil, err
	}
	f, err := cast.ParseNumberFormat(p.Format)
	if err != nil {
		return nil, fmt.Errorf("%w %q: %w", ErrFormat, p.Format, err)
	}
	return f, nil
}

// toChar prints a number in a format of digits.
func toChar(g *sig) (kernel, error) {
	f, err := g.numberFormat()
	if err != nil {
		return kernel{}, err
	}
	if len(g.args) != 1 || !numeric(&g.args[0]) {
		return kernel{}, errors.New("one number is needed")
	}
	return kernel{run: rowText(func(b []byte, c *call, i int) ([]byte, bool) {
		d, _, special := exact(c, g, 0, i, true)
		if special != "" {
			return b, false
		}
		return f.Append(b, d.v, d.scale), true
	})}, g.want(duckdb.TypeVarchar, 0)
}

// toNumber reads a text in a format; NULL for another.
func toNumber(g *sig) (kernel, error) {
	f, err := g.numberFormat()
	if err != nil {
		return kernel{}, err
	}
	return kernel{run: func(c *call) error {
		in, out := c.strs(0), newDecimals(&c.out, &g.ret, c.n)
		for i := range in {
			if c.null(i) {
				continue
			}
			v, ok := f.Parse(in[i].Bytes())
			if !ok {
				c.out.SetNull(i)
				continue
			}
			n, ok := cast.FromBig(v, int(g.ret.Precision))
			out.put(i, n, ok)
		}
		return nil
	}}, g.want(duckdb.TypeDecimal, duckdb.TypeVarchar)
}

// formatDecimal is format_number with a pattern of Java's DecimalFormat, which
// is the second argument where it is no parameter; NULL for a malformed one.
func formatDecimal(g *sig) (kernel, error) {
	var p struct{ Pattern *string }
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	args := []vector.ID{0}
	var fixed *cast.DecimalFormat
	if p.Pattern == nil {
		args = append(args, duckdb.TypeVarchar)
	} else {
		var ok bool
		if fixed, ok = cast.ParseDecimalFormat(*p.Pattern); !ok {
			return kernel{}, fmt.Errorf("%w %q is not supported", ErrFormat, *p.Pattern)
		}
	}
	if len(g.args) != len(args) || !numeric(&g.args[0]) {
		return kernel{}, errors.New("one number is needed")
	}
	return kernel{run: rowText(func(b []byte, c *call, i int) ([]byte, bool) {
		f, ok := fixed, true
		if f == nil {
			f, ok = cast.ParseDecimalFormat(c.strs(1)[i].String())
		}
		if !ok {
			return b, false
		}
		return appendPattern(b, f, c, g, i)
	})}, g.want(duckdb.TypeVarchar, args...)
}

// appendPattern prints row i of argument 0. Java multiplies a double as such,
// and rounds it by its exact value.
func appendPattern(b []byte, f *cast.DecimalFormat, c *call, g *sig, i int) ([]byte, bool) {
	d, neg, special := exact(c, g, 0, i, true)
	switch {
	case special == "NaN":
		return append(b, "NaN"...), true
	case special != "":
		if neg {
			b = append(b, '-')
		}
		return append(b, "\u221e"...), true
	}
	floating := g.args[0].ID == duckdb.TypeDouble || g.args[0].ID == duckdb.TypeFloat
	switch m := f.Multiplier(); {
	case floating && (m != 1 || !f.Fits(d.v, d.scale)):
		v := float64(m)
		if g.args[0].ID == duckdb.TypeFloat {
			v *= float64(num[float32](c, 0, i))
		} else {
			v *= num[float64](c, 0, i)
		}
		if d, _ = parseDec(string(cast.AppendDouble(nil, v))); !f.Fits(d.v, d.scale) {
			d, _ = parseDec(new(big.Float).SetFloat64(v).Text('f', 1100))
		}
	case m != 1:
		d.v = new(big.Int).Mul(d.v, big.NewInt(m))
	}
	return f.Append(b, d.v, d.scale, neg), true
}
