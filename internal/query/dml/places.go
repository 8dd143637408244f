package dml

import (
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/marisma/marisma/delta"
)

// places are rows by the path of their file (Engine.Path) and their position
// there.
type places struct {
	sets map[string]*delta.RowSet
	path string // of set, the one that was added to last
	set  *delta.RowSet
}

func newPlaces() *places { return &places{sets: map[string]*delta.RowSet{}} }

// add notes the rows of a batch whose files stand in a column and whose
// positions in the next one; only those that leave, if that is not nil.
func (p *places) add(rec arrow.RecordBatch, column int, leaves func(i int) bool) error {
	files, ok1 := rec.Column(column).(*array.String)
	rows, ok2 := rec.Column(column + 1).(*array.Int64)
	if !ok1 || !ok2 {
		return fmt.Errorf("dml: places of rows are %s, %s", rec.Column(column).DataType(), rec.Column(column+1).DataType())
	}
	for i := range files.Len() {
		if leaves == nil || leaves(i) {
			p.of(files.Value(i)).Add(uint64(rows.Value(i)))
		}
	}
	return nil
}

func (p *places) of(path string) *delta.RowSet {
	if p.set != nil && p.path == path {
		return p.set
	}
	set := p.sets[path]
	if set == nil {
		set = &delta.RowSet{}
		p.sets[strings.Clone(path)] = set
	}
	p.path, p.set = strings.Clone(path), set
	return set
}

// each gives f the rows of each file that has some; there are none of others.
func (p *places) each(e Engine, s *delta.Snapshot, files []delta.Add, f func(delta.Add, *delta.RowSet) error) error {
	met := 0
	for _, a := range files {
		if set := p.sets[e.Path(s, a)]; set != nil {
			met++
			if err := f(a, set); err != nil {
				return err
			}
		}
	}
	if met < len(p.sets) {
		return fmt.Errorf("dml: rows of %d files, and the statement read %d of them", len(p.sets), met)
	}
	return nil
}
