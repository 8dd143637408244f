package analyze

import (
	"fmt"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// hasChar tells whether CHAR(n) occurs in t; with also VARCHAR(n) where both is
// set.
func hasChar(t types.Type, both bool) bool {
	return t != nil && types.Contains(t, func(t types.Type) bool { c, ok := t.(types.Char); return ok && (both || !c.Var) })
}

// undeclared is t with STRING for CHAR and VARCHAR, which is what the values are.
func undeclared(t types.Type) types.Type {
	return types.Replace(t, func(t types.Type) types.Type {
		if _, ok := t.(types.Char); ok {
			return types.String
		}
		return t
	})
}

// paddedText is x, a text of SQL, with blanks up to the length of each CHAR(n) in
// its declared type, as Spark writes and reads them.
func paddedText(x string, t types.Type, depth int) string {
	if !hasChar(t, false) {
		return x
	}
	each := func(list string, of types.Type) string {
		v := fmt.Sprintf("e%d", depth)
		return "transform(" + list + ", " + v + " -> " + paddedText(v, of, depth+1) + ")"
	}
	switch t := t.(type) {
	case types.Char:
		return fmt.Sprintf("CASE WHEN char_length(%s) < %d THEN rpad(%[1]s, %[2]d, ' ') ELSE %[1]s END", x, t.Length)
	case types.Array:
		return each(x, t.Elem)
	case types.Map:
		return "map_from_arrays(" + each("map_keys("+x+")", t.Key) + ", " + each("map_values("+x+")", t.Value) + ")"
	case types.Struct:
		parts := make([]string, 0, 2*len(t.Fields))
		for _, f := range t.Fields {
			parts = append(parts, types.QuoteText(f.Name), paddedText(x+"."+quote(f.Name), f.Type, depth))
		}
		return "CASE WHEN " + x + " IS NOT NULL THEN named_struct(" + strings.Join(parts, ", ") + ") END"
	}
	return x
}

// fitsText is the condition that no text in x is longer than its declared type
// says.
func fitsText(x string, t types.Type, depth int) string {
	each := func(list string, of types.Type) string {
		v := fmt.Sprintf("e%d", depth)
		return "coalesce(forall(" + list + ", " + v + " -> " + fitsText(v, of, depth+1) + "), true)"
	}
	var parts []string
	switch t := t.(type) {
	case types.Char:
		return fmt.Sprintf("coalesce(char_length(%s) <= %d, true)", x, t.Length)
	case types.Array:
		return each(x, t.Elem)
	case types.Map:
		if hasChar(t.Key, true) {
			parts = append(parts, each("map_keys("+x+")", t.Key))
		}
		if hasChar(t.Value, true) {
			parts = append(parts, each("map_values("+x+")", t.Value))
		}
	case types.Struct:
		for _, f := range t.Fields {
			if hasChar(f.Type, true) {
				parts = append(parts, fitsText(x+"."+quote(f.Name), f.Type, depth))
			}
		}
	}
	return strings.Join(parts, " AND ")
}

// padsChars tells whether CHAR(n) is padded: when it is read and, with that, when
// it is written.
func (a *analyzer) padsChars() bool {
	return a.on("spark.sql.readSideCharPadding")
}

// padRead gives what a scan reads of CHAR columns blanks up to their length: a
// file of another writer may have them without. As Spark, which can be told not
// to.
func (a *analyzer) padRead(r relation) (relation, error) {
	if !a.padsChars() || !slices.ContainsFunc(r.cols, func(c column) bool { return hasChar(c.Declared, false) }) {
		return r, nil
	}
	p := &plan.Project{Input: r.node}
	stored := slices.Clone(r.cols)
	for i := range stored {
		stored[i].Qualifier = nil // the name of a struct is no table's
	}
	for i, c := range stored {
		at := r.cols[i].Attr
		x := plan.Expr(&plan.Column{Attr: at})
		if hasChar(c.Declared, false) {
			var err error
			if x, err = a.text(paddedText(quote(c.Name), c.Declared, 0), stored); err != nil {
				return r, err
			}
			at.ID, at.Type = plan.NewID(), x.Type()
			r.cols[i].Attr, r.cols[i].origin = at, at.ID
		}
		p.Exprs = append(p.Exprs, plan.NamedExpr{X: x, Attr: at})
	}
	r.node = p
	return r, nil
}
