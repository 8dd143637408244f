package delta

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// sampleColumns are rows of many types, as slices that begin within others.
func sampleColumns(t *testing.T, r *rand.Rand, n int, nulls float64) []arrow.Array {
	t.Helper()
	list := arrow.ListOf(arrow.PrimitiveTypes.Int32)
	st := arrow.StructOf(arrow.Field{Name: "x", Type: arrow.BinaryTypes.String, Nullable: true})
	dict := &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}
	var out []arrow.Array
	for _, typ := range []arrow.DataType{
		arrow.PrimitiveTypes.Int8, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64, arrow.PrimitiveTypes.Float64, arrow.FixedWidthTypes.Boolean,
		arrow.BinaryTypes.String, arrow.BinaryTypes.Binary, &arrow.Decimal128Type{Precision: 20, Scale: 3}, list, st, dict,
	} {
		b := array.NewBuilder(memory.DefaultAllocator, typ)
		for i := range n + 5 {
			if r.Float64() < nulls {
				b.AppendNull()
				continue
			}
			text := fmt.Sprint(r.IntN(20))
			switch b := b.(type) {
			case *array.ListBuilder:
				b.Append(true)
				for range i % 3 {
					b.ValueBuilder().(*array.Int32Builder).Append(int32(i))
				}
			case *array.StructBuilder:
				b.Append(true)
				b.FieldBuilder(0).(*array.StringBuilder).Append(text)
			case *array.BooleanBuilder:
				b.Append(r.IntN(2) == 0)
			case *array.BinaryBuilder:
				b.Append([]byte(text))
			default:
				if err := b.AppendValueFromString(text); err != nil {
					t.Fatal(err)
				}
			}
		}
		out = append(out, array.NewSlice(b.NewArray(), 3, int64(n+3)))
	}
	return out
}

func TestChosenRows(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 9))
	for _, nulls := range []float64{0, 0.3, 1} {
		for _, share := range []float64{0, 0.01, 0.5, 0.99, 1} {
			for _, in := range []bool{true, false} {
				const first, n = 70_000, 1000
				set := &RowSet{}
				set.Add(first - 1)
				set.Add(first + n)
				mask := array.NewBooleanBuilder(memory.DefaultAllocator)
				for i := range uint64(n) {
					hit := r.Float64() < share
					if hit {
						set.Add(first + i)
					}
					mask.Append(hit == in)
				}
				keep := mask.NewBooleanArray()
				for _, col := range sampleColumns(t, r, n, nulls) {
					rec := newBatch([]arrow.Field{{Name: "c", Type: col.DataType(), Nullable: true}}, []arrow.Array{col}, n)
					want, err := compute.FilterRecordBatch(context.Background(), rec, keep, compute.DefaultFilterOptions())
					if err != nil {
						t.Fatal(err)
					}
					got, err := choose(rec, set, in, first)
					if err != nil {
						t.Fatal(err)
					}
					if !array.RecordEqual(got, want) {
						t.Errorf("%s, nulls %v, share %v, in %v: %v, want %v", col.DataType(), nulls, share, in, got, want)
					}
				}
			}
		}
	}
}

func TestRowsOfTwoArraysAreAssembled(t *testing.T) {
	r := rand.New(rand.NewPCG(2, 9))
	a, b := sampleColumns(t, r, 300, 0), sampleColumns(t, r, 300, 0.2)
	var spans []span
	rows := 0
	for range 40 {
		s := span{from: r.IntN(250), n: 1 + r.IntN(50), second: r.IntN(2) == 0}
		spans = appendSpan(spans, s)
		rows += s.n
	}
	for i := range a {
		got, err := assemble(a[i], b[i], spans, rows)
		if err != nil {
			t.Fatal(err)
		}
		if got.Len() != rows || got.DataType().ID() != a[i].DataType().ID() {
			t.Fatalf("%d rows of %s, want %d of %s", got.Len(), got.DataType(), rows, a[i].DataType())
		}
		at := 0
		for _, s := range spans {
			from := a[i]
			if s.second {
				from = b[i]
			}
			for j := range s.n {
				if g, w := got.ValueStr(at), from.ValueStr(s.from+j); g != w {
					t.Fatalf("%s, row %d: %s, want %s", a[i].DataType(), at, g, w)
				}
				at++
			}
		}
	}
}
