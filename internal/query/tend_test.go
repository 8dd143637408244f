package query_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/marisma/marisma/internal/query"
)

// A table that statements make and change gets checkpoints as its property says.
func TestStatementsWriteCheckpoints(t *testing.T) {
	r := newRig(t, t.TempDir())
	if err := r.cat.EnsureSchema(t.Context(), "c", "s", "me"); err != nil {
		t.Fatal(err)
	}
	root, err := query.LocalRoot(filepath.Join(r.dir, "tables"))
	if err != nil {
		t.Fatal(err)
	}
	r.tabs.Allow(root)
	e := query.New(query.Config{Catalog: r.cat, Tables: r.tabs, Executor: query.InProcess{Pool: r.pool}})
	sess := &query.Session{Catalog: "c", Schema: "s"}
	at := filepath.Join(r.dir, "tables", "outer")
	run := func(text string) {
		t.Helper()
		res, err := e.Run(t.Context(), sess, text)
		if err != nil {
			t.Fatal(err)
		}
		res.Close()
	}
	run(fmt.Sprintf("CREATE TABLE t (id INT) USING delta TBLPROPERTIES ('delta.checkpointInterval' = '3') LOCATION '%s'", at))
	for i := range 7 {
		run(fmt.Sprintf("INSERT INTO t VALUES (%d)", i))
	}
	for _, v := range []int{3, 6} {
		if _, err := os.Stat(filepath.Join(at, "_delta_log", fmt.Sprintf("%020d.checkpoint.parquet", v))); err != nil {
			t.Errorf("version %d has no checkpoint: %v", v, err)
		}
	}
	run("DROP TABLE t")
	if _, err := os.Stat(at); err != nil {
		t.Errorf("the files of an external table went with its name: %v", err)
	}
}

// Statements merge the small files of tables that ask for it.
func TestSmallFilesAreMergedAfterStatements(t *testing.T) {
	d := newDoor(t)
	d.must("CREATE TABLE t (id INT) TBLPROPERTIES ('delta.autoOptimize.autoCompact' = 'true')")
	for i := range 50 {
		d.must(fmt.Sprintf("INSERT INTO t VALUES (%d)", i))
	}
	if got := d.must("SELECT count(*), count(DISTINCT id) FROM t"); got[0] != "50|50" {
		t.Error(got)
	}
	if got := d.must("DESCRIBE HISTORY t LIMIT 1"); !strings.Contains(got[0], "|OPTIMIZE|") {
		t.Error(got)
	}
}
