package variant

import (
	"strconv"
	"strings"
)

// Path is a parsed path: $.a['b c'][0].
type Path []step

type step struct {
	name  string
	index int // where isIndex
	isIdx bool
}

// ParsePath reads a path; false for one that is malformed.
func ParsePath(s string) (Path, bool) {
	if !strings.HasPrefix(s, "$") {
		return nil, false
	}
	s = s[1:]
	var p Path
	for s != "" {
		var st step
		var ok bool
		switch s[0] {
		case '.':
			st, s, ok = dotted(s[1:])
		case '[':
			st, s, ok = bracketed(s[1:])
		}
		if !ok {
			return nil, false
		}
		p = append(p, st)
	}
	return p, true
}

func dotted(s string) (step, string, bool) {
	n := strings.IndexAny(s, ".[")
	if n < 0 {
		n = len(s)
	}
	return step{name: s[:n]}, s[n:], n > 0
}

func bracketed(s string) (step, string, bool) {
	if s != "" && (s[0] == '\'' || s[0] == '"') {
		name, rest, ok := strings.Cut(s[1:], s[:1]+"]")
		return step{name: name}, rest, ok
	}
	num, rest, ok := strings.Cut(s, "]")
	n, err := strconv.ParseUint(num, 10, 31)
	return step{index: int(n), isIdx: true}, rest, ok && err == nil
}

// Get finds the part of v at p; false where there is none.
func (p Path) Get(v Value) (Value, bool) {
	for _, s := range p {
		if s.isIdx {
			a, ok := v.([]Value)
			if !ok || s.index >= len(a) {
				return nil, false
			}
			v = a[s.index]
			continue
		}
		o, ok := v.(*Object)
		if !ok {
			return nil, false
		}
		if v, ok = o.Field(s.name); !ok {
			return nil, false
		}
	}
	return v, true
}
