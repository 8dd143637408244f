package parquetfile

import (
	"errors"

	"github.com/apache/arrow-go/v18/parquet/metadata"
)

// bounds checks that the column chunks lie within a file of a size, so that
// nobody allocates what a damaged footer says.
func bounds(md *metadata.FileMetaData, size int64) error {
	for g := range md.NumRowGroups() {
		rg := md.RowGroup(g)
		if rg.NumRows() < 0 {
			return errors.New("malformed Parquet: a negative number of rows")
		}
		for c := range rg.NumColumns() {
			cc, err := rg.ColumnChunk(c)
			if err != nil {
				return err
			}
			off := cc.DataPageOffset()
			if cc.HasDictionaryPage() && cc.DictionaryPageOffset() > 0 && cc.DictionaryPageOffset() < off {
				off = cc.DictionaryPageOffset()
			}
			if n := cc.TotalCompressedSize(); off < 0 || n < 0 || off > size || n > size-off {
				return errors.New("malformed Parquet: a column chunk beyond the file's end")
			}
		}
	}
	return nil
}
