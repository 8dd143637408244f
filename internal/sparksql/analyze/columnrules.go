package analyze

import (
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// checkRules analyses the expressions of columns.
func (a *analyzer) checkRules(cols []plan.TableColumn, pos sparksql.Pos) error {
	var plain []column
	for _, c := range cols {
		if c.Generated == "" {
			at := newAttr(c.Name, stored(c.Type))
			plain = append(plain, column{Attr: at, origin: at.ID})
		}
	}
	for _, c := range cols {
		if c.Default != "" && c.Generated != "" {
			return a.errorf(pos, "GENERATED_COLUMN_WITH_DEFAULT_VALUE", "42623", "The column %s cannot have both a DEFAULT and an expression that generates it.", quote(c.Name))
		}
		if c.Default != "" {
			if err := a.checkDefault(c, pos); err != nil {
				return err
			}
		}
		if c.Generated == "" {
			continue
		}
		x, err := a.text(c.Generated, plain)
		if err != nil {
			for _, g := range cols {
				e, perr := parse.Expression(c.Generated)
				if g.Generated != "" && perr == nil && usesColumn(e, []string{g.Name}) {
					return a.errorf(pos, "UNSUPPORTED_EXPRESSION_GENERATED_COLUMN", "42621", "The column %s cannot be generated from %s, which is generated itself.", quote(c.Name), quote(g.Name))
				}
			}
			if sparksql.ClassOf(err) == "UNRESOLVED_ROUTINE" {
				return a.errorf(pos, "UNSUPPORTED_EXPRESSION_GENERATED_COLUMN", "42621", "The expression of %s calls a function that is none of the built-in ones: %v", quote(c.Name), err)
			}
			return err
		}
		odd := ""
		switch {
		case contains(x, changing):
			return a.errorf(pos, "DELTA_UNSUPPORTED_EXPRESSION_GENERATED_COLUMN", "42621", "The expression of %s depends on when or by whom it is computed, or takes a lambda.", quote(c.Name))
		case hasAggregate(x) || hasWindow(x):
			odd = "holds an aggregate"
		case contains(x, func(y plan.Expr) bool { f, ok := y.(*plan.Call); return ok && f.Volatile }):
			odd = "gives another value each time"
		case contains(x, func(y plan.Expr) bool { _, ok := y.(*plan.Subquery); return ok }):
			odd = "holds a sub-query"
		case !upCast(x.Type(), stored(c.Type)):
			odd = "is " + x.Type().SQL() + ", and the column " + c.Type.SQL()
		}
		switch {
		case types.Contains(c.Type, isVariant):
			return a.errorf(pos, "DELTA_UNSUPPORTED_DATA_TYPE_IN_GENERATED_COLUMN", "42621", "The column %s cannot be generated: it is %s.", quote(c.Name), c.Type.SQL())
		case contains(x, func(y plan.Expr) bool { return types.Contains(y.Type(), isVariant) }):
			return a.errorf(pos, "DELTA_UNSUPPORTED_EXPRESSION_GENERATED_COLUMN", "42621", "The expression of %s takes a VARIANT.", quote(c.Name))
		case odd != "":
			return a.errorf(pos, "UNSUPPORTED_EXPRESSION_GENERATED_COLUMN", "42621", "The expression of %s %s.", quote(c.Name), odd)
		case !types.Equal(x.Type(), stored(c.Type)):
			return a.errorf(pos, "DELTA_GENERATED_COLUMNS_EXPR_TYPE_MISMATCH", "42K09", "The expression of %s is %s, the column %s.", quote(c.Name), x.Type().SQL(), c.Type.SQL())
		}
	}
	return nil
}

// changing tells whether a generated column cannot hold an expression because
// it would depend on more than the row, or takes a function as argument.
func changing(x plan.Expr) bool {
	switch x := x.(type) {
	case *plan.Lambda:
		return true
	case *plan.Call:
		switch x.Fn {
		case "current_timestamp", "current_date", "current_user", "current_catalog", "current_database", "current_timezone", "localtimestamp", "current_time":
			return true
		}
	}
	return false
}

// checkDefault analyses the DEFAULT of a column: a constant that can be cast
// to the column's type without loss of more than digits.
func (a *analyzer) checkDefault(c plan.TableColumn, pos sparksql.Pos) error {
	refuse := func(reason, format string, args ...any) error {
		return a.errorf(pos, "INVALID_DEFAULT_VALUE."+reason, "42623", "The DEFAULT of %s "+format, append([]any{quote(c.Name)}, args...)...)
	}
	x, err := a.text(c.Default, nil)
	switch class := sparksql.ClassOf(err); {
	case class == "UNRESOLVED_ROUTINE":
		return err
	case strings.HasPrefix(class, "UNRESOLVED_COLUMN"):
		return refuse("NOT_CONSTANT", "is no constant.")
	case err != nil:
		return refuse("UNRESOLVED_EXPRESSION", "cannot be resolved: %v.", err)
	case contains(x, func(y plan.Expr) bool { _, ok := y.(*plan.Subquery); return ok }):
		return refuse("SUBQUERY_EXPRESSION", "holds a sub-query.")
	case volatile(x):
		return refuse("NON_DETERMINISTIC", "gives another value each time.")
	case !funcs.IsFoldable(x):
		return refuse("NOT_CONSTANT", "is no constant.")
	case !upCast(x.Type(), stored(c.Type)) && !a.fitsDefault(x, stored(c.Type)):
		return refuse("DATA_TYPE", "is %s, the column %s.", x.Type().SQL(), c.Type.SQL())
	}
	return nil
}

// fitsDefault tells whether a constant of another type can be a column's default.
func (a *analyzer) fitsDefault(x plan.Expr, to types.Type) bool {
	from := x.Type()
	if !funcs.CanCast(from, to, true) || to == types.Boolean && types.IsNumeric(from) {
		return false
	}
	lit, ok := funcs.Eval(x)
	if !ok {
		return true
	}
	switch v := lit.Value.(type) {
	case string:
		return a.readsAs(v, to)
	case int64:
		if types.IsIntegral(to) && types.IsIntegral(from) {
			_, ok := funcs.Eval(&plan.Cast{X: lit, To: to})
			return ok
		}
	}
	return true
}

// readsAs tells whether a text is one of a value of type t.
func (a *analyzer) readsAs(text string, t types.Type) bool {
	s := strings.TrimSpace(text)
	switch {
	case t == types.Date || t == types.Timestamp || t == types.TimestampNTZ:
		_, ok := funcs.TimeOfText(s, types.Timestamp, a.env.Now, a.zone())
		return ok
	case types.IsIntegral(t):
		_, err := strconv.ParseInt(s, 10, 64)
		return err == nil
	case types.IsNumeric(t):
		_, err := strconv.ParseFloat(s, 64)
		return err == nil
	}
	return true
}
