package jsonarrow

import (
	"bytes"
	"encoding/json"
	"math"
	"testing"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

var nested = arrow.NewSchema([]arrow.Field{
	{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true},
	{Name: "i", Type: arrow.PrimitiveTypes.Int64, Nullable: true},
	{Name: "d", Type: arrow.PrimitiveTypes.Float64, Nullable: true},
	{Name: "b", Type: arrow.FixedWidthTypes.Boolean, Nullable: true},
	{Name: "x", Type: arrow.BinaryTypes.Binary, Nullable: true},
	{Name: "m", Type: &arrow.Decimal128Type{Precision: 20, Scale: 3}, Nullable: true},
	{Name: "l", Type: arrow.ListOf(arrow.StructOf(arrow.Field{Name: "s", Type: arrow.BinaryTypes.String, Nullable: true})), Nullable: true},
	{Name: "o", Type: arrow.MapOf(arrow.BinaryTypes.String, arrow.ListOf(arrow.PrimitiveTypes.Int32)), Nullable: true},
}, nil)

// FuzzAppend compares with encoding/json: what is JSON, and the values of
// texts and numbers. Rows of other documents around it must stay as they are.
func FuzzAppend(f *testing.F) {
	for _, s := range []string{
		`{}`, `{"s":"a","i":1,"d":1.5e-3,"b":true,"x":"YQ==","m":12.3456,"l":[{"s":"x"},{"s":1},null],"o":{"k":[1,2],"k":[]}}`,
		`{"s":"\u00e9\ud83d\ude00\n","s":"last"}`, `{"i":9223372036854775807}`, `{"i":-0}`, `{"d":1e400}`, `{"l":[1,{"s":[1, {"a" : 1.0}]}]}`,
		`{"o":{"a":[1,"x"],"b":null}}`, `{"s":"` + "\xff" + `"}`, `{"s":"\ud800"}`, `[1]`, `null`, ``, `{"a":[[[[[]]]]]}`, `{"i":1}{`, `{"i":01}`, `{"d":NaN}`, `{'s':1}`, "{\"s\":\"\t\"}",
		`{"s":{"a":[1.10,true,null,"q\""]}}`, `{"x":"====","i":"1"}`, `{"d":0.30000000000000004,"d":123456789012345678901234567890}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, doc []byte) {
		mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
		defer mem.AssertSize(t, 0)
		p, err := New(nested, Options{Memory: mem, Syntax: Syntax{NoSingleQuotes: true, NoNonNumeric: true}})
		if err != nil {
			t.Fatal(err)
		}
		good := []byte(`{"s":"before","i":7,"l":[{"s":"y"}],"o":{"z":[3]}}`)
		p.Append(good)
		got := p.Append(bytes.Clone(doc))
		p.Append(good)
		a := p.Finish().(*array.Struct)
		defer a.Release()
		checkAround(t, a)

		var first json.RawMessage
		valid := json.NewDecoder(bytes.NewReader(doc)).Decode(&first) == nil
		object := valid && bytes.HasPrefix(bytes.TrimLeft(first, " \t\r\n"), []byte("{"))
		if deep(first) > maxDepth-8 {
			return
		}
		if ok := got == OK || got == Partial; ok != object {
			t.Fatalf("%q: outcome %d, encoding/json says object: %v", doc, got, object)
		}
		if object {
			checkValues(t, a, first)
		}
	})
}

func checkAround(t *testing.T, a *array.Struct) {
	t.Helper()
	for _, i := range []int{0, 2} {
		if s := a.Field(0).(*array.String).Value(i); s != "before" || a.Field(1).(*array.Int64).Value(i) != 7 {
			t.Fatalf("row %d became %q", i, s)
		}
		l := a.Field(6).(*array.List)
		if from, to := l.ValueOffsets(i); to-from != 1 {
			t.Fatalf("row %d: list of %d", i, to-from)
		}
	}
}

// checkValues compares the fields whose names are not doubled.
func checkValues(t *testing.T, a *array.Struct, doc []byte) {
	t.Helper()
	var v map[string]any
	d := json.NewDecoder(bytes.NewReader(doc))
	d.UseNumber()
	if d.Decode(&v) != nil || !utf8.Valid(doc) || bytes.Contains(doc, []byte(`\u`)) {
		return // lone surrogates and wrong bytes are mended in other ways
	}
	if s, ok := v["s"].(string); ok {
		if got := a.Field(0).(*array.String); got.IsNull(1) || got.Value(1) != s {
			t.Fatalf("%q: s is %q, want %q", doc, got.Value(1), s)
		}
	}
	if n, ok := v["d"].(json.Number); ok {
		want, err := n.Float64()
		if got := a.Field(2).(*array.Float64).Value(1); err == nil && math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%q: d is %v, want %v", doc, got, want)
		}
	}
	if n, ok := v["i"].(json.Number); ok {
		want, err := n.Int64()
		got := a.Field(1).(*array.Int64)
		if (err == nil) != got.IsValid(1) || err == nil && got.Value(1) != want {
			t.Fatalf("%q: i is %v, want %v %v", doc, got, want, err)
		}
	}
}

func deep(b []byte) (most int) {
	n := 0
	for _, c := range b {
		switch c {
		case '{', '[':
			n++
			most = max(most, n)
		case '}', ']':
			n--
		}
	}
	return most
}

// FuzzGet walks any document along any path: what is found is JSON, or the
// text of a string.
func FuzzGet(f *testing.F) {
	for _, p := range []string{"$", "$.a", "$.a[0]", "$[*]", "$.a[*].b", "$[*][*].c", "$['a b']", "$.a[1][*]", "x", "$.", "$[", "$.*"} {
		f.Add(p, []byte(`{"a":[{"b":1},{"b":"x"},[1,[2]]],"a b":null}`))
		f.Add(p, []byte(`[[{"c":1},{"c":[1,2]}],{"c":3}]`))
	}
	f.Fuzz(func(t *testing.T, path string, doc []byte) {
		p, ok := ParsePath(path)
		if !ok {
			return
		}
		out, ok := p.Get([]byte("keep"), doc)
		if !bytes.HasPrefix(out, []byte("keep")) || !ok && len(out) != 4 {
			t.Fatalf("%q", out)
		}
	})
}
