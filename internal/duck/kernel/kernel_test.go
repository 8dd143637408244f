package kernel_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/dlclark/regexp2/v2"
	"go.uber.org/goleak"

	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/duck/kernel"
)

func TestMain(m *testing.M) {
	code := m.Run()
	regexp2.StopTimeoutClock() // the engine's own
	if err := goleak.Find(); err != nil && code == 0 {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

func open(t testing.TB) *duck.Conn {
	t.Helper()
	p, err := duck.Open(duck.Config{Instances: 1, Threads: 1})
	if err != nil {
		t.Fatal(err)
	}
	c, err := p.Get(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		c.Put()
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return c
}

func params(t testing.TB, kv any) json.RawMessage {
	t.Helper()
	if kv == nil {
		return nil
	}
	b, err := json.Marshal(kv)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

type m = map[string]any

// register adds a kernel and gives its name.
func register(t testing.TB, c *duck.Conn, kind, ret string, p any, args ...string) string {
	t.Helper()
	raw := params(t, p)
	name := fmt.Sprintf("k_%s_%x", kind, hash(kind, ret, string(raw), strings.Join(args, ",")))
	if err := c.Register(kernel.Spec{Name: name, Kind: kind, Args: args, Return: ret, Params: raw}); err != nil {
		t.Fatal(err)
	}
	return name
}

func hash(s ...string) (h uint32) {
	for _, x := range s {
		for i := range len(x) {
			h = h*31 + uint32(x[i])
		}
	}
	return h
}

// strings1 is a one-column batch of texts; nil is NULL.
func texts(t testing.TB, cols ...[]any) duck.Source {
	t.Helper()
	var fs []arrow.Field
	for i := range cols {
		fs = append(fs, arrow.Field{Name: fmt.Sprintf("c%d", i), Type: arrow.BinaryTypes.String, Nullable: true})
	}
	s := arrow.NewSchema(fs, nil)
	b := array.NewRecordBuilder(duck.Allocator(), s)
	defer b.Release()
	for i, c := range cols {
		for _, v := range c {
			if v == nil {
				b.Field(i).AppendNull()
			} else {
				b.Field(i).(*array.StringBuilder).Append(v.(string))
			}
		}
	}
	rec := b.NewRecordBatch()
	t.Cleanup(rec.Release)
	return duck.Batches(s, []arrow.RecordBatch{rec})
}

// column runs expr over src (FROM t) and gives the results as text, in order;
// "NULL" for NULL.
func column(t testing.TB, c *duck.Conn, src duck.Source, expr string) []string {
	t.Helper()
	from, release, err := c.Bind(src)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	r, err := c.Query(t.Context(), "SELECT ("+expr+")::VARCHAR FROM "+from)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var out []string
	for {
		rec, err := r.Next()
		if errors.Is(err, io.EOF) {
			return out
		}
		if err != nil {
			t.Fatal(err)
		}
		a := rec.Column(0).(*array.String)
		for i := range a.Len() {
			if a.IsNull(i) {
				out = append(out, "NULL")
			} else {
				out = append(out, strings.Clone(a.Value(i)))
			}
		}
		rec.Release()
	}
}

func lines(t testing.TB, f string) [][]string {
	t.Helper()
	h, err := os.Open(filepath.Join("testdata", f))
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	var r [][]string
	s := bufio.NewScanner(h)
	for s.Scan() {
		r = append(r, strings.Split(s.Text(), "\t"))
	}
	return r
}

func rows(t testing.TB, f string) (r [][]any) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("testdata", f))
	if err == nil {
		d := json.NewDecoder(strings.NewReader(string(b)))
		d.UseNumber()
		err = d.Decode(&r)
	}
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// The declarations must agree with the header of the version in use.
func TestDeclarationsAgreeWithTheHeader(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-m", "-f", "{{.Dir}}", "github.com/duckdb/duckdb-go-bindings").Output()
	if err != nil {
		t.Skip(err)
	}
	c := exec.CommandContext(t.Context(), "cc", "-fsyntax-only", "-Werror", "-DDUCKDB_STATIC_BUILD",
		"-I", filepath.Join(strings.TrimSpace(string(out)), "include"), "-I../vector", "-xc", "-")
	c.Stdin = strings.NewReader("#include <duckdb.h>\n#include \"capi.h\"\n")
	if b, err := c.CombinedOutput(); err != nil {
		t.Fatalf("%s", b)
	}
}

func TestDoubleToString(t *testing.T) {
	c := open(t)
	k := register(t, c, "double_to_string", "VARCHAR", nil, "DOUBLE")
	want := lines(t, "double.tsv")
	s := arrow.NewSchema([]arrow.Field{{Name: "c0", Type: arrow.PrimitiveTypes.Float64}}, nil)
	b := array.NewRecordBuilder(duck.Allocator(), s)
	defer b.Release()
	for _, l := range want {
		u, err := strconv.ParseUint(l[0], 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		b.Field(0).(*array.Float64Builder).Append(math.Float64frombits(u))
	}
	rec := b.NewRecordBatch()
	defer rec.Release()
	got := column(t, c, duck.Batches(s, []arrow.RecordBatch{rec}), k+"(c0)")
	other := 0
	for i, l := range want {
		if got[i] == l[1] {
			continue
		}
		// Before JDK 19 Double.toString is not always the shortest text.
		back, err := strconv.ParseFloat(l[1], 64)
		if mine, _ := strconv.ParseFloat(got[i], 64); err != nil || back != mine || len(got[i]) > len(l[1]) {
			t.Errorf("%s: %s, want %s", l[0], got[i], l[1])
		}
		other++
	}
	if other > 20 || len(got) != len(want) {
		t.Errorf("%d of %d differ", other, len(want))
	}
}

func TestDecimalDivision(t *testing.T) {
	c := open(t)
	k := register(t, c, "decimal_div", "DECIMAL(30,14)", nil, "DECIMAL(18,4)", "DECIMAL(9,2)")
	var a, b []any
	want := lines(t, "div.tsv")
	for _, l := range want {
		a, b = append(a, l[0]), append(b, l[1])
	}
	got := column(t, c, texts(t, a, b), k+"(c0::DECIMAL(18,4), c1::DECIMAL(9,2))")
	for i, l := range want {
		if got[i] != l[2] {
			t.Errorf("%s / %s = %s, want %s", l[0], l[1], got[i], l[2])
		}
	}
}

func TestDateFormat(t *testing.T) {
	c := open(t)
	by := map[string][][]string{}
	for _, l := range lines(t, "datefmt.tsv") {
		by[l[0]] = append(by[l[0]], l)
	}
	for p, ls := range by {
		k := register(t, c, "date_format", "VARCHAR", m{"pattern": p, "zone": "UTC"}, "TIMESTAMP WITH TIME ZONE")
		var us []any
		for _, l := range ls {
			us = append(us, l[1])
		}
		bad := 0
		for i, g := range column(t, c, texts(t, us), k+"(make_timestamptz(c0::BIGINT))") {
			if g != ls[i][2] && bad < 3 {
				bad++
				t.Errorf("%s %s: %s, want %s", p, ls[i][1], g, ls[i][2])
			}
		}
	}
}

func TestRegexpExtract(t *testing.T) {
	c := open(t)
	for _, r := range rows(t, "regexp.json") {
		g, _ := r[1].(json.Number).Int64()
		k := register(t, c, "regexp_extract", "VARCHAR", m{"pattern": r[0], "group": g}, "VARCHAR")
		if got := column(t, c, texts(t, []any{r[2]}), k+"(c0)"); got[0] != r[3] {
			t.Errorf("%s in %q: %q, want %q", r[0], r[2], got[0], r[3])
		}
	}
}

const readingSchema = `{"type":"struct","fields":[{"name":"device","type":"string","nullable":true,"metadata":{}},{"name":"ts","type":"timestamp","nullable":true},` +
	`{"name":"temperature","type":"double","nullable":true},{"name":"pressure","type":"double","nullable":true},{"name":"rpm","type":"integer","nullable":true},{"name":"seq","type":"long","nullable":true}]}`
const readingType = `STRUCT(device VARCHAR, ts TIMESTAMP WITH TIME ZONE, temperature DOUBLE, pressure DOUBLE, rpm INTEGER, seq BIGINT)`

func TestFromJSON(t *testing.T) {
	c := open(t)
	k := register(t, c, "from_json", readingType, m{"schema": readingSchema, "mode": "PERMISSIVE", "zone": "UTC"}, "VARCHAR")
	d := register(t, c, "double_to_string", "VARCHAR", nil, "DOUBLE")
	var in []any
	want := rows(t, "fromjson.json")
	for _, r := range want {
		in = append(in, r[0])
	}
	src := texts(t, in)
	j := k + "(c0)"
	for f, e := range []string{j + " IS NULL", j + ".device", "epoch_us(" + j + ".ts)", d + "(" + j + ".temperature)", d + "(" + j + ".pressure)", j + ".rpm", j + ".seq"} {
		for i, got := range column(t, c, src, e) {
			w := "NULL"
			if want[i][f+1] != nil {
				w = fmt.Sprint(want[i][f+1])
			}
			if got != w {
				t.Errorf("%q: %s is %q, want %q", want[i][0], e, got, w)
			}
		}
	}
}

func TestHashes(t *testing.T) {
	c := open(t)
	xi := register(t, c, "xxhash64", "BIGINT", nil, "BIGINT")
	hi := register(t, c, "hash", "INTEGER", nil, "BIGINT")
	xs := register(t, c, "xxhash64", "BIGINT", nil, "VARCHAR")
	hs := register(t, c, "hash", "INTEGER", nil, "VARCHAR")
	want := rows(t, "hash.json")
	var in []any
	for _, r := range want {
		in = append(in, r[0].(json.Number).String())
	}
	for f, e := range []string{xi + "(c0::BIGINT)", hi + "(c0::BIGINT)", xs + "('s'||c0)", hs + "('s'||c0)", xs + "(repeat('ab', c0::INT))", hs + "(repeat('ab', c0::INT))"} {
		for i, got := range column(t, c, texts(t, in), e) {
			if got != want[i][f+1].(json.Number).String() {
				t.Errorf("%s of %v: %s, want %s", e, in[i], got, want[i][f+1])
			}
		}
	}
}
