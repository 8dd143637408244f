package jsonarrow

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
)

var reading = arrow.NewSchema([]arrow.Field{
	{Name: "device", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "ts", Type: &arrow.TimestampType{Unit: arrow.Microsecond, TimeZone: "UTC"}, Nullable: true},
	{Name: "temperature", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "pressure", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "rpm", Type: arrow.PrimitiveTypes.Int32, Nullable: true},
	{Name: "seq", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
}, nil)

func BenchmarkAppend(b *testing.B) {
	doc := []byte(`{"device":"press-07","ts":"2024-01-02T03:04:05.678Z","temperature":21.53,"pressure":1013.2,"rpm":1200,"seq":123}`)
	p, err := New(reading, Options{})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(doc)))
	for i := 0; b.Loop(); i++ {
		if p.Append(doc) != OK {
			b.Fatal("not OK")
		}
		if i%10000 == 9999 {
			p.Finish().Release()
		}
	}
}
