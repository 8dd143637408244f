package source

import (
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/marisma/marisma/internal/sparksql/types"
)

// cell appends a text that is not NULL to a builder as its type; false where
// the text does not fit the type, and then nothing is appended.
type cell func(b array.Builder, text []byte, zone *time.Location) bool

// cellOf is the conversion for a column type, nil where CSV cannot hold it.
func cellOf(t types.Type) cell {
	if types.IsString(t) {
		return func(b array.Builder, text []byte, _ *time.Location) bool {
			return put(b, func(b *array.StringBuilder) { b.BinaryBuilder.Append(text) })
		}
	}
	if d, ok := t.(types.Decimal); ok {
		return decimalCell(d)
	}
	p, _ := t.(types.Primitive)
	switch p {
	case types.Boolean:
		return boolCell
	case types.TinyInt:
		return intCell(8, func(b *array.Int8Builder, n int64) { b.Append(int8(n)) })
	case types.SmallInt:
		return intCell(16, func(b *array.Int16Builder, n int64) { b.Append(int16(n)) })
	case types.Int:
		return intCell(32, func(b *array.Int32Builder, n int64) { b.Append(int32(n)) })
	case types.BigInt:
		return intCell(64, func(b *array.Int64Builder, n int64) { b.Append(n) })
	case types.Float:
		return floatCell(32, func(b *array.Float32Builder, x float64) { b.Append(float32(x)) })
	case types.Double:
		return floatCell(64, func(b *array.Float64Builder, x float64) { b.Append(x) })
	case types.Binary:
		return func(b array.Builder, text []byte, _ *time.Location) bool {
			return put(b, func(b *array.BinaryBuilder) { b.Append(text) })
		}
	case types.Date:
		return dateCell
	case types.Timestamp:
		return func(b array.Builder, text []byte, zone *time.Location) bool { return timeCell(b, text, zone, false) }
	case types.TimestampNTZ:
		return func(b array.Builder, text []byte, _ *time.Location) bool { return timeCell(b, text, time.UTC, true) }
	}
	return nil
}

// put calls f with the builder as its own kind.
func put[B array.Builder](b array.Builder, f func(B)) bool {
	own, ok := b.(B)
	if ok {
		f(own)
	}
	return ok
}

func boolCell(b array.Builder, text []byte, _ *time.Location) bool {
	var v bool
	switch {
	case strings.EqualFold(string(text), "true"):
		v = true
	case !strings.EqualFold(string(text), "false"):
		return false
	}
	return put(b, func(b *array.BooleanBuilder) { b.Append(v) })
}

func intCell[B array.Builder](bits int, add func(B, int64)) cell {
	return func(b array.Builder, text []byte, _ *time.Location) bool {
		n, err := strconv.ParseInt(string(text), 10, bits)
		return err == nil && put(b, func(b B) { add(b, n) })
	}
}

func floatCell[B array.Builder](bits int, add func(B, float64)) cell {
	return func(b array.Builder, text []byte, _ *time.Location) bool {
		x, ok := parseFloat(string(text), bits)
		return ok && put(b, func(b B) { add(b, x) })
	}
}

// parseFloat reads what Java's parseDouble and Spark's names for the special
// values allow.
func parseFloat(text string, bits int) (float64, bool) {
	s := strings.TrimSpace(text)
	switch s {
	case "NaN", "+NaN", "-NaN":
		s = "NaN"
	case "Inf", "+Inf", "Infinity", "+Infinity":
		s = "+Inf"
	case "-Inf", "-Infinity":
	default:
		if s == "" || strings.ContainsAny(s, "_xXpPnNiI") {
			return 0, false
		}
		if len(s) > 1 {
			s = strings.TrimRight(s, "dDfF")
		}
	}
	x, err := strconv.ParseFloat(s, bits)
	if err != nil {
		// Out of range is infinity in Java too.
		return x, strings.Contains(err.Error(), strconv.ErrRange.Error())
	}
	return x, true
}

func decimalCell(d types.Decimal) cell {
	return func(b array.Builder, text []byte, _ *time.Location) bool {
		n, err := decimal128.FromString(strings.TrimSpace(string(text)), int32(d.Precision), int32(d.Scale))
		return err == nil && put(b, func(b *array.Decimal128Builder) { b.Append(n) })
	}
}

func dateCell(b array.Builder, text []byte, _ *time.Location) bool {
	t, err := time.Parse("2006-1-2", strings.TrimSpace(string(text)))
	return err == nil && put(b, func(b *array.Date32Builder) { b.Append(arrow.Date32FromTime(t)) })
}

// The texts of a timestamp, most usual first; the T may be a blank.
var timeLayouts = [...]string{
	"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02T15:04Z07:00",
	"2006-01-02T15:04", "2006-1-2T15:4:5.999999999", "2006-1-2",
}

func timeCell(b array.Builder, text []byte, zone *time.Location, local bool) bool {
	s := strings.TrimSpace(string(text))
	if len(s) > 10 && s[10] == ' ' {
		s = s[:10] + "T" + s[11:]
	}
	for _, layout := range timeLayouts {
		t, err := time.ParseInLocation(layout, s, zone)
		if err != nil {
			continue
		}
		if local {
			t = time.Date(t.Year(), t.Month(), t.Day(), t.Hour(), t.Minute(), t.Second(), t.Nanosecond(), time.UTC)
		}
		return put(b, func(b *array.TimestampBuilder) { b.Append(arrow.Timestamp(t.UnixMicro())) })
	}
	return false
}
