package analyze

import (
	"slices"
	"unicode/utf8"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// comparison are the operators whose CHAR operands are made equally long.
var comparison = map[string]bool{"=": true, "==": true, "<=>": true, "<>": true, "!=": true, "<": true, "<=": true, ">": true, ">=": true, "in": true}

// compare resolves a comparison. CHAR(n) columns hold their values with blanks
// up to n characters; beside another such column or constants the shorter ones
// get blanks, as in Spark, which leaves other operands as they are.
func (a *analyzer) compare(op string, args []plan.Expr, pos sparksql.Pos) (plan.Expr, error) {
	if comparison[op] && a.padsChars() {
		var err error
		if args, err = a.padChars(args, pos); err != nil {
			return nil, err
		}
	}
	return funcs.Resolve(op, args, a.fctx(pos))
}

// declaredChar is the length of a CHAR column, 0 for anything else.
func declaredChar(x plan.Expr) int {
	var t types.Type
	switch x := x.(type) {
	case *plan.Column:
		t = x.Attr.Declared
	case *plan.Outer:
		t = x.Attr.Declared
	}
	if c, ok := t.(types.Char); ok && !c.Var {
		return c.Length
	}
	return 0
}

// padChars gives operands of a comparison blanks up to the longest one.
func (a *analyzer) padChars(args []plan.Expr, pos sparksql.Pos) ([]plan.Expr, error) {
	if !slices.ContainsFunc(args, func(x plan.Expr) bool { return declaredChar(x) > 0 }) {
		return args, nil
	}
	lengths, longest := make([]int, len(args)), 0
	for i, x := range args {
		if lengths[i] = declaredChar(x); lengths[i] == 0 {
			lit, ok := funcs.Eval(x)
			text, isText := "", false
			if ok {
				text, isText = lit.Value.(string)
			}
			if !isText || !types.IsString(x.Type()) {
				return args, nil
			}
			lengths[i] = utf8.RuneCountInString(text)
		}
		longest = max(longest, lengths[i])
	}
	out := slices.Clone(args)
	for i, x := range args {
		if lengths[i] == longest {
			continue
		}
		padded, err := funcs.Resolve("rpad", []plan.Expr{x, intLit(int64(longest)), text(" ")}, a.fctx(pos))
		if err != nil {
			return nil, err
		}
		if lit, ok := funcs.Eval(padded); ok {
			padded = lit
		}
		a.titled = true
		out[i] = &plan.Titled{X: padded, Title: funcs.SQLNameIn(x, a.env.TimeZone)}
	}
	return out, nil
}
