package kernel_test

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/marisma/marisma/internal/duck/kernel"
)

// render brings a wanted value to the text that DuckDB's cast gives.
func render(kind string, v any) string {
	switch v := v.(type) {
	case nil:
		return "NULL"
	case string:
		if kind == "parse_timestamp" {
			if len(v) == 10 {
				return v + " 00:00:00+00"
			}
			return strings.Replace(strings.TrimSuffix(v, "Z"), "T", " ", 1) + "+00"
		}
		return v
	case []any:
		var s []string
		for _, x := range v {
			s = append(s, render("", x))
		}
		return strings.Join(s, "\x1f")
	case float64:
		return fmt.Sprint(int64(v))
	}
	return fmt.Sprint(v)
}

// The cases are calls with constants and what Spark answers; null stands for
// an error too, since kernels never raise.
func TestKernelsAnswerAsSpark(t *testing.T) {
	f, err := os.Open("testdata/cases.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	c := open(t)
	n := 0
	for s := bufio.NewScanner(f); s.Scan(); n++ {
		var k struct {
			ID, Kind, Ret, Call string
			Args                []string
			Params, Want        any
		}
		if err := json.Unmarshal(s.Bytes(), &k); err != nil {
			t.Fatal(err)
		}
		name := fmt.Sprintf("k%d", n)
		err := c.Register(kernel.Spec{Name: name, Kind: k.Kind, Args: k.Args, Return: k.Ret, Params: params(t, k.Params)})
		if err != nil {
			if k.Want != nil {
				t.Errorf("%s %s%s: %v", k.ID, k.Kind, k.Params, err)
			}
			continue
		}
		expr := name + k.Call
		switch k.Ret {
		case "VARCHAR[]":
			expr = "array_to_string(" + expr + ", chr(31))"
		case "BLOB":
			expr = "'0x' || lower(hex(" + expr + "))"
		}
		got := column(t, c, texts(t, []any{"x"}), expr)[0]
		if want := render(k.Kind, k.Want); got != want {
			t.Errorf("%s %s%v %v: %q, want %q", k.ID, k.Kind, k.Call, k.Params, got, want)
		}
	}
	if n < 300 {
		t.Errorf("only %d cases", n)
	}
}
