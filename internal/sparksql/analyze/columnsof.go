package analyze

import (
	"reflect"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
)

// columnsOf are the names that stand in an expression as columns.
func columnsOf(e ast.Expr) [][]string {
	var out [][]string
	walkAST(reflect.ValueOf(e), func(n any) bool {
		c, ok := n.(*ast.Column)
		if ok {
			out = append(out, c.Name.Strings())
		}
		return !ok
	})
	return out
}

// usesColumn tells whether an expression names a column or a field of it.
func usesColumn(e ast.Expr, path []string) bool {
	for _, n := range columnsOf(e) {
		k := min(len(n), len(path))
		if slices.EqualFunc(n[:k], path[:k], strings.EqualFold) {
			return true
		}
	}
	return false
}

// walkAST calls f with every pointer below v, whatever the nodes are, and goes
// on below those that f says yes to.
func walkAST(v reflect.Value, f func(any) bool) {
	switch v.Kind() {
	case reflect.Interface:
		if !v.IsNil() {
			walkAST(v.Elem(), f)
		}
	case reflect.Pointer:
		if !v.IsNil() && f(v.Interface()) {
			walkAST(v.Elem(), f)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				walkAST(v.Field(i), f)
			}
		}
	case reflect.Slice:
		for i := range v.Len() {
			walkAST(v.Index(i), f)
		}
	}
}
