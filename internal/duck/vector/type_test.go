package vector

import (
	"strings"
	"testing"
)

func TestTypesGoRound(t *testing.T) {
	for in, want := range map[string]string{
		"int": "INTEGER", "TIMESTAMPTZ": "TIMESTAMP WITH TIME ZONE", "timestamp with time zone[]": "TIMESTAMP WITH TIME ZONE[]", "TIMESTAMP": "TIMESTAMP",
		"DECIMAL(10)": "DECIMAL(10,0)", "numeric(38, 10)": "DECIMAL(38,10)", "MAP(VARCHAR,INT[][])": "MAP(VARCHAR, INTEGER[][])", "DOUBLE[3]": "DOUBLE[3]",
		`STRUCT(a INT, "b ""c" STRUCT(d BLOB)[])`: `STRUCT("a" INTEGER, "b ""c" STRUCT("d" BLOB)[])`, `"NULL"`: `"NULL"`,
	} {
		typ, err := ParseType(in)
		if err != nil {
			t.Errorf("%s: %v", in, err)
			continue
		}
		if got := typ.String(); got != want {
			t.Errorf("%s: %s, want %s", in, got, want)
		}
		l := typ.Logical()
		if back := FromLogical(l); !back.Equal(typ) && in != `"NULL"` {
			t.Errorf("%s: DuckDB says %s", in, back)
		}
		destroyLogical(&l)
	}
	for _, bad := range []string{"", "NOSUCH", "DECIMAL(39,1)", "DECIMAL(3,4)", "STRUCT()", "STRUCT(a)", "MAP(INT)", "INT[", "INT]", "INT x", strings.Repeat("MAP(INT,", 100)} {
		if typ, err := ParseType(bad); err == nil {
			t.Errorf("%q is %s", bad, typ)
		}
	}
}

// FuzzParseType: what is read prints as a text that reads as the same type.
func FuzzParseType(f *testing.F) {
	for _, s := range []string{"INT", "STRUCT(a INT, \"b\" MAP(VARCHAR, DECIMAL(3,1)[])[2])", "TIMESTAMP WITH TIME ZONE", "TIMESTAMP WITH", "((", "\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		typ, err := ParseType(s)
		if err != nil {
			return
		}
		back, err := ParseType(typ.String())
		if err != nil || !back.Equal(typ) {
			t.Fatalf("%q becomes %s becomes %s, %v", s, typ, back, err)
		}
	})
}

func TestShortStringsAreInline(t *testing.T) {
	for _, s := range []string{"", "a", "twelve bytes"} {
		v := MakeStr([]byte(s), 0)
		if v.String() != s || v.Len() != len(s) {
			t.Errorf("%q becomes %q", s, v.String())
		}
	}
}
