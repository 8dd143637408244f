package delta

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"sort"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/extensions"

	"github.com/marisma/marisma/delta/internal/action"
)

// canonical is a row as JSON text in the encoding of the expected contents:
// bigints, decimals, floats and times as strings, binary as hex, structs as
// lists, maps as sorted lists of pairs.
func canonical(rec arrow.RecordBatch, row int) (string, error) {
	vals := make([]any, rec.NumCols())
	for i := range vals {
		v, err := canon(rec.Column(i), row)
		if err != nil {
			return "", fmt.Errorf("%s: %w", rec.ColumnName(i), err)
		}
		vals[i] = v
	}
	return jsonOf(vals), nil
}

func jsonOf(v any) string {
	b, err := action.Marshal(v)
	if err != nil {
		return err.Error()
	}
	// Go escapes these two, the encoding does not.
	b = bytes.ReplaceAll(b, []byte(`\u2028`), []byte("\u2028"))
	return string(bytes.ReplaceAll(b, []byte(`\u2029`), []byte("\u2029")))
}

func canon(a arrow.Array, i int) (any, error) {
	if a.IsNull(i) || a.DataType().ID() == arrow.NULL {
		return nil, nil
	}
	switch a := a.(type) {
	case *array.Boolean:
		return a.Value(i), nil
	case *array.Int8:
		return a.Value(i), nil
	case *array.Int16:
		return a.Value(i), nil
	case *array.Int32:
		return a.Value(i), nil
	case *array.Int64:
		return strconv.FormatInt(a.Value(i), 10), nil
	case *array.Decimal128:
		return a.Value(i).ToString(a.DataType().(*arrow.Decimal128Type).Scale), nil
	case *array.Float32:
		return javaFloat(float64(a.Value(i)), 32), nil
	case *array.Float64:
		return javaFloat(a.Value(i), 64), nil
	case *array.String:
		return strings.ToValidUTF8(a.Value(i), "\uFFFD"), nil
	case *array.Binary:
		return "0x" + hex.EncodeToString(a.Value(i)), nil
	case *array.Date32:
		return dateText(int64(a.Value(i))), nil
	case *array.Timestamp:
		return stampText(int64(a.Value(i)), a.DataType().(*arrow.TimestampType).TimeZone != ""), nil
	}
	return canonNested(a, i)
}

func canonNested(a arrow.Array, i int) (any, error) {
	switch a := a.(type) {
	case *array.Struct:
		out := make([]any, a.NumField())
		for f := range out {
			v, err := canon(a.Field(f), i)
			if err != nil {
				return nil, err
			}
			out[f] = v
		}
		return out, nil
	case *array.Map:
		from, to := a.ValueOffsets(i)
		pairs := make([][]any, 0, to-from)
		for at := from; at < to; at++ {
			k, err := canon(a.Keys(), int(at))
			if err != nil {
				return nil, err
			}
			v, err := canon(a.Items(), int(at))
			if err != nil {
				return nil, err
			}
			pairs = append(pairs, []any{k, v})
		}
		sort.SliceStable(pairs, func(x, y int) bool { return jsonOf(pairs[x]) < jsonOf(pairs[y]) })
		return pairs, nil
	case *array.List:
		from, to := a.ValueOffsets(i)
		out := make([]any, 0, to-from)
		for at := from; at < to; at++ {
			v, err := canon(a.ListValues(), int(at))
			if err != nil {
				return nil, err
			}
			out = append(out, v)
		}
		return out, nil
	}
	if v, ok := a.(*extensions.VariantArray); ok {
		x, err := v.Value(i)
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(x)
		return map[string]string{"variant": string(text)}, err
	}
	return nil, fmt.Errorf("no canonical text of %s", a.DataType())
}

// javaFloat lays the shortest digits out as Java does.
func javaFloat(v float64, bits int) string {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 1):
		return "Infinity"
	case math.IsInf(v, -1):
		return "-Infinity"
	}
	if abs := math.Abs(v); abs != 0 && (abs < 1e-3 || abs >= 1e7) {
		s := strconv.FormatFloat(v, 'E', -1, bits)
		man, exp, _ := strings.Cut(s, "E")
		if !strings.Contains(man, ".") {
			man += ".0"
		}
		n, _ := strconv.Atoi(exp)
		return man + "E" + strconv.Itoa(n)
	}
	s := strconv.FormatFloat(v, 'f', -1, bits)
	if !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// dateText is a day as text, of any year.
func dateText(days int64) string {
	z := days + 719468
	era := floorDiv(z, 146097)
	doe := z - era*146097
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	m, y := mp+3, yoe+era*400
	if m > 12 {
		m, y = m-12, y+1
	}
	year := fmt.Sprintf("%04d", y)
	switch {
	case y > 9999:
		year = fmt.Sprintf("+%d", y)
	case y < 0:
		year = fmt.Sprintf("-%04d", -y)
	}
	return fmt.Sprintf("%s-%02d-%02d", year, m, doy-(153*mp+2)/5+1)
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

func stampText(us int64, zoned bool) string {
	const day = 86400_000_000
	days := floorDiv(us, day)
	left := us - days*day
	s := left / 1_000_000
	text := fmt.Sprintf("%sT%02d:%02d:%02d", dateText(days), s/3600, s/60%60, s%60)
	if f := left % 1_000_000; f != 0 {
		text += strings.TrimRight(fmt.Sprintf(".%06d", f), "0")
	}
	if zoned {
		text += "Z"
	}
	return text
}

// digest is the sum of the rows' hashes, whatever their order.
func digest(rows []string) string {
	var sum uint64
	for _, r := range rows {
		h := sha256.Sum256([]byte(r))
		sum += binary.BigEndian.Uint64(h[:8])
	}
	return fmt.Sprintf("%016x", sum)
}

// sameRows compares rows with the expected ones, without order; floats as
// numbers, since Java's digits are not always the shortest.
func sameRows(got []string, want []json.RawMessage, s *arrow.Schema) string {
	norm := func(text string) (string, error) {
		var vals []any
		d := json.NewDecoder(strings.NewReader(text))
		d.UseNumber()
		if err := d.Decode(&vals); err != nil || len(vals) != s.NumFields() {
			return text, fmt.Errorf("a row of %d values: %s", s.NumFields(), text)
		}
		for i, f := range s.Fields() {
			vals[i] = normal(vals[i], f.Type)
		}
		return jsonOf(vals), nil
	}
	count := map[string]int{}
	for _, w := range want {
		n, err := norm(string(w))
		if err != nil {
			return err.Error()
		}
		count[n]++
	}
	for _, g := range got {
		n, err := norm(g)
		if err != nil {
			return err.Error()
		}
		count[n]--
	}
	for r, n := range count {
		if n > 0 {
			return "a row is missing: " + r
		}
		if n < 0 {
			return "a row is not expected: " + r
		}
	}
	return ""
}

func normal(v any, t arrow.DataType) any {
	switch x := v.(type) {
	case string:
		bits := 0
		switch t.ID() {
		case arrow.FLOAT32:
			bits = 32
		case arrow.FLOAT64:
			bits = 64
		}
		if f, err := strconv.ParseFloat(x, 64); bits > 0 && err == nil {
			if bits == 32 {
				f = float64(float32(f))
			}
			return javaFloat(f, bits)
		}
	case map[string]any: // a variant: one spelling of its JSON
		if text, ok := x["variant"].(string); ok {
			var inner any
			d := json.NewDecoder(strings.NewReader(text))
			d.UseNumber()
			if d.Decode(&inner) == nil {
				x["variant"] = jsonOf(inner)
			}
		}
	case []any:
		n, ok := t.(arrow.NestedType)
		if !ok {
			return v
		}
		switch t := n.(type) {
		case *arrow.StructType:
			for i := range min(len(x), t.NumFields()) {
				x[i] = normal(x[i], t.Field(i).Type)
			}
		case *arrow.ListType:
			for i := range x {
				x[i] = normal(x[i], t.Elem())
			}
		case *arrow.MapType:
			for _, p := range x {
				if kv, ok := p.([]any); ok && len(kv) == 2 {
					kv[0], kv[1] = normal(kv[0], t.KeyType()), normal(kv[1], t.ItemType())
				}
			}
			sort.SliceStable(x, func(i, j int) bool { return jsonOf(x[i]) < jsonOf(x[j]) })
		}
	}
	return v
}
