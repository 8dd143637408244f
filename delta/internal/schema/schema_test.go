package schema

import (
	"errors"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
)

const spark = `{"type":"struct","fields":[{"name":"a","type":"integer","nullable":false,"metadata":{"comment":"say \"hi\"","delta.columnMapping.id":1}},` +
	`{"name":"d","type":"decimal(12,2)","nullable":true,"metadata":{}},{"name":"t","type":"timestamp","nullable":true,"metadata":{}},` +
	`{"name":"n","type":"timestamp_ntz","nullable":true,"metadata":{}},{"name":"v","type":"void","nullable":true,"metadata":{}},` +
	`{"name":"l","type":{"type":"array","elementType":{"type":"map","keyType":"string","valueType":{"type":"struct","fields":[{"name":"x","type":"long","nullable":false,"metadata":{}}]},"valueContainsNull":false},"containsNull":true},"nullable":true,"metadata":{}}]}`

func TestASchemaTextComesBack(t *testing.T) {
	s, err := Parse(spark)
	if err != nil {
		t.Fatal(err)
	}
	if c, _ := s.Field(0).Metadata.GetValue("comment"); c != `say "hi"` || s.Field(0).Nullable {
		t.Errorf("%v", s.Field(0))
	}
	text, err := Text(s)
	if err != nil || text != spark {
		t.Errorf("%v\n%s\n%s", err, spark, text)
	}
	if files := Unmapped.Files(s, []string{"a"}); files.NumFields() != 4 || files.HasField("v") || files.HasField("a") {
		t.Errorf("%v", files)
	}
}

func TestTypesThatAreNotKnownAreRefused(t *testing.T) {
	for _, typ := range []string{`"geometric"`, `"decimal(39,1)"`, `"decimal(3,4)"`, `{"type":"udt"}`} {
		_, err := Parse(`{"type":"struct","fields":[{"name":"a","type":` + typ + `,"nullable":true,"metadata":{}}]}`)
		if !errors.Is(err, ErrType) {
			t.Errorf("%s: %v", typ, err)
		}
	}
	for _, s := range []*arrow.Schema{
		arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.PrimitiveTypes.Uint64}}, nil),
		arrow.NewSchema([]arrow.Field{{Name: "a", Type: arrow.Null}, {Name: "A", Type: arrow.Null}}, nil),
		arrow.NewSchema([]arrow.Field{{Name: "", Type: arrow.Null}}, nil),
	} {
		if _, err := Text(s); err == nil {
			t.Errorf("%v was written", s)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(spark)
	f.Add(`{"type":"struct","fields":[]}`)
	f.Add(`{"type":"array"`)
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		out, err := Text(s)
		if err != nil {
			return // names that differ by case only
		}
		if _, err := Parse(out); err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
	})
}
