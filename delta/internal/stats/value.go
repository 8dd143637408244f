package stats

import (
	"encoding/json"
	"fmt"
	"math"
	"math/big"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
)

type kind uint8

const (
	integerKind kind = iota // integers, days, microseconds, booleans
	floatKind
	decimalKind
	stringKind
)

// value is one comparable value.
type value struct {
	kind kind
	i    int64
	f    float64
	s    string
	r    *big.Rat
}

// compare orders values of one kind; NaN is the greatest.
func (v value) compare(w value) int {
	switch v.kind {
	case floatKind:
		a, b := v.f, w.f
		switch {
		case math.IsNaN(a) && math.IsNaN(b):
			return 0
		case math.IsNaN(a):
			return 1
		case math.IsNaN(b):
			return -1
		case a < b:
			return -1
		case a > b:
			return 1
		}
		return 0
	case decimalKind:
		return v.r.Cmp(w.r)
	case stringKind:
		return strings.Compare(v.s, w.s)
	}
	switch {
	case v.i < w.i:
		return -1
	case v.i > w.i:
		return 1
	}
	return 0
}

func kindOf(t arrow.DataType) (kind, bool) {
	switch t.ID() {
	case arrow.INT8, arrow.INT16, arrow.INT32, arrow.INT64, arrow.DATE32, arrow.TIMESTAMP, arrow.BOOL:
		return integerKind, true
	case arrow.FLOAT32, arrow.FLOAT64:
		return floatKind, true
	case arrow.DECIMAL128:
		return decimalKind, true
	case arrow.STRING:
		return stringKind, true
	}
	return 0, false
}

// maxDecimalText bounds the text of a number that becomes a rational, so that
// an exponent cannot ask for gigabytes.
const maxDecimalText = 64

func rat(s string) (*big.Rat, bool) {
	if len(s) > maxDecimalText || strings.ContainsAny(s, "/xXpPbBoO_") {
		return nil, false
	}
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		if n, err := strconv.Atoi(s[i+1:]); err != nil || n > 100 || n < -100 {
			return nil, false
		}
	}
	return new(big.Rat).SetString(s)
}

// fromText reads the text of a partition value or of a statistic.
func fromText(s string, t arrow.DataType) (value, bool) {
	k, ok := kindOf(t)
	if !ok {
		return value{}, false
	}
	v := value{kind: k}
	var err error
	switch t := t.(type) {
	case *arrow.BooleanType:
		var b bool
		if b, err = Bool(s); b {
			v.i = 1
		}
	case *arrow.Date32Type:
		var d int32
		d, err = Days(s)
		v.i = int64(d)
	case *arrow.TimestampType:
		v.i, err = Micros(s, t.TimeZone != "")
	case *arrow.Float32Type, *arrow.Float64Type:
		v.f, err = Float(s, 64)
	case *arrow.Decimal128Type:
		v.r, ok = rat(strings.TrimSpace(s))
		return v, ok
	case *arrow.StringType:
		v.s = s
	default:
		v.i, err = Int(s, 64)
	}
	return v, err == nil
}

// fromGo reads a predicate's value for a column of type t. Integers of any
// size, floats, strings (also as the text of any type), booleans and
// time.Time are understood.
func fromGo(x any, t arrow.DataType) (value, error) {
	k, ok := kindOf(t)
	if !ok {
		return value{}, fmt.Errorf("no order on %s", t)
	}
	v := value{kind: k}
	bad := func() (value, error) { return v, fmt.Errorf("%T does not compare with %s", x, t) }
	switch x := x.(type) {
	case string:
		if v, ok = fromText(x, t); !ok {
			return v, fmt.Errorf("%q is no %s", x, t)
		}
		return v, nil
	case bool:
		if t.ID() != arrow.BOOL {
			return bad()
		}
		if x {
			v.i = 1
		}
		return v, nil
	case time.Time:
		switch t.ID() {
		case arrow.DATE32:
			y, m, d := x.Date()
			v.i = time.Date(y, m, d, 0, 0, 0, 0, time.UTC).Unix() / 86400
		case arrow.TIMESTAMP:
			v.i = x.UnixMicro()
		default:
			return bad()
		}
		return v, nil
	}
	rv := reflect.ValueOf(x)
	switch {
	case rv.IsValid() && rv.CanInt():
		v.i, v.f, v.r = rv.Int(), float64(rv.Int()), new(big.Rat).SetInt64(rv.Int())
		if k == stringKind || t.ID() == arrow.BOOL || k == floatKind && int64(v.f) != v.i {
			return bad()
		}
	case rv.IsValid() && rv.CanFloat():
		v.f = rv.Float()
		if k == decimalKind {
			if v.r = new(big.Rat).SetFloat64(v.f); v.r == nil {
				return bad()
			}
		} else if k != floatKind {
			return bad()
		}
	default:
		return bad()
	}
	return v, nil
}

// stat reads one JSON text of minValues or maxValues.
func stat(raw []byte, t arrow.DataType) (value, bool) {
	if len(raw) == 0 || string(raw) == "null" {
		return value{}, false
	}
	s := string(raw)
	if raw[0] == '"' {
		if json.Unmarshal(raw, &s) != nil {
			return value{}, false
		}
	} else if t.ID() == arrow.STRING {
		return value{}, false
	}
	return fromText(s, t)
}
