package pipeline

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func node0(t *testing.T, p *Pipeline, name string) Node {
	t.Helper()
	for _, n := range p.Status().Nodes {
		if n.Name == name {
			return n
		}
	}
	t.Fatalf("no node %s", name)
	return Node{}
}

func TestFailUpdateHoldsTheBatchAndTheOthersGoOn(t *testing.T) {
	r := newRig(t, t.TempDir())
	strict := `CREATE OR REFRESH STREAMING TABLE strict (CONSTRAINT pos EXPECT (v >= 0) ON VIOLATION FAIL UPDATE)
	AS SELECT device, from_json(CAST(body AS STRING), 'v INT').v AS v FROM STREAM(bronze);`
	p, stop := r.start(small(bronzeSQL, silverSQL, strict))
	ctx := context.Background()
	r.send(0, "d", `{"v":1}`)
	if err := p.Update(ctx); err != nil {
		t.Fatal(err)
	}
	r.send(0, "d", `{"v":2}`, `{"v":-1}`)
	for range 2 {
		err := p.Update(ctx)
		if err == nil || !strings.Contains(err.Error(), "EXPECTATION_VIOLATION") || !strings.Contains(err.Error(), "src/c.sql:1:") {
			t.Fatalf("%v", err)
		}
	}
	r.same("strict", r.ask("SELECT v FROM strict"), "1")
	r.same("silver", r.ask("SELECT v FROM silver"), "1", "2", "-1")
	if n := node0(t, p, "strict"); n.State != "FAILED" || !strings.Contains(n.Error, "pos") || n.Expectations[0].Failed != 0 {
		t.Errorf("%+v", n)
	}
	stop()
	// The rule is mended: the same rows land.
	p, stop = r.start(small(bronzeSQL, silverSQL, strings.Replace(strict, "v >= 0", "v >= -1", 1)))
	defer stop()
	if err := p.Update(ctx); err != nil {
		t.Fatal(err)
	}
	r.same("strict, mended", r.ask("SELECT v FROM strict"), "1", "2", "-1")
}

func TestRowErrorStopsOneFlowOnly(t *testing.T) {
	r := newRig(t, t.TempDir())
	bad := `CREATE OR REFRESH STREAMING TABLE bad AS SELECT CAST(CAST(body AS STRING) AS INT) AS n FROM STREAM(bronze);
	CREATE OR REFRESH MATERIALIZED VIEW below AS SELECT count(*) AS n FROM bad;`
	p, stop := r.start(small(bronzeSQL, silverSQL, bad))
	defer stop()
	r.send(0, "d", `{"v":2}`)
	err := p.Update(context.Background())
	if err == nil || !strings.Contains(err.Error(), "src/c.sql:1:49: [CAST_INVALID_INPUT]") || !strings.Contains(err.Error(), "c.s.below was left out") {
		t.Errorf("%v", err)
	}
	r.same("silver", r.ask("SELECT v FROM silver"), "2")
	r.same("bad", r.ask("SELECT n FROM bad"))
}

func TestFilesAreReadAgainWhenTheyChange(t *testing.T) {
	r := newRig(t, t.TempDir())
	file := filepath.Join(t.TempDir(), "m.csv")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("id,w\na,1\nb,2\n")
	b := small(`CREATE OR REFRESH MATERIALIZED VIEW m AS SELECT id, w FROM read_files('` + file + `', format => 'csv', header => true, schema => 'id STRING, w INT');
	CREATE OR REFRESH MATERIALIZED VIEW twice AS SELECT x.id, x.w + y.w AS w FROM m x JOIN m y ON x.id = y.id;`)
	p, stop := r.start(b)
	defer stop()
	ctx := context.Background()
	for i, c := range []struct {
		text string
		want []string
		m    int64 // version of m afterwards
	}{
		{"id,w\na,1\nb,2\n", []string{"a|2", "b|4"}, 1},
		{"id,w\nb,2\na,1\n\n", []string{"a|2", "b|4"}, 1}, // another text, the same rows
		{"id,w\na,1\nb,\n", []string{"a|2", "b|NULL"}, 2},
	} {
		write(c.text)
		at := time.Now().Add(time.Duration(i+1) * time.Second)
		if err := os.Chtimes(file, at, at); err != nil {
			t.Fatal(err)
		}
		if err := p.Update(ctx); err != nil {
			t.Fatal(err)
		}
		r.same("twice", r.ask("SELECT * FROM twice"), c.want...)
		if n := node0(t, p, "m"); n.Version != c.m {
			t.Errorf("%d: m is at version %d", i, n.Version)
		}
	}
}

func TestResetOfAnInputIsToldToItsReaders(t *testing.T) {
	r := newRig(t, t.TempDir())
	p, stop := r.start(small(bronzeSQL, silverSQL))
	defer stop()
	ctx := context.Background()
	r.send(0, "d", `{"v":2}`)
	if err := p.Update(ctx); err != nil {
		t.Fatal(err)
	}
	if err := p.Reset(ctx, []string{"bronze"}); err != nil {
		t.Fatal(err)
	}
	if err := p.Update(ctx); err == nil || !strings.Contains(err.Error(), "reset the table that reads it") {
		t.Errorf("%v", err)
	}
	if err := p.Reset(ctx, []string{"c.s.silver"}); err != nil {
		t.Fatal(err)
	}
	if err := p.Update(ctx); err != nil {
		t.Fatal(err)
	}
	r.same("silver", r.ask("SELECT v FROM silver"), "2")
	if err := p.Reset(ctx, []string{"nothing"}); err == nil {
		t.Error("a table that is not there was reset")
	}
}

func TestChangedTypeIsRefused(t *testing.T) {
	r := newRig(t, t.TempDir())
	_, stop := r.start(small(bronzeSQL))
	stop()
	changed := strings.Replace(bronzeSQL, "CAST(key AS STRING) AS device", "offset AS device", 1)
	_, err := Load(context.Background(), r.config(small(changed)))
	if err == nil || !strings.Contains(err.Error(), "DELTA_SCHEMA_CHANGED") || !strings.Contains(err.Error(), "src/a.sql:2:1") {
		t.Errorf("%v", err)
	}
}

func TestContinuousFollowsItsInputs(t *testing.T) {
	r := newRig(t, t.TempDir())
	b := small(bronzeSQL, silverSQL, goldSQL)
	b.Continuous = true
	p, stop := r.start(b)
	defer stop()
	for i := range 5 {
		r.send(0, "d", `{"v":2}`)
		waitFor(t, "gold", func() bool {
			got := r.ask("SELECT n FROM gold")
			return len(got) == 1 && got[0] == string(rune('1'+i))
		})
	}
	if err := p.Stop(context.Background()); err != nil {
		t.Fatal(err)
	}
	r.send(0, "d", `{"v":2}`)
	time.Sleep(100 * time.Millisecond)
	if n := node0(t, p, "gold"); n.RowsOut != 1 {
		t.Errorf("a view counts its last result: %+v", n)
	}
	if n := node0(t, p, "bronze"); n.RowsIn != 5 || p.Status().State != StateStopped {
		t.Errorf("after Stop: %+v", n)
	}
	if err := p.Update(context.Background()); err != nil {
		t.Fatal(err)
	}
	r.same("gold", r.ask("SELECT n FROM gold"), "6")
	r.send(0, "d", `{"v":2}`)
	waitFor(t, "gold after Update", func() bool { return r.ask("SELECT n FROM gold")[0] == "7" })
}

func TestStreamWaitsForTheViewsItJoins(t *testing.T) {
	r := newRig(t, t.TempDir())
	file := filepath.Join(t.TempDir(), "m.csv")
	b := small(bronzeSQL, `CREATE OR REFRESH MATERIALIZED VIEW m AS SELECT id, w FROM read_files('`+file+`', format => 'csv', schema => 'id STRING, w INT');
	CREATE OR REFRESH STREAMING TABLE joined AS SELECT b.device, m.w FROM STREAM(bronze) b LEFT JOIN m ON m.id = b.device;`)
	b.Continuous = true
	r.send(0, "d", `{}`)
	p, stop := r.start(b)
	defer stop()
	waitFor(t, "bronze", func() bool { return node0(t, p, "bronze").RowsOut == 1 })
	waitFor(t, "failure of m", func() bool { return node0(t, p, "m").State == "FAILED" })
	if n := node0(t, p, "joined"); n.Batch != 0 {
		t.Fatalf("joined with nothing: %+v", n)
	}
	if err := os.WriteFile(file, []byte("d,9\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	waitFor(t, "the joined row", func() bool { return node0(t, p, "joined").RowsOut == 1 })
	r.same("joined", r.ask("SELECT device, w FROM joined"), "d|9")
}

// VARIANT columns go through streaming tables, views and the quarantine.
func TestVariantsInPipelines(t *testing.T) {
	r := newRig(t, t.TempDir())
	p, stop := r.start(small(bronzeSQL, `CREATE OR REFRESH STREAMING TABLE raw (CONSTRAINT known EXPECT (j:v IS NOT NULL) ON VIOLATION DROP ROW)
		AS SELECT device, try_parse_json(CAST(body AS STRING)) AS j, array(parse_json('null'), NULL) AS l FROM STREAM(bronze);
		CREATE OR REFRESH STREAMING TABLE flat AS SELECT device, j:v::int AS v FROM STREAM(raw);
		CREATE OR REFRESH MATERIALIZED VIEW last AS SELECT device, max_by(j, j:v::int) AS j FROM raw GROUP BY device;`))
	defer stop()
	ctx := context.Background()
	for _, body := range [][]string{{`{"v":1,"x":[true]}`, `{"w":1}`, `no json`}, {`{"v":2}`}} {
		r.send(0, "d", body...)
		if err := p.Update(ctx); err != nil {
			t.Fatal(err)
		}
	}
	r.same("raw", r.ask("SELECT j, l, is_variant_null(l[0]), l[1] IS NULL FROM raw"), `{"v":1,"x":[true]}|["null",null]|true|true`, `{"v":2}|["null",null]|true|true`)
	r.same("flat", r.ask("SELECT device, v FROM flat"), "d|1", "d|2")
	r.same("last", r.ask("SELECT device, j FROM last"), `d|{"v":2}`)
}
