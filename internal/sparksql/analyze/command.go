package analyze

import (
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// commandColumns are the result columns of the commands that have a result.
var commandColumns = map[string][]types.Field{
	"show tables":         {{Name: "namespace", Type: types.String}, {Name: "tableName", Type: types.String}, {Name: "isTemporary", Type: types.Boolean}},
	"show views":          {{Name: "namespace", Type: types.String}, {Name: "viewName", Type: types.String}, {Name: "isTemporary", Type: types.Boolean}},
	"show schemas":        {{Name: "namespace", Type: types.String}},
	"show catalogs":       {{Name: "catalog", Type: types.String}},
	"show columns":        {{Name: "col_name", Type: types.String}},
	"show functions":      {{Name: "function", Type: types.String}},
	"show tblproperties":  {{Name: "key", Type: types.String}, {Name: "value", Type: types.String}},
	"show create table":   {{Name: "createtab_stmt", Type: types.String}},
	"show partitions":     {{Name: "partition", Type: types.String}},
	"show current schema": {{Name: "catalog", Type: types.String}, {Name: "namespace", Type: types.String}},
	"describe table":      {{Name: "col_name", Type: types.String}, {Name: "data_type", Type: types.String}, {Name: "comment", Type: types.String, Nullable: true}},
	"describe query":      {{Name: "col_name", Type: types.String}, {Name: "data_type", Type: types.String}, {Name: "comment", Type: types.String, Nullable: true}},
	"describe schema":     {{Name: "info_name", Type: types.String}, {Name: "info_value", Type: types.String}},
	"describe function":   {{Name: "function_desc", Type: types.String}},
	"set":                 {{Name: "key", Type: types.String}, {Name: "value", Type: types.String}},
}

func (a *analyzer) command(c *ast.Command) (plan.Statement, error) {
	out := &plan.Command{Verb: c.Verb, Name: c.Name.Strings(), Args: c.Args, Pos: c.Pos()}
	if len(c.Name) == 0 {
		out.Name = nil
	}
	for _, f := range commandColumns[c.Verb] {
		out.Columns = append(out.Columns, plan.Attr{ID: plan.NewID(), Name: f.Name, Type: f.Type, Nullable: f.Nullable})
	}
	return out, nil
}
