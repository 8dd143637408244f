package funcs

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// numberDigits are the precision and scale of a format of to_number; false
// where it has no digit.
func numberDigits(format string) (types.Decimal, bool) {
	whole, frac, _ := strings.Cut(strings.ReplaceAll(strings.ToUpper(format), "D", "."), ".")
	count := func(s string) int { return strings.Count(s, "0") + strings.Count(s, "9") }
	d := types.Decimal{Precision: count(whole) + count(frac), Scale: count(frac)}
	return d, d.Precision > 0 && d.Precision <= types.MaxPrecision
}

// fitNumberFormat checks the constant format at argument 1.
func fitNumberFormat(c *call) error {
	if !IsFoldable(c.args[1]) {
		return mismatch(c.ctx, "NON_FOLDABLE_INPUT", "The format of %s must be a constant, not %q.", quoteName(c.d.Name), SQLName(c.args[1]))
	}
	c.konst = types.Decimal{Precision: 38}
	if err := c.fitOne(1, wStr()); err != nil {
		return err
	}
	if l, ok := Eval(c.args[1]); ok && l.Value == nil {
		c.konst = types.Decimal{Precision: 10}
	}
	if format, ok := constText(c.args[1]); ok {
		if class := formatFault(format); class != "" {
			return errf(c.ctx, "INVALID_FORMAT."+class, "42601", "The number format %q is invalid.", format)
		}
		d, ok := numberDigits(format)
		if !ok {
			return errf(c.ctx, "INVALID_FORMAT.WRONG_NUM_DIGIT", "42601", "The number format %q needs 1 to 38 digits (0 or 9).", format)
		}
		c.konst = d
	}
	return nil
}

// formatFault is the class of what is wrong with a number format as a whole;
// "" where only its parts could be.
func formatFault(format string) string {
	f := strings.NewReplacer("D", ".", "G", ",").Replace(strings.ToUpper(format))
	digit := func(i int) bool { return i >= 0 && i < len(f) && (f[i] == '0' || f[i] == '9') }
	first, point := strings.IndexAny(f, "09"), strings.IndexByte(f, '.')
	switch dollar := strings.IndexByte(f, '$'); {
	case f == "":
		return "EMPTY"
	case first < 0:
		return "WRONG_NUM_DIGIT"
	case dollar > first:
		return "CUR_MUST_BEFORE_DIGIT"
	case point >= 0 && dollar > point:
		return "CUR_MUST_BEFORE_DEC"
	}
	for i := range len(f) {
		switch {
		case f[i] != ',':
		case !digit(i-1) || !digit(i+1):
			return "CONT_THOUSANDS_SEPS"
		case point >= 0 && i > point:
			return "THOUSANDS_SEPS_MUST_BEFORE_DEC"
		}
	}
	for _, once := range []string{".", "$", "S", "MI", "PR"} {
		if strings.Count(f, once) > 1 {
			return "WRONG_NUM_TOKEN"
		}
	}
	return ""
}

func numberFormatDefs() []*Def {
	number := func(name string) *Def {
		return (&Def{Name: name, Min: 2, Max: 2, fit: func(c *call) error {
			if err := c.fitOne(0, wStr()); err != nil {
				return err
			}
			return fitNumberFormat(c)
		}, typ: func(c *call) types.Type {
			d, _ := c.konst.(types.Decimal)
			return d
		}}).nullable()
	}
	return []*Def{
		number("to_number").always(), number("try_to_number"),
		{Name: "to_char", Min: 2, Max: 2, build: buildToChar}, {Name: "to_varchar", Min: 2, Max: 2, build: buildToChar},
		(&Def{Name: "to_char number", Operator: true, Min: 2, Max: 2, fit: func(c *call) error {
			if err := c.fitOne(0, wNumeric()); err != nil {
				return err
			}
			return fitNumberFormat(c)
		}, typ: typeIs(types.String)}).called("to_char"),
	}
}

// buildToChar chooses by the type of the first argument.
func buildToChar(c *call) (plan.Expr, error) {
	t := unChar(c.args[0].Type())
	if isTime(t) {
		return Resolve("date_format", c.args, c.ctx)
	}
	if t != types.Binary {
		return Resolve("to_char number", c.args, c.ctx)
	}
	if l, ok := Eval(c.args[1]); !ok || l.Value == nil {
		return nil, errf(c.ctx, "NON_FOLDABLE_ARGUMENT", "42K08", "The format of %s for BINARY must be a constant, not %q.", quoteName(c.d.Name), SQLName(c.args[1]))
	}
	given, _ := constText(c.args[1])
	args, format := c.args[:1], strings.ToLower(given)
	switch format {
	case "hex", "base64":
	case "utf-8":
		format, args = "decode", []plan.Expr{c.args[0], litStr(given)}
	default:
		format = ""
	}
	if format != "" {
		e, err := Resolve(format, args, c.ctx)
		if x, ok := e.(*plan.Call); ok && c.d.Name == "to_varchar" {
			x.Shown = c.d.Name // Spark prints to_varchar, but not to_char
		}
		return e, err
	}
	return nil, errf(c.ctx, "INVALID_PARAMETER_VALUE.BINARY_FORMAT", "22023", "The format of %s for BINARY is hex, base64 or utf-8, not %q.", c.d.Name, SQLName(c.args[1]))
}
