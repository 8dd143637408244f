package query_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/objstore"
)

// door runs statements over a rig.
type door struct {
	t *testing.T
	r *rig
	e *query.Engine
}

func newDoor(t *testing.T) *door { return openDoor(t, newRig(t, t.TempDir())) }

func openDoor(t *testing.T, r *rig) *door {
	if err := r.cat.EnsureSchema(t.Context(), "c", "s", "me"); err != nil {
		t.Fatal(err)
	}
	return &door{t, r, query.New(query.Config{Catalog: r.cat, Tables: r.tabs, Executor: query.InProcess{Pool: r.pool}})}
}

// run gives a statement's rows in the order of their text.
func (d *door) run(ctx context.Context, sql string) ([]string, error) {
	res, err := d.e.Run(ctx, &query.Session{Catalog: "c", Schema: "s"}, sql)
	if err != nil {
		return nil, err
	}
	defer res.Close()
	var out []string
	for {
		rec, err := res.Next(ctx)
		if errors.Is(err, io.EOF) {
			slices.Sort(out)
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, lines(rec)...)
		rec.Release()
	}
}

func (d *door) must(sqls ...string) []string {
	d.t.Helper()
	var out []string
	for _, sql := range sqls {
		var err error
		if out, err = d.run(d.t.Context(), sql); err != nil {
			d.t.Fatalf("%s: %v", sql, err)
		}
	}
	return out
}

// Each of several sessions adds one to a counter many times, by UPDATE and by
// MERGE: statements that lose a race run again, and no change is lost.
func TestNoChangeIsLostAmongSessions(t *testing.T) {
	for _, props := range []string{"", " TBLPROPERTIES ('delta.enableDeletionVectors'='true', 'delta.enableChangeDataFeed'='true')"} {
		d := newDoor(t)
		d.must("CREATE TABLE n (k INT, v INT)"+props, "INSERT INTO n VALUES (1, 0), (2, 0)")
		const sessions, each = 2, 4
		var wg sync.WaitGroup
		for s := range sessions {
			wg.Go(func() {
				for i := range each {
					sql := "UPDATE n SET v = v + 1 WHERE k = 1"
					if (s+i)%2 == 0 {
						sql = "MERGE INTO n USING (SELECT 1 AS k) x ON n.k = x.k WHEN MATCHED THEN UPDATE SET v = n.v + 1"
					}
					if _, err := d.run(t.Context(), sql); err != nil {
						t.Errorf("%s: %v", sql, err)
					}
				}
			})
		}
		wg.Wait()
		if got, want := d.must("SELECT k, v FROM n"), []string{fmt.Sprintf("1|%d", sessions*each), "2|0"}; !slices.Equal(got, want) {
			t.Errorf("with%s: %v, want %v", props, got, want)
		}
	}
}

func TestStatementsLeaveTheirLineage(t *testing.T) {
	d := newDoor(t)
	d.must("CREATE TABLE a (k INT, v STRING)", "CREATE TABLE b (k INT, w STRING)",
		"CREATE TABLE t AS SELECT k, upper(v) AS v FROM a", "INSERT INTO t SELECT k, w FROM b WHERE k > 1",
		"UPDATE t SET v = 'x' WHERE k = 1", "INSERT INTO t VALUES (1, 'z')")
	row, err := d.r.cat.Table(t.Context(), "c", "s", "t")
	if err != nil {
		t.Fatal(err)
	}
	l, err := d.r.cat.Lineage(t.Context(), row.ID)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range l.Columns {
		var in []string
		for _, i := range c.Inputs {
			in = append(in, i.Source.Name+"."+i.Field+" "+i.Subtype)
		}
		got = append(got, c.Name+" = "+strings.Join(in, ", "))
	}
	want := []string{"k = c.s.a.k IDENTITY, c.s.b.k IDENTITY", "v = c.s.a.v TRANSFORMATION, c.s.b.w IDENTITY, c.s.t.k CONDITIONAL"}
	if diff := cmp.Diff(want, got); diff != "" || l.MadeBy != "statements" {
		t.Errorf("made by %s (-want +got)\n%s", l.MadeBy, diff)
	}
}

// faulty is a store whose n-th write fails, and those after it.
type faulty struct {
	objstore.Store
	left atomic.Int64 // writes that still succeed
}

var errFault = errors.New("injected")

// Put fails once its turn has come.
func (f *faulty) Put(ctx context.Context, key string, r io.Reader, opt objstore.PutOptions) (objstore.Info, error) {
	if f.left.Add(-1) < 0 {
		return objstore.Info{}, errFault
	}
	return f.Store.Put(ctx, key, r, opt)
}

// Path is where DuckDB reads a file.
func (f *faulty) Path(key string) string { return f.Store.(objstore.Pather).Path(key) }

// keys are the data files of all tables.
func (f *faulty) keys(t *testing.T) []string {
	t.Helper()
	var out []string
	for o, err := range f.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, o.Key)
	}
	return out
}

// Whichever write of a statement fails, the table is as it was, no file is
// left, and the statement works when the store does again.
func TestAStatementThatFailsLeavesNothing(t *testing.T) {
	const merge = "MERGE INTO n USING (SELECT 2 AS k UNION ALL SELECT 9) x ON n.k = x.k WHEN MATCHED THEN UPDATE SET v = n.v + 1 WHEN NOT MATCHED THEN INSERT (k, v) VALUES (x.k, 0)"
	for _, props := range []string{"", " TBLPROPERTIES ('delta.enableDeletionVectors'='true', 'delta.enableChangeDataFeed'='true')"} {
		for _, sql := range []string{"UPDATE n SET v = v + 1 WHERE k > 1", "DELETE FROM n WHERE k = 1", merge, "INSERT INTO n REPLACE WHERE k = 1 VALUES (1, 5)"} {
			r := newRig(t, t.TempDir())
			store := &faulty{Store: r.tabs.Store()}
			store.left.Store(math.MaxInt64)
			r.tabs = query.NewTables(store)
			d := openDoor(t, r)
			d.must("CREATE TABLE n (k INT, v INT)"+props, "INSERT INTO n VALUES (1, 0), (2, 0), (3, 0)")
			before, files := d.must("SELECT * FROM n"), store.keys(t)
			writes := 0
			for ; ; writes++ {
				store.left.Store(int64(writes))
				_, err := d.run(t.Context(), sql)
				store.left.Store(math.MaxInt64)
				if err == nil {
					break
				}
				if !errors.Is(err, errFault) {
					t.Fatalf("%s, write %d: %v", sql, writes, err)
				}
				if got := d.must("SELECT * FROM n"); !slices.Equal(got, before) {
					t.Errorf("%s, write %d: %v", sql, writes, got)
				}
				if got := store.keys(t); !slices.Equal(got, files) {
					t.Errorf("%s, write %d leaves %v", sql, writes, got)
				}
			}
			if got := d.must("SELECT * FROM n"); writes < 2 || slices.Equal(got, before) {
				t.Errorf("%s%s after %d writes: %v", sql, props, writes, got)
			}
		}
	}
}

// A million rows are merged with half a million within 256 MiB.
func TestMergeOfManyRowsIsBoundedInMemory(t *testing.T) {
	if testing.Short() {
		t.Skip("a million rows")
	}
	r := newRig(t, t.TempDir())
	pool, err := duck.Open(duck.Config{Memory: 256 << 20, Instances: 1, Threads: 2, TempDir: t.TempDir(), AllowedDirs: []string{filepath.Join(r.dir, "tables")}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	r.pool = pool
	d := openDoor(t, r)
	d.must("CREATE TABLE m AS SELECT id, cast(id AS STRING) AS s, id % 7 AS v FROM range(1000000)",
		"MERGE INTO m USING (SELECT id * 3 AS id, 'x' AS s FROM range(500000)) x ON m.id = x.id WHEN MATCHED THEN UPDATE SET s = x.s WHEN NOT MATCHED THEN INSERT (id, s) VALUES (x.id, x.s)")
	if got, want := d.must("SELECT count(*), count_if(s = 'x'), sum(v) FROM m"), []string{"1166666|500000|2999997"}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
