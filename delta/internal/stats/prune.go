package stats

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/schema"
)

// Op is a comparison.
type Op uint8

// The comparisons of a predicate. NULL satisfies IsNull only.
const (
	Eq Op = iota + 1
	Lt
	LtEq
	Gt
	GtEq
	In
	IsNull
	IsNotNull
)

// Predicate compares a column with a value. Nested columns are named with dots.
type Predicate struct {
	Column string
	Op     Op
	// Value is an integer, float, string, bool or time.Time; a string may also
	// be the text of a value of any type. In takes a []any. IsNull and
	// IsNotNull take none.
	Value any
}

// Filter answers whether a file may hold rows that satisfy all predicates.
type Filter struct {
	tests []test
}

type test struct {
	op        Op
	values    []value
	typ       arrow.DataType
	partition string   // set for partition columns
	path      []string // of data columns
	slack     int64    // what a maximum may lack, microseconds
}

// Compile checks predicates against a table's schema; files' statistics and
// partition values have the names that m gives.
func Compile(s *arrow.Schema, m schema.Mapping, partition []string, preds []Predicate) (*Filter, error) {
	f := &Filter{}
	for _, p := range preds {
		fields, err := resolve(s, p.Column)
		if err != nil {
			return nil, err
		}
		typ := fields[len(fields)-1].Type
		t := test{op: p.Op, typ: typ}
		for _, f := range fields {
			t.path = append(t.path, m.Name(f))
		}
		if len(fields) == 1 && slices.Contains(partition, fields[0].Name) {
			t.partition = t.path[0]
		}
		if typ.ID() == arrow.TIMESTAMP {
			t.slack = 999
		}
		switch p.Op {
		case IsNull, IsNotNull:
		case In:
			list, ok := p.Value.([]any)
			if !ok {
				return nil, fmt.Errorf("column %s: IN needs a []any, not %T", p.Column, p.Value)
			}
			for _, x := range list {
				v, err := fromGo(x, typ)
				if err != nil {
					return nil, fmt.Errorf("column %s: %w", p.Column, err)
				}
				t.values = append(t.values, v)
			}
		case Eq, Lt, LtEq, Gt, GtEq:
			v, err := fromGo(p.Value, typ)
			if err != nil {
				return nil, fmt.Errorf("column %s: %w", p.Column, err)
			}
			t.values = []value{v}
		default:
			return nil, fmt.Errorf("column %s: unknown comparison %d", p.Column, p.Op)
		}
		f.tests = append(f.tests, t)
	}
	return f, nil
}

// resolve gives the fields on the way to a column.
func resolve(s *arrow.Schema, name string) ([]arrow.Field, error) {
	fields := s.Fields()
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			return []arrow.Field{f}, nil
		}
	}
	var path []arrow.Field
next:
	for part := range strings.SplitSeq(name, ".") {
		for _, f := range fields {
			if !strings.EqualFold(f.Name, part) {
				continue
			}
			path, fields = append(path, f), nil
			if st, ok := f.Type.(*arrow.StructType); ok {
				fields = st.Fields()
			}
			continue next
		}
		return nil, fmt.Errorf("no column %q", name)
	}
	return path, nil
}

// Partition tells whether the file's partition values rule it in.
func (f *Filter) Partition(v action.Values) bool {
	for i := range f.tests {
		t := &f.tests[i]
		if t.partition == "" {
			continue
		}
		text := v[t.partition]
		if text == "" {
			if t.op != IsNull {
				return false
			}
			continue
		}
		if t.op == IsNull || t.op == IsNotNull {
			if t.op == IsNull {
				return false
			}
			continue
		}
		x, ok := fromText(text, t.typ)
		if ok && !t.may(&x, &x) {
			return false
		}
	}
	return true
}

// Stats tells whether the file's statistics rule it in; a file without them is.
func (f *Filter) Stats(text string) bool {
	if text == "" {
		return true
	}
	var parts *sections
	for i := range f.tests {
		t := &f.tests[i]
		if t.partition != "" {
			continue
		}
		if parts == nil {
			if parts = split(text); parts == nil {
				return true
			}
		}
		if !t.stats(parts) {
			return false
		}
	}
	return true
}

// sections are the parts of a file's statistics, nil where they lack one.
type sections struct{ rows, tight, least, greatest, nulls []byte }

// split finds the sections, nil where the text is malformed.
func split(text string) *sections {
	p := &sections{}
	err := action.Members([]byte(text), func(key, value []byte) {
		switch string(key) {
		case "numRecords":
			p.rows = value
		case "tightBounds":
			p.tight = value
		case "minValues":
			p.least = value
		case "maxValues":
			p.greatest = value
		case "nullCount":
			p.nulls = value
		}
	})
	if err != nil {
		return nil
	}
	return p
}

func (t *test) stats(p *sections) bool {
	if t.op != IsNull && t.op != IsNotNull && !t.between(p) {
		return false
	}
	nulls, okN := action.Find(p.nulls, t.path...)
	tight := string(p.tight) != "false"
	n, err1 := strconv.ParseInt(string(nulls), 10, 64)
	r, err2 := strconv.ParseInt(string(p.rows), 10, 64)
	counts := okN && err1 == nil && err2 == nil
	if t.op == IsNull {
		return !counts || n > 0
	}
	return !counts || !tight || n != r // else all rows are null
}

// between tells whether the bounds leave room for a value that satisfies t.
func (t *test) between(p *sections) bool {
	var lo, hi *value
	if b, ok := action.Find(p.least, t.path...); ok {
		if v, ok := stat(b, t.typ); ok {
			lo = &v
		}
	}
	if b, ok := action.Find(p.greatest, t.path...); ok {
		if v, ok := stat(b, t.typ); ok {
			v.i += t.slack
			hi = &v
		}
	}
	return t.may(lo, hi)
}

// may tells whether some value between the bounds, where known, satisfies t.
func (t *test) may(lo, hi *value) bool {
	for _, v := range t.values {
		ok := true
		switch t.op {
		case Eq, In:
			ok = (lo == nil || lo.compare(v) <= 0) && (hi == nil || hi.compare(v) >= 0)
		case Lt:
			ok = lo == nil || lo.compare(v) < 0
		case LtEq:
			ok = lo == nil || lo.compare(v) <= 0
		case Gt:
			ok = hi == nil || hi.compare(v) > 0
		case GtEq:
			ok = hi == nil || hi.compare(v) >= 0
		}
		if ok {
			return true
		}
	}
	return false
}
