package stats

import (
	"encoding/json"
	"math"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
)

// MaxString is how many characters of a string are kept.
const MaxString = 32

func boundsOf(t arrow.DataType) bounds {
	switch t := t.(type) {
	case *arrow.Int8Type:
		return &ordered[int8]{get: func(a arrow.Array) []int8 { return a.(*array.Int8).Int8Values() }, show: number[int8]}
	case *arrow.Int16Type:
		return &ordered[int16]{get: func(a arrow.Array) []int16 { return a.(*array.Int16).Int16Values() }, show: number[int16]}
	case *arrow.Int32Type:
		return &ordered[int32]{get: func(a arrow.Array) []int32 { return a.(*array.Int32).Int32Values() }, show: number[int32]}
	case *arrow.Int64Type:
		return &ordered[int64]{get: func(a arrow.Array) []int64 { return a.(*array.Int64).Int64Values() }, show: number[int64]}
	case *arrow.Date32Type:
		return &ordered[arrow.Date32]{get: func(a arrow.Array) []arrow.Date32 { return a.(*array.Date32).Date32Values() }, show: day}
	case *arrow.TimestampType:
		return &ordered[arrow.Timestamp]{get: func(a arrow.Array) []arrow.Timestamp { return a.(*array.Timestamp).TimestampValues() }, show: instant(t.TimeZone != "")}
	case *arrow.Float32Type:
		return &floats[float32]{get: func(a arrow.Array) []float32 { return a.(*array.Float32).Float32Values() }, bits: 32}
	case *arrow.Float64Type:
		return &floats[float64]{get: func(a arrow.Array) []float64 { return a.(*array.Float64).Float64Values() }, bits: 64}
	case *arrow.Decimal128Type:
		return &decimals{scale: t.Scale}
	case *arrow.StringType:
		return &strs{}
	}
	return nil
}

type integer interface {
	~int8 | ~int16 | ~int32 | ~int64
}

type ordered[T integer] struct {
	lo, hi T
	seen   bool
	get    func(arrow.Array) []T
	show   func(v T, up bool) (string, bool)
}

func (o *ordered[T]) add(a arrow.Array, invalid []bool) {
	vals := o.get(a)
	plain := invalid == nil && a.NullN() == 0
	for i, v := range vals {
		if !plain && (a.IsNull(i) || invalid != nil && invalid[i]) {
			continue
		}
		if !o.seen {
			o.lo, o.hi, o.seen = v, v, true
			continue
		}
		o.lo, o.hi = min(o.lo, v), max(o.hi, v)
	}
}

func (o *ordered[T]) text() (string, string, bool) {
	if !o.seen {
		return "", "", false
	}
	lo, ok1 := o.show(o.lo, false)
	hi, ok2 := o.show(o.hi, true)
	return lo, hi, ok1 && ok2
}

func number[T integer](v T, _ bool) (string, bool) { return strconv.FormatInt(int64(v), 10), true }

func day(v arrow.Date32, _ bool) (string, bool) {
	t := time.Unix(int64(v)*86400, 0).UTC()
	if t.Year() < 0 || t.Year() > 9999 {
		return "", false
	}
	return `"` + t.Format(time.DateOnly) + `"`, true
}

// instant writes milliseconds, rounded outwards.
func instant(zoned bool) func(arrow.Timestamp, bool) (string, bool) {
	layout := `"2006-01-02T15:04:05.000"`
	if zoned {
		layout = `"2006-01-02T15:04:05.000Z"`
	}
	return func(v arrow.Timestamp, up bool) (string, bool) {
		us := int64(v)
		ms := us / 1000
		if us%1000 != 0 {
			if up && us > 0 {
				ms++
			} else if !up && us < 0 {
				ms--
			}
		}
		t := time.UnixMilli(ms).UTC()
		if t.Year() < 0 || t.Year() > 9999 {
			return "", false
		}
		return t.Format(layout), true
	}
}

type floats[T float32 | float64] struct {
	lo, hi T
	nan    bool // some value is NaN
	seen   bool // some value is a number
	get    func(arrow.Array) []T
	bits   int
}

func (f *floats[T]) add(a arrow.Array, invalid []bool) {
	plain := invalid == nil && a.NullN() == 0
	for i, v := range f.get(a) {
		if !plain && (a.IsNull(i) || invalid != nil && invalid[i]) {
			continue
		}
		switch {
		case v != v:
			f.nan = true
		case !f.seen:
			f.lo, f.hi, f.seen = v, v, true
		case v < f.lo:
			f.lo = v
		case v > f.hi:
			f.hi = v
		}
	}
}

func (f *floats[T]) text() (string, string, bool) {
	if !f.seen && !f.nan {
		return "", "", false
	}
	lo, hi := `"NaN"`, `"NaN"`
	if f.seen {
		lo = f.show(float64(f.lo))
		if !f.nan {
			hi = f.show(float64(f.hi))
		}
	}
	return lo, hi, true
}

func (f *floats[T]) show(v float64) string {
	switch {
	case math.IsInf(v, 1):
		return `"Infinity"`
	case math.IsInf(v, -1):
		return `"-Infinity"`
	case v == 0:
		return "0.0"
	}
	s := strconv.FormatFloat(v, 'g', -1, f.bits)
	for i := range len(s) {
		if s[i] == '.' || s[i] == 'e' {
			return s
		}
	}
	return s + ".0"
}

type decimals struct {
	lo, hi decimal128.Num
	seen   bool
	scale  int32
}

func (d *decimals) add(a arrow.Array, invalid []bool) {
	arr, ok := a.(*array.Decimal128)
	if !ok {
		return
	}
	for i, v := range arr.Values() {
		if a.IsNull(i) || invalid != nil && invalid[i] {
			continue
		}
		switch {
		case !d.seen:
			d.lo, d.hi, d.seen = v, v, true
		case v.Less(d.lo):
			d.lo = v
		case d.hi.Less(v):
			d.hi = v
		}
	}
}

func (d *decimals) text() (string, string, bool) {
	return d.lo.ToString(d.scale), d.hi.ToString(d.scale), d.seen
}

type strs struct {
	lo, hi string
	seen   bool
	// dict is the dictionary of the rows before, met which of its entries they had.
	dict arrow.ArrayData
	met  []bool
}

// addIndices takes rows that are indices of a dictionary: each of its entries
// counts once.
func (s *strs) addIndices(d *array.Dictionary, invalid []bool) {
	dict, ok := d.Dictionary().(*array.String)
	if !ok {
		return
	}
	if from := d.Data().Dictionary(); s.dict != from {
		s.dict, s.met = from, make([]bool, dict.Len())
	}
	for i := range d.Len() {
		if d.IsNull(i) || invalid != nil && invalid[i] {
			continue
		}
		at := d.GetValueIndex(i)
		if s.met[at] {
			continue
		}
		s.met[at] = true
		v := dict.Value(at)
		if !s.seen || v < s.lo {
			s.lo = strings.Clone(v)
		}
		if !s.seen || v > s.hi {
			s.hi = strings.Clone(v)
		}
		s.seen = true
	}
}

func (s *strs) add(a arrow.Array, invalid []bool) {
	if d, ok := a.(*array.Dictionary); ok {
		s.addIndices(d, invalid)
		return
	}
	arr, ok := a.(*array.String)
	if !ok || arr.Len() == 0 {
		return
	}
	lo, hi, seen := s.lo, s.hi, s.seen
	loWord, hiWord := word(lo), word(hi)
	plain := invalid == nil && arr.NullN() == 0
	for i := range arr.Len() {
		if !plain && (arr.IsNull(i) || invalid != nil && invalid[i]) {
			continue
		}
		v := arr.Value(i)
		w := word(v)
		switch {
		case !seen:
			lo, hi, seen = v, v, true
			loWord, hiWord = w, w
		case w < loWord || w == loWord && v < lo:
			lo, loWord = v, w
		case w > hiWord || w == hiWord && v > hi:
			hi, hiWord = v, w
		}
	}
	// The batch's memory is not ours: keep copies.
	s.lo, s.hi, s.seen = string([]byte(lo)), string([]byte(hi)), seen
}

// word is a text's beginning: texts whose words differ are in their order.
func word(s string) uint64 {
	if len(s) >= 8 {
		return uint64(s[0])<<56 | uint64(s[1])<<48 | uint64(s[2])<<40 | uint64(s[3])<<32 | uint64(s[4])<<24 | uint64(s[5])<<16 | uint64(s[6])<<8 | uint64(s[7])
	}
	w := uint64(0)
	for i := range len(s) {
		w |= uint64(s[i]) << (56 - 8*i)
	}
	return w
}

func (s *strs) text() (string, string, bool) {
	if !s.seen || !utf8.ValidString(s.lo) || !utf8.ValidString(s.hi) {
		return "", "", false
	}
	hi, ok := cutMax(s.hi)
	if !ok {
		return "", "", false
	}
	return string(appendString(nil, cut(s.lo, MaxString))), string(appendString(nil, hi)), true
}

// cut keeps the first n characters.
func cut(s string, n int) string {
	for i := range s {
		if n == 0 {
			return s[:i]
		}
		n--
	}
	return s
}

// cutMax is a short text not less than s: its first characters and one that is
// greater than what follows them. There is none where only the greatest
// character follows for twice the length.
func cutMax(s string) (string, bool) {
	short := cut(s, MaxString)
	for n := MaxString; n <= 2*MaxString; n++ {
		if len(short) == len(s) {
			return s, true
		}
		next, size := utf8.DecodeRuneInString(s[len(short):])
		switch {
		case next < 0x7f:
			return short + "\x7f", true
		case next < utf8.MaxRune:
			return short + string(utf8.MaxRune), true
		}
		short = s[:len(short)+size]
	}
	return "", false
}

func appendString(b []byte, s string) []byte {
	plain := true
	for i := range len(s) {
		if c := s[i]; c < ' ' || c == '"' || c == '\\' || c >= 0x7f {
			plain = false
			break
		}
	}
	if plain {
		b = append(b, '"')
		b = append(b, s...)
		return append(b, '"')
	}
	t, err := json.Marshal(s)
	if err != nil {
		return append(b, `""`...)
	}
	return append(b, t...)
}
