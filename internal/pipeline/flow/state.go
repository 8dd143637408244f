package flow

import (
	"sync"
	"time"

	"github.com/marisma/marisma/internal/pipeline/journal"
	"github.com/marisma/marisma/internal/pipeline/source"
)

// What a flow is doing.
const (
	Running = "RUNNING"
	Waiting = "WAITING" // for its trigger interval
	Idle    = "IDLE"
	Failed  = "FAILED"
)

// rateWindow is what PerSecond looks back over.
const rateWindow = 10 * time.Second

// State is what a flow is doing, for those who watch it.
type State struct {
	mu      sync.Mutex
	word    string
	err     error
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

// View is a copy of State.
type View struct {
	Word       string
	Err        error
	Batch      int64 // the last one done
	Totals     journal.Counts
	Version    int64 // of the dataset's table
	Took       time.Duration
	LastCommit time.Time
	Backlog    source.Backlog
	PerSecond  float64 // rows in, over the last seconds
}

// View is the state as it is now.
func (s *State) View() View {
	s.mu.Lock()
	defer s.mu.Unlock()
	v := View{
		Word: s.word, Err: s.err, Batch: s.batch, Totals: s.totals, Version: s.version, Took: s.took,
		LastCommit: s.commit, Backlog: s.backlog,
	}
	if v.Word == "" {
		v.Word = Idle
	}
	now := time.Now()
	for _, x := range s.recent {
		if now.Sub(x.at) <= rateWindow {
			v.PerSecond += float64(x.rows) / rateWindow.Seconds()
		}
	}
	return v
}

// SetVersion notes the table's version as it was found.
func (s *State) SetVersion(v int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version = v
}

// Set notes what the flow does; Idle and Running do not take an error back.
func (s *State) Set(word string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.word = word
}

// Rest notes that there is nothing to do, and so no error.
func (s *State) Rest() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.word, s.err = Idle, nil
}

// Fail notes an error; it tells whether it is another one than before.
func (s *State) Fail(err error) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	fresh := s.err == nil || s.err.Error() != err.Error()
	s.word, s.err = Failed, err
	return fresh
}

// restore takes over what the journal knows.
func (s *State) restore(st journal.Flow) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.batch, s.totals, s.commit = st.Batch, st.Totals, st.LastCommit
	s.word, s.err, s.backlog, s.recent = Idle, nil, source.Backlog{}, nil
}

// finished counts a batch; version is -1 where the table was not committed to.
// The counts of a view are those of its last result.
func (s *State) finished(batch int64, c journal.Counts, version int64, took time.Duration, view bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.batch, s.took, s.err = batch, took, nil
	if view {
		s.totals = journal.Counts{}
	}
	s.totals = s.totals.Plus(c)
	if version >= 0 {
		s.version, s.commit = version, now
	}
	s.recent = append(s.recent, sample{now, c.In})
	for len(s.recent) > 0 && now.Sub(s.recent[0].at) > rateWindow {
		s.recent = s.recent[1:]
	}
}

func (s *State) setBacklog(b source.Backlog) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.backlog = b
}
