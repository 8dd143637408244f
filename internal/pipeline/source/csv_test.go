package source

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func csvFile(t *testing.T, text string) string {
	t.Helper()
	p := filepath.Join(t.TempDir(), "a.csv")
	if err := os.WriteFile(p, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return p
}

func options(t *testing.T, path string, args map[string]string) CSVOptions {
	t.Helper()
	all := map[string]string{"0": path, "format": "csv"}
	maps.Copy(all, args)
	o, err := ParseCSVOptions(all, time.UTC, sparksql.Pos{})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// read gives the rows of the files as text, NULL as ~.
func read(t *testing.T, o CSVOptions, given []types.Field) ([]string, error) {
	t.Helper()
	var f Files
	l, err := f.List(context.Background(), o)
	if err != nil {
		t.Fatal(err)
	}
	cols, err := Columns(o, given, l.Files)
	if err != nil {
		t.Fatal(err)
	}
	mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
	defer mem.AssertSize(t, 0)
	r, err := NewCSVReader(o, l.Files, cols, mem)
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for {
		rec, err := r.Next(context.Background())
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		for i := range int(rec.NumRows()) {
			var vals []string
			for _, c := range rec.Columns() {
				if c.IsNull(i) {
					vals = append(vals, "~")
				} else {
					vals = append(vals, c.ValueStr(i))
				}
			}
			out = append(out, strings.Join(vals, "|"))
		}
		rec.Release()
	}
}

func cols(spec string) (out []types.Field) {
	names := map[string]types.Type{
		"s": types.String, "i": types.Int, "l": types.BigInt, "d": types.Double, "b": types.Boolean,
		"t": types.Timestamp, "a": types.Date, "n": types.Decimal{Precision: 6, Scale: 2},
	}
	for i, c := range strings.Split(spec, "") {
		out = append(out, types.Field{Name: fmt.Sprintf("%s%d", c, i), Type: names[c]})
	}
	return out
}

func TestCSVFollowsSpark(t *testing.T) {
	for name, c := range map[string]struct {
		text  string
		args  map[string]string
		given []types.Field
		want  []string
	}{
		"types": {
			"1,2.5,true,2024-05-06 07:08:09,2024-05-06,12.3\n-7,1e3,FALSE,2024-05-06T07:08:09.5+02:00,2024-1-2,0\n", nil, cols("idbtan"),
			[]string{"1|2.5|true|2024-05-06T07:08:09Z|2024-05-06|12.3", "-7|1000|false|2024-05-06T05:08:09.5Z|2024-01-02|0"},
		},
		"binds by position, not by header": {"x,y\n1,a\n", map[string]string{"header": "true"}, cols("is"), []string{"1|a"}},
		"empty and quoted empty are NULL":  {"a,\"\",,\n", nil, cols("ssss"), []string{"a|~|~|~"}},
		"doubled quotes are no escape":     {`"say ""hi""",2` + "\n", nil, cols("si"), []string{`"say ""hi"""|2`}},
		"backslash escapes":                {`"say \"hi\", \\ you",2` + "\n", nil, cols("si"), []string{`say "hi", \ you|2`}},
		"quoted delimiter":                 {`"a,b",2` + "\n", nil, cols("si"), []string{"a,b|2"}},
		"quotes in the middle stay":        {`a"b"c,2` + "\n", nil, cols("si"), []string{`a"b"c|2`}},
		"bad values are NULL":              {"x,1.5,maybe,never\n", nil, cols("idbt"), []string{"~|1.5|~|~"}},
		"too few and too many":             {"1\n1,2,3\n", nil, cols("ii"), []string{"1|~", "1|2"}},
		"dropped when malformed":           {"1\n1,2,3\nx,2\n3,4\n", map[string]string{"mode": "DROPMALFORMED"}, cols("ii"), []string{"3|4"}},
		"blank lines and CRLF":             {"1,2\r\n\r\n3,4", nil, cols("ii"), []string{"1|2", "3|4"}},
		"null value":                       {"NA,\"\",x\n", map[string]string{"nullvalue": "NA"}, cols("sss"), []string{"~||x"}},
		"tab":                              {"1\ta\n", map[string]string{"sep": `\t`}, cols("is"), []string{"1|a"}},
		"several lines":                    {"\"a\nb\",1\nc,2\n", map[string]string{"multiline": "true"}, cols("si"), []string{"a\nb|1", "c|2"}},
		"rescued data": {
			"1,2,3\nx,5\n", map[string]string{"rescueddatacolumn": "_r"}, cols("ii"),
			[]string{`1|2|{"_c2":"3","_file_path":"FILE"}`, `~|5|{"_file_path":"FILE","i0":"x"}`},
		},
		"corrupt record": {
			"1,2\nx,5\n", nil, append(cols("ii"), types.Field{Name: "_corrupt_record", Type: types.String}),
			[]string{"1|2|~", "~|5|x,5"},
		},
		"byte order mark": {"\xef\xbb\xbf1,2\n", nil, cols("ii"), []string{"1|2"}},
		"inferred": {
			"id,v,ok,at,s\n1,2,true,2024-01-01,x\n3,2.5,false,2024-01-02,\n", map[string]string{"header": "true"}, nil,
			[]string{"1|2|true|2024-01-01|x|~", "3|2.5|false|2024-01-02|~|~"},
		},
	} {
		path := csvFile(t, c.text)
		o := options(t, path, c.args)
		if c.given != nil {
			o.Rescued = c.args["rescueddatacolumn"]
		}
		got, err := read(t, o, c.given)
		for i := range got {
			got[i] = strings.ReplaceAll(got[i], path, "FILE")
		}
		if d := cmp.Diff(c.want, got); d != "" || err != nil {
			t.Errorf("%s: %v %s", name, err, d)
		}
	}
}

func TestCSVFailFast(t *testing.T) {
	o := options(t, csvFile(t, "1,2\nx,2\n"), map[string]string{"mode": "FAILFAST"})
	o.Rescued = ""
	if _, err := read(t, o, cols("ii")); err == nil || !strings.Contains(err.Error(), "MALFORMED_RECORD") {
		t.Errorf("%v", err)
	}
}

func TestCSVOptionsAreChecked(t *testing.T) {
	for _, args := range []map[string]string{
		{"format": "csv"}, {"0": "x", "format": "json"}, {"0": "x", "format": "csv", "sep": "ab"},
		{"0": "x", "format": "csv", "colour": "red"}, {"0": "x", "format": "csv", "header": "yes"}, {"0": "x", "format": "csv", "mode": "x"},
	} {
		if _, err := ParseCSVOptions(args, time.UTC, sparksql.Pos{}); err == nil {
			t.Errorf("%v passes", args)
		}
	}
}

func TestListingSeesEveryChange(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("b.csv", "1")
	write("a.csv", "2")
	write("_hidden.csv", "3")
	write(".dot", "4")
	var f Files
	o := options(t, dir, nil)
	list := func() Listing {
		l, err := f.List(context.Background(), o)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	first := list()
	if len(first.Files) != 2 || filepath.Base(first.Files[0].Path) != "a.csv" {
		t.Fatalf("%+v", first.Files)
	}
	if list().Digest != first.Digest {
		t.Error("the digest changes by itself")
	}
	at := first.Files[1].ModTime
	write("b.csv", "9")
	if err := os.Chtimes(filepath.Join(dir, "b.csv"), at.Add(time.Second), at.Add(time.Second)); err != nil {
		t.Fatal(err)
	}
	if list().Digest == first.Digest {
		t.Error("another content has the same digest")
	}
	o.Path = filepath.Join(dir, "nothing*.csv")
	if _, err := f.List(context.Background(), o); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func FuzzCSV(f *testing.F) {
	f.Add("a,\"b\\\"c\",\n\"x\"\"y\",1\n", false)
	f.Add("\"open\nline,1", true)
	f.Fuzz(func(t *testing.T, text string, multi bool) {
		s := CSVOptions{Delimiter: ',', Quote: '"', Escape: '\\', MultiLine: multi}.scan(strings.NewReader(text))
		for {
			fields, err := s.next()
			if err != nil {
				return
			}
			n := 0
			for _, x := range fields {
				n += len(x.text)
			}
			if n > len(text) {
				t.Fatal("more comes out than went in")
			}
		}
	})
}
