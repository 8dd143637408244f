package query_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The same statements give the same rows, whether files are written anew as a
// whole, with rows changed in their places, or lose rows by deletion vectors.
func TestChangesDoNotDependOnHowTheyAreWritten(t *testing.T) {
	tables := map[string]string{
		"plain":       "TBLPROPERTIES ('a' = 'b')",
		"tracked":     "TBLPROPERTIES ('delta.enableRowTracking' = 'true')",
		"mapped":      "TBLPROPERTIES ('delta.columnMapping.mode' = 'name')",
		"fed":         "TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')",
		"vectored":    "TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')",
		"partitioned": "PARTITIONED BY (g)",
	}
	statements := []string{
		"UPDATE %s SET v = v + 1 WHERE k %% 17 = 3",
		"UPDATE %s SET s = concat(s, '!'), ok = NULL WHERE k BETWEEN 100 AND 380",
		"UPDATE %s SET g = g + 10 WHERE k %% 50 = 9",
		"DELETE FROM %s WHERE k %% 101 = 5 OR k BETWEEN 900 AND 950",
		"MERGE INTO %s t USING (SELECT id * 37 AS k, 'merged' AS s FROM range(1000)) x ON t.k = x.k WHEN MATCHED AND t.v > 3 THEN UPDATE SET s = x.s WHEN MATCHED AND t.k %% 2 = 0 THEN DELETE WHEN NOT MATCHED THEN INSERT (k, s) VALUES (x.k, x.s)",
		"MERGE INTO %s t USING (SELECT id * 1000 AS k FROM range(40)) x ON t.k = x.k WHEN MATCHED THEN DELETE",
		"MERGE INTO %s t USING (SELECT id * 999 AS k, CAST(id AS INT) AS g, 'all' AS s, 1.5D AS v, true AS ok, named_struct('a', 1, 'b', 'x') AS st FROM range(40)) x ON t.k = x.k WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *",
		"MERGE INTO %s t USING (SELECT id * 3 AS k FROM range(100)) x ON t.k = x.k WHEN MATCHED AND x.k > 30 THEN UPDATE SET v = NULL WHEN MATCHED THEN UPDATE SET st.a = -1 WHEN NOT MATCHED BY SOURCE AND t.k > 24000 THEN DELETE",
		"UPDATE %s SET st.a = 7, v = CASE WHEN v > 2 THEN v END WHERE k %% 400 < 3",
		"UPDATE %s SET ok = NOT ok", // more rows than are changed in their places
		"DELETE FROM %s WHERE g = 3",
	}
	d := newDoor(t)
	for _, nested := range []bool{false, true} {
		var want [][]string
		for _, name := range []string{"plain", "tracked", "mapped", "fed", "vectored", "partitioned"} {
			columns, struct_ := "k BIGINT NOT NULL, g INT, s STRING, v DOUBLE, ok BOOLEAN", ""
			if nested {
				columns, struct_ = columns+", st STRUCT<a INT, b STRING>", ", named_struct('a', CAST(id AS INT), 'b', 'y')"
			}
			table := fmt.Sprintf("%s_%t", name, nested)
			d.must(fmt.Sprintf("CREATE TABLE %s (%s) %s", table, columns, tables[name]))
			for from, n := 0, 20_000; from < 25_000; from, n = from+n, 2500 {
				d.must(fmt.Sprintf(`INSERT INTO %s SELECT id, CAST(id %% 5 AS INT), CASE WHEN id %% 7 > 0 THEN concat('site-', CAST(id %% 30 AS STRING)) END,
					CAST(id AS DOUBLE) / 5000, id %% 3 = 0%s FROM range(%d, %d)`, table, struct_, from, from+n))
			}
			for i, st := range statements {
				if !nested {
					st = strings.NewReplacer("WHEN MATCHED THEN UPDATE SET st.a = -1 ", "", "st.a = 7, ", "", ", named_struct('a', 1, 'b', 'x') AS st", "").Replace(st)
				}
				d.must(fmt.Sprintf(st, table))
				got := d.must("SELECT count(*), bit_xor(xxhash64(*)), sum(k), round(sum(v), 2) FROM " + table)
				if name == "plain" {
					want = append(want, got)
				} else if diff := cmp.Diff(want[i], got); diff != "" {
					t.Fatalf("%s: %s", fmt.Sprintf(st, table), diff)
				}
			}
		}
	}
}

// NULL in a column that is NOT NULL is refused where rows change in their
// places, and leaves the table as it was.
func TestNullIsRefusedInPlace(t *testing.T) {
	d := newDoor(t)
	d.must("CREATE TABLE n (k INT NOT NULL, v INT)", "INSERT INTO n SELECT CAST(id AS INT), 1 FROM range(100)")
	before := d.must("SELECT * FROM n")
	if _, err := d.run(t.Context(), "UPDATE n SET k = NULL WHERE k = 7"); err == nil || !strings.Contains(err.Error(), "DELTA_NOT_NULL_CONSTRAINT_VIOLATED") {
		t.Errorf("%v", err)
	}
	if diff := cmp.Diff(before, d.must("SELECT * FROM n")); diff != "" {
		t.Error(diff)
	}
}
