package duck

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction("github.com/dlclark/regexp2/v2.runClock")) // ends by itself
}

func open(t testing.TB, cfg Config) *Pool {
	t.Helper()
	p, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

func get(t testing.TB, p *Pool) *Conn {
	t.Helper()
	c, err := p.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Put)
	return c
}

// one opens a pool with one instance and takes its connection.
func one(t testing.TB) *Conn {
	return get(t, open(t, Config{Instances: 1, Threads: 2}))
}

// text is the whole result as JSON, a line a batch.
func text(t testing.TB, c *Conn, sql string) string {
	t.Helper()
	r, err := c.Query(t.Context(), sql)
	if err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
	defer r.Close()
	out := ""
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatalf("%s: %v", sql, err)
		}
		b, err := rec.MarshalJSON()
		rec.Release()
		if err != nil {
			t.Fatal(err)
		}
		out += strings.ReplaceAll(string(b), "\n", "")
	}
}

func TestQueryGivesTypedColumns(t *testing.T) {
	c := one(t)
	for _, k := range []struct{ sql, typ, want string }{
		{"SELECT 1::INTEGER x", "int32", `[{"x":1}]`},
		{"SELECT 1::TINYINT x", "int8", `[{"x":1}]`},
		{"SELECT true x", "bool", `[{"x":true}]`},
		{"SELECT 1.5::DECIMAL(3,1) x", "decimal(3, 1)", `[{"x":"1.5"}]`},
		{"SELECT -1.5::DECIMAL(9,1) x", "decimal(9, 1)", `[{"x":"-1.5"}]`},
		{"SELECT -1.5::DECIMAL(18,1) x", "decimal(18, 1)", `[{"x":"-1.5"}]`},
		{"SELECT -1.5::DECIMAL(38,1) x", "decimal(38, 1)", `[{"x":"-1.5"}]`},
		{"SELECT 'a string of more than twelve bytes' x", "utf8", `[{"x":"a string of more than twelve bytes"}]`},
		{"SELECT 'ab'::BLOB x", "binary", `[{"x":"YWI="}]`},
		{"SELECT DATE '2024-02-29' x", "date32", `[{"x":"2024-02-29"}]`},
		{"SELECT TIMESTAMP '2024-02-29 01:02:03.5' x", "timestamp[us]", `[{"x":"2024-02-29T01:02:03.5"}]`},
		{"SELECT TIMESTAMPTZ '2024-02-29 01:02:03+02' x", "timestamp[us, tz=UTC]", `[{"x":"2024-02-28T23:02:03Z"}]`},
		{"SELECT [1,2,NULL] x", "list<element: int32, nullable>", `[{"x":[1,2,null]}]`},
		{"SELECT {'a': 1, 'b': [NULL, 'x']} x", "struct<a: int32 nullable, b: list<element: utf8, nullable> nullable>", `[{"x":{"a":1,"b":[null,"x"]}}]`},
		{"SELECT MAP {'k': 1} x", "map<utf8, int32, items_nullable>", `[{"x":[{"key":"k","value":1}]}]`},
		{"SELECT NULL x", "int32", `[{"x":null}]`},
		{"SELECT sum(i)::HUGEINT x FROM range(4) t(i)", "decimal(38, 0)", `[{"x":"6"}]`},
		{"SELECT 1 x WHERE false", "int32", ``},
	} {
		r, err := c.Query(t.Context(), k.sql)
		if err != nil {
			t.Errorf("%s: %v", k.sql, err)
			continue
		}
		if got := r.Schema().Field(0).Type.String(); got != k.typ {
			t.Errorf("%s: type %s, want %s", k.sql, got, k.typ)
		}
		r.Close()
		if got := text(t, c, k.sql); got != k.want {
			t.Errorf("%s: %s, want %s", k.sql, got, k.want)
		}
	}
}

func ints(t testing.TB, mem memory.Allocator, n, from int) arrow.RecordBatch {
	t.Helper()
	s := arrow.NewSchema([]arrow.Field{{Name: "i", Type: arrow.PrimitiveTypes.Int64}, {Name: "s", Type: arrow.BinaryTypes.String, Nullable: true}}, nil)
	b := array.NewRecordBuilder(mem, s)
	defer b.Release()
	for i := range n {
		b.Field(0).(*array.Int64Builder).Append(int64(from + i))
		if (from+i)%10 == 3 {
			b.Field(1).AppendNull()
		} else {
			b.Field(1).(*array.StringBuilder).Append(fmt.Sprintf("text number %d of a table", from+i))
		}
	}
	return b.NewRecordBatch()
}

func TestScanOfBatches(t *testing.T) {
	c := one(t)
	var bs []arrow.RecordBatch
	for i := range 10 {
		b := ints(t, Allocator(), 5000, i*5000)
		defer b.Release()
		bs = append(bs, b)
	}
	from, release, err := c.Bind(Batches(bs[0].Schema(), bs))
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if got, want := text(t, c, "SELECT count(*) n FROM "+from), `[{"n":50000}`+"]"; got != want {
		t.Errorf("%q", got)
	}
	if got, want := text(t, c, "SELECT sum(i)::BIGINT n, count(s) c, max(s) m FROM "+from), `[{"c":45000,"m":"text number 9999 of a table","n":1249975000}`+"]"; got != want {
		t.Errorf("%q", got)
	}
	if got, want := text(t, c, "SELECT count(*) n FROM "+from+" a JOIN "+from+" b USING (i)"), `[{"n":50000}`+"]"; got != want {
		t.Errorf("%q", got)
	}
}

type failing struct {
	Source
	n   int
	err error
}

func (f *failing) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if f.n--; f.n < 0 {
		return nil, f.err
	}
	return f.Source.Next(ctx)
}

func TestSourceErrorReachesTheCaller(t *testing.T) {
	c := one(t)
	b := ints(t, Allocator(), 5000, 0)
	defer b.Release()
	mine := errors.New("disk on fire")
	from, release, err := c.Bind(&failing{Batches(b.Schema(), []arrow.RecordBatch{b, b, b}), 2, mine})
	if err != nil {
		t.Fatal(err)
	}
	err = c.Exec(t.Context(), "SELECT sum(i) FROM "+from)
	if !errors.Is(err, mine) {
		t.Errorf("%v", err)
	}
	if err := c.Exec(t.Context(), "SELECT nosuch"); err == nil || errors.Is(err, mine) {
		t.Errorf("the next query's error is %v", err)
	}
	release()
	release()
	if err := c.Exec(t.Context(), "SELECT 1"); err != nil {
		t.Errorf("connection is unusable: %v", err)
	}
	if err := c.Exec(t.Context(), "SELECT * FROM "+from); err == nil {
		t.Error("a released source can be read")
	}
}

func TestCancelEndsAQuery(t *testing.T) {
	c := one(t)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	err := c.Exec(ctx, "SELECT sum(a.range * b.range) FROM range(1000000) a, range(1000000) b")
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("took %v", d)
	}
}
