package corpus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"strings"
	"time"

	"github.com/marisma/marisma/internal/obs"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Limits of one case.
const (
	caseTime = 15 * time.Second
	caseRows = 200_000
	// caseRSS ends a statement, hardRSS the run: what DuckDB's own limit does
	// not count must not take the machine down.
	caseRSS = 4 << 30
	hardRSS = 8 << 30
)

// Errors that end a case.
var (
	errMemory = errors.New("corpus: the process grew beyond its memory limit")
	errRows   = errors.New("corpus: more rows than a case can have")
)

// Failure is a case that differs.
type Failure struct {
	Case Case
	Step *Step
	At   int // index of the step
	Why  string
	Got  Answer
}

// Run runs one case in a fresh session; nil when all is equal. The error is
// the lab's own.
func (l *Lab) Run(ctx context.Context, c Case) (*Failure, error) {
	sess := &query.Session{Catalog: labCatalog, Schema: labSchema, Conf: map[string]string{}}
	maps.Copy(sess.Conf, c.Conf)
	sess.Principal.Name = "corpus"
	steps := []Step{c.Step}
	if len(c.Steps) > 0 {
		sess.Schema = stepsSchema
		steps = c.Steps
	}
	var fail *Failure
	for i := range steps {
		s := &steps[i]
		got := l.step(ctx, sess, s)
		if why := s.compare(&got); why != "" {
			fail = &Failure{Case: c, Step: s, At: i, Why: why, Got: got}
			break
		}
	}
	return fail, l.clean(ctx)
}

// step runs one statement; panics are answers too.
func (l *Lab) step(ctx context.Context, sess *query.Session, s *Step) (out Answer) {
	defer func() {
		if r := recover(); r != nil {
			out = Answer{Err: fmt.Errorf("PANIC: %v", r)}
		}
		if e, ok := errors.AsType[*sparksql.Error](out.Err); ok {
			out.Class, out.SQLState = e.Class, e.SQLState
		}
	}()
	ctx, stop := watch(ctx)
	defer stop()
	settings := maps.Clone(sess.Conf)
	maps.Copy(settings, s.Conf)
	sess.Conf = settings
	args, err := s.args()
	if err != nil {
		return Answer{Err: err}
	}
	res, err := l.engine.RunWith(ctx, sess, strings.ReplaceAll(s.SQL, pathsMask, filepath.Join(l.dir, pathsFolder)), args)
	if err != nil {
		return Answer{Err: err}
	}
	defer res.Close()
	for _, c := range res.Columns {
		t := c.Type
		if _, ok := t.(types.Char); ok {
			t = types.String // as Spark shows it
		}
		out.Names, out.Types = append(out.Names, c.Name), append(out.Types, t)
	}
	out.Rows, out.Err = rows(ctx, res, out.Types)
	return out
}

func rows(ctx context.Context, res *query.Result, ts []types.Type) ([][]any, error) {
	var out [][]any
	for {
		rec, err := res.Next(ctx)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if int(rec.NumCols()) < len(ts) || len(out)+int(rec.NumRows()) > caseRows {
			rec.Release()
			return nil, errRows
		}
		for i := range int(rec.NumRows()) {
			row := make([]any, len(ts))
			for c := range row {
				if ts[c] == types.Void {
					continue
				}
				if row[c], err = value(rec.Column(c), i, ts[c]); err != nil {
					rec.Release()
					return nil, err
				}
			}
			out = append(out, row)
		}
		rec.Release()
	}
}

// watch bounds the time of a statement and watches the process' memory.
func watch(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithTimeout(ctx, caseTime)
	ctx, fail := context.WithCancelCause(ctx)
	done := make(chan struct{})
	go func() {
		t := time.NewTicker(50 * time.Millisecond)
		defer t.Stop()
		for {
			select {
			case <-done:
				return
			case <-t.C:
				switch rss := obs.RSS(); {
				case rss > hardRSS:
					panic(errMemory) // ends the process: nothing else would stop it
				case rss > caseRSS:
					fail(errMemory)
				}
			}
		}
	}()
	return ctx, func() {
		close(done)
		fail(nil)
		cancel()
	}
}
