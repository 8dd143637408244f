package analyze

import (
	"errors"
	"reflect"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
)

// precede gives the error of a statement or a query that Spark finds first.
// It looks up all functions before anything else, and builds a call as soon as
// its arguments have a meaning, before it tells of names without one. Queries
// inside of expressions come later.
func (a *analyzer) precede(of any, p place, err error) error {
	e, ok := errors.AsType[*sparksql.Error](err)
	if !ok || e.Phase != sparksql.PhaseAnalysis || e.Class == "UNRESOLVED_ROUTINE" || e.Class == "ROUTINE_NOT_FOUND" || e.Class == "UNRESOLVED_MAP_KEY" || e.Class == "UNSUPPORTED_EXPRESSION_GENERATED_COLUMN" {
		return err
	}
	calls, selects := callsOf(of)
	for _, c := range calls {
		if a.unknownCall(c, p) && (len(c.Name) != 1 || !strings.EqualFold(c.Name[0].Name, "cast")) {
			return a.noFunction(c, p)
		}
		if name := strings.ToLower(c.Name[0].Name); len(c.Name) == 1 && tableOnly(funcs.Lookup(strings.TrimSuffix(name, "_outer"))) {
			return a.noScalar(c.Pos(), name)
		}
	}
	late := strings.HasPrefix(e.Class, "UNRESOLVED_COLUMN.") || strings.HasPrefix(e.Class, "DATATYPE_MISMATCH.") || e.Class == "TABLE_OR_VIEW_NOT_FOUND" || e.Class == "MISSING_AGGREGATION" || e.Class == "MISSING_GROUP_BY"
	for _, c := range calls {
		if late && c.Over == nil && c.Within == nil && meaningful(c, e, selects) {
			if wrong := a.arity(c); wrong != nil {
				return wrong
			}
		}
	}
	return err
}

// callsOf are the calls of functions in a statement or a query, without those
// of FROM and of queries in expressions, and the number of its SELECTs.
func callsOf(of any) ([]*ast.Call, int) {
	var out []*ast.Call
	selects := 0
	walkAST(reflect.ValueOf(of), func(n any) bool {
		switch n := n.(type) {
		case *ast.Subquery, *ast.Exists:
			return false
		case *ast.In:
			if n.Query != nil {
				walk, _ := callsOf(n.X)
				out = append(out, walk...)
				return false
			}
		case *ast.Select:
			selects++
			for _, v := range n.Views { // their own calls are generators
				for _, x := range v.Call.Args {
					more, _ := callsOf(x)
					out = append(out, more...)
				}
			}
			plain := *n
			plain.Views = nil
			if len(n.Views) > 0 {
				more, in := callsOf(&plain)
				out, selects = append(out, more...), selects+in-1
				return false
			}
		case *ast.TableFunc:
			for _, x := range n.Call.Args {
				more, _ := callsOf(x)
				out = append(out, more...)
			}
			return false
		case *ast.Call:
			if n.NameExpr == nil && !n.Name.Dynamic() && len(n.Name) > 0 {
				out = append(out, n)
			}
		}
		return true
	})
	return out, selects
}

// unknownCall tells of a call that no function is behind.
func (a *analyzer) unknownCall(c *ast.Call, p place) bool {
	name := strings.ToLower(c.Name[len(c.Name)-1].Name)
	if len(c.Name) == 1 || builtinName(c.Name) {
		switch {
		case c.Syntax != "", ownForm[name], tableFunctions[name], changeFunctions[name], bareFunctions[name] != "":
			return false
		case funcs.Lookup(name) != nil, funcs.Lookup(strings.TrimSuffix(name, "_outer")) != nil:
			return false
		}
	}
	if len(c.Name) > 3 || len(c.Name) == 3 && !a.knownCatalog(c.Name[0].Name, p) {
		return false
	}
	r, err := a.routine(c.Name, p)
	return r == nil && err == nil
}

// ownForm are calls that the registry does not know.
var ownForm = map[string]bool{"grouping": true, "grouping_id": true, "identifier": true, "input_file_block_length": true, "input_file_block_start": true,
	"input_file_name": true, "session_window": true, "struct": true, "window": true}

// meaningful tells whether a call's arguments have a meaning where e was found.
func meaningful(c *ast.Call, e *sparksql.Error, selects int) bool {
	for _, x := range c.Args {
		switch x.(type) {
		case *ast.Star, *ast.Lambda, *ast.NamedArg:
			return false
		}
		for _, n := range columnsOf(x) {
			if selects != 1 || e.Class == "TABLE_OR_VIEW_NOT_FOUND" || strings.Contains(e.Message, quoteAll(n)) {
				return false
			}
		}
	}
	return true
}

// arity is the error of a built-in function's call with too few or too many
// arguments.
func (a *analyzer) arity(c *ast.Call) error {
	if c.Syntax != "" || len(c.Name) > 1 {
		return nil
	}
	if d := funcs.Lookup(strings.ToLower(c.Name[0].Name)); d != nil {
		return d.CheckCount(len(c.Args), a.fctx(c.Pos()))
	}
	return nil
}
