package delta

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta/internal/schema"
)

// Identity says how a table numbers a column (GENERATED ... AS IDENTITY).
type Identity struct {
	Start, Step int64
	// ByDefault lets rows bring their own number.
	ByDefault bool
	// High is the last number given out, nil before the first.
	High *int64
}

// The metadata of a numbered column; values are JSON.
const (
	identityStepKey     = "delta.identity.step"
	identityHighKey     = "delta.identity.highWaterMark"
	identityExplicitKey = "delta.identity.allowExplicitInsert"
)

// identityTag marks commits that change metadata only by the numbers given out,
// which contradicts nobody else's.
const identityTag = "delta.identity.schemaUpdate"

// WithIdentity is a BIGINT column that the table numbers.
func WithIdentity(f arrow.Field, id Identity) arrow.Field {
	set := func(key, value string) { f.Metadata = schema.With(f.Metadata, key, value) }
	set(identityKey, num(id.Start))
	set(identityStepKey, num(id.Step))
	set(identityExplicitKey, strconv.FormatBool(id.ByDefault))
	if id.High != nil {
		set(identityHighKey, num(*id.High))
	}
	return f
}

// IdentityOf tells how a column is numbered, false where it is not.
func IdentityOf(f arrow.Field) (Identity, bool) {
	integer := func(key string) (int64, bool) {
		n, err := strconv.ParseInt(schema.Raw(f.Metadata, key), 10, 64)
		return n, err == nil
	}
	start, ok := integer(identityKey)
	if !ok {
		return Identity{}, false
	}
	id := Identity{Start: start, ByDefault: schema.Raw(f.Metadata, identityExplicitKey) == "true"}
	id.Step, _ = integer(identityStepKey)
	if high, ok := integer(identityHighKey); ok {
		id.High = &high
	}
	return id, true
}

// IdentityRange is what a writer gave a column: the numbers after Before, the last
// given out until then, up to Last.
type IdentityRange struct {
	Before *int64 `json:"before,omitempty"`
	Last   int64  `json:"last"`
}

// Numbering gives out the numbers of a column. It is for one goroutine.
type Numbering struct {
	column string
	id     Identity
	last   *int64
}

// NewNumbering begins after the last number that the column was given; nil where
// the table does not number it.
func NewNumbering(f arrow.Field) *Numbering {
	id, ok := IdentityOf(f)
	if !ok {
		return nil
	}
	return &Numbering{column: f.Name, id: id, last: id.High}
}

// Next is the next number; the error is an ErrConstraint where there is none.
func (n *Numbering) Next() (int64, error) {
	next := n.id.Start
	if n.last != nil {
		next = *n.last + n.id.Step
		if (next > *n.last) != (n.id.Step > 0) || n.id.Step == 0 {
			return 0, fmt.Errorf("%w: the column %s has no number left after %d", ErrConstraint, n.column, *n.last)
		}
	}
	n.last = &next
	return next, nil
}

// Range is what was given out, false for nothing.
func (n *Numbering) Range() (IdentityRange, bool) {
	if n.last == n.id.High {
		return IdentityRange{}, false
	}
	return IdentityRange{Before: n.id.High, Last: *n.last}, true
}

// Identity is what the writer gave the columns that the table numbers, for the
// commit of its files; nil for nothing.
func (w *Writer) Identity() map[string]IdentityRange {
	var out map[string]IdentityRange
	for _, n := range w.numbers {
		if r, ok := n.Range(); ok {
			if out == nil {
				out = map[string]IdentityRange{}
			}
			out[n.column] = r
		}
	}
	return out
}

// numberings are the columns that a writer numbers: none where the caller does.
func (t *Table) numberings(p *Protocol, s *arrow.Schema, o *WriterOptions) ([]*Numbering, error) {
	if t.opt.rowRules || o.Rearranged || o.ChangeData {
		return nil, nil
	}
	var out []*Numbering
	for _, f := range s.Fields() {
		n := NewNumbering(f)
		if n == nil {
			continue
		}
		if !o.Identity {
			return nil, unsupported([]string{"identityColumns"}, p, true)
		}
		if f.Type.ID() != arrow.INT64 {
			return nil, fmt.Errorf("%w: the column %s is numbered and %s, not BIGINT", ErrSchemaMismatch, f.Name, f.Type)
		}
		out = append(out, n)
	}
	return out, nil
}

// numbersRows tells whether this handle numbers columns of new rows.
func (t *Table) numbersRows() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return !t.opt.rowRules && usesKey(arrow.StructOf(t.tip.schema.Fields()...), identityKey)
}

// number gives new rows the columns that they lack and the table numbers. The
// caller releases the batch.
func (w *Writer) number(rec arrow.RecordBatch) (arrow.RecordBatch, error) {
	fields, cols := slices.Clone(rec.Schema().Fields()), slices.Clone(rec.Columns())
	for _, n := range w.numbers {
		if find(rec.Schema(), n.column) >= 0 {
			if !n.id.ByDefault {
				return nil, fmt.Errorf("%w: the column %s is GENERATED ALWAYS AS IDENTITY and takes no value; leave it out", ErrConstraint, n.column)
			}
			continue
		}
		b := array.NewInt64Builder(memory.DefaultAllocator)
		defer b.Release()
		b.Reserve(int(rec.NumRows()))
		for range rec.NumRows() {
			v, err := n.Next()
			if err != nil {
				return nil, err
			}
			b.UnsafeAppend(v)
		}
		c := b.NewArray()
		defer c.Release()
		fields, cols = append(fields, arrow.Field{Name: n.column, Type: c.DataType(), Nullable: true}), append(cols, c)
	}
	if len(cols) == int(rec.NumCols()) {
		rec.Retain()
		return rec, nil
	}
	return array.NewRecordBatch(arrow.NewSchema(fields, nil), cols, rec.NumRows()), nil
}

// numbered is the schema that c gives the table, with the numbers that its rows
// were given; base is the one that they were given by, as it is now.
func (c *Commit) numbered(base, to *arrow.Schema) (*arrow.Schema, error) {
	fields := slices.Clone(to.Fields())
	for name, r := range c.Identity {
		now, ok := fieldNamed(base.Fields(), name)
		id, numbers := IdentityOf(now)
		if !ok || !numbers {
			return nil, fmt.Errorf("%w: the column %s is not numbered any more", ErrTableChanged, name)
		}
		if (id.High == nil) != (r.Before == nil) || id.High != nil && *id.High != *r.Before {
			return nil, fmt.Errorf("%w: other rows were given the numbers of the column %s", ErrTableChanged, name)
		}
		for i := range fields {
			if strings.EqualFold(fields[i].Name, name) {
				fields[i].Metadata = schema.With(fields[i].Metadata, identityHighKey, num(r.Last))
			}
		}
	}
	return arrow.NewSchema(fields, nil), nil
}

// onlyNumbers tells whether c redefines nothing but the numbers given out.
func (c *Commit) onlyNumbers() bool {
	other := *c
	other.Identity = nil
	return len(c.Identity) > 0 && !other.redefines()
}

// onlyNumbered tells whether a commit's metadata is that of before but for the
// numbers given out.
func onlyNumbered(info *CommitInfo) bool { return info != nil && info.Tags[identityTag] == "true" }
