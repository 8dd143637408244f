package pipeline

import (
	"fmt"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// checkDataset refuses what a flow cannot do: a streaming table reads exactly
// one stream, row by row; a materialized view reads none.
func checkDataset(d *dataset) error {
	c := &checker{d: d, ctes: map[plan.ID]bool{}, refs: map[plan.ID]int{}}
	for _, s := range plan.Scans(d.def.Plan) {
		if s.Streaming {
			c.streams = append(c.streams, s)
		}
	}
	if d.kind == plan.MaterializedView {
		if len(c.streams) > 0 {
			return c.fail(c.streams[0].Pos, "INVALID_STREAM_IN_MATERIALIZED_VIEW", "A materialized view reads tables as they stand.",
				"Leave out STREAM, or make it a STREAMING TABLE.")
		}
		for _, s := range plan.Scans(d.def.Plan) {
			if s.Source.Kind == plan.SourceKafka {
				return c.fail(s.Pos, "UNSUPPORTED_FEATURE.READ_KAFKA_BATCH", "A materialized view cannot read the hub's log.",
					"Read it into a streaming table first and the view from that.")
			}
		}
		return nil
	}
	if len(c.streams) == 0 {
		return c.fail(d.pos, "STREAMING_TABLE_NEEDS_STREAM", "A streaming table reads a stream, and this query has none.",
			"Write STREAM(table) or STREAM read_kafka(...), or make it a MATERIALIZED VIEW.")
	}
	if _, err := c.streaming(d.def.Plan); err != nil {
		return err
	}
	if len(c.streams) > 1 {
		return c.stateful(c.streams[1].Pos, "Reading a second stream")
	}
	for id, n := range c.refs {
		if n > 1 && c.ctes[id] {
			return c.stateful(c.streams[0].Pos, "Reading a stream twice")
		}
	}
	s := c.streams[0]
	if s.Source.Kind == plan.SourceFiles {
		return c.fail(s.Pos, "UNSUPPORTED_FEATURE.STREAM_READ_FILES", "Reading files as a stream is not there yet.",
			"Read them in a MATERIALIZED VIEW without STREAM.")
	}
	if s.Source.Version != nil || s.Source.Timestamp != nil {
		return c.fail(s.Pos, "UNSUPPORTED_FEATURE.TIME_TRAVEL", "A stream has no VERSION AS OF.", "Use WITH (startingVersion = n).")
	}
	return nil
}

type checker struct {
	d       *dataset
	streams []*plan.Scan
	ctes    map[plan.ID]bool // whether it streams
	refs    map[plan.ID]int
}

func (c *checker) fail(pos sparksql.Pos, class, message, hint string) error {
	if pos.IsZero() {
		pos = c.d.pos
	}
	return &sparksql.Error{Class: class, SQLState: "0A000", Phase: sparksql.PhaseAnalysis, Pos: pos, Message: message, Hint: hint}
}

func (c *checker) stateful(pos sparksql.Pos, what string) error {
	return c.fail(pos, "UNSUPPORTED_FEATURE.STATEFUL_STREAMING", what+" comes with stateful streaming, which is not there yet.",
		"A streaming table may filter, compute and join with tables; aggregate in a MATERIALIZED VIEW.")
}

// streaming tells whether rows of a stream come out of n, and refuses what
// would need state.
func (c *checker) streaming(n plan.Node) (bool, error) {
	if err := c.noStreamInside(n); err != nil {
		return false, err
	}
	switch n := n.(type) {
	case *plan.Scan:
		return n.Streaming, nil
	case *plan.With:
		for _, cte := range n.CTEs {
			s, err := c.streaming(cte.Plan)
			if err != nil {
				return false, err
			}
			c.ctes[cte.ID] = s
		}
		return c.streaming(n.Body)
	case *plan.CTERef:
		c.refs[n.CTE.ID]++
		return c.ctes[n.CTE.ID], nil
	}
	in := make([]bool, len(n.Inputs()))
	streams := false
	for i, m := range n.Inputs() {
		s, err := c.streaming(m)
		if err != nil {
			return false, err
		}
		in[i] = s
		streams = streams || s
	}
	if !streams {
		return false, nil
	}
	return true, c.operator(n, in)
}

// noStreamInside refuses streams in sub-query expressions.
func (c *checker) noStreamInside(n plan.Node) error {
	for _, e := range plan.Exprs(n) {
		var found *plan.Scan
		plan.Walk(e, func(x plan.Expr) bool {
			if q, ok := x.(*plan.Subquery); ok {
				for _, s := range plan.Scans(q.Plan) {
					if s.Streaming {
						found = s
					}
				}
			}
			return found == nil
		})
		if found != nil {
			return c.fail(found.Pos, "UNSUPPORTED_FEATURE.STREAM_IN_SUBQUERY", "A stream cannot stand in a sub-query of an expression.", "")
		}
	}
	return nil
}

// operator checks one operator over streaming inputs.
func (c *checker) operator(n plan.Node, in []bool) error {
	switch n := n.(type) {
	case *plan.Aggregate:
		return c.stateful(aggregatePos(n), "Aggregating a stream")
	case *plan.Distinct:
		return c.stateful(sparksql.Pos{}, "DISTINCT over a stream")
	case *plan.Window:
		return c.stateful(windowPos(n), "A window function over a stream")
	case *plan.Sort:
		return c.fail(sparksql.Pos{}, "UNSUPPORTED_FEATURE.STREAM_SORT", "A stream has no end, so it cannot be ordered.", "Order where you query the table.")
	case *plan.Limit:
		return c.stateful(sparksql.Pos{}, "LIMIT over a stream")
	case *plan.SetOp:
		return c.stateful(sparksql.Pos{}, "Combining a stream with another query")
	case *plan.Join:
		return c.join(n, in)
	case *plan.Project, *plan.Filter, *plan.Generate, *plan.TimeWindow, *plan.Watermark:
		return nil
	}
	return fmt.Errorf("pipeline: a stream cannot pass %T", n)
}

func (c *checker) join(n *plan.Join, in []bool) error {
	if in[0] && in[1] {
		return c.stateful(c.streams[len(c.streams)-1].Pos, "Joining two streams")
	}
	left := in[0]
	ok := n.Kind == plan.InnerJoin || n.Kind == plan.CrossJoin ||
		left && (n.Kind == plan.LeftJoin || n.Kind == plan.SemiJoin || n.Kind == plan.AntiJoin) ||
		!left && n.Kind == plan.RightJoin
	if !ok {
		return c.fail(c.streams[0].Pos, "STREAM_STATIC_OUTER_JOIN", "This join would keep rows of a table that no row of the stream ever matches, which can never be known.",
			"Keep the stream's rows instead: the stream on the left of LEFT JOIN, SEMI or ANTI JOIN.")
	}
	return nil
}

func aggregatePos(n *plan.Aggregate) sparksql.Pos {
	for _, e := range n.Aggs {
		if a, ok := e.X.(*plan.AggCall); ok && !a.Pos.IsZero() {
			return a.Pos
		}
	}
	return sparksql.Pos{}
}

func windowPos(n *plan.Window) sparksql.Pos {
	for _, e := range n.Exprs {
		w, ok := e.X.(*plan.WindowExpr)
		if !ok {
			continue
		}
		switch f := w.Fn.(type) {
		case *plan.AggCall:
			return f.Pos
		case *plan.Call:
			return f.Pos
		}
	}
	return sparksql.Pos{}
}
