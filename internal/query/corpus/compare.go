package corpus

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/types"
)

// Answer is what a statement gave: Err, or the columns and rows.
type Answer struct {
	Names []string
	Types []types.Type
	Rows  [][]any
	// Err, with the class and state where the engine gave them.
	Err             error
	Class, SQLState string
}

// compare tells how got differs from what s wants; "" is equal.
func (s *Step) compare(got *Answer) string {
	if s.Error != nil {
		return s.Error.compare(got)
	}
	switch {
	case got.Err != nil:
		return "error instead of rows"
	case s.Layout:
		return ""
	}
	want := Answer{Names: s.Names, Rows: s.Rows}
	if d := s.head(got); d != "" {
		return d
	}
	ts := got.Types
	mine, theirs := s.choose(got.Rows, got.Names), s.choose(want.Rows, want.Names)
	if len(s.Keep) > 0 {
		var kept []types.Type
		for _, k := range s.Keep {
			kept = append(kept, ts[slices.Index(got.Names, k)])
		}
		ts = kept
	}
	if len(mine) != len(theirs) {
		return fmt.Sprintf("%d rows instead of %d", len(mine), len(theirs))
	}
	if !s.Ordered {
		sorted(mine)
		sorted(theirs)
	}
	if i := s.firstDifference(mine, theirs, ts); i >= 0 && (s.Ordered || !s.sameBag(mine, theirs, ts)) {
		return fmt.Sprintf("row %d differs", i+1)
	}
	return ""
}

func (w *WantError) compare(got *Answer) string {
	switch {
	case got.Err == nil:
		return "rows instead of an error"
	case w.any():
		return ""
	case got.Class != w.Class:
		return "another error class"
	case w.SQLState != "" && got.SQLState != w.SQLState:
		return "another SQLSTATE"
	}
	return ""
}

// head compares names and types, of all columns or of those to keep.
func (s *Step) head(got *Answer) string {
	if len(s.Keep) > 0 {
		for _, k := range s.Keep {
			i, j := slices.Index(got.Names, k), slices.Index(s.Names, k)
			switch {
			case i < 0:
				return "no column " + k
			case j >= 0 && j < len(s.Types) && got.Types[i].String() != s.Types[j]:
				return "another type of column " + k
			}
		}
		return ""
	}
	if len(got.Names) != len(s.Names) {
		return fmt.Sprintf("%d columns instead of %d", len(got.Names), len(s.Names))
	}
	for i := range got.Types {
		if got.Types[i].String() != s.Types[i] {
			return fmt.Sprintf("another type of column %d", i+1)
		}
	}
	for i := range got.Names {
		if got.Names[i] != s.Names[i] {
			return fmt.Sprintf("another name of column %d", i+1)
		}
	}
	return ""
}

// choose leaves the rows out that the object leaves out, then all columns but
// those to keep. Rows that have only those columns already stay.
func (s *Step) choose(rows [][]any, names []string) [][]any {
	out := make([][]any, 0, len(rows))
	for _, r := range rows {
		if s.dropped(r, names) {
			continue
		}
		if len(s.Keep) > 0 && len(r) == len(names) && !slices.Equal(names, s.Keep) {
			kept := make([]any, 0, len(s.Keep))
			for _, k := range s.Keep {
				if i := slices.Index(names, k); i >= 0 {
					kept = append(kept, r[i])
				}
			}
			r = kept
		}
		out = append(out, r)
	}
	return out
}

func (s *Step) dropped(row []any, names []string) bool {
	for col, vals := range s.DropRows {
		i := slices.Index(names, col)
		if i < 0 || i >= len(row) {
			continue
		}
		for _, v := range vals {
			if text(v) == text(row[i]) {
				return true
			}
		}
	}
	return false
}

// sorted orders rows by their JSON text.
func sorted(rows [][]any) {
	keys := make(map[*any]string, len(rows))
	key := func(r []any) string {
		if len(r) == 0 {
			return ""
		}
		k, ok := keys[&r[0]]
		if !ok {
			k = text(r)
			keys[&r[0]] = k
		}
		return k
	}
	sort.SliceStable(rows, func(i, j int) bool { return key(rows[i]) < key(rows[j]) })
}

func (s *Step) firstDifference(a, b [][]any, ts []types.Type) int {
	for i := range a {
		if !s.sameRow(a[i], b[i], ts) {
			return i
		}
	}
	return -1
}

// maxBag bounds the rows that are matched one with another.
const maxBag = 2000

// sameBag matches rows in any order: floats that are equal as numbers may
// have other texts, and so another place in the sorted rows.
func (s *Step) sameBag(a, b [][]any, ts []types.Type) bool {
	if len(a) > maxBag {
		return false
	}
	used := make([]bool, len(b))
next:
	for _, r := range a {
		for j, q := range b {
			if !used[j] && s.sameRow(r, q, ts) {
				used[j] = true
				continue next
			}
		}
		return false
	}
	return true
}

func (s *Step) sameRow(a, b []any, ts []types.Type) bool {
	if len(a) != len(b) || len(a) != len(ts) {
		return false
	}
	for i := range a {
		if !s.same(a[i], b[i], ts[i]) {
			return false
		}
	}
	return true
}

// same compares two values of type t.
func (s *Step) same(a, b any, t types.Type) bool {
	if a == nil || b == nil {
		return a == nil && b == nil
	}
	switch t := t.(type) {
	case types.Array:
		return s.sameList(a, b, func(int) types.Type { return t.Elem })
	case types.Struct:
		return s.sameList(a, b, func(i int) types.Type { return t.Fields[min(i, len(t.Fields)-1)].Type })
	case types.Map:
		pair := types.Struct{Fields: []types.Field{{Type: t.Key}, {Type: t.Value}}}
		return s.sameList(a, b, func(int) types.Type { return pair })
	case types.Primitive:
		if types.IsFloating(t) {
			return s.sameFloat(a, b, t)
		}
	}
	return text(a) == text(b) || masked(b)
}

// masked tells whether a text of the folder stands for any text.
func masked(v any) bool { return v == "<path>" || v == "<uuid>" || v == "<time>" }

func (s *Step) sameList(a, b any, t func(int) types.Type) bool {
	x, ok1 := a.([]any)
	y, ok2 := b.([]any)
	if !ok1 || !ok2 || len(x) != len(y) {
		return false
	}
	for i := range x {
		if !s.same(x[i], y[i], t(i)) {
			return false
		}
	}
	return true
}

func (s *Step) sameFloat(a, b any, t types.Type) bool {
	x, ok1 := float(a, t)
	y, ok2 := float(b, t)
	switch {
	case !ok1 || !ok2:
		return false
	case math.IsNaN(x) || math.IsNaN(y):
		return math.IsNaN(x) && math.IsNaN(y)
	case x == y:
		return math.Signbit(x) == math.Signbit(y)
	case s.Tolerance > 0 && !math.IsInf(x, 0) && !math.IsInf(y, 0):
		return math.Abs(x-y) <= s.Tolerance*max(math.Abs(x), math.Abs(y))
	}
	return false
}

func float(v any, t types.Type) (float64, bool) {
	bits := 64
	if t == types.Float {
		bits = 32
	}
	f, err := strconv.ParseFloat(fmt.Sprint(v), bits)
	return f, err == nil
}

// text is the JSON text of a value, without spaces, non-ASCII unescaped.
func text(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(b.String(), "\n")
}
