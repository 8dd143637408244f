package checkpoint

import (
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"

	"github.com/marisma/marisma/delta/internal/parquetfile"
)

const leafBatch = 1024

// item is a value of a leaf column in a row, or how far the way to it goes.
type item struct {
	def int16
	s   string
	n   int64
	f   float64
}

// leaf reads one column of a row group row by row.
//
// Columns are read by the caller's goroutine and not through Arrow's reader,
// which reads the members of structs in goroutines of its own: a panic there,
// which damaged files can cause, would end the process.
type leaf struct {
	chunk          file.ColumnChunkReader
	maxDef, maxRep int16
	defs, reps     []int16
	level, levels  int
	value          int
	bytes          []parquet.ByteArray
	longs          []int64
	ints           []int32
	bools          []bool
	floats         []float32
	doubles        []float64
	fixed          []parquet.FixedLenByteArray
	stamps         []parquet.Int96
	items          []item // of the current row
}

func newLeaf(chunk file.ColumnChunkReader, d *schema.Column) (*leaf, error) {
	l := &leaf{
		chunk: chunk, maxDef: d.MaxDefinitionLevel(), maxRep: d.MaxRepetitionLevel(),
		defs: make([]int16, leafBatch), reps: make([]int16, leafBatch),
	}
	switch chunk.(type) {
	case *file.ByteArrayColumnChunkReader:
		l.bytes = make([]parquet.ByteArray, leafBatch)
	case *file.Int64ColumnChunkReader:
		l.longs = make([]int64, leafBatch)
	case *file.Int32ColumnChunkReader:
		l.ints = make([]int32, leafBatch)
	case *file.BooleanColumnChunkReader:
		l.bools = make([]bool, leafBatch)
	case *file.Float32ColumnChunkReader:
		l.floats = make([]float32, leafBatch)
	case *file.Float64ColumnChunkReader:
		l.doubles = make([]float64, leafBatch)
	case *file.FixedLenByteArrayColumnChunkReader:
		l.fixed = make([]parquet.FixedLenByteArray, leafBatch)
	case *file.Int96ColumnChunkReader:
		l.stamps = make([]parquet.Int96, leafBatch)
	default:
		return nil, fmt.Errorf("checkpoint: column %s has type %s", d.Path(), d.PhysicalType())
	}
	return l, nil
}

// fill reads more levels; false at the end.
func (l *leaf) fill() (bool, error) {
	var n int64
	var err error
	switch c := l.chunk.(type) {
	case *file.ByteArrayColumnChunkReader:
		n, _, err = c.ReadBatchInPage(leafBatch, l.bytes, l.defs, l.reps)
	case *file.Int64ColumnChunkReader:
		n, _, err = c.ReadBatchInPage(leafBatch, l.longs, l.defs, l.reps)
	case *file.Int32ColumnChunkReader:
		n, _, err = c.ReadBatchInPage(leafBatch, l.ints, l.defs, l.reps)
	case *file.BooleanColumnChunkReader:
		n, _, err = c.ReadBatchInPage(leafBatch, l.bools, l.defs, l.reps)
	case *file.Float32ColumnChunkReader:
		n, _, err = c.ReadBatchInPage(leafBatch, l.floats, l.defs, l.reps)
	case *file.Float64ColumnChunkReader:
		n, _, err = c.ReadBatchInPage(leafBatch, l.doubles, l.defs, l.reps)
	case *file.FixedLenByteArrayColumnChunkReader:
		n, _, err = c.ReadBatchInPage(leafBatch, l.fixed, l.defs, l.reps)
	case *file.Int96ColumnChunkReader:
		n, _, err = c.ReadBatchInPage(leafBatch, l.stamps, l.defs, l.reps)
	}
	l.level, l.levels, l.value = 0, int(n), 0
	return n > 0, err
}

// next goes to the next row.
func (l *leaf) next() error {
	l.items = l.items[:0]
	for {
		if l.level == l.levels {
			more, err := l.fill()
			if err != nil {
				return err
			}
			if !more {
				if len(l.items) > 0 {
					return nil
				}
				return errors.New("checkpoint: a column is too short")
			}
		}
		if len(l.items) > 0 && (l.maxRep == 0 || l.reps[l.level] == 0) {
			return nil
		}
		it := item{def: l.maxDef}
		if l.maxDef > 0 {
			it.def = l.defs[l.level]
		}
		if it.def == l.maxDef {
			if err := l.set(&it); err != nil {
				return err
			}
			l.value++
		}
		l.level++
		l.items = append(l.items, it)
		if l.maxRep == 0 {
			return nil
		}
	}
}

// set gives it the value at hand.
func (l *leaf) set(it *item) (err error) {
	switch {
	case l.bytes != nil:
		it.s = string(l.bytes[l.value])
	case l.longs != nil:
		it.n = l.longs[l.value]
	case l.ints != nil:
		it.n = int64(l.ints[l.value])
	case l.floats != nil:
		it.f = float64(l.floats[l.value])
	case l.doubles != nil:
		it.f = l.doubles[l.value]
	case l.fixed != nil:
		it.s = string(l.fixed[l.value])
	case l.stamps != nil:
		it.n, err = parquetfile.Micros(l.stamps[l.value])
	case l.bools[l.value]:
		it.n = 1
	}
	return err
}

// there tells whether the row has a value; a nil leaf has none.
func (l *leaf) there() bool { return l != nil && len(l.items) > 0 && l.items[0].def == l.maxDef }

func (l *leaf) text() string {
	if !l.there() {
		return ""
	}
	return l.items[0].s
}

func (l *leaf) long() int64 {
	if !l.there() {
		return 0
	}
	return l.items[0].n
}

func (l *leaf) opt() *int64 {
	if !l.there() {
		return nil
	}
	n := l.items[0].n
	return &n
}

func (l *leaf) list() []string {
	if !l.there() {
		return nil
	}
	out := make([]string, 0, len(l.items))
	for _, it := range l.items {
		out = append(out, it.s)
	}
	return out
}

// pairs is a map column.
type pairs struct{ keys, values *leaf }

func (p pairs) there() bool { return p.keys.there() && p.values != nil }

func (p pairs) words() map[string]string {
	if !p.there() {
		return nil
	}
	out := make(map[string]string, len(p.keys.items))
	for i, k := range p.keys.items {
		if i < len(p.values.items) && k.def == p.keys.maxDef {
			out[k.s] = p.values.items[i].s
		}
	}
	return out
}

// columns are the leaves of a row group that are wanted, by path.
type columns map[string]*leaf

func (c columns) at(path string) *leaf { return c[path] }

// list finds the elements of a list, whatever the levels between are called.
func (c columns) list(path string) *leaf {
	for name, l := range c {
		if strings.HasPrefix(name, path+".") {
			return l
		}
	}
	return nil
}

func (c columns) pairs(path string) pairs {
	var p pairs
	for name, l := range c {
		if rest, ok := strings.CutPrefix(name, path+"."); ok {
			if strings.HasSuffix(rest, "value") && !strings.HasSuffix(rest, "key") {
				p.values = l
			} else {
				p.keys = l
			}
		}
	}
	if p.keys == nil || p.values == nil {
		return pairs{}
	}
	return p
}

type vectorLeaves struct{ kind, path, offset, size, rows *leaf }

func (c columns) vector(path string) vectorLeaves {
	return vectorLeaves{
		c.at(path + ".storageType"), c.at(path + ".pathOrInlineDv"), c.at(path + ".offset"),
		c.at(path + ".sizeInBytes"), c.at(path + ".cardinality"),
	}
}
