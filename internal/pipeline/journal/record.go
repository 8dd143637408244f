package journal

import (
	"encoding/json"
	"maps"
	"time"
)

// Range is what a batch takes of one streaming source. From and To are the
// source's own texts (JSON); From is empty where the source is read from its
// start.
type Range struct {
	Source string          `json:"source"`
	From   json.RawMessage `json:"from,omitempty"`
	To     json.RawMessage `json:"to"`
	Rows   int64           `json:"rows,omitempty"` // as far as the source knows
}

// Pin is the version of a table or of a list of files that a batch reads as
// it stands. ID is the table's metaData.id or the digest of the files.
type Pin struct {
	Name    string `json:"name"`
	ID      string `json:"id"`
	Version int64  `json:"version"`
}

// Plan says what a batch is going to do; it is written before anything runs,
// and a repetition uses exactly these values.
type Plan struct {
	Flow       string           `json:"flow"`
	Checkpoint string           `json:"checkpoint"`
	Batch      int64            `json:"batch"`
	Ranges     []Range          `json:"ranges,omitempty"`
	Pins       []Pin            `json:"pins,omitempty"`
	Time       time.Time        `json:"time"` // the batch's current_timestamp, in microseconds
	Watermarks map[string]int64 `json:"watermarks,omitempty"`
	Hash       string           `json:"hash"`
}

// TableCommit is one table's share of a prepared batch: files that are durable
// and not yet part of the table. Adds are Delta add actions.
type TableCommit struct {
	Name      string            `json:"name"` // full name
	ID        string            `json:"id"`   // the table's metaData.id
	Adds      []json.RawMessage `json:"adds,omitempty"`
	Overwrite bool              `json:"overwrite,omitempty"` // the adds replace all live files
	Rows      int64             `json:"rows"`
	Bytes     int64             `json:"bytes"`
}

// Tally counts the rows that an expectation was asked about.
type Tally struct {
	Passed int64 `json:"passed"`
	Failed int64 `json:"failed"`
}

// Counts are the row counts of a batch, or of all batches of a checkpoint; a
// view, which each batch computes anew, has those of the last batch.
type Counts struct {
	In           int64            `json:"in"`
	Out          int64            `json:"out"`
	Dropped      int64            `json:"dropped,omitempty"`
	Quarantined  int64            `json:"quarantined,omitempty"`
	Expectations map[string]Tally `json:"expectations,omitempty"`
}

// Plus is the sum of two counts; neither is changed.
func (c Counts) Plus(d Counts) Counts {
	c.In += d.In
	c.Out += d.Out
	c.Dropped += d.Dropped
	c.Quarantined += d.Quarantined
	sum := maps.Clone(c.Expectations)
	for name, t := range d.Expectations {
		if sum == nil {
			sum = map[string]Tally{}
		}
		s := sum[name]
		sum[name] = Tally{s.Passed + t.Passed, s.Failed + t.Failed}
	}
	c.Expectations = sum
	return c
}

// Prepared says that a batch's files are durable: from here on the batch is
// only ever finished, never run again.
type Prepared struct {
	Flow       string        `json:"flow"`
	Checkpoint string        `json:"checkpoint"`
	Batch      int64         `json:"batch"`
	Tables     []TableCommit `json:"tables,omitempty"`
	Counts     Counts        `json:"counts"`
	Digest     string        `json:"digest,omitempty"` // of a materialized view's result
}

// Done ends a batch. A batch without anything to commit has no Prepared; its
// counts and digest then stand here.
type Done struct {
	Flow       string  `json:"flow"`
	Checkpoint string  `json:"checkpoint"`
	Batch      int64   `json:"batch"`
	Counts     *Counts `json:"counts,omitempty"`
	Digest     string  `json:"digest,omitempty"`
}

// Begin starts a checkpoint of a flow, its first or, after a reset, a new one.
// With Empty the flow's tables are to be emptied before the first batch, which
// Ready then confirms.
type Begin struct {
	Flow       string    `json:"flow"`
	Checkpoint string    `json:"checkpoint"` // a UUID; the appId of the flow's transactions
	Hash       string    `json:"hash"`
	Time       time.Time `json:"time"`
	Empty      bool      `json:"empty,omitempty"`
	// Positions are where sources begin that cannot find their start again
	// later (the latest offset of a log).
	Positions map[string]json.RawMessage `json:"positions,omitempty"`
}

// Ready confirms that the tables of a flow that began with Empty are empty.
type Ready struct {
	Flow       string `json:"flow"`
	Checkpoint string `json:"checkpoint"`
}

// Change notes that a flow goes on with another query.
type Change struct {
	Flow       string `json:"flow"`
	Checkpoint string `json:"checkpoint"`
	Hash       string `json:"hash"`
}

// Abandon takes back a plan that was not prepared; its batch number is used again.
type Abandon struct {
	Flow       string `json:"flow"`
	Checkpoint string `json:"checkpoint"`
	Batch      int64  `json:"batch"`
}

// Flow is what the journal knows of a flow. Its maps and slices are not to be
// changed.
type Flow struct {
	Checkpoint string                     `json:"checkpoint"`
	Hash       string                     `json:"hash"`
	Began      time.Time                  `json:"began"`
	Emptying   bool                       `json:"emptying,omitempty"` // its tables are still to be emptied
	Batch      int64                      `json:"batch"`              // the last one done, 0 before the first
	Positions  map[string]json.RawMessage `json:"positions,omitempty"`
	Pins       []Pin                      `json:"pins,omitempty"` // of the last batch done
	Digest     string                     `json:"digest,omitempty"`
	Totals     Counts                     `json:"totals"`
	LastCommit time.Time                  `json:"last_commit,omitzero"` // batch time of the last batch that committed
	// Plan and Prepared belong to batch Batch+1 where it is under way.
	Plan     *Plan     `json:"plan,omitempty"`
	Prepared *Prepared `json:"prepared,omitempty"`
}
