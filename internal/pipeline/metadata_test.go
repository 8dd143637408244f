package pipeline

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/marisma/marisma/internal/query"
)

// The files that read_files reads and those of tables tell of themselves.
func TestRowsKnowTheirFiles(t *testing.T) {
	r := newRig(t, t.TempDir())
	dir := filepath.Join(t.TempDir(), "in 1")
	if err := os.Mkdir(dir, 0o750); err != nil {
		t.Fatal(err)
	}
	at := time.Date(2024, 5, 6, 7, 8, 9, 0, time.UTC)
	for name, text := range map[string]string{"a.csv": "1\n2\n", "b ü.csv": "3\n"} {
		f := filepath.Join(dir, name)
		if err := os.WriteFile(f, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(f, at, at); err != nil {
			t.Fatal(err)
		}
	}
	files := "read_files('" + dir + "', format => 'csv', schema => 'id INT')"
	p, stop := r.start(small(bronzeSQL, `
	CREATE OR REFRESH MATERIALIZED VIEW m AS SELECT *, _metadata.file_path AS p, _metadata.file_name AS n, _metadata.file_size AS s, _metadata.file_modification_time AS t,
		_metadata.file_block_start + _metadata.file_block_length AS e, input_file_name() AS i FROM `+files+`;
	CREATE OR REFRESH MATERIALIZED VIEW w AS SELECT m.file_name AS n, count(*) AS c FROM (SELECT _metadata AS m FROM `+files+` WHERE id < 9) GROUP BY m.file_name;
	CREATE OR REFRESH STREAMING TABLE s AS SELECT device, _metadata.file_path LIKE 'file:/%.parquet' AS f FROM STREAM(bronze);
	CREATE OR REFRESH MATERIALIZED VIEW v AS SELECT count(DISTINCT _metadata.file_name) AS f, bool_and(_metadata.file_size > 0) AS g FROM bronze;`))
	defer stop()
	r.send(0, "d", `{}`)
	if err := p.Update(context.Background()); err != nil {
		t.Fatal(err)
	}
	if err := p.Update(context.Background()); err != nil {
		t.Fatal(err)
	}
	a, b := query.FileURI(filepath.Join(dir, "a.csv")), query.FileURI(filepath.Join(dir, "b ü.csv"))
	r.same("m", r.ask("SELECT id, p, n, s, CAST(t AS STRING), e, i FROM m"), "1|"+a+"|a.csv|4|2024-05-06 07:08:09|4|"+a, "2|"+a+"|a.csv|4|2024-05-06 07:08:09|4|"+a,
		"3|"+b+"|b%20ü.csv|2|2024-05-06 07:08:09|2|"+b)
	r.same("w", r.ask("SELECT * FROM w"), "a.csv|2", "b%20ü.csv|1")
	r.same("s", r.ask("SELECT * FROM s"), "d|true")
	r.same("v", r.ask("SELECT * FROM v"), "1|true")
}
