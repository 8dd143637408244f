package collation

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/text/language"
)

// ErrName says that a text names no collation.
var ErrName = errors.New("collation: unknown name")

// Binary is the collation of plain strings.
const Binary = "UTF8_BINARY"

// Version is the version of ICU that Spark 4.2 names for its collations.
const Version = "78.3.0.0"

type family uint8

const (
	utf8Binary family = iota
	utf8Lower
	icu
)

// Collation is a collation by its parts. Values are immutable.
type Collation struct {
	Name              string // as Spark prints it: "UNICODE_CI", "de_AI_RTRIM"
	Language, Country string // of a language's collation, in English
	CaseInsensitive   bool
	AccentInsensitive bool
	TrimRight         bool

	family family
	tag    language.Tag
}

// Parse finds a collation by its name in any case: a base, and behind it in any
// order CS or CI, AS or AI, RTRIM.
func Parse(name string) (*Collation, error) {
	up := strings.ToUpper(name)
	c := &Collation{}
	var rest string
	switch {
	case prefixed(up, "UTF8_BINARY", &rest):
		c.Name = Binary
	case prefixed(up, "UTF8_LCASE", &rest):
		c.Name, c.family, c.CaseInsensitive = "UTF8_LCASE", utf8Lower, true
	default:
		l, ok := localeOf(up, &rest)
		if !ok {
			return nil, unknown(name)
		}
		c.Name, c.Language, c.Country, c.family, c.tag = l.name, l.language, l.country, icu, l.tag()
	}
	if !c.specify(rest) {
		return nil, unknown(name)
	}
	return c, nil
}

// prefixed tells that name is base alone or with specifiers behind it.
func prefixed(name, base string, rest *string) bool {
	after, ok := strings.CutPrefix(name, base)
	if !ok || after != "" && after[0] != '_' {
		return false
	}
	*rest = after
	return true
}

// specify reads _CI, _AI, _RTRIM and their opposites, each once.
func (c *Collation) specify(s string) bool {
	var caseSet, accentSet bool
	for _, w := range strings.Split(s, "_")[1:] {
		switch w {
		case "CS", "CI":
			if caseSet || c.family != icu {
				return false
			}
			caseSet, c.CaseInsensitive = true, w == "CI"
		case "AS", "AI":
			if accentSet || c.family != icu {
				return false
			}
			accentSet, c.AccentInsensitive = true, w == "AI"
		case "RTRIM":
			if c.TrimRight {
				return false
			}
			c.TrimRight = true
		default:
			return false
		}
	}
	if c.family == icu && c.CaseInsensitive {
		c.Name += "_CI"
	}
	if c.AccentInsensitive {
		c.Name += "_AI"
	}
	if c.TrimRight {
		c.Name += "_RTRIM"
	}
	return true
}

func unknown(name string) error {
	up, best := strings.ToUpper(name), []string{}
	for _, l := range locales() {
		if len(up) > 1 && strings.HasPrefix(strings.ToUpper(l.name), up[:2]) {
			best = append(best, l.name)
		}
	}
	if strings.HasPrefix(up, "UTF8") {
		best = append(best, Binary, "UTF8_LCASE")
	}
	slices.Sort(best)
	hint := ""
	if len(best) > 0 {
		hint = "; there is " + strings.Join(best[:min(3, len(best))], ", ")
	}
	return fmt.Errorf("%w %q%s", ErrName, name, hint)
}

// Binary tells that the texts are compared byte by byte.
func (c *Collation) Binary() bool { return c.family == utf8Binary && !c.TrimRight }

// Lower tells that texts match when they are equal in lower case.
func (c *Collation) Lower() bool { return c.family == utf8Lower }

// Unicode tells a collation by weights.
func (c *Collation) Unicode() bool { return c.family == icu }

// Columns are the names of what Describe gives.
var Columns = []string{"NAME", "LANGUAGE", "COUNTRY", "ACCENT_SENSITIVITY", "CASE_SENSITIVITY", "PAD_ATTRIBUTE", "ICU_VERSION"}

// Describe is the collation's row in Spark's list, a text for each of Columns,
// "" where there is none.
func (c *Collation) Describe() []string {
	word := func(on bool, yes, no string) string {
		if on {
			return yes
		}
		return no
	}
	return []string{c.Name, c.Language, c.Country,
		word(c.AccentInsensitive, "ACCENT_INSENSITIVE", "ACCENT_SENSITIVE"), word(c.CaseInsensitive, "CASE_INSENSITIVE", "CASE_SENSITIVE"),
		word(c.TrimRight, "RTRIM", "NO_PAD"), word(c.Unicode(), Version, "")}
}

// All are all collations in the order in which Spark lists them.
func All() []*Collation {
	names := []string{Binary, "UTF8_LCASE", Binary + "_RTRIM", "UTF8_LCASE_RTRIM"}
	for _, l := range locales() {
		for _, s := range []string{"", "_AI", "_AI_RTRIM", "_CI", "_CI_AI", "_CI_AI_RTRIM", "_CI_RTRIM", "_RTRIM"} {
			names = append(names, l.name+s)
		}
	}
	out := make([]*Collation, 0, len(names))
	for _, n := range names {
		if c, err := Parse(n); err == nil {
			out = append(out, c)
		}
	}
	return out
}
