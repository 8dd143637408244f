package pipeline

import (
	"log/slog"
	"time"

	"github.com/marisma/marisma/internal/pipeline/flow"
)

// node is a dataset with a table of its own, and the flow that fills it.
type node struct {
	*flow.Flow
	ds         *dataset
	interval   time.Duration
	upstream   []*node // of this pipeline, all that it reads
	downstream []*node
	views      []*node       // of this pipeline, read as they stand
	tried      chan struct{} // closed after the first attempt of a loop
	outside    bool          // it reads tables or files that do not wake it
	hub        bool          // it reads the hub's log
	kick       chan struct{} // an input has changed; holds one
	log        *slog.Logger
	main       *flow.Sink
	aside      *flow.Sink
}

// tell wakes the nodes that read this one.
func (n *node) tell() {
	for _, d := range n.downstream {
		d.poke()
	}
}

// busy tells whether the flow's batches follow each other without a pause. A
// nil node is not.
func (n *node) busy() bool {
	return n != nil && n.State.View().Took >= max(n.interval, 100*time.Millisecond)
}

// poke wakes the node's loop.
func (n *node) poke() {
	select {
	case n.kick <- struct{}{}:
	default: // it is going to look anyway
	}
}

// show fills what Status says of the node.
func (n *node) show(s *Node) {
	v := n.State.View()
	s.State = v.Word
	if v.Err != nil {
		s.Error = v.Err.Error()
	}
	s.RowsIn, s.RowsOut = v.Totals.In, v.Totals.Out
	s.RowsDropped, s.RowsQuarantine = v.Totals.Dropped, v.Totals.Quarantined
	s.Backlog, s.LagSeconds = v.Backlog.Records, v.Backlog.Seconds
	s.Batch, s.BatchSeconds, s.Version, s.LastCommit = v.Batch, v.Took.Seconds(), v.Version, v.LastCommit
	s.PerSecond = v.PerSecond
	for i, e := range s.Expectations {
		t := v.Totals.Expectations[e.Name]
		s.Expectations[i].Passed, s.Expectations[i].Failed = t.Passed, t.Failed
	}
}
