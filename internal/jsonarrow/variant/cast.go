package variant

import (
	"math"
	"math/big"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// Caster takes scalars out of values as CAST(variant AS type) does; false is
// the cast that raises. A nil Value never comes here.
type Caster struct {
	Zone  *cast.Zone
	Zones *cast.Zones
}

// Bool casts to BOOLEAN.
func (Caster) Bool(v Value) (bool, bool) {
	switch v := v.(type) {
	case bool:
		return v, true
	case int64:
		return v != 0, true
	case Decimal:
		return v.V.Sign() != 0, true
	case float64:
		return v != 0, true
	case float32:
		return v != 0, true
	case string:
		return cast.Bool([]byte(v))
	}
	return false, false
}

// Int casts to an integer of so many bits.
func (Caster) Int(v Value, bits uint) (int64, bool) {
	lo, hi := int64(-1)<<(bits-1), int64(1)<<(bits-1)-1
	within := func(n int64) (int64, bool) { return n, n >= lo && n <= hi }
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int64:
		return within(v)
	case Decimal:
		n := new(big.Int).Quo(v.V, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(v.Scale)), nil))
		if !n.IsInt64() {
			return 0, false
		}
		return within(n.Int64())
	case float64:
		return floatInt(v, within)
	case float32:
		return floatInt(float64(v), within)
	case string:
		return cast.Int([]byte(v), bits, false)
	case Timestamp:
		return within(floorDiv(int64(v), 1_000_000))
	}
	return 0, false
}

func floatInt(f float64, within func(int64) (int64, bool)) (int64, bool) {
	f = math.Trunc(f)
	if !(f >= -(1<<63) && f < 1<<63) {
		return 0, false
	}
	return within(int64(f))
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// Float casts to FLOAT (32 bits) or DOUBLE.
func (Caster) Float(v Value, bits int) (float64, bool) {
	switch v := v.(type) {
	case bool:
		if v {
			return 1, true
		}
		return 0, true
	case int64:
		return float64(v), true
	case Decimal:
		return cast.Float([]byte(decimalText(v)), bits)
	case float64:
		return v, true
	case float32:
		return float64(v), true
	case string:
		return cast.Float([]byte(v), bits)
	case Timestamp:
		return float64(v) / 1e6, true
	}
	return 0, false
}

// DecimalText is the text from which a DECIMAL is read.
func (c Caster) DecimalText(v Value) ([]byte, bool) {
	switch x := v.(type) {
	case bool:
		if x {
			return []byte("1"), true
		}
		return []byte("0"), true
	case int64, Decimal, float64, float32, string:
		return AppendText(nil, v, c.Zone), true
	case Timestamp:
		return []byte(decimalText(NewDecimal(big.NewInt(int64(x)), 6))), true
	}
	return nil, false
}

// Date casts to DATE.
func (c Caster) Date(v Value) (int32, bool) {
	switch v := v.(type) {
	case Date:
		return int32(v), true
	case string:
		return cast.Date([]byte(v))
	case Timestamp:
		return int32(floorDiv(c.Zone.Local(int64(v)), 86400e6)), true
	case Local:
		return int32(floorDiv(int64(v), 86400e6)), true
	}
	return 0, false
}

// Instant casts to TIMESTAMP.
func (c Caster) Instant(v Value) (int64, bool) {
	switch v := v.(type) {
	case Timestamp:
		return int64(v), true
	case Local:
		return c.Zone.Instant(int64(v)), true
	case Date:
		return c.Zone.Instant(int64(v) * 86400e6), true
	case string:
		return cast.Timestamp([]byte(v), c.Zone, c.Zones)
	case int64:
		return v * 1e6, v > math.MinInt64/1_000_000 && v < math.MaxInt64/1_000_000
	case Decimal:
		f, ok := c.Float(v, 64)
		return int64(math.Trunc(f * 1e6)), ok
	case float64:
		return int64(math.Trunc(v * 1e6)), math.Abs(v) < 9e12
	}
	return 0, false
}

// WallTime casts to TIMESTAMP_NTZ.
func (c Caster) WallTime(v Value) (int64, bool) {
	switch v := v.(type) {
	case Local:
		return int64(v), true
	case Timestamp:
		return c.Zone.Local(int64(v)), true
	case Date:
		return int64(v) * 86400e6, true
	case string:
		return cast.TimestampNTZ([]byte(v), true, c.Zones)
	}
	return 0, false
}
