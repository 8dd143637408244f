package types_test

import (
	"testing"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/internal/sparksql/types"
)

func TestFieldsKeepTheirCollations(t *testing.T) {
	meta := func(text string) arrow.Metadata {
		return arrow.NewMetadata([]string{"json:__COLLATIONS"}, []string{text})
	}
	str := arrow.BinaryTypes.String
	for _, c := range []struct {
		field arrow.Field
		want  string
	}{
		{arrow.Field{Name: "a", Type: str, Metadata: meta(`{"a":"spark.UTF8_LCASE"}`)}, "string collate UTF8_LCASE"},
		{arrow.Field{Name: "a", Type: str, Metadata: meta(`{"b":"spark.UTF8_LCASE"}`)}, "string"},
		{arrow.Field{Name: "a", Type: arrow.ListOf(arrow.MapOf(str, str)), Metadata: meta(`{"a.element.value":"icu.UNICODE_CI"}`)}, "array<map<string,string collate UNICODE_CI>>"},
		{arrow.Field{Name: "a", Type: arrow.StructOf(arrow.Field{Name: "x", Type: arrow.MapOf(str, str), Metadata: meta(`{"x.key":"icu.de"}`)})}, "struct<x:map<string collate de,string>>"},
		{arrow.Field{Name: "a", Type: arrow.PrimitiveTypes.Int32, Metadata: meta(`{"a":"icu.UNICODE"}`)}, "int"},
	} {
		got, err := types.FromArrowFields([]arrow.Field{c.field})
		if err != nil {
			t.Fatal(err)
		}
		if got[0].Type.String() != c.want {
			t.Errorf("%s: %s, want %s", c.field, got[0].Type, c.want)
		}
	}
	if _, err := types.FromArrowFields([]arrow.Field{{Name: "a", Type: str, Metadata: meta(`{`)}}); err == nil {
		t.Error("malformed collations are no error")
	}
}
