package query_test

import (
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/marisma/marisma/internal/query"
)

// atOnce gives the rows of a statement as text while others run: l.run is for
// one goroutine.
func (l *landing) atOnce(sql string) ([]string, error) {
	res, err := l.e.Run(l.t.Context(), &query.Session{Catalog: "c", Schema: "s"}, sql)
	if err != nil {
		return nil, err
	}
	defer res.Close()
	var out []string
	for {
		rec, err := res.Next(l.t.Context())
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		out = append(out, lines(rec)...)
		rec.Release()
	}
}

func TestReadersSeeAnOverwriteAsAWhole(t *testing.T) {
	for _, format := range []string{"parquet", "csv"} {
		l := newLanding(t)
		l.must("CREATE TABLE f (n INT, p INT) USING " + format + " PARTITIONED BY (p)")
		l.must("INSERT INTO f SELECT 0, id FROM range(4)")
		var readers sync.WaitGroup
		done := make(chan struct{})
		readers.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				got, err := l.atOnce("SELECT count(*), count(DISTINCT n), count(DISTINCT p) FROM f")
				if err != nil || len(got) != 1 || got[0] != "4|1|4" {
					t.Errorf("%s: %q, %v", format, got, err)
					return
				}
			}
		})
		for n := range strings.FieldsSeq("1 2 3 4 5 6 7 8 9 10 11 12") {
			if _, err := l.atOnce("INSERT OVERWRITE f SELECT " + n + ", id FROM range(4)"); err != nil {
				t.Fatal(err)
			}
		}
		close(done)
		readers.Wait()
	}
}

func TestATableOfFilesOutlivesTheProcess(t *testing.T) {
	l := newLanding(t)
	l.must("CREATE TABLE f (n INT, p STRING) USING json PARTITIONED BY (p) LOCATION '" + l.dir + "/f'")
	l.must("INSERT INTO f VALUES (1, 'a'), (2, NULL)")
	// What a write that was killed has left.
	l.put("f/_temporary/LOST/p=a/part-0.json", `{"n":99}`)
	l.put("f/p=a/.half.json", `{"n":98`)
	l.r.tabs = query.NewTables(l.r.tabs.Store())
	root, err := query.LocalRoot(l.dir)
	if err != nil {
		t.Fatal(err)
	}
	l.r.tabs.Allow(root)
	l.r.want("SELECT * FROM f", "1|a", "2|NULL")
	l.r.want("SELECT n FROM f WHERE p = 'a'", "1")
	l.must("DROP TABLE f")
	if _, err := os.Stat(filepath.Join(l.dir, "f", "p=a")); err != nil {
		t.Error("DROP TABLE has deleted the files of an external table:", err)
	}
}

func TestTablesOfFilesStayWhereStatementsMayWrite(t *testing.T) {
	l := newLanding(t)
	if _, err := l.run(t.Context(), "CREATE TABLE f (n INT) USING csv LOCATION '/etc/marisma-test'"); class(err) != "PATH_NOT_FOUND" {
		t.Error(err)
	}
	l.must("CREATE TABLE f (n INT) USING csv OPTIONS (compression 'gzip')")
	l.must("INSERT INTO f VALUES (7)")
	l.r.want("SELECT * FROM f", "7")
}
