package delta

import (
	"context"
	"encoding/base64"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/compute"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/schema"
)

// hiveNull is the folder name's text for NULL.
const hiveNull = "__HIVE_DEFAULT_PARTITION__"

// partitionKeys are the names of partition columns in partition values.
func partitionKeys(s *arrow.Schema, m schema.Mapping, columns []string) []string {
	keys := make([]string, len(columns))
	for i, c := range columns {
		keys[i] = c
		if at := find(s, c); at >= 0 {
			keys[i] = m.Name(s.Field(at))
		}
	}
	return keys
}

// folder is the path of a partition's folder, "" where there are no partitions.
func folder(columns []string, values Values) string {
	if len(columns) == 0 {
		return ""
	}
	var b strings.Builder
	for i, c := range columns {
		if i > 0 {
			b.WriteByte('/')
		}
		v := hiveNull
		if values[c] != "" {
			v = action.Hive(values[c])
		}
		b.WriteString(action.Hive(c) + "=" + v)
	}
	return b.String()
}

// group are the rows of one partition in a batch.
type group struct {
	values Values
	rows   []int32
}

// groups are the partitions of rows that have the table's columns.
func (w *Writer) groups(rec arrow.RecordBatch) ([]*group, error) {
	columns := w.part
	byKey := map[string]*group{}
	var order []*group
	cells := make([]arrow.Array, len(columns))
	for i, c := range columns {
		cells[i] = rec.Column(find(rec.Schema(), c))
	}
	var key []byte
	texts := make([]string, len(columns))
	for row := range int(rec.NumRows()) {
		key = key[:0]
		for i, a := range cells {
			t, err := partitionText(a, row)
			if err != nil {
				return nil, fmt.Errorf("%w: partition column %s: %w", ErrSchemaMismatch, columns[i], err)
			}
			texts[i] = t
			key = append(strconv.AppendInt(key, int64(len(t)), 10), ':')
			key = append(key, t...)
		}
		g := byKey[string(key)]
		if g == nil {
			g = &group{values: make(Values, len(columns))}
			for i, c := range w.keys {
				g.values[c] = strings.Clone(texts[i])
			}
			byKey[string(key)] = g
			order = append(order, g)
		}
		g.rows = append(g.rows, int32(row))
	}
	return order, nil
}

// split calls f for each partition's rows in rec, which has the table's
// columns, with the columns of the data files. The batches are valid during
// the call.
func (w *Writer) split(rec arrow.RecordBatch, f func(Values, arrow.RecordBatch) error) error {
	data := w.project(rec)
	defer data.Release()
	if len(w.part) == 0 {
		return f(nil, data)
	}
	groups, err := w.groups(rec)
	if err != nil {
		return err
	}
	for _, g := range groups {
		part, err := take(data, g.rows)
		if err != nil {
			return err
		}
		err = f(g.values, part)
		part.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

// writeRows writes a partition's rows out of data, which has the columns of files.
func (w *Writer) writeRows(g *group, data arrow.RecordBatch) error {
	part, err := take(data, g.rows)
	if err != nil {
		return err
	}
	defer part.Release()
	return w.writePart(g.values, part)
}

// project keeps the data files' columns of a batch, under their names there.
// Texts that are indices stay so.
func (w *Writer) project(rec arrow.RecordBatch) arrow.RecordBatch {
	cols := make([]arrow.Array, 0, w.files.NumFields())
	files := w.files
	for i, f := range w.data.Fields() {
		c := rec.Column(find(rec.Schema(), f.Name))
		if c.DataType().ID() == arrow.DICTIONARY {
			c.Retain()
			cols, files = append(cols, c), nil
			continue
		}
		cols = append(cols, retyped(c.Data(), w.files.Field(i).Type))
	}
	if files == nil {
		files = arrow.NewSchema(typed(w.files.Fields(), cols), nil)
	}
	out := array.NewRecordBatch(files, cols, rec.NumRows())
	for _, c := range cols {
		c.Release()
	}
	return out
}

// take gives distinct rows of a batch in this order; the caller releases it.
func take(rec arrow.RecordBatch, rows []int32) (arrow.RecordBatch, error) {
	first, n := int64(rows[0]), int64(len(rows))
	if int64(rows[n-1])-first == n-1 && slices.IsSorted(rows) {
		return rec.NewSlice(first, first+n), nil
	}
	return copyRows(rec, rows)
}

// copyRows is take with memory of its own.
func copyRows(rec arrow.RecordBatch, rows []int32) (arrow.RecordBatch, error) {
	b := array.NewInt32Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(rows, nil)
	at := b.NewInt32Array()
	defer at.Release()
	cols := make([]arrow.Array, 0, rec.NumCols())
	defer func() {
		for _, c := range cols {
			c.Release()
		}
	}()
	for i, f := range rec.Schema().Fields() {
		c, err := compute.TakeArray(context.Background(), rec.Column(i), at)
		if err != nil {
			return nil, fmt.Errorf("delta: choosing rows of the column %s: %w", f.Name, err)
		}
		cols = append(cols, retyped(c.Data(), f.Type))
		c.Release()
	}
	return array.NewRecordBatch(rec.Schema(), cols, int64(len(rows))), nil
}

// undictionary gives texts that are indices as texts; the caller releases them.
func undictionary(a arrow.Array) (arrow.Array, error) {
	d, ok := a.DataType().(*arrow.DictionaryType)
	if !ok {
		a.Retain()
		return a, nil
	}
	return compute.CastArray(context.Background(), a, compute.SafeCastOptions(d.ValueType))
}

// partitionText is a value as partitionValues hold it; "" is NULL, and so is
// the empty string.
func partitionText(a arrow.Array, i int) (string, error) {
	if a.IsNull(i) {
		return "", nil
	}
	switch a := a.(type) {
	case *array.String:
		if s := a.Value(i); utf8.ValidString(s) {
			return s, nil
		}
		return "", fmt.Errorf("a string that is not UTF-8: %s", base64.StdEncoding.EncodeToString([]byte(a.Value(i))))
	case *array.Binary:
		if b := a.Value(i); utf8.Valid(b) {
			return string(b), nil
		}
		return "", fmt.Errorf("binary that is not UTF-8 has no text form")
	case *array.Boolean:
		return strconv.FormatBool(a.Value(i)), nil
	case *array.Int8:
		return strconv.FormatInt(int64(a.Value(i)), 10), nil
	case *array.Int16:
		return strconv.FormatInt(int64(a.Value(i)), 10), nil
	case *array.Int32:
		return strconv.FormatInt(int64(a.Value(i)), 10), nil
	case *array.Int64:
		return strconv.FormatInt(a.Value(i), 10), nil
	case *array.Float32:
		return floatText(float64(a.Value(i)), 32), nil
	case *array.Float64:
		return floatText(a.Value(i), 64), nil
	case *array.Decimal128:
		return a.Value(i).ToString(a.DataType().(*arrow.Decimal128Type).Scale), nil
	case *array.Date32:
		return yearText(time.Unix(int64(a.Value(i))*86400, 0).UTC(), time.DateOnly)
	case *array.Timestamp:
		t := time.UnixMicro(int64(a.Value(i))).UTC()
		if a.DataType().(*arrow.TimestampType).TimeZone == "" {
			return yearText(t, "2006-01-02 15:04:05.000000")
		}
		return yearText(t, "2006-01-02T15:04:05.000000Z")
	}
	return "", fmt.Errorf("a %s has no text form", a.DataType())
}

func yearText(t time.Time, layout string) (string, error) {
	if t.Year() < 0 || t.Year() > 9999 {
		return "", fmt.Errorf("the year %d has no text form", t.Year())
	}
	return t.Format(layout), nil
}

func floatText(v float64, bits int) string {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 1):
		return "Infinity"
	case math.IsInf(v, -1):
		return "-Infinity"
	case v == 0:
		return "0.0"
	}
	s := strconv.FormatFloat(v, 'g', -1, bits)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}
