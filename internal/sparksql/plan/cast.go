package plan

import "github.com/marisma/marisma/internal/sparksql/types"

// castRaises tells whether an ANSI cast can fail for some value; a widening
// cannot. It errs on the safe side for nested types.
func castRaises(from, to types.Type) bool {
	if types.Equal(from, to) || from == types.Void || types.IsString(to) {
		return false
	}
	f, fp := from.(types.Primitive)
	t, tp := to.(types.Primitive)
	switch {
	case fp && tp && types.IsNumeric(f) && types.IsNumeric(t):
		return t < f
	case fp && f == types.Boolean && types.IsNumeric(to):
		_, dec := to.(types.Decimal)
		return dec
	case fp && (f == types.Date || f == types.Timestamp || f == types.TimestampNTZ) &&
		(t == types.Date || t == types.Timestamp || t == types.TimestampNTZ):
		return false
	case tp && types.IsFloating(t):
		_, dec := from.(types.Decimal)
		return !dec
	}
	if td, ok := to.(types.Decimal); ok {
		return !decimalHolds(td, from)
	}
	return true
}

// decimalHolds tells whether every value of type from fits td exactly in its
// integer digits.
func decimalHolds(td types.Decimal, from types.Type) bool {
	if fd, ok := from.(types.Decimal); ok {
		return td.Precision-td.Scale >= fd.Precision-fd.Scale
	}
	digits := map[types.Type]int{types.TinyInt: 3, types.SmallInt: 5, types.Int: 10, types.BigInt: 20}
	n, ok := digits[from]
	return ok && td.Precision-td.Scale >= n
}
