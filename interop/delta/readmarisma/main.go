package main

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math"
	"os"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/interop/place"
)

func main() {
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(address string) error {
	ctx := context.Background()
	store, err := place.Open(ctx, address)
	if err != nil {
		return err
	}
	t, err := delta.Open(ctx, store, "")
	if err != nil {
		return err
	}
	s, err := t.Snapshot(ctx)
	if err != nil {
		return err
	}
	var texts, names []string
	nulls := map[string]int{}
	for _, f := range s.Schema().Fields() {
		names = append(names, f.Name)
		nulls[f.Name] = 0
	}
	for rec, err := range s.Read(ctx, nil) {
		if err != nil {
			return err
		}
		for row := range int(rec.NumRows()) {
			vals := make([]any, rec.NumCols())
			for c := range vals {
				if vals[c] = value(rec.Column(c), row); vals[c] == nil {
					nulls[names[c]]++
				}
			}
			texts = append(texts, python(vals))
		}
		rec.Release()
	}
	sort.Strings(texts)
	sum := sha256.Sum256([]byte(strings.Join(texts, "\n")))
	out := map[string]any{
		"reader": "marisma", "version": s.Version(), "files": s.NumFiles(), "rows": len(texts),
		"columns": names, "nulls": nulls, "digest": hex.EncodeToString(sum[:]), "sample": texts[:min(1, len(texts))],
	}
	return json.NewEncoder(os.Stdout).Encode(out)
}

// value is the JSON form that rows.py gives.
func value(a arrow.Array, i int) any {
	if a.IsNull(i) {
		return nil
	}
	switch a := a.(type) {
	case *array.Boolean:
		return a.Value(i)
	case *array.String:
		return a.Value(i)
	case *array.Binary:
		return "0x" + hex.EncodeToString(a.Value(i))
	case *array.Float32:
		return float(float64(a.Value(i)))
	case *array.Float64:
		return float(a.Value(i))
	case *array.Date32:
		return time.Unix(int64(a.Value(i))*86400, 0).UTC().Format(time.DateOnly)
	case *array.Timestamp:
		return time.UnixMicro(int64(a.Value(i))).UTC().Format("2006-01-02T15:04:05.000000")
	case *array.Decimal128:
		return a.Value(i).ToString(a.DataType().(*arrow.Decimal128Type).Scale)
	case *array.Map:
		m := map[string]any{}
		from, to := a.ValueOffsets(i)
		for j := int(from); j < int(to); j++ {
			m[a.Keys().ValueStr(j)] = value(a.Items(), j)
		}
		return m
	case *array.List:
		l := []any{}
		from, to := a.ValueOffsets(i)
		for j := int(from); j < int(to); j++ {
			l = append(l, value(a.ListValues(), j))
		}
		return l
	case *array.Struct:
		m := map[string]any{}
		for j, f := range a.DataType().(*arrow.StructType).Fields() {
			m[f.Name] = value(a.Field(j), i)
		}
		return m
	}
	return a.ValueStr(i)
}

// float writes a number as Python's repr does.
func float(v float64) string {
	switch {
	case math.IsNaN(v):
		return "NaN"
	case math.IsInf(v, 1):
		return "inf"
	case math.IsInf(v, -1):
		return "-inf"
	case v == 0:
		return "0.0"
	}
	s := strconv.FormatFloat(v, 'e', -1, 64)
	exp, err := strconv.Atoi(s[strings.IndexByte(s, 'e')+1:])
	if err == nil && (exp < -4 || exp >= 16) {
		return s
	}
	if s = strconv.FormatFloat(v, 'f', -1, 64); !strings.Contains(s, ".") {
		s += ".0"
	}
	return s
}

// python writes JSON with the spaces that Python's json.dumps puts.
func python(v any) string {
	switch v := v.(type) {
	case []any:
		parts := make([]string, len(v))
		for i, x := range v {
			parts[i] = python(x)
		}
		return "[" + strings.Join(parts, ", ") + "]"
	case map[string]any:
		keys := make([]string, 0, len(v))
		for k := range v {
			keys = append(keys, k)
		}
		sort.Strings(keys)
		parts := make([]string, len(keys))
		for i, k := range keys {
			parts[i] = python(k) + ": " + python(v[k])
		}
		return "{" + strings.Join(parts, ", ") + "}"
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(b.String(), "\n")
}
