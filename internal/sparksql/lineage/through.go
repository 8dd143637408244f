package lineage

import "strings"

// Through follows the inputs of l that are tables of which of knows the
// lineage, again and again, down to sources that nothing is known of. A column
// that a table's lineage lacks ends there too, as does a table that comes from
// itself. of may answer from anywhere; it is asked once for each table.
func Through(l Lineage, of func(Source) (Lineage, bool)) Lineage {
	t := &tracer{of: of, tables: map[Source]*traced{}}
	out := Lineage{Sources: []Source{}, Columns: make([]Column, len(l.Columns))}
	var rows set
	seen := map[Source]bool{}
	for _, s := range l.Sources {
		t.rows(s, &rows, seen)
	}
	for _, in := range l.Rows {
		t.input(in, in.Kind, &rows)
	}
	for i, c := range l.Columns {
		var ins set
		for _, in := range c.Inputs {
			t.input(in, in.Kind, &ins)
		}
		out.Columns[i] = Column{Name: c.Name, Inputs: ins.sorted()}
	}
	for s := range seen {
		if _, ok := t.table(s); !ok {
			out.Sources = append(out.Sources, s)
		}
	}
	sortSources(out.Sources)
	out.Rows = rows.sorted()
	return out
}

type traced struct {
	Lineage
	ok   bool
	open bool
}

type tracer struct {
	of     func(Source) (Lineage, bool)
	tables map[Source]*traced
}

func (t *tracer) table(s Source) (*traced, bool) {
	if s.Kind != kindTable {
		return nil, false
	}
	known := t.tables[s]
	if known == nil {
		known = &traced{}
		known.Lineage, known.ok = t.of(s)
		t.tables[s] = known
	}
	return known, known.ok
}

// input adds in, or what it comes from, as kind says.
func (t *tracer) input(in Input, kind Kind, out *set) {
	l, ok := t.table(in.Source)
	if !ok || l.open {
		out.add(Input{Source: in.Source, Field: in.Field, Kind: kind})
		return
	}
	col, rest, ok := find(l.Columns, in.Field)
	if !ok {
		out.add(Input{Source: in.Source, Field: in.Field, Kind: kind})
		return
	}
	l.open = true
	defer func() { l.open = false }()
	for _, up := range col.Inputs {
		next := Input{Source: up.Source, Field: up.Field + rest}
		t.input(next, kind.over(up.Kind), out)
	}
}

// rows adds what decides about the rows of a table and of those it reads.
func (t *tracer) rows(s Source, out *set, seen map[Source]bool) {
	if seen[s] {
		return
	}
	seen[s] = true
	l, ok := t.table(s)
	if !ok {
		return
	}
	for _, in := range l.Rows {
		t.input(in, in.Kind, out)
	}
	for _, up := range l.Sources {
		t.rows(up, out, seen)
	}
}

// find gives the column, or the field of one, that a field lies in, and the
// path behind it.
func find(cols []Column, field string) (Column, string, bool) {
	for _, c := range cols {
		if len(field) < len(c.Name) || !strings.EqualFold(field[:len(c.Name)], c.Name) {
			continue
		}
		rest := field[len(c.Name):]
		switch {
		case rest == "":
			return c, "", true
		case rest[0] == '.':
			if f, deep, ok := find(c.Fields, rest[1:]); ok {
				return f, deep, true
			}
			return c, rest, true
		}
	}
	return Column{}, "", false
}
