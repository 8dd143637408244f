package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"go.uber.org/goleak"

	"github.com/marisma/marisma/internal/bundle"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/eventlog"
	"github.com/marisma/marisma/internal/fleet"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/vfs"
	"github.com/marisma/marisma/objstore"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// rig is everything that a pipeline stands on, in a folder.
type rig struct {
	t    testing.TB
	dir  string
	fs   vfs.FS
	cat  *catalog.Catalog
	tabs *query.Tables
	pool *duck.Pool
	log  *eventlog.Log
	stop []func()
}

func newRig(t testing.TB, dir string) *rig {
	t.Helper()
	ctx := context.Background()
	fs := vfs.NewOS(dir)
	r := &rig{t: t, dir: dir, fs: fs}
	var err error
	if r.cat, err = catalog.Open(ctx, filepath.Join(dir, "catalog.db")); err != nil {
		t.Fatal(err)
	}
	r.tabs = query.NewTables(objstore.LocalOn(fs, "tables"))
	if err := fs.MkdirAll("tables"); err != nil {
		t.Fatal(err)
	}
	r.pool, err = duck.Open(duck.Config{Memory: 1 << 30, Instances: 2, Threads: 1, TempDir: t.TempDir(), AllowedDirs: []string{filepath.Join(dir, "tables")}})
	if err != nil {
		t.Fatal(err)
	}
	if r.log, err = eventlog.Open(eventlog.Config{FS: fs, Dir: "log/telemetry", Partitions: 2}); err != nil {
		t.Fatal(err)
	}
	run, cancel := context.WithCancel(ctx)
	ended := make(chan struct{})
	go func() { defer close(ended); _ = r.log.Run(run) }()
	r.stop = append(r.stop, func() { cancel(); <-ended; _ = r.log.Close() }, func() { _ = r.pool.Close() }, func() { _ = r.cat.Close() })
	t.Cleanup(r.close)
	return r
}

func (r *rig) close() {
	for _, f := range r.stop {
		f()
	}
	r.stop = nil
}

func (r *rig) config(b bundle.Pipeline) Config {
	level := slog.LevelError
	if testing.Verbose() {
		level = slog.LevelInfo
	}
	return Config{
		Pipeline: b, FS: r.fs, Dir: "pipelines/" + b.Key, Catalog: r.cat, Tables: r.tabs, Pool: r.pool, Log: r.log,
		Topic: "telemetry", Version: "test", Logger: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
	}
}

// start loads and runs a pipeline; the returned function stops it.
func (r *rig) start(b bundle.Pipeline) (*Pipeline, func()) {
	r.t.Helper()
	p, err := Load(context.Background(), r.config(b))
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- p.Run(ctx) }()
	return p, func() {
		cancel()
		if err := <-ended; err != nil {
			r.t.Error(err)
		}
	}
}

// ask runs a query over the catalog and gives rows as text.
func (r *rig) ask(sql string) []string {
	r.t.Helper()
	ctx := context.Background()
	env := analyze.Env{Resolver: query.NewResolver(r.cat, r.tabs, "c", "s"), Catalog: "c", Schema: "s", Now: time.Now()}
	q, err := analyze.Query(ctx, sql, env)
	if err != nil {
		r.t.Fatalf("%s: %v", sql, err)
	}
	conn, err := r.pool.Get(ctx)
	if err != nil {
		r.t.Fatal(err)
	}
	defer conn.Put()
	rows, err := query.Run(ctx, conn, q.Plan, query.Options{Now: env.Now, ANSI: true, Inputs: query.Inputs(ctx, q.Plan, r.tabs)})
	if err != nil {
		r.t.Fatalf("%s: %v", sql, err)
	}
	defer rows.Close()
	var out []string
	for {
		rec, err := rows.Next()
		if err != nil {
			if err.Error() != "EOF" {
				r.t.Fatalf("%s: %v", sql, err)
			}
			return out
		}
		out = append(out, lines(rec)...)
		rec.Release()
	}
}

func lines(rec arrow.RecordBatch) (out []string) {
	for i := range int(rec.NumRows()) {
		var vals []string
		for _, c := range rec.Columns() {
			if c.IsNull(i) {
				vals = append(vals, "NULL")
			} else {
				vals = append(vals, c.ValueStr(i))
			}
		}
		out = append(out, strings.Clone(strings.Join(vals, "|"))) // one value alone is not copied
	}
	return out
}

func (r *rig) send(partition int, key string, bodies ...string) {
	r.t.Helper()
	recs := make([]eventlog.Record, len(bodies))
	for i, b := range bodies {
		recs[i] = eventlog.Record{
			Key: []byte(key), Value: []byte(b), Timestamp: time.Now().UnixMilli(),
			Headers: []eventlog.Header{{Key: "firmware", Value: append([]byte{0xA1, 3}, "1.2"...)}},
		}
	}
	if _, err := r.log.AppendWait(context.Background(), partition, recs); err != nil {
		r.t.Fatal(err)
	}
}

// same compares rows without order.
func (r *rig) same(what string, got []string, want ...string) {
	r.t.Helper()
	counts := map[string]int{}
	for _, g := range got {
		counts[g]++
	}
	for _, w := range want {
		counts[w]--
	}
	for line, n := range counts {
		if n != 0 {
			r.t.Errorf("%s: %+d of %q\n got  %q\n want %q", what, n, line, got, want)
			return
		}
	}
}

func small(files ...string) bundle.Pipeline {
	b := bundle.Pipeline{Key: "p", Name: "p", Catalog: "c", Schema: "s", Configuration: map[string]string{
		"hub": "localhost:9093", "pipelines.trigger.interval": "0 seconds",
	}}
	for i, f := range files {
		b.Files = append(b.Files, bundle.SourceFile{Path: fmt.Sprintf("src/%c.sql", 'a'+i), Text: f})
	}
	return b
}

const bronzeSQL = `
CREATE OR REFRESH STREAMING TABLE bronze COMMENT 'raw'
AS SELECT CAST(key AS STRING) AS device, value AS body, partition, offset, timestamp AS at
FROM STREAM read_kafka(bootstrapServers => '${hub}', subscribe => 'telemetry', startingOffsets => 'earliest');
`

const silverSQL = `
CREATE OR REFRESH STREAMING TABLE silver (
  CONSTRAINT has_value EXPECT (v IS NOT NULL) ON VIOLATION DROP ROW,
  CONSTRAINT small EXPECT (v < 100) ON VIOLATION DROP ROW,
  CONSTRAINT even EXPECT (v % 2 = 0)
) TBLPROPERTIES ('marisma.quarantine' = 'true')
AS SELECT b.device, b.r.v AS v, b.offset
FROM (SELECT *, from_json(CAST(body AS STRING), 'v INT') AS r FROM STREAM(bronze)) b;
`

const goldSQL = `
CREATE TEMPORARY VIEW big AS SELECT * FROM silver WHERE v >= 2;
CREATE OR REFRESH MATERIALIZED VIEW gold AS SELECT device, count(*) AS n, sum(v) AS total FROM big GROUP BY device;
`

func TestSmallPipelineByUpdates(t *testing.T) {
	dir := t.TempDir()
	r := newRig(t, dir)
	p, stop := r.start(small(bronzeSQL, silverSQL, goldSQL))
	ctx := context.Background()
	update := func() {
		t.Helper()
		if err := p.Update(ctx); err != nil {
			t.Fatal(err)
		}
	}
	r.send(0, "d1", `{"v":2}`, `{"v":3}`, `{"v":300}`)
	r.send(1, "d2", `not json`, `{"v":4}`, `{"v":null}`)
	update()
	r.same("silver", r.ask("SELECT device, v FROM silver"), "d1|2", "d1|3", "d2|4")
	r.same("quarantine", r.ask("SELECT device, v, array_join(_failed_expectations, '+') FROM silver_quarantine"),
		"d1|300|small", "d2|NULL|has_value+small+even", "d2|NULL|has_value+small+even")
	r.same("gold", r.ask("SELECT * FROM gold"), "d1|2|5", "d2|1|4")
	version := r.ask("SELECT count(*) FROM gold")
	update() // nothing new: nothing is committed
	st := p.Status()
	byName := map[string]Node{}
	for _, n := range st.Nodes {
		byName[n.Name] = n
	}
	if n := byName["silver"]; n.RowsIn != 6 || n.RowsOut != 3 || n.RowsQuarantine != 3 || n.Batch != 1 || n.Version != 1 {
		t.Errorf("silver: %+v", n)
	}
	if n := byName["silver"]; len(n.Expectations) != 3 || n.Expectations[1].Failed != 3 || n.Expectations[1].Action != "QUARANTINE" || n.Expectations[2].Passed != 3 {
		t.Errorf("expectations: %+v", n.Expectations)
	}
	if n := byName["gold"]; n.Version != 1 {
		t.Errorf("gold: %+v, %v", n, version)
	}
	if n := byName["bronze"]; n.RowsIn != 6 || n.RowsOut != 6 {
		t.Errorf("bronze: %+v", n)
	}
	stop()
	// A second start goes on where the first stopped, with a column more.
	r.send(0, "d1", `{"v":6}`)
	p, stop = r.start(small(bronzeSQL, strings.Replace(silverSQL, "b.offset\n", "b.offset, upper(b.device) AS big\n", 1), goldSQL))
	if err := p.Update(ctx); err != nil {
		t.Fatal(err)
	}
	r.same("silver after restart", r.ask("SELECT device, v, big FROM silver"), "d1|2|NULL", "d1|3|NULL", "d2|4|NULL", "d1|6|D1")
	r.same("gold after restart", r.ask("SELECT * FROM gold"), "d1|3|11", "d2|1|4")
	// A reset reads all again.
	if err := p.Reset(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if err := p.Update(ctx); err != nil {
		t.Fatal(err)
	}
	r.same("silver after reset", r.ask("SELECT device, v, big FROM silver"), "d1|2|D1", "d1|3|D1", "d2|4|D2", "d1|6|D1")
	stop()
	r.same("events", r.ask("SELECT DISTINCT event_type FROM event_log_p"), "create_update", "update_progress", "flow_definition", "flow_progress")
	r.same("quality", r.ask("SELECT DISTINCT get_json_object(details, '$.flow_progress.data_quality.expectations[1].name') FROM event_log_p WHERE event_type = 'flow_progress' AND level = 'METRICS' AND origin.flow_name = 'c.s.silver'"), "has_value")
}

func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if ok() {
			return
		}
	}
	t.Fatalf("%s does not come", what)
}

func TestPlantExampleRunsContinuously(t *testing.T) {
	r := newRig(t, t.TempDir())
	proj, err := bundle.Load("../../examples/plant", "", nil)
	if err != nil {
		t.Fatal(err)
	}
	b := proj.Pipelines[0]
	b.Configuration["pipelines.trigger.interval"] = "100 milliseconds"
	b.Catalog, b.Schema = "c", "s"
	p, stop := r.start(b)
	defer stop()
	m := fleet.NewMachine("press-01", 1, fleet.Dirt{}, 0)
	at := time.Now().Add(-time.Hour)
	for i := range 50 {
		body, _ := m.Message(nil, at.Add(time.Duration(i)*time.Second))
		r.send(0, "press-01", string(body))
	}
	r.send(1, "nobody", `{"ts":"2026-01-01T00:00:00Z","seq":1}`, `broken`)
	waitFor(t, "silver", func() bool { return r.ask("SELECT count(*) FROM silver_readings")[0] == "50" })
	waitFor(t, "quarantine", func() bool { return r.ask("SELECT count(*) FROM silver_readings_quarantine")[0] == "2" })
	r.same("quarantine", r.ask("SELECT device_id, corrupt IS NOT NULL FROM silver_readings_quarantine"), "nobody|false", "nobody|true")
	waitFor(t, "health", func() bool {
		got := r.ask("SELECT readings, site, health FROM gold_machine_health WHERE device_id = 'press-01'")
		return len(got) == 1 && strings.HasPrefix(got[0], "50|cadiz|")
	})
	waitFor(t, "windows", func() bool {
		got := r.ask("SELECT sum(readings) FROM gold_machine_5min")
		return len(got) == 1 && got[0] == "50"
	})
	for _, n := range p.Status().Nodes {
		if n.Error != "" {
			t.Errorf("%s: %s", n.ID, n.Error)
		}
	}
}
