package delta

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/objstore"
)

// The comparison of TestForeignTables is worth something only if it notices.
func TestTheGoldenComparisonNotices(t *testing.T) {
	ctx := t.Context()
	sc := arrow.NewSchema([]arrow.Field{
		{Name: "id", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
		{Name: "v", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	}, nil)
	tab, err := Create(ctx, objstore.Memory(), "", sc)
	if err != nil {
		t.Fatal(err)
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, sc)
	defer b.Release()
	b.Field(0).(*array.Int64Builder).AppendValues([]int64{1, 2}, nil)
	b.Field(1).(*array.Float64Builder).AppendValues([]float64{0.5, 1e10}, nil)
	rec := b.NewRecordBatch()
	defer rec.Release()
	if _, err := tab.Append(ctx, Batches(rec)); err != nil {
		t.Fatal(err)
	}
	s, err := tab.Snapshot(ctx)
	if err != nil {
		t.Fatal(err)
	}
	good := `{"version":1,"num_files":1,"delta_schema":{"type":"struct","fields":[
		{"name":"id","type":"long","nullable":true,"metadata":{}},{"name":"v","type":"double","nullable":true,"metadata":{}}]},
		"latest":{"rows_count":2,"digest":"0","rows":[["2","1.0E10"],["1","0.5"]]},
		"versions":[{"version":0,"rows_count":0,"digest":"0000000000000000"}]}`
	try := func(text string) string {
		a := &answer{}
		if err := json.Unmarshal([]byte(text), a); err != nil {
			t.Fatal(err)
		}
		return (&goldenTable{}).answer(ctx, s, a)
	}
	if why := try(good); why != "" {
		t.Fatalf("equal contents differ: %s", why)
	}
	for _, plant := range [][2]string{
		{`"version":1`, `"version":2`}, {`"num_files":1`, `"num_files":2`}, {`"long"`, `"integer"`}, {`"name":"v"`, `"name":"w"`},
		{`"rows_count":2`, `"rows_count":3`}, {`"0.5"`, `"0.25"`}, {`"1.0E10"`, `null`}, {`"rows_count":0`, `"rows_count":1`},
		{`,"rows":[["2","1.0E10"],["1","0.5"]]`, ``}, {`"latest":{`, `"latest":{"error":{"class":"X"},`},
	} {
		if bad := strings.Replace(good, plant[0], plant[1], 1); bad == good || try(bad) == "" {
			t.Errorf("%s for %s was not noticed", plant[1], plant[0])
		}
	}
}
