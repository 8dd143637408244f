package corpus

import (
	"encoding/hex"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// value is cell i of a as the corpus writes values of type t. A column whose
// Arrow type is not t's is an error.
func value(a arrow.Array, i int, t types.Type) (any, error) {
	if a.IsNull(i) {
		return nil, nil
	}
	switch t := t.(type) {
	case types.Primitive:
		return primitive(a, i, t)
	case types.Decimal:
		if d, ok := a.(*array.Decimal128); ok {
			if at := d.DataType().(*arrow.Decimal128Type); int(at.Scale) == t.Scale {
				return d.Value(i).ToString(at.Scale), nil
			}
		}
	case types.Char, types.Collated:
		return primitive(a, i, types.String)
	case types.Spatial:
		return primitive(a, i, types.Binary)
	case types.Time:
		if x, ok := a.(*array.Int64); ok {
			return funcs.TimeOfDayText(x.Value(i)), nil
		}
	case types.YearMonth:
		if x, ok := a.(*array.Int32); ok {
			return funcs.IntervalText(int64(x.Value(i)), t), nil
		}
	case types.DayTime:
		if x, ok := a.(*array.Int64); ok {
			return funcs.IntervalText(x.Value(i), t), nil
		}
	case types.Array:
		if l, ok := a.(*array.List); ok {
			from, to := l.ValueOffsets(i)
			return list(l.ListValues(), from, to, t.Elem)
		}
	case types.Map:
		if m, ok := a.(*array.Map); ok {
			return mapValue(m, i, t)
		}
	case types.Struct:
		if s, ok := a.(*array.Struct); ok && s.NumField() == len(t.Fields) {
			out := make([]any, len(t.Fields))
			for f := range out {
				v, err := value(s.Field(f), i, t.Fields[f].Type)
				if err != nil {
					return nil, err
				}
				out[f] = v
			}
			return out, nil
		}
	}
	return nil, mismatch(a, t)
}

func mismatch(a arrow.Array, t types.Type) error {
	return fmt.Errorf("corpus: the column of type %s holds %s", t, a.DataType())
}

func list(a arrow.Array, from, to int64, t types.Type) (any, error) {
	out := make([]any, 0, to-from)
	for j := from; j < to; j++ {
		v, err := value(a, int(j), t)
		if err != nil {
			return nil, err
		}
		out = append(out, v)
	}
	return out, nil
}

// mapValue is a list of pairs, sorted by the text of the key.
func mapValue(m *array.Map, i int, t types.Map) (any, error) {
	from, to := m.ValueOffsets(i)
	type entry struct {
		key  string
		pair []any
	}
	entries := make([]entry, 0, to-from)
	for j := from; j < to; j++ {
		k, err := value(m.Keys(), int(j), t.Key)
		if err != nil {
			return nil, err
		}
		v, err := value(m.Items(), int(j), t.Value)
		if err != nil {
			return nil, err
		}
		entries = append(entries, entry{text(k), []any{k, v}})
	}
	sort.SliceStable(entries, func(i, j int) bool { return entries[i].key < entries[j].key })
	out := make([]any, len(entries))
	for i, e := range entries {
		out[i] = e.pair
	}
	return out, nil
}

// primitive is a cell of a type without parameters. Numbers come as
// json.Number's text does: int64.
func primitive(a arrow.Array, i int, t types.Primitive) (any, error) {
	switch x := a.(type) {
	case *array.Boolean:
		if t == types.Boolean {
			return x.Value(i), nil
		}
	case *array.Int8:
		if t == types.TinyInt {
			return int64(x.Value(i)), nil
		}
	case *array.Int16:
		if t == types.SmallInt {
			return int64(x.Value(i)), nil
		}
	case *array.Int32:
		if t == types.Int {
			return int64(x.Value(i)), nil
		}
	case *array.Int64:
		if t == types.BigInt {
			return strconv.FormatInt(x.Value(i), 10), nil
		}
	case *array.Float32:
		if t == types.Float {
			return funcs.JavaFloat(x.Value(i)), nil
		}
	case *array.Float64:
		if t == types.Double {
			return funcs.JavaDouble(x.Value(i)), nil
		}
	case *array.String:
		switch t {
		case types.String:
			return strings.ToValidUTF8(strings.Clone(x.Value(i)), "\ufffd"), nil
		case types.Calendar:
			return strings.Clone(x.Value(i)), nil
		case types.Variant:
			return map[string]any{"variant": strings.Clone(x.Value(i))}, nil
		}
	case *array.Binary:
		if t == types.Binary {
			return "0x" + hex.EncodeToString(x.Value(i)), nil
		}
	case *array.Date32:
		if t == types.Date {
			return year(time.Unix(int64(x.Value(i))*86400, 0).UTC().Format("2006-01-02")), nil
		}
	case *array.Timestamp:
		s := time.UnixMicro(int64(x.Value(i))).UTC().Format("2006-01-02T15:04:05.000000")
		s = year(strings.TrimSuffix(strings.TrimRight(s, "0"), "."))
		switch zoned := x.DataType().(*arrow.TimestampType).TimeZone != ""; {
		case t == types.Timestamp && zoned:
			return s + "Z", nil
		case t == types.TimestampNTZ && !zoned:
			return s, nil
		}
	}
	return nil, mismatch(a, t)
}

// year puts Java's sign before years of more than four digits.
func year(s string) string {
	if i := strings.Index(s, "-"); i > 4 {
		return "+" + s
	}
	return s
}
