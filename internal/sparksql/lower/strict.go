package lower

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// strict tells whether a function is NULL for a NULL argument and evaluates its
// arguments one after the other, so that what stands behind a NULL does not
// raise.
func strict(name string, d *funcs.Def) bool {
	switch name {
	case "array_contains", "element_at", "get", "make_date", "make_dt_interval", "make_interval", "make_timestamp", "make_timestamp_ltz", "make_timestamp_ntz", "make_ym_interval",
		"sha2", "to_number", "try_element_at", "try_make_interval", "try_make_timestamp", "try_make_timestamp_ltz", "try_make_timestamp_ntz", "try_variant_get",
		"variant_get", "width_bucket":
		return true
	}
	return !eager(name) && (d == nil || d.NullByArguments())
}

// eager are the functions that evaluate every argument, or choose among them
// by a rule of their own.
func eager(name string) bool {
	switch name {
	case "aes_decrypt", "aes_encrypt", "and", "array", "arrays_zip", "between", "coalesce", "concat", "concat_ws", "decode pairs", "elt", "equal_null", "<=>", "format_string", "greatest",
		"hash", "if", "in", "java_method", "least", "like all", "like any", "locate", "map", "map_concat", "named_struct", "nullif", "nullifzero", "not like all", "not like any", "nvl", "nvl2", "or", "parse_url", "reflect",
		"struct", "try_parse_url", "try_reflect", "xxhash64", "zeroifnull":
		return true
	}
	return false
}

func isComparison(name string) bool {
	switch name {
	case "=", "<", "<=", ">", ">=":
		return true
	}
	return false
}

// rightFirst are the operators that look at the divisor before the dividend.
func rightFirst(name string) bool {
	switch name {
	case "/", "%", "div", "mod", "pmod", "try_divide", "try_mod":
		return true
	}
	return false
}

// guarded is a call's text that is not evaluated where an argument before one
// that may raise is NULL.
func (l *lowerer) guarded(name string, d *funcs.Def, c *plan.Call, a []string, body func(a []string) string) string {
	if len(a) < 2 || !strict(name, d) {
		return body(a)
	}
	order := make([]int, len(a))
	for i := range order {
		order[i] = i
	}
	if rightFirst(name) && len(a) == 2 {
		order[0], order[1] = 1, 0
	}
	last := 0 // the last place that may raise
	for i, at := range order {
		if _, ok := c.Args[at].(*plan.Lambda); ok {
			return body(a)
		}
		if l.canRaise(c.Args[at]) {
			last = i
		}
	}
	return l.unlessNull(c, a, order[:last], rightFirst(name) && !c.Raises, body)
}

// unlessNull is body where none of the arguments at the given places is NULL,
// or zero.
func (l *lowerer) unlessNull(c *plan.Call, a []string, at []int, orZero bool, body func(a []string) string) string {
	if len(at) == 0 {
		return body(a)
	}
	i := at[0]
	if !c.Args[i].Nullable() && !orZero {
		return l.unlessNull(c, a, at[1:], orZero, body)
	}
	return l.let(a[i], func(v string) string {
		b := append([]string(nil), a...)
		b[i] = v
		test := v + " IS NOT NULL"
		if orZero {
			test = v + " <> 0"
		}
		return "CASE WHEN " + test + " THEN " + l.unlessNull(c, b, at[1:], orZero, body) + " END"
	})
}

// triesAll tells whether c gives NULL for whatever its arguments raise.
func triesAll(name string, c *plan.Call) bool {
	return name == "try_to_binary" || name == "try_aes_decrypt" || funcs.IsTry(c)
}

// silenced is a text that is NULL where it would raise.
func (l *lowerer) silenced(text string) string {
	text = withoutErrors(text)
	if strings.Contains(text, "SELECT ") || strings.Contains(text, "random") || strings.Contains(text, "uuid(") {
		return text // what TRY does not take
	}
	return "TRY(" + text + ")"
}

const errorCall = "error("

// withoutErrors puts NULL in the place of the calls of error() in a text.
func withoutErrors(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); {
		switch {
		case text[i] == '\'' || text[i] == '"':
			n := quotedLen(text[i:])
			b.WriteString(text[i : i+n])
			i += n
		case strings.HasPrefix(text[i:], errorCall) && (i == 0 || !isWord(text[i-1])):
			b.WriteString("NULL")
			i += closedLen(text[i:])
		default:
			b.WriteByte(text[i])
			i++
		}
	}
	return b.String()
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// quotedLen is the length of the literal or name that text begins with; a
// doubled quote is read as the end of one and the begin of the next.
func quotedLen(text string) int {
	if n := strings.IndexByte(text[1:], text[0]); n >= 0 {
		return n + 2
	}
	return len(text)
}

// closedLen is the length of the call that text begins with.
func closedLen(text string) int {
	depth := 0
	for i := 0; i < len(text); {
		switch text[i] {
		case '\'', '"':
			i += quotedLen(text[i:])
			continue
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
		i++
	}
	return len(text)
}

// lowerIn looks at the members in their order: those behind an equal one, or
// beside NULL, do not raise.
func lowerIn(l *lowerer, c *plan.Call, a []string) string {
	if len(a) == 1 {
		return "false"
	}
	a[0] = unmoved(c.Args, a)[0]
	all := func(a []string) string { return "(" + a[0] + " IN (" + strings.Join(a[1:], ", ") + "))" }
	raising := slices.IndexFunc(c.Args[1:], l.canRaise) + 1
	if raising == 0 {
		return all(a)
	}
	return l.unlessNull(c, a, []int{0}, false, func(a []string) string {
		if raising == 1 {
			return all(a)
		}
		return "CASE WHEN " + all(a[:raising]) + " THEN true ELSE " + all(a) + " END"
	})
}
