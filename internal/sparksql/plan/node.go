package plan

import (
	"time"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Node is a relational operator.
type Node interface {
	// Output are the columns, in order.
	Output() []Attr
	// Inputs are the nodes below, in order.
	Inputs() []Node
}

// SourceKind says what stands behind a Scan.
type SourceKind uint8

// Source kinds.
const (
	SourceTable SourceKind = iota // a table, streaming table or materialized view of the catalog
	SourceKafka                   // read_kafka(...)
	SourceFiles                   // read_files(...)
	SourceBatch                   // a named batch that the runner binds (expectation checks, tests)
)

// Source is a resolved leaf relation, made by the resolver that query gives
// to the analyzer. Columns hold the source's full schema.
type Source struct {
	Kind    SourceKind
	Name    []string // catalog, schema, table; or the function's name
	Columns []types.Field
	// Options are the arguments of read_kafka, read_files and WITH (...), keys in lower case.
	Options map[string]string
	// Version and Timestamp hold VERSION AS OF / TIMESTAMP AS OF of a table, nil without.
	Version   *int64
	Timestamp *time.Time
	// Metadata are the fields of the struct _metadata that the source has beside
	// its columns, none without; Scan tells them by MetadataOrdinal.
	Metadata []types.Field
	// Handle is the resolver's own (an open table); the plan does not look into it.
	Handle any
	// Rules are those of a table that statements may change, nil else.
	Rules *Rules
	// Files is set for a table that is a folder of files.
	Files *FileTable
}

// Scan reads a Source. Attrs are the columns read, Ordinals their places in
// Source.Columns, or FileOrdinal and RowOrdinal. Streaming is STREAM(...).
type Scan struct {
	Source   *Source
	Attrs    []Attr
	Ordinals []int
	// Metadata names the fields of the source's metadata that are used, nil for
	// all; the others may be NULL.
	Metadata  []string
	Streaming bool
	Alias     string
	Pos       sparksql.Pos
}

// Values is an inline table of constant expressions.
type Values struct {
	Attrs []Attr
	Rows  [][]Expr
}

// NamedExpr is an output expression with the attribute that it defines.
type NamedExpr struct {
	X    Expr
	Attr Attr
}

// Project computes its expressions for each row. A pass-through column keeps
// its attribute ID.
type Project struct {
	Input Node
	Exprs []NamedExpr
}

// Filter keeps the rows for which Cond is true.
type Filter struct {
	Input Node
	Cond  Expr
}

// JoinKind is the kind of a Join.
type JoinKind uint8

// Join kinds.
const (
	InnerJoin JoinKind = iota
	LeftJoin
	RightJoin
	FullJoin
	SemiJoin
	AntiJoin
	CrossJoin
)

// Join combines two inputs; Cond may be nil. With Lateral the right side may
// hold Outer references to the left.
type Join struct {
	Kind        JoinKind
	Left, Right Node
	Cond        Expr
	Lateral     bool
	Attrs       []Attr // outer joins make the other side's columns nullable
}

// Aggregate groups by Keys; Exprs are the outputs over keys (as Columns of
// KeyAttrs) and AggCalls. Sets holds grouping sets as indexes into Keys, nil
// for a plain GROUP BY.
type Aggregate struct {
	Input Node
	Keys  []NamedExpr
	Sets  [][]int
	Aggs  []NamedExpr // each X is an *AggCall
}

// Window appends window function results to the input's columns.
type Window struct {
	Input Node
	Exprs []NamedExpr // each X is a *WindowExpr
}

// Generate appends the columns of a generator function (explode, inline, ...)
// to Input's; Outer keeps rows without elements.
type Generate struct {
	Input Node
	Gen   *Call
	Outer bool
	Attrs []Attr // the generated columns only
}

// TimeWindow replaces grouping by window(ts, width, slide, start): each row is
// repeated for each window it falls into, rows with a NULL time are dropped.
// Window is the appended STRUCT<start, end> column. Durations in microseconds.
type TimeWindow struct {
	Input               Node
	Time                Expr
	Width, Slide, Start int64
	Window              Attr
	// Session makes it session_window(ts, gap) with the gap in Width: rows of
	// one Partition that follow each other within the gap are one window.
	Session bool
	// End is the end of a session that a row begins, where its gap is no
	// constant or has months; nil where Width is the gap.
	End       Expr
	Partition []Expr
}

// Sort orders the rows.
type Sort struct {
	Input Node
	Keys  []SortKey
}

// Limit keeps at most N rows after skipping Offset; N nil is no limit.
type Limit struct {
	Input     Node
	N, Offset Expr
}

// SetOpKind is UNION, INTERSECT or EXCEPT.
type SetOpKind uint8

// Set operations.
const (
	Union SetOpKind = iota
	Intersect
	Except
)

// SetOp combines inputs of equal types by position. All keeps duplicates.
type SetOp struct {
	Kind        SetOpKind
	All         bool
	Left, Right Node
	Attrs       []Attr
}

// Distinct removes duplicate rows.
type Distinct struct{ Input Node }

// Watermark marks Attr of the input as event time with a delay in microseconds.
type Watermark struct {
	Input Node
	Attr  Attr
	Delay int64
	Attrs []Attr
}

// With defines common table expressions for Body. A reference is a CTERef.
type With struct {
	CTEs []*CTE
	Body Node
}

// CTE is one common table expression; it is run once where it is referred to
// more than once.
type CTE struct {
	Name string
	ID   ID
	Plan Node
}

// Recursion is the plan of a recursive CTE: the rows of Anchor, then those of
// Step again and again, in which a CTERef to Self reads the rows of the round
// before, until a round has none. More than MaxLevel rounds are an error.
type Recursion struct {
	Self         ID
	Anchor, Step Node
	MaxLevel     int64
	MaxRows      int64  // of all rounds together, below 0 for any number
	Attrs        []Attr // by position, fresh
}

// Output has the anchor's names and types.
func (r *Recursion) Output() []Attr { return r.Attrs }

// Inputs are the anchor, then the step.
func (r *Recursion) Inputs() []Node { return []Node{r.Anchor, r.Step} }

// CTERef reads a CTE; Attrs are fresh per reference, by position.
type CTERef struct {
	CTE   *CTE
	Attrs []Attr
}

// Output of the scan are its attributes.
func (s *Scan) Output() []Attr { return s.Attrs }

// Inputs is empty.
func (s *Scan) Inputs() []Node { return nil }

// Output of the inline table.
func (v *Values) Output() []Attr { return v.Attrs }

// Inputs is empty.
func (v *Values) Inputs() []Node { return nil }

// Output of the projection.
func (p *Project) Output() []Attr { return attrs(p.Exprs) }

// Inputs is the input.
func (p *Project) Inputs() []Node { return []Node{p.Input} }

// Output is the input's.
func (f *Filter) Output() []Attr { return f.Input.Output() }

// Inputs is the input.
func (f *Filter) Inputs() []Node { return []Node{f.Input} }

// Output is both sides', or the left's for SEMI and ANTI.
func (j *Join) Output() []Attr { return j.Attrs }

// Inputs are left and right.
func (j *Join) Inputs() []Node { return []Node{j.Left, j.Right} }

// Output are the keys, then the aggregates.
func (a *Aggregate) Output() []Attr { return append(attrs(a.Keys), attrs(a.Aggs)...) }

// Inputs is the input.
func (a *Aggregate) Inputs() []Node { return []Node{a.Input} }

// Output are the input's columns, then the window results.
func (w *Window) Output() []Attr { return append(clone(w.Input.Output()), attrs(w.Exprs)...) }

// Inputs is the input.
func (w *Window) Inputs() []Node { return []Node{w.Input} }

// Output are the input's columns, then the generated ones.
func (g *Generate) Output() []Attr { return append(clone(g.Input.Output()), g.Attrs...) }

// Inputs is the input.
func (g *Generate) Inputs() []Node { return []Node{g.Input} }

// Output are the input's columns, then the window.
func (t *TimeWindow) Output() []Attr { return append(clone(t.Input.Output()), t.Window) }

// Inputs is the input.
func (t *TimeWindow) Inputs() []Node { return []Node{t.Input} }

// Output is the input's.
func (s *Sort) Output() []Attr { return s.Input.Output() }

// Inputs is the input.
func (s *Sort) Inputs() []Node { return []Node{s.Input} }

// Output is the input's.
func (l *Limit) Output() []Attr { return l.Input.Output() }

// Inputs is the input.
func (l *Limit) Inputs() []Node { return []Node{l.Input} }

// Output has the left side's names and the common types.
func (s *SetOp) Output() []Attr { return s.Attrs }

// Inputs are left and right.
func (s *SetOp) Inputs() []Node { return []Node{s.Left, s.Right} }

// Output is the input's.
func (d *Distinct) Output() []Attr { return d.Input.Output() }

// Inputs is the input.
func (d *Distinct) Inputs() []Node { return []Node{d.Input} }

// Output is the input's with the event time marked.
func (w *Watermark) Output() []Attr { return w.Attrs }

// Inputs is the input.
func (w *Watermark) Inputs() []Node { return []Node{w.Input} }

// Output is the body's.
func (w *With) Output() []Attr { return w.Body.Output() }

// Inputs are the CTEs' plans, then the body.
func (w *With) Inputs() []Node {
	out := make([]Node, 0, len(w.CTEs)+1)
	for _, c := range w.CTEs {
		out = append(out, c.Plan)
	}
	return append(out, w.Body)
}

// Output are the reference's attributes.
func (r *CTERef) Output() []Attr { return r.Attrs }

// Inputs is empty: the CTE hangs under its With.
func (r *CTERef) Inputs() []Node { return nil }

func attrs(exprs []NamedExpr) []Attr {
	out := make([]Attr, len(exprs))
	for i, e := range exprs {
		out[i] = e.Attr
	}
	return out
}

func clone(a []Attr) []Attr { return append(make([]Attr, 0, len(a)+2), a...) }

// Scans are all Scan leaves below n, sub-queries in expressions included.
func Scans(n Node) []*Scan {
	var out []*Scan
	VisitNodes(n, func(m Node) {
		if s, ok := m.(*Scan); ok {
			out = append(out, s)
		}
	})
	return out
}

// VisitNodes visits n and every node below it from the top, and the plans of
// sub-query expressions.
func VisitNodes(n Node, f func(Node)) {
	f(n)
	for _, e := range Exprs(n) {
		Walk(e, func(x Expr) bool {
			if s, ok := x.(*Subquery); ok {
				VisitNodes(s.Plan, f)
			}
			return true
		})
	}
	for _, m := range n.Inputs() {
		VisitNodes(m, f)
	}
}

// Exprs are the expressions that stand directly in n.
func Exprs(n Node) []Expr {
	var out []Expr
	named := func(es []NamedExpr) {
		for _, e := range es {
			out = append(out, e.X)
		}
	}
	switch n := n.(type) {
	case *Values:
		for _, r := range n.Rows {
			out = append(out, r...)
		}
	case *Project:
		named(n.Exprs)
	case *Filter:
		out = append(out, n.Cond)
	case *Join:
		if n.Cond != nil {
			out = append(out, n.Cond)
		}
	case *Aggregate:
		named(n.Keys)
		named(n.Aggs)
	case *Window:
		named(n.Exprs)
	case *Generate:
		out = append(out, n.Gen)
	case *TimeWindow:
		out = append(append(out, n.Time), n.Partition...)
		if n.End != nil {
			out = append(out, n.End)
		}
	case *Sort:
		for _, k := range n.Keys {
			out = append(out, k.X)
		}
	case *Limit:
		for _, e := range []Expr{n.N, n.Offset} {
			if e != nil {
				out = append(out, e)
			}
		}
	}
	return out
}
