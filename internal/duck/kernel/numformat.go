package kernel

import (
	"errors"
	"fmt"

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
		d, neg, special := exact(c, g, 0, i, false)
		switch special {
		case "NaN":
			return append(b, "NaN"...), true
		case "Infinity":
			if neg {
				b = append(b, '-')
			}
			return append(b, "\u221e"...), true
		}
		return f.Append(b, d.v, d.scale), true
	})}, g.want(duckdb.TypeVarchar, args...)
}
