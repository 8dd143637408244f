package jsonarrow

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// plain gives row i in the corpus's form: structs as lists, numbers beyond 32
// bits as text, maps as sorted pairs.
func plain(a arrow.Array, i int) any {
	if a.IsNull(i) {
		return nil
	}
	switch a := a.(type) {
	case *array.Struct:
		out := []any{}
		for f := range a.NumField() {
			out = append(out, plain(a.Field(f), i))
		}
		return out
	case *array.Map:
		out := []any{}
		from, to := a.ValueOffsets(i)
		for k := from; k < to; k++ {
			out = append(out, []any{plain(a.Keys(), int(k)), plain(a.Items(), int(k))})
		}
		sort.SliceStable(out, func(x, y int) bool { return fmt.Sprint(out[x]) < fmt.Sprint(out[y]) })
		return out
	case *array.List:
		out := []any{}
		from, to := a.ValueOffsets(i)
		for k := from; k < to; k++ {
			out = append(out, plain(a.ListValues(), int(k)))
		}
		return out
	case *array.Boolean:
		return a.Value(i)
	case *array.Int8:
		return float64(a.Value(i))
	case *array.Int16:
		return float64(a.Value(i))
	case *array.Int32:
		return float64(a.Value(i))
	case *array.Int64:
		return fmt.Sprint(a.Value(i))
	case *array.Float64:
		return string(cast.AppendDouble(nil, a.Value(i)))
	case *array.Float32:
		return string(cast.AppendFloat(nil, a.Value(i)))
	case *array.Decimal128:
		return string(cast.AppendDecimal(nil, a.Value(i), int(a.DataType().(*arrow.Decimal128Type).Scale)))
	case *array.String:
		return a.Value(i)
	case *array.Binary:
		return "0x" + hex.EncodeToString(a.Value(i))
	case *array.Date32:
		return string(cast.AppendDate(nil, int32(a.Value(i))))
	case *array.Timestamp:
		s := strings.Replace(string(cast.AppendTimestamp(nil, int64(a.Value(i)))), " ", "T", 1)
		if a.DataType().(*arrow.TimestampType).TimeZone != "" {
			s += "Z"
		}
		return s
	}
	panic(a.DataType())
}

func options(t *testing.T, o map[string]string) (opt Options) {
	t.Helper()
	on := func(k string) bool { return o[k] == "true" }
	opt.FailFast = o["mode"] == "FAILFAST"
	opt.Corrupt = o["columnnameofcorruptrecord"]
	opt.DateFormat, opt.TimestampFormat, opt.TimestampNTZFormat = o["dateformat"], o["timestampformat"], o["timestampntzformat"]
	opt.Syntax = Syntax{UnquotedNames: on("allowunquotedfieldnames"), LeadingZeros: on("allownumericleadingzeros"),
		AnyEscape: on("allowbackslashescapinganycharacter"), Comments: on("allowcomments"), ControlCharacter: on("allowunquotedcontrolchars"),
		NoNonNumeric: o["allownonnumericnumbers"] == "false", NoSingleQuotes: o["allowsinglequotes"] == "false"}
	if z := o["timezone"]; z != "" {
		zone, err := cast.LoadZone(z)
		if err != nil {
			t.Fatal(err)
		}
		opt.Zone = zone
	}
	return opt
}

func TestParserAnswersAsSpark(t *testing.T) {
	f, err := os.Open("testdata/from_json.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	n := 0
	for s := bufio.NewScanner(f); s.Scan(); n++ {
		var c struct {
			ID, Doc string
			Schema  json.RawMessage
			Options map[string]string
			Want    any
		}
		if err := json.Unmarshal(s.Bytes(), &c); err != nil {
			t.Fatal(err)
		}
		if l := c.Options["locale"]; l != "" && l != "en-US" {
			continue
		}
		typ, err := SparkType(c.Schema)
		if err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
		opt := options(t, c.Options)
		opt.Memory = mem
		if opt.Corrupt == "" {
			opt.Corrupt = "_corrupt_record"
		}
		p, err := NewType(typ, opt)
		if err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		// Between other rows, so that what a bad one leaves behind shows.
		p.AppendNull()
		p.Append([]byte(c.Doc))
		p.Append([]byte(c.Doc))
		p.AppendNull()
		a := p.Finish()
		for _, i := range []int{1, 2} {
			if d := cmp.Diff(c.Want, plain(a, i)); d != "" {
				t.Errorf("%s %q as %s %v (-spark +ours):\n%s", c.ID, c.Doc, c.Schema, c.Options, d)
				break
			}
		}
		if a.IsValid(0) || a.IsValid(3) || a.Len() != 4 {
			t.Errorf("%s: rows around it are wrong", c.ID)
		}
		a.Release()
		mem.AssertSize(t, 0)
	}
	if n < 150 {
		t.Errorf("only %d cases", n)
	}
}
