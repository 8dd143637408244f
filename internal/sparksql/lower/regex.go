package lower

import (
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

func regexRules() map[string]rule {
	like := func(l *lowerer, c *plan.Call, a []string) string { return l.like(c, a, false) }
	return map[string]rule{
		"rlike": rlike, "regexp": rlike, "regexp_like": rlike,
		"like": like, "ilike": func(l *lowerer, c *plan.Call, a []string) string { return l.like(c, a, true) },
		"like any": likeMany(" OR ", false), "like all": likeMany(" AND ", false), "not like any": likeMany(" OR ", true), "not like all": likeMany(" AND ", true),
		"regexp_extract":     regex("regexp_extract", "VARCHAR", []string{"group"}),
		"regexp_extract_all": regex("regexp_extract_all", "VARCHAR[]", []string{"group"}),
		"regexp_replace":     regexReplace,
		"regexp_count":       regex("regexp_count", "INTEGER", nil), "regexp_instr": regex("regexp_instr", "INTEGER", []string{"group"}),
		"regexp_substr": func(l *lowerer, c *plan.Call, a []string) string {
			return "nullif(" + regex("regexp_extract", "VARCHAR", []string{"group"})(l, withGroup(c), append(a, "0")) + ", '')"
		},
		"split": split,
	}
}

// withGroup adds the whole match as the group.
func withGroup(c *plan.Call) *plan.Call {
	d := *c
	d.Args = append(append([]plan.Expr(nil), c.Args...), &plan.Literal{Value: int64(0), Typ: types.Int})
	return &d
}

const badPattern = "A regular expression is malformed or a group is missing."

// regex calls a kernel over (text, pattern, numbers named by extra): constant
// patterns and numbers go in as parameters.
func regex(kind, ret string, extra []string) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		if isNull(c.Args[0]) { // whatever the pattern is
			return cast("NULL", ret)
		}
		params := map[string]any{}
		args, ts := []string{a[0]}, []string{"VARCHAR"}
		for i, name := range extra {
			if n, ok := constInt(c.Args[2+i]); ok {
				params[name] = n
			} else {
				params["number"] = name
				args, ts = append(args, a[2+i]), append(ts, "INTEGER")
			}
		}
		if p, ok := constText(c.Args[1]); ok {
			params["pattern"] = p
		} else {
			args, ts = append(args, a[1]), append(ts, "VARCHAR")
		}
		if params["number"] == "group" || params["pattern"] != nil { // a constant pattern was found good before
			return l.regexCall(kind, args, ts, ret, params, "REGEX_GROUP_INDEX")
		}
		return l.regexCall(kind, args, ts, ret, params, "PATTERN")
	}
}

// regexCall raises INVALID_PARAMETER_VALUE with fault for what the kernel cannot
// answer.
func (l *lowerer) regexCall(kind string, args, ts []string, ret string, params any, fault string) string {
	return l.let(args[0], func(x string) string {
		args[0] = x
		return "CASE WHEN " + notNull(args) + " THEN coalesce(" + l.call(kind, args, ts, ret, params) + ", " +
			raise("INVALID_PARAMETER_VALUE."+fault, "22023", badPattern) + ") END"
	})
}

// plainText is the text that a regular expression matches when it matches one
// text only: characters without a meaning, and others behind a backslash.
func plainText(e plan.Expr) (string, bool) {
	p, ok := constText(e)
	if !ok || p == "" {
		return "", false
	}
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		switch {
		case p[i] == '\\':
			if i++; i == len(p) || !strings.ContainsRune(regexSigns, rune(p[i])) {
				return "", false
			}
		case strings.ContainsRune(regexSigns, rune(p[i])):
			return "", false
		}
		b.WriteByte(p[i])
	}
	return b.String(), true
}

// regexSigns are the characters that mean something in a regular expression.
const regexSigns = `\^$.|?*+()[]{}`

func rlike(l *lowerer, c *plan.Call, a []string) string {
	if text, ok := plainText(c.Args[1]); ok {
		return "contains(" + a[0] + ", " + quote(text) + ")"
	}
	return regex("regexp_like", "BOOLEAN", nil)(l, c, a)
}

func split(l *lowerer, c *plan.Call, a []string) string {
	text, ok := plainText(c.Args[1])
	if n, constant := constInt(c.Args[2]); ok && constant && n <= 0 {
		return "string_split(" + a[0] + ", " + quote(text) + ")"
	}
	return regex("split", "VARCHAR[]", []string{"limit"})(l, c, a)
}

func regexReplace(l *lowerer, c *plan.Call, a []string) string {
	if text, ok := plainText(c.Args[1]); ok {
		with, constant := constText(c.Args[2])
		if n, first := constInt(c.Args[3]); first && n == 1 && constant && !strings.ContainsAny(with, `\$`) {
			return "replace(" + a[0] + ", " + quote(text) + ", " + quote(with) + ")"
		}
	}
	params := map[string]any{}
	if n, ok := constInt(c.Args[3]); ok && n > 1 {
		params["position"] = n
	} else if isNull(c.Args[3]) {
		return cast("NULL", "VARCHAR")
	} else if !ok && funcs.IsFoldable(c.Args[3]) { // a position that raises
		return cast(a[3], "VARCHAR")
	} else if !ok {
		return l.unsupported(c.Pos, "The position of regexp_replace must be a constant.")
	}
	args, ts := []string{a[0], a[2]}, []string{"VARCHAR", "VARCHAR"}
	fault := raise("INVALID_REGEXP_REPLACE", "22023", "The replacement of regexp_replace names a group that the expression has not, or ends within an escape.")
	if p, ok := constText(c.Args[1]); ok {
		params["pattern"] = p
	} else {
		args, ts = append(args, a[1]), append(ts, "VARCHAR")
		fault = "CASE WHEN " + l.call("regexp_like", []string{"''", a[1]}, []string{"VARCHAR", "VARCHAR"}, "BOOLEAN", map[string]any{}) + " IS NULL THEN " +
			raise("INVALID_PARAMETER_VALUE.PATTERN", "22023", badPattern) + " ELSE " + fault + " END"
	}
	return l.let(args[0], func(x string) string {
		args[0] = x
		return "CASE WHEN " + notNull(args) + " THEN coalesce(" + l.call("regexp_replace", args, ts, "VARCHAR", params) + ", " + fault + ") END"
	})
}

// like checks a constant pattern's escapes here, others are taken as they come.
func (l *lowerer) like(c *plan.Call, a []string, fold bool) string {
	escape := `\`
	if len(c.Args) == 3 {
		escape, _ = constText(c.Args[2])
	}
	x, p := a[0], a[1]
	if text, ok := constText(c.Args[1]); ok && strings.HasSuffix(text, escape) && !strings.HasSuffix(text, escape+escape) {
		return "CASE WHEN " + x + " IS NOT NULL THEN " + raise("INVALID_FORMAT.ESC_AT_THE_END", "42601", "The pattern of LIKE ends with its escape.") + " END"
	} else if ok && !escapesRight(text, escape) {
		return "CASE WHEN " + x + " IS NOT NULL THEN " + raise("INVALID_FORMAT.ESC_IN_THE_MIDDLE", "42601",
			"In the pattern of LIKE the escape stands before an ordinary character.") + " END"
	}
	if fold {
		x, p = "lower("+x+")", "lower("+p+")"
	}
	if text, ok := constText(c.Args[1]); ok && !strings.Contains(text, escape) {
		return "(" + x + " LIKE " + p + ")" // DuckDB makes that a search for a prefix, a suffix or a part
	}
	return "(" + x + " LIKE " + p + " ESCAPE " + quote(escape) + ")"
}

func escapesRight(pattern, escape string) bool {
	rest := pattern
	for {
		_, after, found := strings.Cut(rest, escape)
		if !found {
			return true
		}
		if after == "" {
			return false
		}
		switch {
		case after[0] == '%' || after[0] == '_':
			rest = after[1:]
		case strings.HasPrefix(after, escape):
			rest = after[len(escape):]
		default:
			return false
		}
	}
}

func likeMany(join string, not bool) rule {
	return func(l *lowerer, c *plan.Call, a []string) string {
		parts := make([]string, len(a)-1)
		for i := range parts {
			k := *c
			k.Args = []plan.Expr{c.Args[0], c.Args[i+1]}
			parts[i] = l.like(&k, []string{a[0], a[i+1]}, false)
			if not {
				parts[i] = "(NOT " + parts[i] + ")"
			}
		}
		return "(" + strings.Join(parts, join) + ")"
	}
}
