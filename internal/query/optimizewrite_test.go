package query_test

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/sparksql"
)

// Statements that write many batches over many partitions make a file for each
// partition where the table or the session asks for it, and changes of rows do so
// anyway.
func TestOptimisedWritesOfStatements(t *testing.T) {
	const rows = "SELECT id, id % 100 AS p FROM range(300000)"
	const property = "TBLPROPERTIES ('delta.autoOptimize.optimizeWrite' = 'true')"
	d := newDoor(t)
	files := func(table string) int {
		t.Helper()
		n, err := strconv.Atoi(d.must("SELECT count(DISTINCT _metadata.file_path) FROM " + table)[0])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for i, c := range []struct {
		before, write, session string
		gathered               bool
	}{
		{"CREATE TABLE %s (id BIGINT, p BIGINT) PARTITIONED BY (p)", "INSERT INTO %s " + rows, "", false},
		{"CREATE TABLE %s (id BIGINT, p BIGINT) PARTITIONED BY (p) " + property, "INSERT INTO %s " + rows, "", true},
		{"CREATE TABLE %s (id BIGINT, p BIGINT) PARTITIONED BY (p) " + property, "INSERT OVERWRITE %s " + rows, "", true},
		{"", "CREATE TABLE %s PARTITIONED BY (p) " + property + " AS " + rows, "", true},
		{"", "CREATE TABLE %s PARTITIONED BY (p) AS " + rows, "", false},
		{"", "CREATE TABLE %s PARTITIONED BY (p) AS " + rows, "true", true},
		{"", "CREATE TABLE %s PARTITIONED BY (p) " + property + " AS " + rows, "false", false},
		{
			"CREATE TABLE %s (id BIGINT, p BIGINT) PARTITIONED BY (p)",
			"MERGE INTO %s t USING (" + rows + ") s ON t.id = s.id WHEN NOT MATCHED THEN INSERT *", "", true,
		},
		{
			"CREATE TABLE %s (id BIGINT, p BIGINT) PARTITIONED BY (p) TBLPROPERTIES ('delta.autoOptimize.optimizeWrite' = 'false')",
			"MERGE INTO %s t USING (" + rows + ") s ON t.id = s.id WHEN NOT MATCHED THEN INSERT *", "", false,
		},
	} {
		table := fmt.Sprint("t", i)
		sess := &query.Session{Catalog: "c", Schema: "s", Conf: map[string]string{}}
		if c.session != "" {
			sess.Conf["spark.databricks.delta.optimizeWrite.enabled"] = c.session
		}
		for _, sql := range []string{c.before, c.write} {
			if sql == "" {
				continue
			}
			res, err := d.e.Run(t.Context(), sess, strings.Replace(sql, "%s", table, 1))
			if err != nil {
				t.Fatal(err)
			}
			res.Close()
		}
		if n := files(table); (n == 100) != c.gathered {
			t.Errorf("%s: %d files", c.write, n)
		}
		if got := d.must("SELECT count(*), count(DISTINCT id), sum(p) FROM " + table); got[0] != "300000|300000|14850000" {
			t.Errorf("%s: %s", c.write, got)
		}
	}
}

// What sets optimised writes and sizes of files is checked.
func TestSettingsOfTheLayoutAreChecked(t *testing.T) {
	d := newDoor(t)
	d.must("CREATE TABLE t (id INT) TBLPROPERTIES ('delta.targetFileSize' = '100mb', 'delta.tuneFileSizesForRewrites' = 'true')")
	for sql, class := range map[string]string{
		"SET spark.databricks.delta.optimizeWrite.enabled = maybe":                         "INVALID_CONF_VALUE.TYPE_MISMATCH",
		"ALTER TABLE t SET TBLPROPERTIES ('delta.autoOptimize.optimizeWrite' = 'yes')":     "",
		"ALTER TABLE t SET TBLPROPERTIES ('delta.targetFileSize' = 'large')":               "",
		"ALTER TABLE t SET TBLPROPERTIES ('delta.tuneFileSizesForRewrites' = 'sometimes')": "",
	} {
		_, err := d.run(t.Context(), sql)
		if e, ok := errors.AsType[*sparksql.Error](err); !ok || class != "" && e.Class != class {
			t.Errorf("%s: %v", sql, err)
		}
	}
	if got := d.must("SET spark.databricks.delta.optimizeWrite.enabled"); got[0] != "spark.databricks.delta.optimizeWrite.enabled|<undefined>" {
		t.Error(got)
	}
}
