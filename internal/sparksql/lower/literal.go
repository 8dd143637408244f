package lower

import (
	"encoding/hex"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	sparkcast "github.com/marisma/marisma/internal/jsonarrow/cast"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func (l *lowerer) literal(e *plan.Literal) string {
	dt := l.duckType(e.Typ)
	if e.Value == nil {
		return cast("NULL", dt)
	}
	switch v := e.Value.(type) {
	case bool:
		return strconv.FormatBool(v)
	case string:
		return quote(v)
	case []byte:
		return "unhex('" + hex.EncodeToString(v) + "')"
	case float32:
		return cast("'"+floatText(float64(v), 32)+"'", "FLOAT")
	case float64:
		return cast("'"+floatText(v, 64)+"'", "DOUBLE")
	case *big.Int:
		if d, ok := e.Typ.(types.Decimal); ok {
			return cast("'"+decimalText(v, d.Scale)+"'", dt)
		}
	case int64:
		return intLiteral(v, e.Typ, dt)
	case sparkcast.Calendar:
		return fmt.Sprintf("(to_months(CAST(%d AS INTEGER)) + to_days(CAST(%d AS INTEGER)) + to_microseconds(CAST(%d AS BIGINT)))", v.Months, v.Days, v.Micros)
	}
	return l.fail(fmt.Errorf("lower: literal %T of type %s", e.Value, e.Typ))
}

func intLiteral(v int64, t types.Type, dt string) string {
	switch t {
	case types.Date:
		return "(DATE '1970-01-01' + " + cast(strconv.FormatInt(v, 10), "INTEGER") + ")"
	case types.Timestamp:
		if s, ok := timeLiteral(v); ok {
			return cast("'"+s+"+00'", dt)
		}
		if v == math.MaxInt64 {
			return lastInstant
		}
		return "make_timestamptz(" + cast(strconv.FormatInt(v, 10), "BIGINT") + ")"
	case types.TimestampNTZ:
		if s, ok := timeLiteral(v); ok {
			return cast("'"+s+"'", dt)
		}
		return "make_timestamp(" + cast(strconv.FormatInt(v, 10), "BIGINT") + ")"
	}
	return cast(strconv.FormatInt(v, 10), dt)
}

// timeLiteral is the text of microseconds within the years 1 to 9999.
func timeLiteral(us int64) (string, bool) {
	t := time.UnixMicro(us).UTC()
	if t.Year() < 1 || t.Year() > 9999 {
		return "", false
	}
	return t.Format("2006-01-02 15:04:05.000000"), true
}

func floatText(f float64, bits int) string {
	switch {
	case math.IsNaN(f):
		return "nan"
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	}
	return strconv.FormatFloat(f, 'g', -1, bits)
}

func decimalText(v *big.Int, scale int) string {
	digits := new(big.Int).Abs(v).String()
	if scale > 0 {
		if len(digits) <= scale {
			digits = strings.Repeat("0", scale-len(digits)+1) + digits
		}
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if v.Sign() < 0 {
		return "-" + digits
	}
	return digits
}
