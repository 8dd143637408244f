package parquetfile

import (
	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// translation has what became of the entries of the dictionary that a column's
// rows came with.
type translation struct {
	from arrow.ArrayData
	// to are the entries' places in our dictionary, where values become indices;
	// else known ones are 0. It is -1 for entries that were not met yet.
	to []int32
}

func (t *translation) forget() { t.from = nil }

// begin begins with the rows of a dictionary.
func (t *translation) begin(d *array.Dictionary) {
	from := d.Data().Dictionary()
	if t.from == from {
		return
	}
	t.from, t.to = from, t.to[:0]
	for range d.Dictionary().Len() {
		t.to = append(t.to, -1)
	}
}

// addIndices adds rows that are indices of a dictionary of their own: each of
// its entries is looked up once.
func (s *strs) addIndices(d *array.Dictionary, from, n int) {
	s.given.begin(d)
	codes, ok := d.Indices().(*array.Int32)
	if !ok {
		panic("indices are " + d.Indices().DataType().String())
	}
	dict := d.Dictionary().Data()
	var data []byte
	if b := dict.Buffers()[2]; b != nil {
		data = b.Bytes()
	}
	ends := arrow.Int32Traits.CastFromBytes(dict.Buffers()[1].Bytes())[dict.Offset():]
	nulls := d.NullN() > 0
	for i, c := range codes.Int32Values()[from : from+n] {
		if nulls && d.IsNull(from+i) {
			continue
		}
		v := data[ends[c]:ends[c+1]]
		at := s.given.to[c]
		switch {
		case !s.trying:
			s.raw = s.appendPlain(s.raw, v)
			if at < 0 {
				s.bound(v)
				s.given.to[c] = 0
			}
			continue
		case at < 0:
			place, fresh := s.dict.index(v)
			at = int32(place)
			s.given.to[c] = at
			if fresh {
				s.bound(v)
			}
		}
		s.list = append(s.list, uint32(at))
		s.count += len(v)
	}
}

// TakesIndices tells whether a Writer of such files takes texts as indices of a
// dictionary (arrow.DICTIONARY of INT32), too.
func TakesIndices(s *arrow.Schema) bool {
	for _, f := range s.Fields() {
		c := newChunk(f)
		if c == nil {
			return false
		}
		c.values.free()
	}
	return true
}

// takes tells whether a batch has the file's columns.
func (w *flatWriter) takes(s *arrow.Schema) bool {
	if s.Equal(w.schema) {
		return true
	}
	if s.NumFields() != w.schema.NumFields() {
		return false
	}
	for i, f := range s.Fields() {
		own := w.schema.Field(i)
		t := f.Type
		if d, ok := t.(*arrow.DictionaryType); ok && d.IndexType.ID() == arrow.INT32 {
			t = d.ValueType
		}
		if f.Name != own.Name || f.Nullable != own.Nullable || !arrow.TypeEqual(t, own.Type) {
			return false
		}
	}
	return true
}
