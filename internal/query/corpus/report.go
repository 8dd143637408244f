package corpus

import (
	"fmt"
	"io"
	"sort"
	"strings"
)

// Report counts cases by group and writes failures as they come.
type Report struct {
	w      io.Writer
	groups map[string]*count
	total  count
}

type count struct{ passed, failed int }

// NewReport writes failures to w.
func NewReport(w io.Writer) *Report { return &Report{w: w, groups: map[string]*count{}} }

// Add counts a case; f is nil when it passed.
func (r *Report) Add(c Case, f *Failure) error {
	g := r.groups[c.Group]
	if g == nil {
		g = &count{}
		r.groups[c.Group] = g
	}
	if f == nil {
		g.passed++
		r.total.passed++
		return nil
	}
	g.failed++
	r.total.failed++
	_, err := io.WriteString(r.w, f.String())
	return err
}

// Failed is the number of cases that differ.
func (r *Report) Failed() int { return r.total.failed }

// Passed is the number of cases that are equal.
func (r *Report) Passed() int { return r.total.passed }

// Table is the result by group, "N passed, N failed" last.
func (r *Report) Table() string {
	var b strings.Builder
	names := make([]string, 0, len(r.groups))
	for g := range r.groups {
		names = append(names, g)
	}
	sort.Strings(names)
	fmt.Fprintf(&b, "%-28s %7s %7s %7s\n", "group", "passed", "failed", "equal")
	for _, g := range names {
		c := r.groups[g]
		fmt.Fprintf(&b, "%-28s %7d %7d %6.1f%%\n", g, c.passed, c.failed, 100*float64(c.passed)/float64(c.passed+c.failed))
	}
	fmt.Fprintf(&b, "%d passed, %d failed\n", r.total.passed, r.total.failed)
	return b.String()
}

// maxText bounds the answers in a failure's text.
const maxText = 4000

// String shows the statement with both answers.
func (f *Failure) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s (%s)", f.Case.ID, f.Case.Group)
	if len(f.Case.Steps) > 0 {
		fmt.Fprintf(&b, " step %d of %d", f.At+1, len(f.Case.Steps))
	}
	fmt.Fprintf(&b, ": %s\n  sql   %s\n", f.Why, strings.ReplaceAll(f.Step.SQL, "\n", "\n        "))
	conf := f.Case.Conf
	if len(f.Step.Conf) > 0 {
		conf = f.Step.Conf
	}
	if len(conf) > 0 {
		fmt.Fprintf(&b, "  conf  %s\n", text(conf))
	}
	if len(f.Step.Args) > 0 {
		fmt.Fprintf(&b, "  args  %s\n", f.Step.Args)
	}
	if e := f.Step.Error; e != nil {
		fmt.Fprintf(&b, "  spark [%s] %s (%s) %s\n", e.Class, e.SQLState, e.Phase, cut(firstLine(e.Message)))
	} else {
		fmt.Fprintf(&b, "  spark %s %s\n        %s\n", text(f.Step.Names), text(f.Step.Types), cut(text(f.Step.Rows)))
	}
	if f.Got.Err != nil {
		fmt.Fprintf(&b, "  here  %s\n\n", cut(f.Got.Err.Error()))
		return b.String()
	}
	ts := make([]string, len(f.Got.Types))
	for i, t := range f.Got.Types {
		ts[i] = t.String()
	}
	fmt.Fprintf(&b, "  here  %s %s\n        %s\n\n", text(f.Got.Names), text(ts), cut(text(f.Got.Rows)))
	return b.String()
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

func cut(s string) string {
	if len(s) > maxText {
		return s[:maxText] + "..."
	}
	return s
}
