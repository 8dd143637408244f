package analyze

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// sourceFunc resolves a table function through the Resolver.
func (a *analyzer) sourceFunc(f *ast.TableFunc, name string, p place) (relation, error) {
	args := map[string]string{}
	pos := 0
	for _, e := range f.Call.Args {
		k := itoa(pos)
		x := e
		if n, ok := e.(*ast.NamedArg); ok {
			k, x = strings.ToLower(n.Name.Name), n.X
		} else {
			pos++
		}
		if _, dup := args[k]; dup {
			return relation{}, a.errorf(e.Pos(), "DUPLICATE_ROUTINE_PARAMETER_ASSIGNMENT.DOUBLE_NAMED_ARGUMENT_REFERENCE", "4274K", "The argument %s is given twice.", k)
		}
		v, err := a.constantText(x, p)
		if err != nil {
			return relation{}, err
		}
		args[k] = v
	}
	var schema []types.Field
	if text, ok := args["schema"]; ok {
		fields, err := parse.Schema(text)
		if err != nil {
			return relation{}, a.placed(err, f.Pos())
		}
		schema = fields
	}
	src, err := a.env.Resolver.Function(a.ctx, name, args, schema)
	if err != nil {
		return relation{}, a.placed(err, f.Pos())
	}
	if src == nil {
		return relation{}, a.errorf(f.Pos(), "UNRESOLVABLE_TABLE_VALUED_FUNCTION", "42883", "There is no table function %s.", quote(name)).
			hint("Known are read_kafka, read_files, range, explode, inline and stack.")
	}
	sc := newScan(src, f.Stream, name, f.Pos())
	r := relationOf(sc)
	a.metadata(&r, sc)
	return r, nil
}

// constantText is a constant argument as text.
func (a *analyzer) constantText(e ast.Expr, p place) (string, error) {
	x, err := a.expr(e, &scope{place: place{catalog: p.catalog, schema: p.schema}})
	if err != nil {
		return "", err
	}
	lit, ok := funcs.Eval(x)
	if !ok {
		return "", a.errorf(e.Pos(), "NON_FOLDABLE_ARGUMENT", "42K08", "The arguments of a table function must be constants.")
	}
	if s, ok := lit.Value.(string); ok {
		return s, nil
	}
	return funcs.SQLName(lit), nil
}
