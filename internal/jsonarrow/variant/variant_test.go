package variant

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

func TestParsePrintAndSchema(t *testing.T) {
	for _, c := range []struct{ in, out, schema string }{
		{`1`, `1`, "BIGINT"}, {`1.50`, `1.5`, "DECIMAL(2,1)"}, {`1e3`, `1000.0`, "DOUBLE"}, {`1E400`, `"Infinity"`, "DOUBLE"},
		{`{"b":1,"a":null}`, `{"a":null,"b":1}`, "OBJECT<a: VOID, b: BIGINT>"}, {`[1,2.5]`, `[1,2.5]`, "ARRAY<DECIMAL(21,1)>"},
		{`[1,"x"]`, `[1,"x"]`, "ARRAY<VARIANT>"}, {`1 2`, `1`, "BIGINT"}, {`12345678901234567890`, `12345678901234567890`, "DECIMAL(20,0)"},
		{`{"a b":[]}`, `{"a b":[]}`, "OBJECT<`a b`: ARRAY<VOID>>"},
	} {
		v, err := ParseJSON([]byte(c.in))
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
			continue
		}
		v, err = Decode(Encode(nil, v))
		if err != nil {
			t.Errorf("%s: %v", c.in, err)
		}
		if got := string(AppendJSON(nil, v, cast.UTC())); got != c.out {
			t.Errorf("%s prints %s, want %s", c.in, got, c.out)
		}
		if got := SchemaOf(v).String(); got != c.schema {
			t.Errorf("%s is %s, want %s", c.in, got, c.schema)
		}
	}
	for _, bad := range []string{``, `{`, `x`, `[1,]`, `{"a":1,"a":2}`, `NaN`, `{a:1}`} {
		if v, err := ParseJSON([]byte(bad)); err == nil {
			t.Errorf("%s was read as %v", bad, v)
		}
	}
}

func TestPaths(t *testing.T) {
	v, err := ParseJSON([]byte(`{"a":{"b c":[10,{"d":true}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]Value{"$.a['b c'][0]": int64(10), `$["a"]["b c"][1].d`: true} {
		p, ok := ParsePath(path)
		if !ok {
			t.Errorf("%s does not parse", path)
			continue
		}
		if got, _ := p.Get(v); !cmp.Equal(got, want) {
			t.Errorf("%s: %v", path, got)
		}
	}
	for _, bad := range []string{"", "a", "$.", "$[x]", "$[0", "$['a"} {
		if _, ok := ParsePath(bad); ok {
			t.Errorf("%q parses", bad)
		}
	}
	if p, _ := ParsePath("$.a.x"); p != nil {
		if _, found := p.Get(v); found {
			t.Error("a field that is not there was found")
		}
	}
}

func FuzzDecode(f *testing.F) {
	v, _ := ParseJSON([]byte(`{"a":[1,2.5,"x",null,true,1e3]}`))
	f.Add(Encode(nil, v))
	f.Add([]byte{13, 1, 1, 'a', 12, 200})
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := Decode(b)
		if err != nil {
			return
		}
		if back, err := Decode(Encode(nil, v)); err != nil {
			t.Errorf("%v: %v, %v", b, back, err)
		}
	})
}
