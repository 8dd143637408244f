package parquetfile

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
)

// int96Column reads a column of Impala's timestamps as microseconds in UTC:
// their 64-bit nanoseconds, which Arrow would make of them, end in 2262.
type int96Column struct {
	chunk    *file.Int96ColumnChunkReader
	optional bool
	values   []parquet.Int96
	defs     []int16
}

func newInt96Column(chunk file.ColumnChunkReader) (*int96Column, error) {
	c, ok := chunk.(*file.Int96ColumnChunkReader)
	if !ok || chunk.Descriptor().MaxRepetitionLevel() > 0 {
		return nil, errors.New("malformed Parquet: a column is not what the schema says")
	}
	return &int96Column{
		chunk: c, optional: chunk.Descriptor().MaxDefinitionLevel() > 0,
		values: make([]parquet.Int96, batchRows), defs: make([]int16, batchRows),
	}, nil
}

// julianEpoch is the Julian day of 1970-01-01.
const julianEpoch = 2440588

// next gives the next n rows.
func (c *int96Column) next(n int) (arrow.Array, error) {
	b := array.NewTimestampBuilder(memory.DefaultAllocator, arrow.FixedWidthTypes.Timestamp_us.(*arrow.TimestampType))
	defer b.Release()
	b.Reserve(n)
	for n > 0 {
		levels, _, err := c.chunk.ReadBatchInPage(int64(min(n, batchRows)), c.values, c.defs, nil)
		if err != nil {
			return nil, err
		}
		if levels == 0 {
			return nil, errors.New("malformed Parquet: a column is too short")
		}
		at := 0
		for i := range levels {
			if c.optional && c.defs[i] == 0 {
				b.AppendNull()
				continue
			}
			us, err := Micros(c.values[at])
			if err != nil {
				return nil, err
			}
			b.Append(arrow.Timestamp(us))
			at++
		}
		n -= int(levels)
	}
	return b.NewArray(), nil
}

// Micros is an INT96 timestamp in microseconds since the epoch; nanoseconds
// are cut off, as Spark does.
func Micros(v parquet.Int96) (int64, error) {
	nanos := int64(binary.LittleEndian.Uint64(v[:8]))
	days := int64(int32(binary.LittleEndian.Uint32(v[8:]))) - julianEpoch
	const day = 86400_000_000
	us := nanos / 1000
	if nanos%1000 < 0 {
		us--
	}
	const maxDays = 1 << 26 // beyond the years that any writer means, and far from overflow
	if days > maxDays || days < -maxDays {
		return 0, fmt.Errorf("malformed Parquet: an INT96 timestamp of day %d", days)
	}
	return days*day + us, nil
}
