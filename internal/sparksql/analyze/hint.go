package analyze

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Hints say how Spark shall spread rows or join; here they change nothing, but
// are held to the same forms. Unknown ones are no error.
var (
	joinHints = map[string]bool{"BROADCAST": true, "BROADCASTJOIN": true, "MAPJOIN": true, "MERGE": true, "MERGEJOIN": true,
		"SHUFFLE_HASH": true, "SHUFFLE_MERGE": true, "SHUFFLE_REPLICATE_NL": true}
	spreadHints = map[string]bool{"REBALANCE": true, "REPARTITION": true, "REPARTITION_BY_RANGE": true}
)

// hints checks the forms of arguments, before anything else of the query.
func (a *analyzer) hints(hints []ast.Hint) error {
	for _, h := range hints {
		name := strings.ToUpper(h.Name.Name)
		switch {
		case name == "COALESCE":
			if n, ok := partitionCount(h); len(h.Args) != 1 || !ok {
				return a.errorf(h.Pos(), "_LEGACY_ERROR_TEMP_1048", "", "The hint COALESCE takes one number of partitions.")
			} else if n < 1 {
				return a.fewPartitions(h, n)
			}
		case spreadHints[name]:
			n, counted := partitionCount(h)
			if counted && n < 1 {
				return a.fewPartitions(h, n)
			}
			for i, x := range h.Args {
				if hintColumn(x) == nil && (i > 0 || !counted) {
					return a.errorf(x.Pos(), "_LEGACY_ERROR_TEMP_1047", "", "The hint %s takes a number of partitions and columns.", name)
				}
			}
		case joinHints[name]:
			for _, x := range h.Args {
				if hintColumn(x) == nil {
					return a.errorf(x.Pos(), "_LEGACY_ERROR_TEMP_1046", "", "The hint %s takes names of tables.", name)
				}
			}
		}
	}
	return nil
}

func (a *analyzer) fewPartitions(h ast.Hint, n int64) error {
	return a.errorf(h.Pos(), "INVALID_PARAMETER_VALUE", "22023", "The hint %s needs at least one partition, not %d.", strings.ToUpper(h.Name.Name), n)
}

// partitionCount is the number that a hint's arguments begin with.
func partitionCount(h ast.Hint) (int64, bool) {
	if len(h.Args) == 0 {
		return 0, false
	}
	x, sign := h.Args[0], int64(1)
	if u, ok := x.(*ast.Unary); ok && u.Op == "-" {
		x, sign = u.X, -1
	}
	lit, ok := x.(*ast.Literal)
	if !ok || lit.Type != types.Int {
		return 0, false
	}
	n, ok := lit.Value.(int64)
	return sign * n, ok
}

// hintColumn is an argument that names something, perhaps by a text.
func hintColumn(x ast.Expr) *ast.Column {
	switch x := x.(type) {
	case *ast.Column:
		return x
	case *ast.Literal:
		if s, ok := x.Value.(string); ok {
			return &ast.Column{At: x.At, Name: ast.Name{{At: x.At, Name: s}}}
		}
	}
	return nil
}

// hintColumns looks up the columns that rows shall be spread by.
func (a *analyzer) hintColumns(sel *selection) error {
	for _, h := range sel.ast.Hints {
		if !spreadHints[strings.ToUpper(h.Name.Name)] {
			continue
		}
		s := sel.orderScope()
		for _, x := range h.Args {
			c := hintColumn(x)
			if c == nil {
				continue
			}
			if _, err := a.expr(c, s); err != nil {
				return err
			}
		}
	}
	return nil
}
