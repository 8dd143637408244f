package action

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// MaxLine bounds one line of a commit file in bytes.
const MaxLine = 256 << 20

// Decoder reads commit files. It shares equal partition values between the
// adds it decodes. It is for one goroutine.
type Decoder struct {
	// Brief leaves out what a commit's info tells beside its times and whether
	// it is a blind append.
	Brief bool

	values map[string]Values
	s      scanner
	in     *bufio.Reader
	long   []byte // a line that is longer than in's buffer
}

// maxShared bounds how many distinct partition values a decoder remembers.
const maxShared = 1 << 14

// Read decodes a whole commit file. An action may go over several lines, which
// the protocol does not foresee.
func (d *Decoder) Read(r io.Reader) (*Set, error) {
	if d.in == nil {
		d.in = bufio.NewReaderSize(r, 64<<10)
	} else {
		d.in.Reset(r)
	}
	defer d.in.Reset(nil)
	set := &Set{}
	for n := 1; ; n++ {
		line, end := d.line(n)
		if end != nil && !errors.Is(end, io.EOF) {
			return nil, end
		}
		if len(bytes.TrimSpace(line)) > 0 {
			before := *set
			err := d.Line(line, set)
			if err != nil && end == nil {
				if whole, lines := d.rest(line, n); whole != nil {
					*set = before
					if err = d.Line(whole, set); err == nil {
						n += lines
					}
				}
			}
			if err != nil {
				return nil, fmt.Errorf("line %d: %w", n, err)
			}
		}
		if end != nil {
			return set, nil
		}
	}
}

// line reads line n, which is good until the next call; io.EOF with the last one.
func (d *Decoder) line(n int) ([]byte, error) {
	line, err := d.in.ReadSlice('\n')
	if !errors.Is(err, bufio.ErrBufferFull) {
		return line, err
	}
	d.long = append(d.long[:0], line...)
	for errors.Is(err, bufio.ErrBufferFull) {
		if len(d.long) > MaxLine {
			return nil, fmt.Errorf("line %d: longer than %d bytes", n, MaxLine)
		}
		line, err = d.in.ReadSlice('\n')
		d.long = append(d.long, line...)
	}
	return d.long, err
}

// rest reads on until the object that line n begins has its end; it gives all of
// it and how many lines more that are, nil where it has no end.
func (d *Decoder) rest(line []byte, n int) (whole []byte, lines int) {
	var o open
	if o.end(line) >= 0 {
		return nil, 0
	}
	whole = bytes.Clone(line)
	for len(whole) <= MaxLine {
		more, err := d.line(n)
		lines++
		whole = append(whole, more...)
		if o.end(more) >= 0 {
			return whole, lines
		}
		if err != nil {
			break
		}
	}
	return nil, 0
}

// Line decodes one line into set. Text after the JSON object is ignored, as
// are actions and members that are not known.
func (d *Decoder) Line(line []byte, set *Set) error {
	d.s.b, d.s.i, d.s.depth = line, 0, 0
	return d.s.object(func(key []byte) error {
		s := &d.s
		if s.null() {
			return nil
		}
		switch string(key) {
		case "add":
			var a Add
			if err := d.add(&a); err != nil {
				return fmt.Errorf("add: %w", err)
			}
			set.Adds = append(set.Adds, a)
		case "remove":
			var r Remove
			if err := d.remove(&r); err != nil {
				return fmt.Errorf("remove: %w", err)
			}
			set.Removes = append(set.Removes, r)
		default:
			name := string(key)
			raw, err := s.skip()
			if err != nil {
				return err
			}
			if d.Brief && name == "commitInfo" {
				set.Info = briefInfo(raw)
				return nil
			}
			if err := rare(name, raw, set); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
		return nil
	})
}

func rare(name string, raw []byte, set *Set) error {
	switch name {
	case "protocol":
		set.Protocol = &Protocol{}
		return json.Unmarshal(raw, set.Protocol)
	case "metaData":
		set.Metadata = &Metadata{}
		return json.Unmarshal(raw, set.Metadata)
	case "txn":
		var t Txn
		if err := json.Unmarshal(raw, &t); err != nil {
			return err
		}
		set.Txns = append(set.Txns, t)
	case "domainMetadata":
		var t Domain
		if err := json.Unmarshal(raw, &t); err != nil {
			return err
		}
		set.Domains = append(set.Domains, t)
	case "cdc":
		var t Change
		if err := json.Unmarshal(raw, &t); err != nil {
			return err
		}
		if t.Path == "" {
			return errors.New("no path")
		}
		set.Changes = append(set.Changes, t)
	case "sidecar":
		var t Sidecar
		if err := json.Unmarshal(raw, &t); err != nil {
			return err
		}
		set.Sidecars = append(set.Sidecars, t)
	case "commitInfo":
		set.Info = info(raw)
	}
	return nil
}

// info reads what it can: commitInfo is free text of other writers and never
// fails a replay.
func info(raw []byte) *CommitInfo {
	var m map[string]json.RawMessage
	if json.Unmarshal(raw, &m) != nil {
		return &CommitInfo{}
	}
	c := &CommitInfo{
		Timestamp: soft[int64](m["timestamp"]), Operation: soft[string](m["operation"]),
		ReadVersion: soft[*int64](m["readVersion"]), IsolationLevel: soft[string](m["isolationLevel"]),
		IsBlindAppend: soft[bool](m["isBlindAppend"]), EngineInfo: soft[string](m["engineInfo"]),
		TxnID: soft[string](m["txnId"]), UserName: soft[string](m["userName"]),
		InCommitTimestamp:   soft[*int64](m["inCommitTimestamp"]),
		OperationParameters: texts(m["operationParameters"]),
		OperationMetrics:    texts(m["operationMetrics"]), Tags: texts(m["tags"]),
	}
	return c
}

// briefInfo is info with a part of its members, for replays of many commits.
func briefInfo(raw []byte) *CommitInfo {
	c := &CommitInfo{}
	s := scanner{b: raw}
	err := s.object(func(key []byte) error {
		name := string(key)
		text, err := s.skip()
		if err != nil {
			return err
		}
		switch name {
		case "timestamp":
			c.Timestamp = soft[int64](text)
		case "inCommitTimestamp":
			c.InCommitTimestamp = soft[*int64](text)
		case "isBlindAppend":
			c.IsBlindAppend = soft[bool](text)
		}
		return nil
	})
	if err != nil {
		return &CommitInfo{}
	}
	return c
}

func soft[T any](raw json.RawMessage) T {
	var v T
	if len(raw) == 0 || json.Unmarshal(raw, &v) != nil {
		var zero T
		return zero
	}
	return v
}

// texts gives strings as they are and other values as their JSON text.
func texts(raw json.RawMessage) map[string]string {
	m := soft[map[string]json.RawMessage](raw)
	if m == nil {
		return nil
	}
	out := make(map[string]string, len(m))
	for k, v := range m {
		var s string
		if json.Unmarshal(v, &s) == nil {
			out[k] = s
		} else {
			out[k] = string(v)
		}
	}
	return out
}

func (d *Decoder) add(a *Add) error {
	s := &d.s
	err := s.object(func(key []byte) (err error) {
		switch string(key) {
		case "path":
			a.Path, err = s.str()
		case "partitionValues":
			a.PartitionValues, err = d.partition()
		case "size":
			a.Size, err = s.integer()
		case "modificationTime":
			a.ModificationTime, err = s.integer()
		case "dataChange":
			a.DataChange, err = s.boolean()
		case "stats":
			if a.Stats, err = s.str(); a.Stats == "null" {
				a.Stats = ""
			}
		case "tags":
			a.Tags, err = d.tags()
		case "deletionVector":
			a.DeletionVector, err = d.dv()
		case "baseRowId":
			a.BaseRowID, err = d.optional()
		case "defaultRowCommitVersion":
			a.DefaultRowCommitVersion, err = d.optional()
		case "clusteringProvider":
			a.ClusteringProvider, err = s.str()
		default:
			_, err = s.skip()
		}
		return err
	})
	if err == nil && a.Path == "" {
		return errors.New("no path")
	}
	return err
}

func (d *Decoder) remove(r *Remove) error {
	s := &d.s
	err := s.object(func(key []byte) (err error) {
		switch string(key) {
		case "path":
			r.Path, err = s.str()
		case "deletionTimestamp":
			r.DeletionTimestamp, err = s.integer()
		case "dataChange":
			r.DataChange, err = s.boolean()
		case "extendedFileMetadata":
			r.ExtendedFileMetadata, err = s.boolean()
		case "partitionValues":
			r.PartitionValues, err = d.partition()
		case "size":
			r.Size, err = s.integer()
		case "stats":
			if r.Stats, err = s.str(); r.Stats == "null" {
				r.Stats = ""
			}
		case "tags":
			r.Tags, err = d.tags()
		case "deletionVector":
			r.DeletionVector, err = d.dv()
		case "baseRowId":
			r.BaseRowID, err = d.optional()
		case "defaultRowCommitVersion":
			r.DefaultRowCommitVersion, err = d.optional()
		default:
			_, err = s.skip()
		}
		return err
	})
	if err == nil && r.Path == "" {
		return errors.New("no path")
	}
	return err
}

func (d *Decoder) optional() (*int64, error) {
	if d.s.null() {
		return nil, nil
	}
	n, err := d.s.integer()
	return &n, err
}

func (d *Decoder) tags() (map[string]string, error) {
	raw, err := d.s.skip()
	if err != nil || string(raw) == "null" {
		return nil, err
	}
	var m map[string]string
	err = json.Unmarshal(raw, &m)
	return m, err
}

func (d *Decoder) dv() (*DeletionVector, error) {
	raw, err := d.s.skip()
	if err != nil || string(raw) == "null" {
		return nil, err
	}
	var v DeletionVector
	err = json.Unmarshal(raw, &v)
	return &v, err
}

func (d *Decoder) partition() (Values, error) {
	s := &d.s
	s.space()
	start := s.i
	raw, err := s.skip()
	if err != nil || string(raw) == "null" {
		return nil, err
	}
	if len(raw) == 2 {
		return nil, nil
	}
	if v, ok := d.values[string(raw)]; ok {
		return v, nil
	}
	end := s.i
	s.i = start
	v := Values{}
	err = s.object(func(key []byte) error {
		k := string(key)
		var t string
		var err error
		if c := s.peek(); c == '"' || c == 'n' {
			t, err = s.str()
		} else {
			var raw []byte
			raw, err = s.skip()
			t = string(raw)
		}
		v[k] = t
		return err
	})
	if err != nil {
		return nil, err
	}
	s.i = end
	if d.values == nil || len(d.values) >= maxShared {
		d.values = map[string]Values{}
	}
	d.values[string(raw)] = v
	return v, nil
}
