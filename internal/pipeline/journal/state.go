package journal

import (
	"encoding/json"
	"fmt"
	"maps"
)

// kind is the first byte of a record's payload.
type kind byte

const (
	kindCheckpoint kind = 'C'
	kindBegin      kind = 'B'
	kindReady      kind = 'R'
	kindChange     kind = 'H'
	kindPlan       kind = 'P'
	kindPrepared   kind = 'F'
	kindAbandon    kind = 'A'
	kindDone       kind = 'D'
)

// state is what the records up to some point add up to.
type state struct {
	Flows map[string]*Flow `json:"flows"`
}

// decode makes the record of its payload.
func decode(k kind, body []byte) (any, error) {
	var rec any
	switch k {
	case kindCheckpoint:
		rec = &state{}
	case kindBegin:
		rec = &Begin{}
	case kindReady:
		rec = &Ready{}
	case kindChange:
		rec = &Change{}
	case kindPlan:
		rec = &Plan{}
	case kindPrepared:
		rec = &Prepared{}
	case kindAbandon:
		rec = &Abandon{}
	case kindDone:
		rec = &Done{}
	default:
		return nil, fmt.Errorf("%w: record of unknown kind %q", ErrCorrupt, byte(k))
	}
	if err := json.Unmarshal(body, rec); err != nil {
		return nil, fmt.Errorf("%w: record of kind %q: %w", ErrCorrupt, byte(k), err)
	}
	return rec, nil
}

// at is the flow of a record, where the record's checkpoint is the current one.
func (s *state) at(flow, checkpoint string) (*Flow, error) {
	f := s.Flows[flow]
	if f == nil {
		return nil, fmt.Errorf("%w: flow %s has not begun", ErrOrder, flow)
	}
	if f.Checkpoint != checkpoint {
		return nil, fmt.Errorf("%w: flow %s is at checkpoint %s, not %s", ErrOrder, flow, f.Checkpoint, checkpoint)
	}
	return f, nil
}

// under is the flow of a record that belongs to the batch under way.
func (s *state) under(flow, checkpoint string, batch int64) (*Flow, error) {
	f, err := s.at(flow, checkpoint)
	if err != nil {
		return nil, err
	}
	if f.Plan == nil || f.Plan.Batch != batch {
		return nil, fmt.Errorf("%w: flow %s has no plan for batch %d", ErrOrder, flow, batch)
	}
	return f, nil
}

// check tells whether rec may follow, without changing anything.
func (s *state) check(rec any) error {
	var err error
	switch r := rec.(type) {
	case *Begin:
		if r.Flow == "" || r.Checkpoint == "" {
			err = fmt.Errorf("%w: a checkpoint needs a flow and an id", ErrOrder)
		}
	case *Ready:
		_, err = s.at(r.Flow, r.Checkpoint)
	case *Change:
		_, err = s.at(r.Flow, r.Checkpoint)
	case *Plan:
		var f *Flow
		if f, err = s.at(r.Flow, r.Checkpoint); err == nil && (f.Plan != nil || f.Emptying || r.Batch != f.Batch+1) {
			err = fmt.Errorf("%w: flow %s cannot plan batch %d after batch %d", ErrOrder, r.Flow, r.Batch, f.Batch)
		}
	case *Prepared:
		var f *Flow
		if f, err = s.under(r.Flow, r.Checkpoint, r.Batch); err == nil && f.Prepared != nil {
			err = fmt.Errorf("%w: flow %s has prepared batch %d already", ErrOrder, r.Flow, r.Batch)
		}
	case *Abandon:
		var f *Flow
		if f, err = s.under(r.Flow, r.Checkpoint, r.Batch); err == nil && f.Prepared != nil {
			err = fmt.Errorf("%w: flow %s has prepared batch %d, which cannot be taken back", ErrOrder, r.Flow, r.Batch)
		}
	case *Done:
		_, err = s.under(r.Flow, r.Checkpoint, r.Batch)
	}
	return err
}

// apply adds a checked record. Flows are replaced, never changed in place, so
// that copies handed out stay as they were.
func (s *state) apply(rec any) {
	if s.Flows == nil {
		s.Flows = map[string]*Flow{}
	}
	switch r := rec.(type) {
	case *state:
		s.Flows = r.Flows
	case *Begin:
		s.Flows[r.Flow] = &Flow{Checkpoint: r.Checkpoint, Hash: r.Hash, Began: r.Time, Emptying: r.Empty, Positions: r.Positions}
	case *Ready:
		s.change(r.Flow, func(f *Flow) { f.Emptying = false })
	case *Change:
		s.change(r.Flow, func(f *Flow) { f.Hash = r.Hash })
	case *Plan:
		s.change(r.Flow, func(f *Flow) { f.Plan = r })
	case *Prepared:
		s.change(r.Flow, func(f *Flow) { f.Prepared = r })
	case *Abandon:
		s.change(r.Flow, func(f *Flow) { f.Plan = nil })
	case *Done:
		s.change(r.Flow, func(f *Flow) { f.finish(r) })
	}
}

func (s *state) change(flow string, f func(*Flow)) {
	next := *s.Flows[flow]
	f(&next)
	s.Flows[flow] = &next
}

func (f *Flow) finish(d *Done) {
	f.Batch = d.Batch
	f.Positions = maps.Clone(f.Positions)
	for _, r := range f.Plan.Ranges {
		if f.Positions == nil {
			f.Positions = map[string]json.RawMessage{}
		}
		f.Positions[r.Source] = r.To
	}
	f.Pins = f.Plan.Pins
	if len(f.Plan.Ranges) == 0 {
		f.Totals = Counts{} // a view's counts are those of its last result
	}
	switch {
	case f.Prepared != nil:
		f.Totals = f.Totals.Plus(f.Prepared.Counts)
		f.LastCommit = f.Plan.Time
		if f.Prepared.Digest != "" {
			f.Digest = f.Prepared.Digest
		}
	case d.Counts != nil:
		f.Totals = f.Totals.Plus(*d.Counts)
	}
	if d.Digest != "" {
		f.Digest = d.Digest
	}
	f.Plan, f.Prepared = nil, nil
}
