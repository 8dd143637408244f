package lineage

import (
	"cmp"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Lineage is where the rows of a query come from.
type Lineage struct {
	// Sources are the tables and other sources read, each once, by name.
	Sources []Source `json:"sources"`
	// Columns are the query's outputs in order.
	Columns []Column `json:"columns"`
	// Rows are the inputs that decide which rows there are and in which order.
	Rows []Input `json:"rows,omitempty"`
}

// Source is something that is read: Kind is "table", "kafka", "files" or
// "batch"; Name is a table's full name, a topic or a path.
type Source struct {
	Kind string `json:"kind"`
	Name string `json:"name"`
}

// Column is an output column with its inputs, sorted by source, field and
// kind.
type Column struct {
	Name   string  `json:"name"`
	Inputs []Input `json:"inputs"`
	// Fields are those of a STRUCT whose inputs are other than the fields of
	// the same name in Inputs: it was put together here.
	Fields []Column `json:"fields,omitempty"`
}

// Input is a column of a source, or the part of it that Field names behind
// dots: "body.temperature" is a field of the JSON text or struct in body.
type Input struct {
	Source Source `json:"source"`
	Field  string `json:"field"`
	Kind
}

// Kind is how an input is used.
type Kind struct {
	Type    string `json:"type"`    // DIRECT or INDIRECT
	Subtype string `json:"subtype"` // IDENTITY, TRANSFORMATION, AGGREGATION; JOIN, GROUP_BY, FILTER, SORT, WINDOW, CONDITIONAL
	// Masking says that the value cannot be read off the output: it is hashed,
	// masked, encrypted or counted.
	Masking bool `json:"masking"`
}

// kindTable is the kind of a table of the catalog.
const kindTable = "table"

// Types and subtypes of inputs, as OpenLineage names them.
const (
	Direct   = "DIRECT"
	Indirect = "INDIRECT"

	Identity       = "IDENTITY"
	Transformation = "TRANSFORMATION"
	Aggregation    = "AGGREGATION"

	Join        = "JOIN"
	GroupBy     = "GROUP_BY"
	Filter      = "FILTER"
	Sort        = "SORT"
	Window      = "WINDOW"
	Conditional = "CONDITIONAL"
)

func direct(subtype string) Kind   { return Kind{Type: Direct, Subtype: subtype} }
func indirect(subtype string) Kind { return Kind{Type: Indirect, Subtype: subtype} }

// over is the kind of an input of kind inner that is used as k says.
func (k Kind) over(inner Kind) Kind {
	out := k
	switch {
	case k.Type == Indirect:
	case inner.Type == Indirect, strength[inner.Subtype] > strength[k.Subtype]:
		out = inner
	}
	out.Masking = k.Masking || inner.Masking
	return out
}

// strength orders the direct kinds.
var strength = map[string]int{Identity: 0, Transformation: 1, Aggregation: 2}

// Of is the lineage of a query's plan.
func Of(n plan.Node) Lineage {
	w := newWalker()
	plan.VisitNodes(n, w.node)
	var rows set
	w.rows(n, &rows)
	out := Lineage{Rows: rows.sorted(), Sources: sources(n), Columns: []Column{}}
	for _, a := range n.Output() {
		out.Columns = append(out.Columns, w.column(a.Name, a, nil, a.Type))
	}
	return out
}

// column is an attribute, or the field of it that path names.
func (w *walker) column(name string, a plan.Attr, path []string, t types.Type) Column {
	var in set
	w.attr(a.ID, path, direct(Identity), &in)
	out := Column{Name: name, Inputs: in.sorted()}
	st, ok := t.(types.Struct)
	if !ok {
		return out
	}
	for _, f := range st.Fields {
		c := w.column(f.Name, a, append(path[:len(path):len(path)], f.Name), f.Type)
		if len(c.Fields) > 0 || !slices.Equal(c.Inputs, out.field(f.Name)) {
			out.Fields = append(out.Fields, c)
		}
	}
	return out
}

// field are the inputs with a field taken of each.
func (c Column) field(name string) []Input {
	out := slices.Clone(c.Inputs)
	for i := range out {
		out[i].Field += "." + name
	}
	return out
}

// Statement is the lineage of a statement with a query in it; false for the
// others. The rows of a table depend on its expectations that drop rows too.
func Statement(st plan.Statement) (Lineage, bool) {
	switch st := st.(type) {
	case *plan.Query:
		return Of(st.Plan), true
	case *plan.CreateView:
		l := Of(st.Plan)
		for i, c := range st.Columns {
			if i < len(l.Columns) {
				l.Columns[i].Name = c.Name
			}
		}
		return l, true
	case *plan.CreateDataset:
		if st.Plan == nil {
			return Lineage{}, false
		}
		n := st.Plan
		for _, e := range st.Expectations {
			if e.Action == plan.ActionDrop {
				n = &plan.Filter{Input: n, Cond: e.Cond}
			}
		}
		return Of(n), true
	}
	return Lineage{}, false
}

func sources(n plan.Node) []Source {
	out := []Source{}
	for _, s := range plan.Scans(n) {
		if src := sourceOf(s.Source); !slices.Contains(out, src) {
			out = append(out, src)
		}
	}
	sortSources(out)
	return out
}

func sortSources(s []Source) { slices.SortFunc(s, compareSources) }

func compareSources(a, b Source) int {
	return cmp.Or(cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
}

func sourceOf(s *plan.Source) Source {
	name := strings.Join(s.Name, ".")
	option := func(keys ...string) string {
		for _, k := range keys {
			if v := s.Options[k]; v != "" {
				return v
			}
		}
		return name
	}
	switch s.Kind {
	case plan.SourceKafka:
		return Source{Kind: "kafka", Name: option("subscribe", "subscribepattern", "assign")}
	case plan.SourceFiles:
		return Source{Kind: "files", Name: option("path", "0")}
	case plan.SourceBatch:
		return Source{Kind: "batch", Name: name}
	}
	return Source{Kind: kindTable, Name: name}
}

// set collects inputs, each kind of one field once.
type set map[Input]struct{}

func (s *set) add(in Input) {
	if *s == nil {
		*s = set{}
	}
	(*s)[in] = struct{}{}
}

func (s *set) sorted() []Input {
	out := make([]Input, 0, len(*s))
	for in := range *s {
		out = append(out, in)
	}
	slices.SortFunc(out, func(a, b Input) int {
		masked := 0
		switch {
		case a.Masking && !b.Masking:
			masked = 1
		case b.Masking && !a.Masking:
			masked = -1
		}
		return cmp.Or(compareSources(a.Source, b.Source), cmp.Compare(a.Field, b.Field), cmp.Compare(a.Type, b.Type), cmp.Compare(a.Subtype, b.Subtype), masked)
	})
	return out
}
