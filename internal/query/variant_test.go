package query_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/marisma/marisma/internal/catalog"
)

// Tables that Spark 4.2 wrote, with VARIANTs whole (plain) and taken apart
// (shredded), give what Spark gives of them.
func TestVariantsOfSparksTables(t *testing.T) {
	r := newRig(t, t.TempDir())
	if err := r.cat.EnsureSchema(t.Context(), "c", "s", "me"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"plain", "shredded"} {
		row, err := r.cat.CreateTable(t.Context(), catalog.Table{Catalog: "c", Schema: "s", Name: name, Type: catalog.Managed, Owner: "me"})
		if err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(filepath.Join(r.dir, "tables", row.ID), os.DirFS(filepath.Join("testdata", "variant", name))); err != nil {
			t.Fatal(err)
		}
		if err := r.cat.Activate(t.Context(), row.ID); err != nil {
			t.Fatal(err)
		}
	}
	r.want("SELECT id, j, s.x, s.y FROM plain",
		`1|{"d":1.0E10,"k":[1,2.5,"x",null,true]}|[]|1`, `2|"2024-01-02"|NULL|NULL`, `3|NULL|NULL|NULL`)
	r.want("SELECT a[0], a[1], a[1] IS NULL, a[2], a[2] IS NULL FROM plain WHERE id = 1", "1|NULL|true|null|false")
	r.want("SELECT x FROM plain LATERAL VIEW explode(a) AS x WHERE id = 2",
		"1.5", `"AQI="`, `"2024-01-02 03:04:05.123456+00:00"`, `"2024-01-02 03:04:05.123456"`, "12.5", "3", "123456789012345678901234567890.123")
	r.want("SELECT schema_of_variant(m['a']) FROM plain WHERE m IS NOT NULL", "OBJECT<>")
	r.want("SELECT id, j, s.x FROM shredded WHERE id < 4",
		"0|NULL|0", "1|null|1", `2|{"a":2,"b":{"c":"x2"},"l":[1,2]}|2`, `3|{"a":3,"b":{"c":"x3"},"l":[1,3]}|3`)
	r.want("SELECT count(*), count(j), sum(j:a::int), max(j:b.c::string), sum(s.x::int) FROM shredded", "12|9|33|x9|66")
	r.want("SELECT a.id FROM shredded a JOIN shredded b ON a.j:a::int = b.s.x::int AND a.s.x::int > 7", "8", "9")
	r.want("SELECT count(*) FROM shredded", "12")
}
