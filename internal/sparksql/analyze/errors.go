package analyze

import (
	"fmt"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/types"
	"github.com/marisma/marisma/internal/typo"
)

// fault is a *sparksql.Error that can still get a hint.
type fault sparksql.Error

func (f *fault) Error() string { return (*sparksql.Error)(f).Error() }

// Unwrap gives the error that callers look for.
func (f *fault) Unwrap() error { return (*sparksql.Error)(f) }

func (f *fault) hint(text string) error {
	f.Hint = text
	return (*sparksql.Error)(f)
}

func (a *analyzer) errorf(pos sparksql.Pos, class, state, format string, args ...any) *fault {
	return &fault{Class: class, SQLState: state, Phase: sparksql.PhaseAnalysis, Pos: pos, Message: fmt.Sprintf(format, args...)}
}

func quote(name string) string { return types.Quote(name) }

func quoteAll(parts []string) string {
	out := make([]string, len(parts))
	for i, p := range parts {
		out[i] = quote(p)
	}
	return strings.Join(out, ".")
}

// nearest are up to n of names, the closest to want first, as `a`, `b`.
func nearest(want string, names []string, n int) string {
	type scored struct {
		name string
		d    int
	}
	seen := map[string]bool{}
	var all []scored
	lower := strings.ToLower(want)
	for _, name := range names {
		if seen[name] {
			continue
		}
		seen[name] = true
		last := strings.ToLower(name)
		if i := strings.LastIndexByte(last, '.'); i >= 0 && !strings.Contains(lower, ".") {
			last = last[i+1:]
		}
		all = append(all, scored{name, typo.Distance(lower, last)})
	}
	slices.SortStableFunc(all, func(x, y scored) int {
		if x.d != y.d {
			return x.d - y.d
		}
		return strings.Compare(x.name, y.name)
	})
	var out []string
	for _, s := range all[:min(n, len(all))] {
		out = append(out, quote(s.name))
	}
	return strings.Join(out, ", ")
}
