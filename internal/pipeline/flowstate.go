package pipeline

import (
	"sync"
	"time"

	"github.com/marisma/marisma/internal/pipeline/journal"
	"github.com/marisma/marisma/internal/pipeline/source"
)

// rateWindow is what PerSecond looks back over.
const rateWindow = 10 * time.Second

// flowState is what Status shows of a flow.
type flowState struct {
	mu      sync.Mutex
	word    string // StateRunning, ...
	err     error
	since   time.Time // of the error
	batch   int64
	totals  journal.Counts
	version int64
	took    time.Duration
	commit  time.Time
	backlog source.Backlog
	recent  []sample
}

type sample struct {
	at   time.Time
	rows int64
}

// restore takes over what the journal knows.
func (s *flowState) restore(st journal.Flow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batch, s.totals, s.commit = st.Batch, st.Totals, st.LastCommit
	s.word, s.err, s.backlog, s.recent = StateIdle, nil, source.Backlog{}, nil
}

func (s *flowState) setVersion(v int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version = v
}

func (s *flowState) set(word string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.word = word
}

func (s *flowState) started(int64) { s.set(StateRunning) }

// finished counts a batch; version is -1 where it did not commit.
func (s *flowState) finished(batch int64, c journal.Counts, version int64, took time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.batch, s.took, s.err = batch, took, nil
	s.totals = s.totals.Plus(c)
	if version >= 0 {
		s.version, s.commit = version, now
	}
	s.recent = append(s.recent, sample{now, c.In})
	for len(s.recent) > 0 && now.Sub(s.recent[0].at) > rateWindow {
		s.recent = s.recent[1:]
	}
}

// failed notes an error; it tells whether it is another one than before.
func (s *flowState) failed(err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := s.err == nil || s.err.Error() != err.Error()
	s.word, s.err = StateFailed, err
	if fresh {
		s.since = time.Now()
	}
	return fresh
}

func (s *flowState) setBacklog(b source.Backlog) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.backlog = b
}

// show fills a node.
func (s *flowState) show(n *Node) {
	s.mu.Lock()
	defer s.mu.Unlock()
	n.State = s.word
	if n.State == "" {
		n.State = StateIdle
	}
	if s.err != nil {
		n.Error = s.err.Error()
	}
	n.RowsIn, n.RowsOut = s.totals.In, s.totals.Out
	n.RowsDropped, n.RowsQuarantine = s.totals.Dropped, s.totals.Quarantined
	n.Backlog, n.LagSeconds = s.backlog.Records, s.backlog.Seconds
	n.Batch, n.BatchSeconds, n.Version, n.LastCommit = s.batch, s.took.Seconds(), s.version, s.commit
	n.PerSecond = s.rate(time.Now())
	for i, e := range n.Expectations {
		t := s.totals.Expectations[e.Name]
		n.Expectations[i].Passed, n.Expectations[i].Failed = t.Passed, t.Failed
	}
}

// rate is the mean over the window of rows that batches took in.
func (s *flowState) rate(now time.Time) float64 {
	var rows int64
	for _, x := range s.recent {
		if now.Sub(x.at) <= rateWindow {
			rows += x.rows
		}
	}
	return float64(rows) / rateWindow.Seconds()
}

// behind is the number of records that wait.
func (s *flowState) behind() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.backlog.Records
}

// idle notes that there is nothing to do; an error stays until a batch is done.
func (s *flowState) idle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.word, s.err = StateIdle, nil
}
