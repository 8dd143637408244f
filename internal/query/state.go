package query

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// Variable finds a variable by the start of a name: label.x and x in the
// script's scopes from the inside, then x, session.x and system.session.x.
func (s *state) Variable(name []string) (*analyze.Variable, int) {
	if s.hidden == 0 {
		for _, f := range slices.Backward(s.frames) {
			if v := f.vars[strings.ToLower(name[0])]; v != nil {
				return v, 1
			}
			if len(name) > 1 && f.label != "" && strings.EqualFold(f.label, name[0]) {
				if v := f.vars[strings.ToLower(name[1])]; v != nil {
					return v, 2
				}
			}
		}
	}
	if v := s.vars[strings.ToLower(name[0])]; v != nil {
		return v, 1
	}
	for n := min(len(name), 3); n > 1; n-- {
		if v := s.vars[strings.ToLower(name[n-1])]; v != nil && sessionQualifier(name[:n-1]) {
			return v, n
		}
	}
	return nil, 0
}

// sessionQualifier tells whether parts are SESSION or SYSTEM.SESSION.
func sessionQualifier(parts []string) bool {
	switch len(parts) {
	case 1:
		return strings.EqualFold(parts[0], "session")
	case 2:
		return strings.EqualFold(parts[0], "system") && strings.EqualFold(parts[1], "session")
	}
	return false
}

// temporary is the name of a temporary object, "" where name can be none.
func temporary(name []string) string {
	if n := len(name); n == 1 || n > 1 && sessionQualifier(name[:n-1]) {
		return name[n-1]
	}
	return ""
}

// View finds a temporary view.
func (s *state) View(name string) *analyze.View { return s.views[strings.ToLower(name)] }

// Routine finds a temporary function.
func (s *state) Routine(name string) *plan.Routine { return s.routines[strings.ToLower(name)] }

// local is the scope in which declarations are local, nil outside of scripts.
func (s *state) local() *frame {
	if s.hidden > 0 || len(s.frames) == 0 {
		return nil
	}
	return s.frames[len(s.frames)-1]
}

// put puts v into a map that may be nil.
func put[T any](m *map[string]T, name string, v T) {
	if *m == nil {
		*m = map[string]T{}
	}
	(*m)[strings.ToLower(name)] = v
}
