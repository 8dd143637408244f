package jsonarrow

import (
	"strconv"
	"strings"
)

// finderSyntax is what the functions read that look for values in a document.
var finderSyntax = Syntax{NoNonNumeric: true}

// Path is a compiled path of get_json_object: $, .name, ['name'], [n] and the
// wildcard [*]; .* is a path too, but finds nothing.
type Path struct{ steps []step }

type step struct {
	key   string // of a field
	index int    // of an element, where sub
	sub   bool
	any   bool
}

// ParsePath reads a path; false when it is none, which Spark answers by NULL.
func ParsePath(s string) (*Path, bool) {
	rest, ok := strings.CutPrefix(s, "$")
	if !ok {
		return nil, false
	}
	p := &Path{}
	for rest != "" {
		switch {
		case strings.HasPrefix(rest, "['"):
			end := strings.Index(rest, "']")
			if end < 3 || strings.Contains(rest[2:end], "?") {
				return nil, false
			}
			p.steps = append(p.steps, step{key: rest[2:end], any: rest[2:end] == "*"})
			rest = rest[end+2:]
		case rest[0] == '[':
			end := strings.IndexByte(rest, ']')
			if end < 2 {
				return nil, false
			}
			st := step{sub: true, any: rest[1:end] == "*"}
			if !st.any {
				n, err := strconv.ParseUint(rest[1:end], 10, 31)
				if err != nil {
					return nil, false
				}
				st.index = int(n)
			}
			p.steps = append(p.steps, st)
			rest = rest[end+1:]
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[")
			if end < 0 {
				end = len(rest) - 1
			}
			if end == 0 {
				return nil, false
			}
			p.steps = append(p.steps, step{key: rest[1 : end+1], any: rest[1:end+1] == "*"})
			rest = rest[end+1:]
		default:
			return nil, false
		}
	}
	return p, true
}

// style is how hits are written, as Hive began it.
type style uint8

const (
	raw     style = iota // a text stands without quotes
	quoted               // within a list
	flatten              // lists melt into the list around them
)

// finder walks a document along a path.
type finder struct {
	scanner
	out   []byte
	depth int
}

// Get appends to dst what the path finds in doc; false when it finds nothing
// or doc is malformed. It is for one goroutine at a time.
func (p *Path) Get(dst, doc []byte) ([]byte, bool) {
	f := finder{out: dst}
	f.b, f.syn = doc, finderSyntax
	n := len(dst)
	hit, ok := f.eval(p.steps, raw, false)
	if !hit || !ok {
		return dst[:n], false
	}
	return f.out, true
}

// sep puts a comma before a value of a list that is not its first.
func (f *finder) sep(inList bool) {
	if n := len(f.out); inList && n > 0 && f.out[n-1] != '[' {
		f.out = append(f.out, ',')
	}
}

// eval reads the next value; hit: something was written.
func (f *finder) eval(path []step, st style, inList bool) (hit, ok bool) {
	if f.depth++; f.depth > maxDepth {
		return false, false
	}
	defer func() { f.depth-- }()
	k, w := f.begin()
	if k == kBad {
		return false, false
	}
	if len(path) == 0 {
		return f.leaf(k, w, st, inList)
	}
	switch s := path[0]; {
	case k == kObject && !s.sub && !s.any: // as in Spark, .* finds nothing
		return f.object(path, st, inList)
	case k == kArray && s.sub && s.any:
		return f.list(path, st, inList)
	case k == kArray && s.sub:
		if len(path) > 1 && path[1].sub && path[1].any {
			st = quoted
		}
		return f.index(path[1:], s.index, st, inList)
	}
	return false, f.skipKind(k, f.depth)
}

func (f *finder) leaf(k kind, w []byte, st style, inList bool) (hit, ok bool) {
	if k == kString && st == raw {
		t, ok := f.str()
		f.out = append(f.out, t...)
		return true, ok
	}
	if k == kArray && st == flatten {
		return f.elements(func() (bool, bool) { return f.eval(nil, flatten, inList) })
	}
	f.sep(inList)
	f.out, ok = f.copyKind(f.out, k, w, f.depth)
	return true, ok
}

// elements calls each for the elements of the list that is next.
func (f *finder) elements(each func() (hit, ok bool)) (hit, ok bool) {
	if f.empty(']') {
		return false, true
	}
	for {
		h, ok := each()
		if !ok {
			return false, false
		}
		hit = hit || h
		if more, ok := f.next(']'); !more {
			return hit, ok
		}
	}
}

// object follows the first field that gives a hit.
func (f *finder) object(path []step, st style, inList bool) (hit, ok bool) {
	if f.empty('}') {
		return false, true
	}
	for {
		name, ok := f.name()
		if !ok {
			return false, false
		}
		want := str(name) == path[0].key
		if !f.colon() {
			return false, false
		}
		if f.peek() == 'n' { // null
			want = false
		}
		if hit || !want {
			ok = f.skip(f.depth)
		} else {
			hit, ok = f.eval(path[1:], st, inList)
		}
		if !ok {
			return false, false
		}
		if more, ok := f.next('}'); !more {
			return hit, ok
		}
	}
}

// list follows [*].
func (f *finder) list(path []step, st style, inList bool) (hit, ok bool) {
	f.sep(inList)
	start := len(f.out)
	f.out = append(f.out, '[')
	inner, rest, hits := quoted, path[1:], 0
	double := len(path) > 1 && path[1].sub && path[1].any
	switch {
	case double:
		inner, rest = flatten, path[2:]
	case st == flatten:
		inner = flatten
	}
	hit, ok = f.elements(func() (bool, bool) {
		h, ok := f.eval(rest, inner, true)
		if h {
			hits++
		}
		return h, ok
	})
	switch {
	case double, st == quoted:
		f.out = append(f.out, ']')
	case hits == 1: // a single hit stands without the list
		f.out = append(f.out[:start], f.out[start+1:]...)
	case hits == 0:
		f.out = f.out[:start]
	default:
		f.out = append(f.out, ']')
	}
	return hit, ok
}

func (f *finder) index(path []step, index int, st style, inList bool) (hit, ok bool) {
	i := 0
	return f.elements(func() (bool, bool) {
		if i++; i-1 != index {
			return false, f.skip(f.depth)
		}
		return f.eval(path, st, inList)
	})
}

// ArrayLength is the number of elements of a document that is an array.
func ArrayLength(doc []byte) (n int, ok bool) {
	f := finder{}
	f.b, f.syn = doc, finderSyntax
	if f.peek() != '[' {
		return 0, false
	}
	_, ok = f.elements(func() (bool, bool) {
		n++
		return false, f.skip(1)
	})
	return n, ok
}

// ObjectKeys calls add for the names of the fields of a document that is an
// object, in their order; false, maybe after some calls, when it is none. A
// name is valid during the call.
func ObjectKeys(doc []byte, add func(name []byte)) bool {
	s := scanner{b: doc, syn: finderSyntax}
	if s.peek() != '{' {
		return false
	}
	if s.empty('}') {
		return true
	}
	for {
		name, ok := s.name()
		if !ok {
			return false
		}
		add(name)
		if !s.colon() || !s.skip(1) {
			return false
		}
		if more, ok := s.next('}'); !more {
			return ok
		}
	}
}

// Member appends the value that an object has under a name, as json_tuple gives
// it: texts bare, the last of several; false where there is none, or null.
func Member(dst, doc []byte, name string) ([]byte, bool) {
	s := scanner{b: doc, syn: finderSyntax}
	start, found := len(dst), false
	if k, _ := s.begin(); k != kObject {
		return dst, false
	}
	if s.empty('}') {
		return dst, false
	}
	for {
		key, ok := s.name()
		hit := ok && string(key) == name
		if !ok || !s.colon() {
			return dst[:start], false
		}
		switch k, w := s.begin(); {
		case !hit:
			ok = s.skipKind(k, 0) || len(w) > 0
		case k == kNull:
			dst, found = dst[:start], false
		case k == kString:
			var t []byte
			t, ok = s.str()
			dst, found = append(dst[:start], t...), true
		default:
			dst, ok = s.copyKind(dst[:start], k, w, 0)
			found = true
		}
		more, next := s.next('}')
		if !ok || !next {
			return dst[:start], false
		}
		if !more {
			return dst, found
		}
	}
}
