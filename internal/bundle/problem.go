package bundle

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/typo"
)

// Pos is a place in a file of the project: File is relative to the project
// folder; Line and Col count from 1. The zero Line is "the file as a whole".
type Pos struct {
	File      string
	Line, Col int
}

// String is "file:line:col", or the file alone.
func (p Pos) String() string {
	if p.Line == 0 {
		return p.File
	}
	return fmt.Sprintf("%s:%d:%d", p.File, p.Line, p.Col)
}

// Problem is something wrong, or to be known, at a place.
type Problem struct {
	Pos
	Message string // what is wrong and what was expected
}

// Error is "file:line:col: message".
func (p Problem) Error() string {
	if p.File == "" {
		return p.Message
	}
	return p.String() + ": " + p.Message
}

// Errors is all that is wrong with a project, in order of file and place, and
// the warnings, marked as such.
type Errors []Problem

// Error has a line for each problem.
func (e Errors) Error() string {
	lines := make([]string, len(e))
	for i, p := range e {
		lines[i] = p.Error()
	}
	return strings.Join(lines, "\n")
}

// report collects problems.
type report struct {
	errors, warnings []Problem
}

func (r *report) errorf(at Pos, format string, args ...any) {
	r.errors = append(r.errors, Problem{at, fmt.Sprintf(format, args...)})
}

func (r *report) warnf(at Pos, format string, args ...any) {
	r.warnings = append(r.warnings, Problem{at, fmt.Sprintf(format, args...)})
}

// err gives the errors in order, or nil. The warnings stand among them: a key
// that is misspelt often tells why another one is missing.
func (r *report) err() error {
	if len(r.errors) == 0 {
		return nil
	}
	all := slices.Clone(r.errors)
	for _, w := range r.warnings {
		if slices.ContainsFunc(r.errors, func(e Problem) bool { return e.Pos == w.Pos }) {
			continue // the error says it
		}
		all = append(all, Problem{w.Pos, "warning: " + w.Message})
	}
	return Errors(ordered(all))
}

func ordered(all []Problem) []Problem {
	slices.SortStableFunc(all, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line), cmp.Compare(a.Col, b.Col), cmp.Compare(a.Message, b.Message))
	})
	return slices.Compact(all)
}

// meant is " (did you mean x?)" where one of the names is near, else a list of
// the names where it is short.
func meant(name string, known []string) string {
	best, bestDist := "", max(2, len(name)/3)+1
	for _, k := range known {
		if d := typo.Distance(strings.ToLower(name), k); d < bestDist {
			best, bestDist = k, d
		}
	}
	switch {
	case best != "":
		return fmt.Sprintf("; did you mean %q?", best)
	case len(known) == 0:
		return ""
	case len(known) <= 12:
		return "; expected one of " + strings.Join(known, ", ")
	}
	return ""
}
