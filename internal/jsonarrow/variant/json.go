package variant

import (
	"bytes"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/marisma/marisma/internal/jsonarrow"
	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// maxDepth bounds how deep values nest.
const maxDepth = 1000

// errMalformed: the text is no JSON, or an object has a key twice.
var errMalformed = errors.New("variant: malformed JSON")

// ParseJSON reads the first JSON value of a text; what follows is ignored.
func ParseJSON(b []byte) (Value, error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	v, err := parse(d, 0)
	if err != nil {
		return nil, err
	}
	switch v.(type) { // what stands behind a number must part from it
	case int64, Decimal, float64:
		if rest := b[d.InputOffset():]; len(rest) > 0 && bytes.IndexByte([]byte(" \t\r\n"), rest[0]) < 0 {
			return nil, errMalformed
		}
	}
	return v, nil
}

func parse(d *json.Decoder, depth int) (Value, error) {
	t, err := d.Token()
	if err != nil {
		return nil, errMalformed
	}
	if depth > maxDepth {
		return nil, errMalformed
	}
	switch t := t.(type) {
	case json.Delim:
		if t == '[' {
			return parseArray(d, depth)
		}
		if t == '{' {
			return parseObject(d, depth)
		}
		return nil, errMalformed
	case json.Number:
		return number(t.String()), nil
	}
	return t, nil // nil, bool, string
}

func parseArray(d *json.Decoder, depth int) (Value, error) {
	out := []Value{}
	for d.More() {
		v, err := parse(d, depth+1)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	if _, err := d.Token(); err != nil {
		return nil, errMalformed
	}
	return out, nil
}

func parseObject(d *json.Decoder, depth int) (Value, error) {
	var keys []string
	var values []Value
	for d.More() {
		k, err := d.Token()
		if err != nil {
			return nil, errMalformed
		}
		name, ok := k.(string)
		if !ok {
			return nil, errMalformed
		}
		v, err := parse(d, depth+1)
		if err != nil {
			return nil, err
		}
		keys, values = append(keys, name), append(values, v)
	}
	if _, err := d.Token(); err != nil {
		return nil, errMalformed
	}
	o, ok := NewObject(keys, values)
	if !ok {
		return nil, errMalformed
	}
	return o, nil
}

// number is an integer, an exact decimal of at most 38 digits, or a double.
func number(s string) Value {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	if !strings.ContainsAny(s, "eE") {
		whole, frac, _ := strings.Cut(s, ".")
		digits := strings.TrimLeft(strings.TrimPrefix(whole, "-")+frac, "0")
		if len(digits) <= 38 && len(frac) <= 38 {
			if v, ok := new(big.Int).SetString(whole+frac, 10); ok {
				return NewDecimal(v, len(frac))
			}
		}
	}
	f, _ := strconv.ParseFloat(s, 64) // out of range is infinite
	return f
}

// AppendJSON prints v; instants print in zone.
func AppendJSON(b []byte, v Value, zone *cast.Zone) []byte {
	switch v := v.(type) {
	case string:
		return jsonarrow.AppendString(b, []byte(v))
	case []byte:
		b = base64.StdEncoding.AppendEncode(append(b, '"'), v)
		return append(b, '"')
	case float64:
		return quoteSpecial(b, v, AppendText(nil, v, zone))
	case float32:
		return quoteSpecial(b, float64(v), AppendText(nil, v, zone))
	case Date, Local, Opaque:
		return append(AppendText(append(b, '"'), v, zone), '"')
	case Timestamp:
		b = AppendText(append(b, '"'), v, zone)
		return append(appendOffset(b, int64(v), zone), '"')
	case []Value:
		b = append(b, '[')
		for i, e := range v {
			if i > 0 {
				b = append(b, ',')
			}
			b = AppendJSON(b, e, zone)
		}
		return append(b, ']')
	case *Object:
		b = append(b, '{')
		for i, k := range v.Keys {
			if i > 0 {
				b = append(b, ',')
			}
			b = append(jsonarrow.AppendString(b, []byte(k)), ':')
			b = AppendJSON(b, v.Values[i], zone)
		}
		return append(b, '}')
	}
	return AppendText(b, v, zone)
}

func quoteSpecial(b []byte, f float64, text []byte) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return append(append(append(b, '"'), text...), '"')
	}
	return append(b, text...)
}

// appendOffset prints a zone's offset as +hh:mm.
func appendOffset(b []byte, us int64, zone *cast.Zone) []byte {
	min := (zone.Local(us) - us) / 60_000_000
	sign := byte('+')
	if min < 0 {
		sign, min = '-', -min
	}
	return append(b, sign, byte('0'+min/600), byte('0'+min/60%10), ':', byte('0'+min%60/10), byte('0'+min%10))
}

// AppendText prints v as CAST to STRING does: texts bare, arrays and objects
// as JSON.
func AppendText(b []byte, v Value, zone *cast.Zone) []byte {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...)
	case bool:
		return strconv.AppendBool(b, v)
	case int64:
		return strconv.AppendInt(b, v, 10)
	case Decimal:
		return append(b, decimalText(v)...)
	case float64:
		return cast.AppendDouble(b, v)
	case float32:
		return cast.AppendFloat(b, v)
	case string:
		return append(b, v...)
	case []byte:
		return append(b, strings.ToValidUTF8(string(v), "\ufffd")...)
	case Date:
		return cast.AppendDate(b, int32(v))
	case Timestamp:
		return cast.AppendTimestamp(b, zone.Local(int64(v)))
	case Local:
		return cast.AppendTimestamp(b, int64(v))
	case Opaque:
		return v.appendText(b, zone)
	}
	return AppendJSON(b, v, zone)
}

func decimalText(d Decimal) string {
	s := new(big.Int).Abs(d.V).String()
	if d.Scale > 0 {
		if len(s) <= d.Scale {
			s = strings.Repeat("0", d.Scale-len(s)+1) + s
		}
		s = s[:len(s)-d.Scale] + "." + s[len(s)-d.Scale:]
	}
	if d.V.Sign() < 0 {
		s = "-" + s
	}
	return s
}

// appendText prints what Spark has no type for; digits below the microsecond
// are cut off.
func (o Opaque) appendText(b []byte, zone *cast.Zone) []byte {
	if o.Type == primUUID && len(o.Data) == opaqueSizes[primUUID] {
		for i, c := range o.Data {
			if i == 4 || i == 6 || i == 8 || i == 10 {
				b = append(b, '-')
			}
			b = hex.AppendEncode(b, []byte{c})
		}
		return b
	}
	if len(o.Data) != opaqueSizes[primTime] {
		return hex.AppendEncode(b, o.Data)
	}
	n := int64(binary.LittleEndian.Uint64(o.Data))
	switch o.Type {
	case primTime:
		return append(b, time.UnixMicro(n).UTC().Format("15:04:05.999999")...)
	case primNanos:
		return cast.AppendTimestamp(b, zone.Local(floorDiv(n, 1000)))
	}
	return cast.AppendTimestamp(b, floorDiv(n, 1000))
}
