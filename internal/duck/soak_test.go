package duck

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/internal/duck/kernel"
)

// With a collection at every allocation, memory that one side believes to be
// alive and the other does not shows soon. MARISMA_SOAK sets the time.
func TestSoak(t *testing.T) {
	length := 2 * time.Second
	if s := os.Getenv("MARISMA_SOAK"); s != "" {
		var err error
		if length, err = time.ParseDuration(s); err != nil {
			t.Fatal(err)
		}
	}
	defer debug.SetGCPercent(debug.SetGCPercent(1))
	p := open(t, Config{Instances: 2, Threads: 2})
	end := time.Now().Add(length)
	var wg sync.WaitGroup
	var mu sync.Mutex
	count := map[string]int{}
	for g := range 3 {
		wg.Go(func() {
			r := rand.New(rand.NewPCG(uint64(g), 7))
			for time.Now().Before(end) {
				what := soakOnce(t, p, r)
				mu.Lock()
				count[what]++
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	t.Log(count)
	if count["right"] == 0 || count["failed"] == 0 || count["cancelled"] == 0 {
		t.Errorf("not all ways were taken: %v", count)
	}
}

func soakOnce(t *testing.T, p *Pool, r *rand.Rand) string {
	c, err := p.Get(t.Context())
	if err != nil {
		t.Error(err)
		return "error"
	}
	defer c.Put()
	mem := memory.Allocator(memory.DefaultAllocator)
	if r.IntN(2) == 0 {
		mem = Allocator()
	}
	b := randomBatch(t, mem, r.Uint64(), 3000)
	defer b.Release()
	s := b.NewSlice(int64(r.IntN(100)), 3000)
	defer s.Release()
	if err := c.Register(kernel.Spec{Name: "tj", Kind: "to_json", Args: []string{"STRUCT(a STRUCT(f0 STRUCT(f0 VARCHAR), f1 INTEGER[]), b VARCHAR)"}, Return: "VARCHAR"}); err != nil {
		t.Error(err)
	}
	if err := c.Register(kernel.Spec{Name: "fj", Kind: "from_json", Args: []string{"VARCHAR"}, Return: "STRUCT(f0 STRUCT(f0 VARCHAR), f1 INTEGER[])",
		Params: []byte(`{"schema":{"type":"struct","fields":[{"name":"f0","type":{"type":"struct","fields":[{"name":"f0","type":"string"}]}},{"name":"f1","type":{"type":"array","elementType":"integer"}}]}}`)}); err != nil {
		t.Error(err)
	}
	if err := c.Register(kernel.Spec{Name: "json_a", Kind: "to_json", Args: []string{"STRUCT(f0 STRUCT(f0 VARCHAR), f1 INTEGER[])"}, Return: "VARCHAR"}); err != nil {
		t.Error(err)
	}
	if err := c.Register(kernel.Spec{Name: "rr", Kind: "regexp_replace", Args: []string{"VARCHAR", "VARCHAR"}, Return: "VARCHAR", Params: []byte(`{"pattern":"(?<=x)ä"}`)}); err != nil {
		t.Error(err)
	}
	src := Batches(s.Schema(), []arrow.RecordBatch{s, s})
	mine := errors.New("planned")
	kind := []string{"right", "failed", "cancelled"}[r.IntN(3)]
	if kind == "failed" {
		src = &failing{src, r.IntN(2), mine}
	}
	from, _, err := c.Bind(src)
	if err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	// What to_json writes, from_json reads: a row that differs makes the query fail.
	sql := "SELECT *, tj({'a': c20, 'b': 'a constant text'}) j, rr(c7, '<$0>') r, " +
		"CASE WHEN tj({'a': fj(json_a(c20)), 'b': NULL}) <> tj({'a': c20, 'b': NULL}) THEN error('MARISMA:[DIFFERS] ' || tj({'a': c20, 'b': NULL})) END d FROM " + from
	if kind == "cancelled" {
		sql = "SELECT sum(length(tj({'a': a.c20, 'b': b.c7}))) FROM " + from + " a, " + from + " b"
		time.AfterFunc(time.Duration(r.IntN(20))*time.Millisecond, func() { cancel(mine) })
	}
	n, err := countRows(ctx, t, c, sql)
	switch {
	case kind == "right" && (err != nil || n != 2*s.NumRows()):
		t.Errorf("%d rows, %v", n, err)
	case kind != "right" && !errors.Is(err, mine):
		t.Errorf("%s: %v", kind, err)
	}
	return kind
}

func countRows(ctx context.Context, t *testing.T, c *Conn, sql string) (n int64, err error) {
	r, err := c.Query(ctx, sql)
	if err != nil {
		return 0, err
	}
	defer r.Close()
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return n, nil
		}
		if err != nil {
			return n, err
		}
		n += rec.NumRows()
		last := rec.NewSlice(rec.NumRows()-1, rec.NumRows())
		if s := values(t, last); !strings.Contains(s[0], "a constant text") {
			t.Errorf("%s", s[0])
		}
		last.Release()
		rec.Release()
	}
}
