package lineage

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
)

// Write is what a statement brings into a table; false for statements that
// write no rows. Replaces tells that nothing of what the table held stays. A
// column of an UPDATE or MERGE comes from what sets it and, under the same name,
// from the table itself: that is left out, for it says nothing.
func Write(st plan.Statement) (l Lineage, replaces, ok bool) {
	switch st := st.(type) {
	case *plan.Insert:
		return written(st.Rows.Plan, columnsOf(st.Target, len(st.Schema))), st.Mode == plan.WriteOverwrite, true
	case *plan.CreateTable:
		if st.Rows == nil {
			return Lineage{}, false, false
		}
		names := make([]string, len(st.Columns))
		for i, c := range st.Columns {
			names[i] = c.Name
		}
		return written(st.Rows.Plan, names), true, true
	case *plan.Change:
		if st.Rewrite == nil || st.Kind == plan.ChangeDelete {
			return Lineage{}, false, false
		}
		l := written(st.Rewrite.Plan, columnsOf(st.Target, len(st.Schema)))
		return l.without(sourceOf(st.Target)), false, true
	}
	return Lineage{}, false, false
}

// columnsOf are the names of a table's columns; grown is how many it has after
// the statement, 0 where it stays.
func columnsOf(s *plan.Source, grown int) []string {
	out := make([]string, max(len(s.Columns), grown))
	for i, c := range s.Columns {
		out[i] = c.Name
	}
	return out
}

// written is the lineage of a plan whose first outputs are a table's columns;
// an empty name is the output's own.
func written(n plan.Node, names []string) Lineage {
	l := Of(n)
	l.Columns = l.Columns[:min(len(names), len(l.Columns))]
	for i := range l.Columns {
		if names[i] != "" {
			l.Columns[i].Name = names[i]
		}
	}
	return l
}

// without leaves out what a column has of itself.
func (l Lineage) without(own Source) Lineage {
	for i := range l.Columns {
		c := &l.Columns[i]
		c.Inputs = slices.DeleteFunc(c.Inputs, func(in Input) bool {
			return in.Source == own && in.Type == Direct && strings.EqualFold(in.Field, c.Name)
		})
	}
	return l
}

// Union is the lineage of a table that both have written to: columns by their
// names, in b's order, and then those that a alone has.
func Union(a, b Lineage) Lineage {
	out := Lineage{Sources: slices.Clone(b.Sources), Rows: unite(a.Rows, b.Rows)}
	for _, s := range a.Sources {
		if !slices.Contains(out.Sources, s) {
			out.Sources = append(out.Sources, s)
		}
	}
	sortSources(out.Sources)
	out.Columns = uniteColumns(a.Columns, b.Columns)
	return out
}

func uniteColumns(a, b []Column) []Column {
	out := slices.Clone(b)
	for _, c := range a {
		i := slices.IndexFunc(out, func(o Column) bool { return strings.EqualFold(o.Name, c.Name) })
		if i < 0 {
			out = append(out, c)
			continue
		}
		out[i].Inputs = unite(c.Inputs, out[i].Inputs)
		out[i].Fields = uniteColumns(c.Fields, out[i].Fields)
	}
	return out
}

func unite(a, b []Input) []Input {
	var all set
	for _, in := range slices.Concat(a, b) {
		all.add(in)
	}
	return all.sorted()
}
