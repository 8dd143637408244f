package analyze

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// named is an expression with the name that it gets in an output.
type named struct {
	name string
	x    plan.Expr
}

// star expands *, t.* and struct.*, without the columns of EXCEPT.
func (a *analyzer) star(e *ast.Star, s *scope) ([]named, error) {
	cols, err := a.starColumns(e, s)
	if err != nil || len(e.Except) == 0 {
		return cols, err
	}
	return a.except(e, cols, s)
}

func (a *analyzer) starColumns(e *ast.Star, s *scope) ([]named, error) {
	var out []named
	q := e.Qualifier.Strings()
	if a.shapeless != nil && len(s.cols) == 0 {
		return nil, a.errorf(e.Pos(), "INVALID_USAGE_OF_STAR_OR_REGEX", "42000", "* has no columns to stand for.").hint("Give the step of the recursive expression as many columns as its anchor has.")
	}
	if len(q) == 0 {
		for _, c := range s.cols {
			if !c.hidden {
				out = append(out, named{c.Name, &plan.Column{Attr: c.Attr}})
			}
		}
		return out, nil
	}
	known := false
	for _, c := range s.cols {
		if a.qualifies(c.Qualifier, q) && !c.metadata {
			known = true
			out = append(out, named{c.Name, &plan.Column{Attr: c.Attr}})
		}
	}
	if known {
		return out, nil
	}
	x, err := a.lookup(q, e.Pos(), s)
	if err != nil {
		return nil, err
	}
	if x == nil {
		return nil, a.errorf(e.Pos(), "CANNOT_RESOLVE_STAR_EXPAND", "42704", "There is no table or STRUCT %s for *.", quoteAll(q))
	}
	st, ok := x.Type().(types.Struct)
	if id, is := attrOf(x); is && slices.ContainsFunc(metadataOf(s.cols), func(c column) bool { return c.ID == id }) {
		return nil, a.errorf(e.Pos(), "CANNOT_RESOLVE_STAR_EXPAND", "42704", "%s is no column of a table, so that * does not spread it.", quoteAll(q)).hint("Name its fields.")
	}
	if !ok {
		return nil, a.errorf(e.Pos(), "CANNOT_RESOLVE_STAR_EXPAND", "42704", "%s has no columns for *: it is %s.", quoteAll(q), x.Type().SQL())
	}
	for _, f := range st.Fields {
		v, err := funcs.FieldOf(x, f.Name, a.fctx(e.Pos()))
		if err != nil {
			return nil, err
		}
		out = append(out, named{f.Name, v})
	}
	return out, nil
}

// except takes columns, or fields of STRUCT columns, out of a star.
func (a *analyzer) except(e *ast.Star, cols []named, s *scope) ([]named, error) {
	drop := map[string][][]string{} // column key -> field paths; an empty path is the column
	for _, n := range e.Except {
		parts := n.Strings()
		var in []column
		for _, c := range cols {
			if col, ok := c.x.(*plan.Column); ok {
				in = append(in, column{Attr: col.Attr, origin: originOf(col.Attr.ID, s.cols)})
			} else {
				in = append(in, column{Attr: plan.Attr{Name: c.name, Type: c.x.Type()}})
			}
		}
		found, used := a.match(in, parts)
		if len(found) == 0 {
			return nil, a.unresolved(parts, n[0].P, in)
		}
		if len(found) > 1 {
			return nil, a.ambiguous(parts, found, n[0].P)
		}
		key := strings.ToLower(found[0].Name) + "\x00" + itoa(int(found[0].origin))
		rest := parts[used:]
		for _, other := range drop[key] {
			if overlaps(other, rest) {
				return nil, a.errorf(n[0].P, "EXCEPT_OVERLAPPING_COLUMNS", "42702", "EXCEPT names %s twice.", quoteAll(parts))
			}
		}
		drop[key] = append(drop[key], rest)
	}
	var out []named
	for _, c := range cols {
		id := 0
		if col, ok := c.x.(*plan.Column); ok {
			id = int(originOf(col.Attr.ID, s.cols))
		}
		paths, hit := drop[strings.ToLower(c.name)+"\x00"+itoa(id)]
		if !hit {
			out = append(out, c)
			continue
		}
		x, err := a.without(c.x, paths, e.Pos())
		if err != nil {
			return nil, err
		}
		if x != nil {
			out = append(out, named{c.name, x})
		}
	}
	return out, nil
}

// originOf is the column that one of cols is a copy of.
func originOf(id plan.ID, cols []column) plan.ID {
	for _, c := range cols {
		if c.ID == id {
			return c.origin
		}
	}
	return id
}

func overlaps(a, b []string) bool {
	for i := range min(len(a), len(b)) {
		if !strings.EqualFold(a[i], b[i]) {
			return false
		}
	}
	return true
}

// without rebuilds a STRUCT without some fields; nil where nothing stays.
func (a *analyzer) without(x plan.Expr, paths [][]string, pos sparksql.Pos) (plan.Expr, error) {
	for _, p := range paths {
		if len(p) == 0 {
			return nil, nil
		}
	}
	st, ok := x.Type().(types.Struct)
	if !ok {
		return nil, a.errorf(pos, "INVALID_EXTRACT_BASE_FIELD_TYPE", "42000", "EXCEPT cannot take a field out of %s.", x.Type().SQL())
	}
	ctx := a.fctx(pos)
	var args []plan.Expr
	matched := 0
	for _, f := range st.Fields {
		v, err := funcs.FieldOf(x, f.Name, ctx)
		if err != nil {
			return nil, err
		}
		var deeper [][]string
		for _, p := range paths {
			if strings.EqualFold(p[0], f.Name) {
				deeper = append(deeper, p[1:])
				matched++
			}
		}
		if deeper != nil {
			if v, err = a.without(v, deeper, pos); err != nil {
				return nil, err
			}
			if v == nil {
				continue
			}
		}
		args = append(args, text(f.Name), v)
	}
	if matched < len(paths) {
		return nil, a.errorf(pos, "FIELD_NOT_FOUND", "42704", "There is no field %s in %s.", quote(paths[0][0]), st.SQL())
	}
	if len(args) == 0 {
		return nil, a.errorf(pos, "EXCEPT_NESTED_COLUMN_INVALID_TYPE", "428H2", "EXCEPT would take every field of the STRUCT.")
	}
	return funcs.Resolve("named_struct", args, ctx)
}
