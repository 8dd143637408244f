package page

import (
	"fmt"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/funcs/reference"
)

// kinds say where a function may stand.
var kinds = map[funcs.Kind]string{
	funcs.Scalar: "scalar", funcs.Aggregate: "aggregate", funcs.Window: "window function", funcs.Generator: "generator",
}

// Render makes the page. A function of the registry without an entry is left
// out here; a test names it.
func Render(recorded []byte) (string, error) {
	entries, err := reference.Entries()
	if err != nil {
		return "", err
	}
	recordedBy, err := answers(recorded)
	if err != nil {
		return "", err
	}
	names := aliases()
	var b strings.Builder
	fmt.Fprintf(&b, "# Functions\n\n%d functions, %d names. Each has the types, NULLs, errors and output names of Spark 4.2; "+
		"the answers below are Spark's own and are compared with the engine's in the tests.\n\n", len(entries), len(funcs.Names()))
	b.WriteString("Optional arguments stand in brackets; ANY is any type, NUM any number, T the same type throughout. " +
		"*Runs as* says how: **native** is DuckDB's own function, **macro** an expression of those, **kernel** a vectorised function of ours inside DuckDB, " +
		"**analysis** something simpler that the call is turned into before it runs.\n\n" +
		"This page is generated: `make gen`.\n\n")
	index(&b, entries, names)
	family := ""
	for _, e := range entries {
		if e.Family != family {
			family = e.Family
			fmt.Fprintf(&b, "\n## %s\n", family)
		}
		if err := section(&b, e, names[e.Name], recordedBy[caseID(e.Name)]); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

// aliases gives for each function its other names.
func aliases() map[string][]string {
	out := map[string][]string{}
	for _, n := range funcs.Names() {
		if base := baseOf(n); base != n {
			out[base] = append(out[base], n)
		}
	}
	return out
}

// baseOf is the name under which a function is described.
func baseOf(name string) string {
	d := funcs.Lookup(name)
	if _, own := reference.Lookup(name); own {
		return name
	}
	if d.Base != "" {
		return d.Base
	}
	return d.Name
}

// index lists all names by their first letter.
func index(b *strings.Builder, entries []reference.Entry, aliases map[string][]string) {
	to := map[string]string{}
	for _, e := range entries {
		to[e.Name] = e.Name
		for _, a := range aliases[e.Name] {
			to[a] = e.Name
		}
	}
	names := make([]string, 0, len(to))
	for n := range to {
		names = append(names, n)
	}
	slices.Sort(names)
	letter := byte(0)
	for _, n := range names {
		if n[0] != letter {
			if letter != 0 {
				b.WriteString("\n\n")
			}
			letter = n[0]
			fmt.Fprintf(b, "**%s**", strings.ToUpper(n[:1]))
		}
		fmt.Fprintf(b, " [%s](#%s)", n, to[n])
	}
	b.WriteByte('\n')
}

func section(b *strings.Builder, e reference.Entry, other []string, a Answer) error {
	d := funcs.Lookup(e.Name)
	if d == nil {
		return fmt.Errorf("%s: there is no function %s", e.File, e.Name)
	}
	fmt.Fprintf(b, "\n### %s\n\n", e.Name)
	for _, s := range e.Signatures {
		fmt.Fprintf(b, "`%s`  \n", s)
	}
	fmt.Fprintf(b, "%s\n\n", e.Meaning)
	if d.Kind != funcs.Scalar {
		fmt.Fprintf(b, "- %s\n", kinds[d.Kind])
	}
	if len(other) > 0 {
		var links []string
		for _, o := range other {
			links = append(links, "`"+o+"`")
		}
		fmt.Fprintf(b, "- also as %s\n", strings.Join(links, ", "))
	}
	how, err := RunsAs(e, a.Error != nil)
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "- runs as %s\n- tested by recorded case `%s`\n\n", how, caseID(e.Name))
	fmt.Fprintf(b, "```sql\n%s\n%s```\n", e.Example, answerText(a))
	return nil
}
