package parquetfile

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/bitutil"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// leaf says what is to be done to the values of a leaf of a column once they
// are read.
type leaf struct {
	int96 bool // they are the bytes of INT96
	old   bool // they are in the old calendar
}

// leavesOf are a column's leaves in order; nil if nothing is to be done.
func leavesOf(s *schema.Schema, int96s []bool, c calendar, at []int) []leaf {
	out := make([]leaf, len(at))
	for i, l := range at {
		switch t := s.Column(l).LogicalType().(type) {
		case schema.DateLogicalType:
			out[i].old = c.dates
		case schema.TimestampLogicalType:
			out[i].old = c.dates && t.IsAdjustedToUTC()
		default:
			if int96s != nil && int96s[l] {
				out[i] = leaf{int96: true, old: c.int96s}
			}
		}
	}
	if !slices.ContainsFunc(out, func(l leaf) bool { return l != leaf{} }) {
		return nil
	}
	return out
}

// typeOf is the type of a column once its leaves are as they should be; it takes
// these from leaves.
func typeOf(t arrow.DataType, leaves *[]leaf) arrow.DataType {
	switch t := t.(type) {
	case *arrow.StructType:
		fields := t.Fields()
		for i := range fields {
			fields[i].Type = typeOf(fields[i].Type, leaves)
		}
		return arrow.StructOf(fields...)
	case *arrow.MapType:
		m := arrow.MapOf(typeOf(t.KeyType(), leaves), typeOf(t.ItemType(), leaves))
		m.SetItemNullable(t.ItemField().Nullable)
		return m
	case *arrow.ListType:
		f := t.ElemField()
		f.Type = typeOf(f.Type, leaves)
		return arrow.ListOfField(f)
	}
	l := (*leaves)[0]
	*leaves = (*leaves)[1:]
	if l.int96 {
		return arrow.FixedWidthTypes.Timestamp_us
	}
	return t
}

// mended is a column with its leaves as they should be. It takes a over.
func (c *calendar) mended(a arrow.Array, leaves []leaf) (arrow.Array, error) {
	defer a.Release()
	d, err := c.data(a.Data(), &leaves)
	if err != nil {
		return nil, err
	}
	defer d.Release()
	return array.MakeFromData(d), nil
}

func (c *calendar) data(d arrow.ArrayData, leaves *[]leaf) (arrow.ArrayData, error) {
	if nested, ok := d.DataType().(arrow.NestedType); ok {
		before := *leaves
		children := make([]arrow.ArrayData, len(d.Children()))
		for i, child := range d.Children() {
			var err error
			if children[i], err = c.data(child, leaves); err != nil {
				return nil, err
			}
			defer children[i].Release()
		}
		return array.NewData(typeOf(nested, &before), d.Len(), d.Buffers(), children, d.NullN(), d.Offset()), nil
	}
	l := (*leaves)[0]
	*leaves = (*leaves)[1:]
	if l == (leaf{}) {
		d.Retain()
		return d, nil
	}
	values, t, err := c.values(d, l)
	if err != nil {
		return nil, err
	}
	defer values.Release()
	return array.NewData(t, d.Len(), []*memory.Buffer{d.Buffers()[0], values}, nil, d.NullN(), d.Offset()), nil
}

// values are a leaf's values as they should be, and their type.
func (c *calendar) values(d arrow.ArrayData, l leaf) (*memory.Buffer, arrow.DataType, error) {
	from, n := d.Buffers()[1].Bytes(), d.Offset()+d.Len()
	out := memory.NewResizableBuffer(memory.DefaultAllocator)
	if l.int96 {
		out.Resize(arrow.TimestampTraits.BytesRequired(n))
		values := arrow.TimestampTraits.CastFromBytes(out.Bytes())
		valid := d.Buffers()[0]
		for i := d.Offset(); i < n; i++ {
			values[i] = 0
			if d.NullN() != 0 && valid != nil && !bitutil.BitIsSet(valid.Bytes(), i) {
				continue
			}
			us, err := Micros(parquet.Int96(from[i*parquet.Int96SizeBytes:]))
			if err != nil {
				out.Release()
				return nil, nil, err
			}
			if l.old {
				us = c.instant(us)
			}
			values[i] = arrow.Timestamp(us)
		}
		return out, arrow.FixedWidthTypes.Timestamp_us, nil
	}
	out.Resize(len(from))
	copy(out.Bytes(), from)
	switch t := d.DataType().(type) {
	case *arrow.Date32Type:
		values := arrow.Date32Traits.CastFromBytes(out.Bytes())
		for i, v := range values {
			values[i] = arrow.Date32(day(int32(v)))
		}
	case *arrow.TimestampType:
		values := arrow.TimestampTraits.CastFromBytes(out.Bytes())
		for i, v := range values {
			values[i] = arrow.Timestamp(c.units(int64(v), t.Unit))
		}
	}
	return out, d.DataType(), nil
}

// units is instant for other units than microseconds.
func (c *calendar) units(v int64, unit arrow.TimeUnit) int64 {
	switch unit {
	case arrow.Second:
		return floorDiv(c.instant(v*1e6), 1e6)
	case arrow.Millisecond:
		return floorDiv(c.instant(v*1e3), 1e3)
	case arrow.Nanosecond:
		us := floorDiv(v, 1e3)
		return v + (c.instant(us)-us)*1e3
	}
	return c.instant(v)
}
