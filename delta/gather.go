package delta

import (
	"fmt"
	"os"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// gatherBytes is how many bytes of rows wait in memory before they go to disk.
const gatherBytes = 64 << 20

// maxPiles is over how many files waiting rows are spread.
const maxPiles = 64

// gathering are the rows of an optimised write for whose partitions no file could
// be open (WriterOptions.MaxOpen): they wait, on disk where they are many, and
// are written partition by partition when all have come.
type gathering struct {
	w        *Writer
	dir      string // below it the files are; "" before the first
	room     int64
	ordinals map[string]int32 // of partitions, by their folders
	values   []Values         // by ordinal
	waiting  pile
	piles    []*pile // nil before anything went to disk
}

// pile are rows with the ordinals of their partitions.
type pile struct {
	recs  []arrow.RecordBatch // in memory; the last column is the ordinal
	bytes int64               // of them, or of file
	file  batchFile
	parts map[int32]bool // the partitions in file
}

// gathers tells whether a writer's rows are gathered.
func gathers(m *Metadata, o *WriterOptions) bool {
	switch on := isTrue(m.Configuration[optimizeWriteKey]); {
	case o.Rearranged || len(m.PartitionColumns) == 0:
		return false
	case o.OptimizeWrite != nil:
		return *o.OptimizeWrite
	case m.Configuration[optimizeWriteKey] != "":
		return on
	}
	return o.KeepRows // as MERGE, UPDATE and DELETE do in Delta
}

// place writes rows that have the table's columns, or has them wait for others of
// their partitions.
func (w *Writer) place(rec arrow.RecordBatch) error {
	if w.gather == nil {
		return w.split(rec, w.writePart)
	}
	groups, err := w.groups(rec)
	if err != nil {
		return err
	}
	data := w.project(rec)
	defer data.Release()
	var wait, ordinals []int32
	for _, g := range groups {
		if n, ok := w.gather.waits(g.values); ok {
			wait = append(wait, g.rows...)
			ordinals = append(ordinals, slices.Repeat([]int32{n}, len(g.rows))...)
			continue
		}
		if err := w.writeRows(g, data); err != nil {
			return err
		}
	}
	if len(wait) == 0 {
		return nil
	}
	return w.gather.add(data, wait, ordinals)
}

// waits gives the ordinal of a partition whose rows wait: once they do so do all
// that follow.
func (g *gathering) waits(values Values) (int32, bool) {
	id := folder(g.w.keys, values)
	if n, ok := g.ordinals[id]; ok {
		return n, true
	}
	if len(g.w.open) < g.w.opt.MaxOpen || slices.ContainsFunc(g.w.open, func(f *dataFile) bool { return f.id == id }) {
		return 0, false
	}
	n := int32(len(g.values))
	if g.ordinals == nil {
		g.ordinals = map[string]int32{}
	}
	g.ordinals[id], g.values = n, append(g.values, values)
	return n, true
}

// add takes copies of some rows, each with the ordinal of its partition.
func (g *gathering) add(data arrow.RecordBatch, rows, ordinals []int32) error {
	rec, err := copyRows(data, rows)
	if err != nil {
		return err
	}
	defer rec.Release()
	cols := make([]arrow.Array, 0, rec.NumCols()+1)
	defer func() {
		for _, c := range cols {
			c.Release()
		}
	}()
	for i, c := range rec.Columns() {
		whole, err := undictionary(c)
		if err != nil {
			return fmt.Errorf("delta: the column %s: %w", rec.ColumnName(i), err)
		}
		cols = append(cols, whole)
	}
	b := array.NewInt32Builder(memory.DefaultAllocator)
	defer b.Release()
	b.AppendValues(ordinals, nil)
	cols = append(cols, b.NewArray())
	return g.wait(array.NewRecordBatch(g.full(), cols, rec.NumRows()))
}

// full is the schema of rows that wait.
func (g *gathering) full() *arrow.Schema {
	return arrow.NewSchema(append(slices.Clone(g.w.files.Fields()), arrow.Field{Name: "__partition", Type: arrow.PrimitiveTypes.Int32}), nil)
}

// wait takes a batch over.
func (g *gathering) wait(rec arrow.RecordBatch) error {
	g.waiting.recs = append(g.waiting.recs, rec)
	for _, c := range rec.Columns() {
		g.waiting.bytes += sizeOf(c.Data())
	}
	if g.waiting.bytes < g.room {
		return nil
	}
	if g.piles == nil {
		g.piles = newPiles()
	}
	return g.spread(&g.waiting, g.piles, 1)
}

func newPiles() []*pile {
	out := make([]*pile, maxPiles)
	for i := range out {
		out[i] = &pile{parts: map[int32]bool{}}
	}
	return out
}

// spread moves the rows that a pile has in memory to the files of others, by the
// digit of their ordinals that the divisor names.
func (g *gathering) spread(from *pile, to []*pile, divisor int32) error {
	if len(from.recs) == 0 {
		return nil
	}
	rec, err := concat(from.recs)
	if err != nil {
		return err
	}
	defer rec.Release()
	from.forget()
	rows := make([][]int32, len(to))
	for i, n := range ordinalsOf(rec) {
		at := n / divisor % maxPiles
		rows[at], to[at].parts[n] = append(rows[at], int32(i)), true
	}
	for at, list := range rows {
		if len(list) == 0 {
			continue
		}
		some, err := copyRows(rec, list)
		if err != nil {
			return err
		}
		err = g.write(to[at], some)
		some.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

func ordinalsOf(rec arrow.RecordBatch) []int32 {
	return rec.Column(int(rec.NumCols()) - 1).(*array.Int32).Int32Values()
}

// forget lets go of the rows in memory.
func (p *pile) forget() {
	for _, r := range p.recs {
		r.Release()
	}
	p.recs, p.bytes = nil, 0
}

// write appends rows to a pile's file.
func (g *gathering) write(p *pile, rec arrow.RecordBatch) (err error) {
	if g.dir == "" {
		if g.dir, err = os.MkdirTemp(g.w.opt.TempDir, "delta-gather-"); err != nil {
			return fmt.Errorf("delta: a folder for rows that wait: %w", err)
		}
	}
	for _, c := range rec.Columns() {
		p.bytes += sizeOf(c.Data())
	}
	return p.file.write(g.dir, rec)
}

// drain writes all rows that wait into data files.
func (g *gathering) drain() error {
	if g.piles == nil {
		return g.emit(&g.waiting)
	}
	if err := g.spread(&g.waiting, g.piles, 1); err != nil {
		return err
	}
	return g.drainAll(g.piles, 1)
}

func (g *gathering) drainAll(piles []*pile, divisor int32) error {
	for _, p := range piles {
		if err := p.file.end(); err != nil {
			return err
		}
	}
	for _, p := range piles {
		if p.file.empty() {
			continue
		}
		if err := g.drainPile(p, divisor); err != nil {
			return err
		}
		p.file.remove()
	}
	return nil
}

// drainPile writes the rows of a pile's file: in the order of their partitions
// where they fit in memory, else as they come where no more partitions are in it
// than files may be open, else it spreads them again.
func (g *gathering) drainPile(p *pile, divisor int32) error {
	switch {
	case p.bytes < g.room:
		var all pile
		defer all.forget()
		err := p.file.read(func(rec arrow.RecordBatch) error {
			rec.Retain()
			all.recs = append(all.recs, rec)
			return nil
		})
		if err != nil {
			return err
		}
		return g.emit(&all)
	case len(p.parts) <= g.w.opt.MaxOpen:
		err := p.file.read(func(rec arrow.RecordBatch) error { return g.emitRows(rec, false) })
		if err != nil {
			return err
		}
		return g.w.finishOpen()
	}
	again := newPiles()
	g.piles = append(g.piles, again...) // for the end
	err := p.file.read(func(rec arrow.RecordBatch) error {
		rec.Retain()
		return g.spread(&pile{recs: []arrow.RecordBatch{rec}}, again, divisor*maxPiles)
	})
	if err != nil {
		return err
	}
	return g.drainAll(again, divisor*maxPiles)
}

// emit writes the rows that a pile has in memory.
func (g *gathering) emit(p *pile) error {
	if len(p.recs) == 0 {
		return nil
	}
	rec, err := concat(p.recs)
	if err != nil {
		return err
	}
	defer rec.Release()
	p.forget()
	return g.emitRows(rec, true)
}

// emitRows writes rows partition by partition; those of the batch may be all that
// there are of them.
func (g *gathering) emitRows(rec arrow.RecordBatch, all bool) error {
	rows := map[int32][]int32{}
	var order []int32
	for i, n := range ordinalsOf(rec) {
		if rows[n] == nil {
			order = append(order, n)
		}
		rows[n] = append(rows[n], int32(i))
	}
	data := array.NewRecordBatch(g.w.files, rec.Columns()[:rec.NumCols()-1], rec.NumRows())
	defer data.Release()
	for _, n := range order {
		if err := g.w.writeRows(&group{g.values[n], rows[n]}, data); err != nil {
			return err
		}
		if all {
			if err := g.w.finishOpen(); err != nil {
				return err
			}
		}
	}
	return nil
}

// end gives up what is left.
func (g *gathering) end() {
	if g == nil {
		return
	}
	g.waiting.forget()
	for _, p := range g.piles {
		p.file.remove()
	}
	if g.dir != "" {
		_ = os.RemoveAll(g.dir)
		g.dir = ""
	}
}
