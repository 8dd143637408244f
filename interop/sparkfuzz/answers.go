package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/marisma/marisma/internal/query/corpus"
	"github.com/marisma/marisma/internal/query/corpus/gen"
)

// answered is what Spark said to a statement, as it is kept in a file.
type answered struct {
	Key    string          `json:"key"` // the statement's own JSON without its id
	Answer json.RawMessage `json:"answer"`
}

// kept asks Spark what it has not been asked before: a statement's answer does
// not change, so that a second run after a fix needs no JVM. Spark starts with
// the first statement that is new.
type kept struct {
	start func() (*spark, error)
	spark *spark
	file  *os.File
	known map[string]json.RawMessage
}

// openKept reads the answers of a file, which need not be there.
func openKept(ctx context.Context, cfg config) (*kept, error) {
	k := &kept{known: map[string]json.RawMessage{}, start: func() (*spark, error) { return start(ctx, cfg.python, cfg.setup) }}
	if err := os.MkdirAll(cfg.out, 0o750); err != nil {
		return nil, err
	}
	var err error
	k.file, err = os.OpenFile(filepath.Join(cfg.out, "answers.jsonl"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, err
	}
	sc := bufio.NewScanner(k.file)
	sc.Buffer(nil, maxAnswer)
	for sc.Scan() {
		var a answered
		if json.Unmarshal(sc.Bytes(), &a) == nil { // the last line of a run that was stopped may be half written
			k.known[a.Key] = a.Answer
		}
	}
	return k, sc.Err()
}

// key is what a statement's answer depends on.
func key(st gen.Statement) (string, error) {
	st.ID = ""
	b, err := json.Marshal(st)
	return string(b), err
}

// ask answers the statements, in their order.
func (k *kept) ask(list []gen.Statement) ([]corpus.Case, error) {
	raw := make([]json.RawMessage, len(list))
	var missing []gen.Statement
	var at []int
	keys := make([]string, len(list))
	for i, st := range list {
		var err error
		if keys[i], err = key(st); err != nil {
			return nil, err
		}
		if raw[i] = k.known[keys[i]]; raw[i] == nil {
			missing, at = append(missing, st), append(at, i)
		}
	}
	if err := k.fill(raw, missing, at, keys); err != nil {
		return nil, err
	}
	out := make([]corpus.Case, len(raw))
	for i, r := range raw {
		var err error
		if out[i], err = corpus.Parse(r); err != nil {
			return nil, fmt.Errorf("%s: %w", list[i].ID, err)
		}
		out[i].ID, out[i].Group = list[i].ID, list[i].Group
	}
	return out, nil
}

// fill asks for the answers that are missing and keeps them.
func (k *kept) fill(raw []json.RawMessage, missing []gen.Statement, at []int, keys []string) error {
	if len(missing) == 0 {
		return nil
	}
	if k.spark == nil {
		var err error
		if k.spark, err = k.start(); err != nil {
			return err
		}
	}
	got, err := k.spark.ask(missing)
	if err != nil {
		return err
	}
	var lines []byte
	for j, i := range at {
		raw[i] = got[j]
		k.known[keys[i]] = got[j]
		line, err := json.Marshal(answered{keys[i], got[j]})
		if err != nil {
			return err
		}
		lines = append(append(lines, line...), '\n')
	}
	_, err = k.file.Write(lines)
	return err
}

// close ends Spark, if it runs.
func (k *kept) close() error {
	err := k.file.Close()
	if k.spark != nil {
		err = errors.Join(err, k.spark.stop())
	}
	return err
}
