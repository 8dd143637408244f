package parquetfile

import (
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/metadata"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// bareInt96 has a file's columns of INT96, Impala's timestamps, read as the
// bytes that they are: pqarrow would make 64-bit nanoseconds of them, which end
// in 2262. It tells which leaves these are, nil if there are none.
func bareInt96(md *metadata.FileMetaData) ([]bool, error) {
	var is []bool
	for i := range md.Schema.NumColumns() {
		if md.Schema.Column(i).PhysicalType() == parquet.Types.Int96 {
			if is == nil {
				is = make([]bool, md.Schema.NumColumns())
			}
			is[i] = true
		}
	}
	if is == nil {
		return nil, nil
	}
	width := int32(parquet.Int96SizeBytes)
	for _, e := range md.FileMetaData.Schema {
		if e.Type != nil && parquet.Type(*e.Type) == parquet.Types.Int96 {
			*e.Type, e.TypeLength, e.ConvertedType, e.LogicalType = fixedType, &width, nil, nil
		}
	}
	for _, g := range md.RowGroups {
		if len(g.Columns) != len(is) {
			return nil, errors.New("malformed Parquet: a row group lacks columns")
		}
		for i, c := range g.Columns {
			if is[i] {
				c.MetaData.Type, c.MetaData.Statistics = fixedType, nil
			}
		}
	}
	root, err := schema.FromParquet(md.FileMetaData.Schema)
	if err != nil {
		return nil, err
	}
	group, ok := root.(*schema.GroupNode)
	if !ok {
		return nil, errors.New("malformed Parquet: the schema has no root")
	}
	md.Schema = schema.NewSchema(group)
	return is, nil
}

// fixedType is FIXED_LEN_BYTE_ARRAY in parquet.thrift, which lays 12 bytes out
// as INT96 does.
const fixedType = 7

// julianEpoch is the Julian day of 1970-01-01.
const julianEpoch = 2440588

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
