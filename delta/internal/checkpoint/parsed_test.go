package checkpoint

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/delta/internal/action"
)

// The file is Delta Lake 4.4's, of a table with writeStatsAsJson off. Its
// commit has the same statistics as JSON, but for times, which it cuts to
// milliseconds there as here.
func TestStatisticsThatAreAStructOnly(t *testing.T) {
	f, err := os.Open("testdata/stats-struct.parquet")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = f.Close() }()
	var got []string
	err = Read(t.Context(), f, &Visitor{Add: func(a action.Add) error {
		got = append(got, a.Stats)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{`{"numRecords":2,"minValues":{"id":1,"name":"a","d":"1969-12-31","ts":"1969-12-31T23:59:59.000000Z","dec":-1234567890123.45,"sd":-12.5,"f":1.5,"g":-2.5,"s":{"x":1,"y":"q\"r"},"l":-5,"n":"2020-01-01T00:00:00.000000"},"maxValues":{"id":2,"name":"b","d":"2024-02-29","ts":"2024-02-29T12:00:00.123000Z","dec":99.99,"sd":7.0,"f":"NaN","g":2.5,"s":{"x":5,"y":"z"},"l":9007199254740993,"n":"2020-01-01T00:00:00.000000"},"nullCount":{"id":0,"name":0,"d":0,"ts":0,"dec":0,"sd":0,"f":0,"g":0,"b":0,"s":{"x":0,"y":0},"l":0,"n":1}}`}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}
