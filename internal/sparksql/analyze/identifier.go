package analyze

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// identifier reads the name in IDENTIFIER(x): x is a constant text.
func (a *analyzer) identifier(x ast.Expr, p place) (ast.Name, error) {
	e, err := a.expr(x, &scope{place: place{catalog: p.catalog, schema: p.schema, params: p.params}})
	if err != nil {
		if strings.HasPrefix(sparksql.ClassOf(err), "UNRESOLVED_COLUMN") {
			return nil, a.errorf(x.Pos(), "NOT_A_CONSTANT_STRING.NOT_CONSTANT", "42601", "IDENTIFIER needs a constant text.")
		}
		return nil, err
	}
	lit, ok := funcs.Eval(e)
	switch {
	case !types.IsString(e.Type()):
		return nil, a.errorf(x.Pos(), "NOT_A_CONSTANT_STRING.WRONG_TYPE", "42601", "IDENTIFIER needs a text, not %s.", e.Type().SQL())
	case !ok:
		return nil, a.errorf(x.Pos(), "NOT_A_CONSTANT_STRING.NOT_CONSTANT", "42601", "IDENTIFIER needs a constant text.")
	case lit.Value == nil:
		return nil, a.errorf(x.Pos(), "NOT_A_CONSTANT_STRING.NULL", "42601", "IDENTIFIER needs a name, not NULL.")
	}
	name, _ := lit.Value.(string)
	out, err := parse.Name(name)
	if err != nil {
		return nil, a.placed(err, x.Pos())
	}
	for i := range out {
		out[i].At = ast.At{P: x.Pos()}
	}
	return out, nil
}

// namedCall replaces IDENTIFIER(x)(...) by the call, and tells of
// IDENTIFIER(x) alone by a nil call and the name.
func (a *analyzer) namedCall(e *ast.Call, p place) (*ast.Call, ast.Name, error) {
	if e.Name.Dynamic() {
		name, err := a.dynamicName(e.Name, p)
		c := *e
		c.Name = name
		return &c, nil, err
	}
	if e.NameExpr == nil && (len(e.Args) != 1 || len(e.Name) != 1 || !strings.EqualFold(e.Name[0].Name, "identifier")) {
		return e, nil, nil
	}
	x := e.NameExpr
	if x == nil {
		x = e.Args[0]
	}
	name, err := a.identifier(x, p)
	if err != nil || e.NameExpr == nil {
		return nil, name, err
	}
	c := *e
	c.Name, c.NameExpr = name, nil
	return &c, nil, nil
}
