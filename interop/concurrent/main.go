package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/interop/place"
)

// perCommit is how many rows a writer appends, and how many a round merges.
const perCommit = 20

// mergedName is the writer of the rows that are merged.
const mergedName = "merged"

var schema = arrow.NewSchema([]arrow.Field{
	{Name: "writer", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "n", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "rounds", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
}, nil)

func rows(writer string, from int) arrow.RecordBatch {
	b := array.NewRecordBuilder(memory.DefaultAllocator, schema)
	defer b.Release()
	for i := range perCommit {
		b.Field(0).(*array.StringBuilder).Append(writer)
		b.Field(1).(*array.Int64Builder).Append(int64(from + i))
		b.Field(2).(*array.Int64Builder).Append(1)
	}
	return b.NewRecordBatch()
}

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) < 2 {
		return errors.New("usage: concurrent make|write|count ADDRESS [flags]")
	}
	verb, address := args[0], args[1]
	if verb == "make" {
		if err := place.Make(ctx, address); err != nil {
			return err
		}
	}
	store, err := place.Open(ctx, address)
	if err != nil {
		return err
	}
	switch verb {
	case "make":
		_, err := delta.Create(ctx, store, "", schema)
		return err
	case "count":
		t, err := delta.Open(ctx, store, "")
		if err != nil {
			return err
		}
		return count(ctx, t)
	case "write":
		return write(ctx, args[2:], func(opts ...delta.Option) (*delta.Table, error) { return delta.Open(ctx, store, "", opts...) })
	}
	return fmt.Errorf("no verb %q", verb)
}

// outcome is what a writing process tells.
type outcome struct {
	Commits   int     `json:"commits"`
	Merges    int     `json:"merges"`
	Optimizes int     `json:"optimizes"`
	Conflicts int     `json:"conflicts"` // of MERGE and OPTIMIZE, which were tried again
	Seconds   float64 `json:"seconds"`
}

func write(ctx context.Context, args []string, open func(...delta.Option) (*delta.Table, error)) error {
	flags := flag.NewFlagSet("write", flag.ContinueOnError)
	first := flags.Int("first", 0, "number of the first writer")
	writers := flags.Int("writers", 1, "how many append at a time")
	commits := flags.Int("commits", 8, "how often each appends")
	merges := flags.Int("merges", 0, "rounds of MERGE")
	optimize := flags.Bool("optimize", false, "compact meanwhile")
	if err := flags.Parse(args); err != nil {
		return err
	}
	begun := time.Now()
	w := &work{out: outcome{Commits: *writers * *commits, Merges: *merges}}
	var appends, all sync.WaitGroup
	for i := range *writers {
		appends.Go(func() { w.did(appendRows(ctx, open, fmt.Sprintf("here %d", *first+i), *commits)) })
	}
	if *merges > 0 {
		appends.Go(func() { w.did(w.merge(ctx, open, *merges)) })
	}
	done := make(chan struct{})
	if *optimize {
		all.Go(func() { w.did(w.optimize(ctx, open, done)) })
	}
	appends.Wait()
	close(done)
	all.Wait()
	w.out.Seconds = time.Since(begun).Seconds()
	return errors.Join(w.err, json.NewEncoder(os.Stdout).Encode(w.out))
}

// work gathers what the goroutines of a process did.
type work struct {
	mu  sync.Mutex
	out outcome
	err error
}

func (w *work) did(err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.err = errors.Join(w.err, err)
}

// again tells that a conflict is to be tried again.
func (w *work) again(err error) bool {
	if !errors.Is(err, delta.ErrConflict) {
		return false
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.out.Conflicts++
	return true
}

// appendRows is one writer with a handle of its own.
func appendRows(ctx context.Context, open func(...delta.Option) (*delta.Table, error), name string, commits int) error {
	t, err := open()
	if err != nil {
		return err
	}
	for i := range commits {
		rec := rows(name, i*perCommit)
		_, err := t.Append(ctx, delta.Batches(rec), delta.WithTxn(name, int64(i)))
		rec.Release()
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

func (w *work) merge(ctx context.Context, open func(...delta.Option) (*delta.Table, error), rounds int) error {
	temp, err := os.MkdirTemp("", "concurrent-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(temp) }()
	pool, err := duck.Open(duck.Config{Memory: 256 << 20, Instances: 1, Threads: 1, TempDir: temp})
	if err != nil {
		return err
	}
	defer func() { _ = pool.Close() }()
	t, err := open(delta.WithRowEngine(&query.RowEngine{Pool: pool}))
	if err != nil {
		return err
	}
	rec := rows(mergedName, 0)
	defer rec.Release()
	for i := 0; i < rounds; {
		_, err := t.Merge(ctx, delta.SourceOf(schema, rec), "target.writer = source.writer AND target.n = source.n",
			delta.WhenMatchedUpdate("", map[string]string{"rounds": "target.rounds + 1"}), delta.WhenNotMatchedInsertAll(""))
		switch {
		case err == nil:
			i++
		case !w.again(err):
			return fmt.Errorf("MERGE: %w", err)
		}
	}
	return nil
}

func (w *work) optimize(ctx context.Context, open func(...delta.Option) (*delta.Table, error), done <-chan struct{}) error {
	t, err := open()
	if err != nil {
		return err
	}
	for last := false; !last; {
		select {
		case <-done:
			last = true // once more, over all files
		case <-time.After(100 * time.Millisecond):
		}
		_, err := t.Compact(ctx, delta.CompactOptions{MinFiles: 2})
		switch {
		case err == nil:
			w.mu.Lock()
			w.out.Optimizes++
			w.mu.Unlock()
		case w.again(err):
			last = false
		default:
			return fmt.Errorf("OPTIMIZE: %w", err)
		}
	}
	return nil
}

// count tells of each writer how many rows it has, how many of them are there
// more than once, and the sum of their rounds; and checks that no version lacks.
func count(ctx context.Context, t *delta.Table) error {
	s, err := t.Snapshot(ctx)
	if err != nil {
		return err
	}
	type tally struct {
		Rows    int   `json:"rows"`
		Doubled int   `json:"doubled"`
		Rounds  int64 `json:"rounds"`
	}
	tallies, seen := map[string]*tally{}, map[string]bool{}
	for rec, err := range s.Read(ctx, nil) {
		if err != nil {
			return err
		}
		writer, n, rounds := rec.Column(0).(*array.String), rec.Column(1).(*array.Int64), rec.Column(2).(*array.Int64)
		for i := range int(rec.NumRows()) {
			name := strings.Clone(writer.Value(i))
			c := tallies[name]
			if c == nil {
				c = &tally{}
				tallies[name] = c
			}
			key := fmt.Sprint(name, "/", n.Value(i))
			if seen[key] {
				c.Doubled++
			}
			seen[key] = true
			c.Rows++
			c.Rounds += rounds.Value(i)
		}
		rec.Release()
	}
	versions := int64(0)
	for c, err := range t.Changes(ctx, -1) {
		if err != nil {
			return err
		}
		if c.Version != versions {
			return fmt.Errorf("version %d follows %d", c.Version, versions-1)
		}
		versions++
	}
	if versions != s.Version()+1 {
		return fmt.Errorf("%d versions up to %d", versions, s.Version())
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]any{"version": s.Version(), "files": s.NumFiles(), "writers": tallies})
}
