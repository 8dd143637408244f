package source

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

func TestParsedColumnsAreReadAndProjected(t *testing.T) {
	ctx := context.Background()
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	m := logOf(3, 2)
	for p := range m.recs {
		for i := range m.recs[p] {
			m.recs[p][i].Value = []byte(`{"a":` + string(rune('1'+i)) + `}`)
		}
	}
	m.recs[0][1].Value = nil
	m.recs[1][1].Value = []byte("{\"a\":\xff}")
	st := arrow.StructOf(arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int32, Nullable: true})
	col := JSONColumn{Name: "j", Type: st, Params: json.RawMessage(
		`{"schema":"{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"integer\",\"nullable\":true,\"metadata\":{}}]}","mode":"PERMISSIVE","zone":"UTC"}`)}
	l := NewLog(m, earliest(), Limits{}, mem)
	at, err := l.Start(ctx)
	if err != nil {
		t.Fatal(err)
	}
	r, _, err := l.Next(ctx, at)
	if err != nil {
		t.Fatal(err)
	}
	rd, err := l.Open(at, r.To, col)
	if err != nil {
		t.Fatal(err)
	}
	j := len(rd.Schema().Fields()) - 1
	rd.Project([]int{j, colOffset})
	rec, err := rd.Next(ctx)
	if err != nil {
		t.Fatal(err)
	}
	defer rec.Release()
	var b strings.Builder
	s := rec.Column(0).(*array.Struct)
	for i := range int(rec.NumRows()) {
		b.WriteString(s.ValueStr(i) + rec.Column(1).ValueStr(i) + ";")
	}
	if want := `{"a":1}0;(null)1;{"a":3}2;{"a":1}0;{"a":null}1;`; b.String() != want {
		t.Errorf("got  %s\nwant %s", b.String(), want)
	}
	if _, err := rd.Next(ctx); !errors.Is(err, io.EOF) {
		t.Errorf("after the end: %v", err)
	}
	bad, err := l.Open(at, r.To, JSONColumn{Name: "j", Type: st, Params: json.RawMessage(`{"schema":"17"}`)})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := bad.Next(ctx); err == nil {
		t.Error("parameters that make no parser were taken")
	}
}
