package stats

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/decimal128"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/schema"
)

func one(name string, t arrow.DataType) *arrow.Schema {
	return arrow.NewSchema([]arrow.Field{{Name: name, Type: t, Nullable: true}}, nil)
}

func collectJSON(s *arrow.Schema, fill func(*array.RecordBuilder)) string {
	b := array.NewRecordBuilder(memory.DefaultAllocator, s)
	defer b.Release()
	fill(b)
	rec := b.NewRecordBatch()
	defer rec.Release()
	c := New(s, Select{First: DefaultColumns})
	c.Add(rec)
	return c.JSON()
}

func TestStatisticsAreRoundedOutwards(t *testing.T) {
	float := one("x", arrow.PrimitiveTypes.Float64)
	floats := func(v ...float64) func(*array.RecordBuilder) {
		return func(b *array.RecordBuilder) { b.Field(0).(*array.Float64Builder).AppendValues(v, nil) }
	}
	text := one("x", arrow.BinaryTypes.String)
	strs := func(v ...string) func(*array.RecordBuilder) {
		return func(b *array.RecordBuilder) { b.Field(0).(*array.StringBuilder).AppendValues(v, nil) }
	}
	long := strings.Repeat("a", 40)
	ts := one("x", arrow.FixedWidthTypes.Timestamp_us)
	for _, c := range []struct{ name, got, want string }{
		{"numbers", collectJSON(float, floats(2, -1.5)), `{"numRecords":2,"minValues":{"x":-1.5},"maxValues":{"x":2.0},"nullCount":{"x":0}}`},
		{"NaN is greatest", collectJSON(float, floats(2, math.NaN(), math.Inf(-1))), `{"numRecords":3,"minValues":{"x":"-Infinity"},"maxValues":{"x":"NaN"},"nullCount":{"x":0}}`},
		{"only NaN", collectJSON(float, floats(math.NaN())), `{"numRecords":1,"minValues":{"x":"NaN"},"maxValues":{"x":"NaN"},"nullCount":{"x":0}}`},
		{"long text", collectJSON(text, strs(long, "b")), `{"numRecords":2,"minValues":{"x":"` + long[:32] + `"},"maxValues":{"x":"b"},"nullCount":{"x":0}}`},
		{"long maximum", collectJSON(text, strs(long)), `{"numRecords":1,"minValues":{"x":"` + long[:32] + `"},"maxValues":{"x":"` + long[:32] + "\x7f" + `"},"nullCount":{"x":0}}`},
		{"not ASCII", collectJSON(text, strs(strings.Repeat("é", 33))), `{"numRecords":1,"minValues":{"x":"` + strings.Repeat("é", 32) + `"},"maxValues":{"x":"` + strings.Repeat("é", 32) + "\U0010FFFF" + `"},"nullCount":{"x":0}}`},
		{"invalid UTF-8", collectJSON(text, strs("\xff")), `{"numRecords":1,"minValues":{},"maxValues":{},"nullCount":{"x":0}}`},
		{"time", collectJSON(ts, func(b *array.RecordBuilder) {
			b.Field(0).(*array.TimestampBuilder).AppendValues([]arrow.Timestamp{-1, 1}, nil)
		}), `{"numRecords":2,"minValues":{"x":"1969-12-31T23:59:59.999Z"},"maxValues":{"x":"1970-01-01T00:00:00.001Z"},"nullCount":{"x":0}}`},
		{"nulls", collectJSON(text, func(b *array.RecordBuilder) { b.Field(0).AppendNulls(3) }), `{"numRecords":3,"minValues":{},"maxValues":{},"nullCount":{"x":3}}`},
	} {
		if c.got != c.want {
			t.Errorf("%s:\n%q, want\n%q", c.name, c.got, c.want)
		}
	}
}

func TestTheFirstLeavesHaveStatistics(t *testing.T) {
	var fields []arrow.Field
	for i := range 20 {
		fields = append(fields, arrow.Field{Name: fmt.Sprint("c", i), Nullable: true, Type: arrow.StructOf(
			arrow.Field{Name: "x", Type: arrow.PrimitiveTypes.Int32, Nullable: true}, arrow.Field{Name: "y", Type: arrow.PrimitiveTypes.Int32, Nullable: true})})
	}
	s := arrow.NewSchema(fields, nil)
	c := New(s, FromProperties(s, schema.Unmapped, nil))
	if text := c.JSON(); strings.Count(text, `"x"`) != 16 || strings.Count(text, `"y"`) != 16 {
		t.Error(text)
	}
	c = New(s, FromProperties(s, schema.Unmapped, map[string]string{"delta.dataSkippingStatsColumns": "c18.y, `c3`"}))
	if text := c.JSON(); strings.Count(text, `"x"`) != 1 || strings.Count(text, `"y"`) != 2 {
		t.Error(text)
	}
}

// random is a value of the column, as a predicate takes it, put into the builder.
func random(r *rand.Rand, t arrow.DataType, b array.Builder) any {
	switch t.ID() {
	case arrow.INT64:
		v := r.Int64N(200) - 100
		b.(*array.Int64Builder).Append(v)
		return v
	case arrow.FLOAT64:
		v := []float64{r.NormFloat64(), math.NaN(), math.Inf(1), math.Inf(-1), 0, float64(r.IntN(9))}[r.IntN(6)]
		b.(*array.Float64Builder).Append(v)
		return v
	case arrow.STRING:
		n := r.IntN(70)
		runes := make([]rune, n)
		for i := range runes {
			runes[i] = []rune{'a', 'b', 'é', '☃', utf8.MaxRune, 0x7f, '~', '"'}[r.IntN(8)]
		}
		b.(*array.StringBuilder).Append(string(runes))
		return string(runes)
	case arrow.TIMESTAMP:
		v := arrow.Timestamp(r.Int64N(4e15) - 2e15)
		b.(*array.TimestampBuilder).Append(v)
		return v.ToTime(arrow.Microsecond)
	case arrow.DATE32:
		v := arrow.Date32(r.IntN(40000) - 20000)
		b.(*array.Date32Builder).Append(v)
		return v.ToTime()
	default:
		v := decimal128.FromI64(r.Int64N(1e9) - 5e8)
		b.(*array.Decimal128Builder).Append(v)
		return v.ToString(t.(*arrow.Decimal128Type).Scale)
	}
}

func TestAFileIsNeverRuledOutThatHoldsAMatch(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	types := []arrow.DataType{arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64, arrow.BinaryTypes.String,
		arrow.FixedWidthTypes.Timestamp_us, arrow.FixedWidthTypes.Date32, &arrow.Decimal128Type{Precision: 12, Scale: 3}}
	pruned := 0
	for i := range 6000 {
		typ := types[i%len(types)]
		s := one("x", typ)
		var vals []any
		text := collectJSON(s, func(b *array.RecordBuilder) {
			for range 1 + r.IntN(4) {
				if r.IntN(5) == 0 {
					b.Field(0).AppendNull()
					vals = append(vals, nil)
					continue
				}
				vals = append(vals, random(r, typ, b.Field(0)))
			}
		})
		if !json.Valid([]byte(text)) {
			t.Fatalf("%s", text)
		}
		for _, v := range vals {
			preds := []Predicate{{"x", Eq, v}, {"x", LtEq, v}, {"x", GtEq, v}, {"x", In, []any{v}}, {"x", IsNotNull, nil}}
			if v == nil {
				preds = []Predicate{{"x", IsNull, nil}}
			}
			for _, p := range preds {
				f, err := Compile(s, schema.Unmapped, nil, []Predicate{p})
				if err != nil {
					t.Fatal(err)
				}
				if !f.Stats(text) {
					t.Fatalf("%v %v is ruled out by %s", p.Op, v, text)
				}
			}
		}
		b := array.NewBuilder(memory.DefaultAllocator, typ)
		f, err := Compile(s, schema.Unmapped, nil, []Predicate{{"x", Eq, random(r, typ, b)}})
		b.Release()
		if err != nil {
			t.Fatal(err)
		}
		if !f.Stats(text) {
			pruned++
		}
	}
	if pruned < 1000 {
		t.Errorf("only %d files were ruled out", pruned)
	}
}

func TestPartitionValuesAreCompared(t *testing.T) {
	s := arrow.NewSchema([]arrow.Field{
		{Name: "d", Type: arrow.FixedWidthTypes.Date32}, {Name: "n", Type: &arrow.Decimal128Type{Precision: 12, Scale: 2}}, {Name: "s", Type: arrow.BinaryTypes.String},
	}, nil)
	v := action.Values{"d": "2024-02-29", "n": "1", "s": ""}
	for _, c := range []struct {
		p    Predicate
		want bool
	}{
		{Predicate{"d", Eq, "2024-02-29"}, true}, {Predicate{"D", Lt, "2024-02-29"}, false}, {Predicate{"d", IsNull, nil}, false},
		{Predicate{"n", Eq, "1.00"}, true}, {Predicate{"n", Gt, 1}, false}, {Predicate{"n", GtEq, 1.0}, true},
		{Predicate{"s", IsNull, nil}, true}, {Predicate{"s", Eq, "x"}, false}, {Predicate{"s", IsNotNull, nil}, false},
	} {
		f, err := Compile(s, schema.Unmapped, []string{"d", "n", "s"}, []Predicate{c.p})
		if err != nil {
			t.Fatal(err)
		}
		if f.Partition(v) != c.want {
			t.Errorf("%+v: %v", c.p, !c.want)
		}
	}
	if _, err := Compile(s, schema.Unmapped, nil, []Predicate{{"nix", Eq, 1}}); err == nil {
		t.Error("an unknown column was accepted")
	}
	if _, err := Compile(s, schema.Unmapped, nil, []Predicate{{"d", Eq, 1.5}}); err == nil {
		t.Error("a date was compared with a number")
	}
}

func FuzzStats(f *testing.F) {
	f.Add(`{"numRecords":3,"minValues":{"x":1,"s":{"y":"a"}},"maxValues":{"x":9,"s":{"y":"b"}},"nullCount":{"x":0}}`, "x", int64(5))
	f.Add(`{"numRecords":"x","minValues":[],"maxValues":{"x":"NaN"}}`, "s.y", int64(0))
	f.Add(`{"minValues":{"x":1e999999999}`, "d", int64(-1))
	s := arrow.NewSchema([]arrow.Field{
		{Name: "x", Type: arrow.PrimitiveTypes.Int64}, {Name: "s", Type: arrow.StructOf(arrow.Field{Name: "y", Type: arrow.BinaryTypes.String})},
		{Name: "d", Type: &arrow.Decimal128Type{Precision: 20, Scale: 2}}, {Name: "t", Type: arrow.FixedWidthTypes.Timestamp_us}, {Name: "f", Type: arrow.PrimitiveTypes.Float64},
	}, nil)
	f.Fuzz(func(t *testing.T, text, column string, n int64) {
		for _, v := range []any{n, fmt.Sprint(n)} {
			for op := Eq; op <= IsNotNull; op++ {
				if c, err := Compile(s, schema.Unmapped, nil, []Predicate{{column, op, v}}); err == nil {
					c.Stats(text)
					c.Partition(action.Values{column: text})
				}
			}
		}
	})
}
