package duck

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/internal/duck/kernel"
)

func TestSandboxHolds(t *testing.T) {
	in, out := t.TempDir(), t.TempDir()
	secret := filepath.Join(out, "secret.csv")
	if err := os.WriteFile(secret, []byte("a\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(in, "t.csv"), []byte("a\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c := get(t, open(t, Config{Instances: 1, AllowedDirs: []string{in}, TempDir: t.TempDir()}))
	if err := c.Exec(t.Context(), "SELECT * FROM read_csv("+Quote(filepath.Join(in, "t.csv"))+")"); err != nil {
		t.Errorf("allowed file: %v", err)
	}
	for _, sql := range []string{
		"SELECT * FROM read_csv(" + Quote(secret) + ")",
		"SELECT * FROM read_csv(" + Quote(in+"/../"+filepath.Base(out)+"/secret.csv") + ")",
		"SELECT * FROM read_text(" + Quote(secret) + ")",
		"SELECT * FROM glob(" + Quote(out+"/*") + ")",
		"COPY (SELECT 1) TO " + Quote(filepath.Join(out, "x.csv")),
		"ATTACH " + Quote(filepath.Join(out, "x.db")) + " AS x",
		"LOAD httpfs", "INSTALL httpfs",
		"SET memory_limit = '64GB'", "SET enable_external_access = true", "SET allowed_directories = ['/']", "SET lock_configuration = false",
	} {
		if err := c.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s: no error", sql)
		}
	}
}

func TestReadOnlySandboxTakesSelectOnly(t *testing.T) {
	c := get(t, open(t, Config{Instances: 1, ReadOnlySandbox: true}))
	for _, sql := range []string{"CREATE TABLE t (a INT)", "ATTACH ':memory:' AS x", "PRAGMA enable_profiling", "CALL enable_logging()", "SET search_path = 'x'"} {
		if err := c.Exec(t.Context(), sql); err == nil {
			t.Errorf("%s: no error", sql)
		}
	}
	if err := c.Exec(t.Context(), "SELECT 1"); err != nil {
		t.Error(err)
	}
}

func TestMemoryEndsInATypedError(t *testing.T) {
	c := get(t, open(t, Config{Instances: 1, Threads: 1, Memory: 32 << 20}))
	err := c.Exec(t.Context(), "SELECT count(*) FROM (SELECT DISTINCT i::VARCHAR || 'some more text' FROM range(5000000) t(i))")
	if !errors.Is(err, ErrMemory) {
		t.Errorf("%v", err)
	}
	if err := c.Exec(t.Context(), "SELECT 1"); err != nil {
		t.Errorf("afterwards: %v", err)
	}
}

func TestQueriesSpill(t *testing.T) {
	dir := t.TempDir()
	p := open(t, Config{Instances: 1, Threads: 1, Memory: 48 << 20, TempDir: dir})
	c := get(t, p)
	if got := text(t, c, "SELECT count(*) n FROM (SELECT i FROM range(4000000) t(i) ORDER BY hash(i) LIMIT 3900000)"); got != `[{"n":3900000}]` {
		t.Error(got)
	}
	c.Put()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
		t.Errorf("left in the spill folder: %v %v", left, err)
	}
}

func TestErrorsCarrySparksClass(t *testing.T) {
	c := one(t)
	err := c.Exec(t.Context(), "SELECT error('MARISMA:[CAST_INVALID_INPUT] The value is malformed. SQLSTATE: 22018')")
	e, ok := errors.AsType[*Error](err)
	if !ok || e.Class != "CAST_INVALID_INPUT" || e.SQLState != "22018" || e.Message != "The value is malformed." {
		t.Errorf("%#v", err)
	}
	err = c.Exec(t.Context(), "SELECT nosuch FROM range(1)")
	if e, ok := errors.AsType[*Error](err); !ok || e.Kind != "Binder Error" || e.Class != "" {
		t.Errorf("%#v", err)
	}
}

func TestASourceIsScannedOnce(t *testing.T) {
	c := one(t)
	b := ints(t, Allocator(), 5000, 0)
	defer b.Release()
	from, release, err := c.Bind(&failing{Batches(b.Schema(), []arrow.RecordBatch{b}), 10, nil})
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if err := c.Exec(t.Context(), "SELECT * FROM "+from+" UNION ALL SELECT * FROM "+from); !errors.Is(err, ErrScanned) {
		t.Errorf("%v", err)
	}
}

type endless struct{ Source }

func (e *endless) Next(ctx context.Context) (arrow.RecordBatch, error) {
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

func TestCancelReachesAWaitingSource(t *testing.T) {
	c := one(t)
	b := ints(t, Allocator(), 1, 0)
	defer b.Release()
	from, release, err := c.Bind(&endless{Batches(b.Schema(), nil)})
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	mine := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	time.AfterFunc(20*time.Millisecond, func() { cancel(mine) })
	if err := c.Exec(ctx, "SELECT sum(i) FROM "+from); !errors.Is(err, mine) {
		t.Errorf("%v", err)
	}
}

func TestAReaderMayBeClosedEarly(t *testing.T) {
	c := one(t)
	r, err := c.Query(t.Context(), "SELECT * FROM range(100000000000)")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Query(t.Context(), "SELECT 1"); !errors.Is(err, ErrBusy) {
		t.Errorf("second query: %v", err)
	}
	rec, err := r.Next()
	if err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	r.Close()
	if d := time.Since(start); d > 2*time.Second {
		t.Errorf("Close took %v", d)
	}
	if rec.Column(0).Len() == 0 {
		t.Error("batch is gone")
	}
	rec.Release()
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("Next after Close: %v", err)
	}
	if got := text(t, c, "SELECT 1 x"); got != `[{"x":1}]` {
		t.Error(got)
	}
}

func TestOrderIsKept(t *testing.T) {
	c := one(t)
	var bs []arrow.RecordBatch
	for i := range 20 {
		b := ints(t, Allocator(), 5000, i*5000)
		defer b.Release()
		bs = append(bs, b)
	}
	from, release, err := c.Bind(Batches(bs[0].Schema(), bs))
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	r, err := c.Query(t.Context(), "SELECT i FROM "+from+" ORDER BY i DESC")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	next := int64(99999)
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range rec.Column(0).(interface{ Int64Values() []int64 }).Int64Values() {
			if v != next {
				t.Fatalf("got %d, want %d", v, next)
			}
			next--
		}
		rec.Release()
	}
	if next != -1 {
		t.Errorf("ended at %d", next)
	}
}

func TestDescribe(t *testing.T) {
	c := one(t)
	cols, err := c.Describe(t.Context(), "SELECT 1::BIGINT a, {'x y': [1.5]} b, now() c WHERE false")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"BIGINT", "STRUCT(\"x y\" DECIMAL(2, 1)[])", "TIMESTAMPTZ"}
	for i, w := range want {
		if !SameType(cols[i].Type, w) {
			t.Errorf("%s is %s, want %s", cols[i].Name, cols[i].Type, w)
		}
	}
	if SameType("INTEGER", "BIGINT") || SameType("STRUCT(a INT)", "STRUCT(b INT)") {
		t.Error("different types are the same")
	}
	if _, err := c.Describe(t.Context(), "SELECT 1; SELECT 2"); err == nil {
		t.Error("two statements: no error")
	}
}

func TestPoolLendsEachInstanceToOne(t *testing.T) {
	p := open(t, Config{Instances: 2})
	a, b := get(t, p), get(t, p)
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if _, err := p.Get(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("third: %v", err)
	}
	if err := a.Exec(t.Context(), "CREATE TABLE t AS SELECT 1 x"); err != nil {
		t.Fatal(err)
	}
	if err := b.Exec(t.Context(), "SELECT * FROM t"); err == nil {
		t.Error("instances share tables")
	}
	a.Put()
	a.Put()
	d := get(t, p)
	d.Put()
	b.Put()
	if err := p.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := p.Get(t.Context()); !errors.Is(err, ErrClosed) {
		t.Errorf("after Close: %v", err)
	}
}

func TestAnInstanceWithTooManyKernelsIsRenewed(t *testing.T) {
	p := open(t, Config{Instances: 1})
	c := get(t, p)
	for i := range maxKernels + 1 {
		if err := c.Register(kernel.Spec{Name: fmt.Sprintf("f%d", i), Kind: "soundex", Args: []string{"VARCHAR"}, Return: "VARCHAR"}); err != nil {
			t.Fatal(err)
		}
	}
	c.Put()
	d := get(t, p)
	if n := d.in.kernels.Len(); n != 0 {
		t.Errorf("%d kernels", n)
	}
	if err := d.Exec(t.Context(), "SELECT f1('x')"); err == nil {
		t.Error("the old instance still answers")
	}
}

func TestRegisterIsIdempotentAndStrict(t *testing.T) {
	c := one(t)
	k := kernel.Spec{Name: "f", Kind: "conv", Args: []string{"VARCHAR", "INT", "INT"}, Return: "VARCHAR"}
	for range 3 {
		if err := c.Register(k); err != nil {
			t.Fatal(err)
		}
	}
	other := k
	other.Kind = "soundex"
	for name, bad := range map[string]kernel.Spec{
		"same name": other, "unknown kind": {Name: "g", Kind: "nosuch", Return: "VARCHAR"},
		"wrong arguments": {Name: "h", Kind: "conv", Args: []string{"VARCHAR"}, Return: "VARCHAR"},
		"unknown param":   {Name: "i", Kind: "split", Args: []string{"VARCHAR"}, Return: "VARCHAR[]", Params: []byte(`{"pattern":"a","typo":1}`)},
		"bad pattern":     {Name: "j", Kind: "split", Args: []string{"VARCHAR"}, Return: "VARCHAR[]", Params: []byte(`{"pattern":"("}`)},
		"bad type":        {Name: "l", Kind: "soundex", Args: []string{"NOSUCH"}, Return: "VARCHAR"},
	} {
		if err := c.Register(bad); !errors.Is(err, kernel.ErrSpec) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestConcurrentConnections(t *testing.T) {
	p := open(t, Config{Instances: 2, Threads: 2})
	b := ints(t, Allocator(), 20000, 0)
	defer b.Release()
	var wg sync.WaitGroup
	for g := range 6 {
		wg.Go(func() {
			for range 5 {
				c, err := p.Get(t.Context())
				if err != nil {
					t.Error(err)
					return
				}
				from, _, err := c.Bind(Batches(b.Schema(), []arrow.RecordBatch{b}))
				if err != nil {
					t.Error(err)
				}
				if got := text(t, c, fmt.Sprintf("SELECT sum(i) %% 1000 + %d n FROM %s", g, from)); !strings.Contains(got, fmt.Sprintf(`"%d"`, 199990000%1000+g)) {
					t.Error(got)
				}
				c.Put()
			}
		})
	}
	wg.Wait()
}
