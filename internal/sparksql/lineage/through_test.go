package lineage_test

import (
	"testing"

	"github.com/marisma/marisma/internal/sparksql/lineage"
)

func TestThroughFollowsTables(t *testing.T) {
	made := map[string]lineage.Lineage{
		// t is a table made from the log, u one that reads itself.
		"t": of(t, "SELECT offset AS id, CAST(value AS STRING) AS body, named_struct('x', partition) AS st FROM STREAM read_kafka(subscribe => 'hub') WHERE key IS NOT NULL"),
		"u": of(t, "SELECT id, t_id FROM u WHERE c > 0"),
	}
	got := lineage.Through(of(t, "SELECT body, get_json_object(body, '$.k') AS k, st.x, u.t_id, md5(d) AS d FROM t JOIN u USING (id)"), func(s lineage.Source) (lineage.Lineage, bool) {
		l, ok := made[s.Name]
		return l, ok
	})
	for i, want := range []string{
		"TRANSFORMATION kafka:hub.value", "TRANSFORMATION kafka:hub.value.k", "IDENTITY kafka:hub.partition",
		"IDENTITY u.t_id", "TRANSFORMATION u.d masked",
	} {
		if in := inputs(got.Columns[i].Inputs); in != want {
			t.Errorf("%s: %s instead of %s", got.Columns[i].Name, in, want)
		}
	}
	if rows := inputs(got.Rows); rows != "FILTER kafka:hub.key, FILTER u.c, JOIN kafka:hub.offset, JOIN u.id" {
		t.Errorf("rows: %s", rows)
	}
}
