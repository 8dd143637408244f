package analyze

import (
	"errors"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// createFunction analyses CREATE FUNCTION: the body must be good for arguments
// of the declared types.
func (a *analyzer) createFunction(f *ast.CreateFunction) (plan.Statement, error) {
	r := &plan.Routine{Name: f.Name.Strings(), Table: f.Table, Returns: f.Returns, Body: f.BodyText, Query: f.Query != nil,
		Catalog: a.env.Catalog, Schema: a.env.Schema, Comment: f.Comment, Deterministic: f.Deterministic == nil || *f.Deterministic,
		DataAccess: f.DataAccess, Created: a.env.Now.UnixMilli()}
	if f.Temporary {
		r.Name = r.Name[len(r.Name)-1:]
	} else if r.Name = qualified(r.Name, a.place()); len(r.Name) > 3 {
		return nil, a.errorf(f.Name[0].P, "REQUIRES_SINGLE_PART_NAMESPACE", "42K05", "A function is named by catalog, schema and name, not %s.", quoteAll(r.Name))
	}
	if err := a.routineParams(f, r); err != nil {
		return nil, err
	}
	for i, c := range f.Columns {
		for _, d := range f.Columns[:i] {
			if strings.EqualFold(c.Name, d.Name) {
				return nil, a.errorf(c.Pos(), "DUPLICATE_ROUTINE_RETURNS_COLUMNS", "42711", "RETURNS TABLE names %s twice.", quote(c.Name))
			}
		}
		r.Columns = append(r.Columns, types.Field{Name: c.Name, Type: c.Type, Nullable: !c.NotNull, Comment: c.Comment})
	}
	if r.Table && !r.Query {
		return nil, a.errorf(f.Pos(), "USER_DEFINED_FUNCTIONS.SQL_TABLE_UDF_BODY_MUST_BE_A_QUERY", "42601", "The body of the table function %s must be a query.", quoteAll(r.Name))
	}
	if err := a.checkBody(r, f); err != nil {
		if e, ok := errors.AsType[*sparksql.Error](err); ok && e.Class == "UNRESOLVED_ROUTINE" {
			c := *e // Spark's word for it inside of a body
			c.Class = "ROUTINE_NOT_FOUND"
			return nil, &c
		}
		return nil, err
	}
	if !f.Temporary {
		if err := a.noTemps("FUNCTION", r.Name, f.Pos()); err != nil {
			return nil, err
		}
	}
	return &plan.CreateFunction{Routine: r, Replace: f.Replace, IfNotExists: f.IfNotExists, Pos: f.Pos()}, nil
}

// checkBody analyses the body, which may not call the function itself, and
// finds the types that are not declared.
func (a *analyzer) checkBody(r *plan.Routine, f *ast.CreateFunction) error {
	p := parameters(r)
	if !r.Table {
		x, err := a.routineBody(r, p, f.Pos())
		if err != nil {
			return err
		}
		r.Returns = x.Type()
		return nil
	}
	n, err := a.tableBody(r, p, f.Pos())
	if err != nil {
		return err
	}
	if r.Columns == nil {
		for i, at := range n.Output() {
			for _, c := range r.Columns[:i] {
				if strings.EqualFold(c.Name, at.Name) {
					return a.errorf(f.Pos(), "DUPLICATE_ROUTINE_RETURNS_COLUMNS", "42711", "The query of the function makes two columns %s.", quote(at.Name))
				}
			}
			r.Columns = append(r.Columns, types.Field{Name: at.Name, Type: at.Type, Nullable: true, Comment: at.Comment})
		}
	}
	return nil
}

// routineParams checks the parameters and their defaults.
func (a *analyzer) routineParams(f *ast.CreateFunction, r *plan.Routine) error {
	optional := ""
	for i, d := range f.Params {
		for _, e := range f.Params[:i] {
			if strings.EqualFold(d.Name.Name, e.Name.Name) {
				return a.errorf(d.P, "DUPLICATE_ROUTINE_PARAMETER_NAMES", "42734", "The function has two parameters %s.", quote(d.Name.Name))
			}
		}
		switch {
		case d.NotNull:
			return a.errorf(d.P, "USER_DEFINED_FUNCTIONS.NOT_NULL_ON_FUNCTION_PARAMETERS", "42601", "The parameter %s cannot be NOT NULL.", quote(d.Name.Name))
		case d.Default == nil && optional != "":
			return a.errorf(d.P, "USER_DEFINED_FUNCTIONS.NOT_A_VALID_DEFAULT_PARAMETER_POSITION", "42601", "The parameter %s without DEFAULT follows %s, which has one.", quote(d.Name.Name), quote(optional))
		}
		if d.Default != nil {
			optional = d.Name.Name
			x, err := a.defaultValue(d.Default)
			if err != nil {
				return err
			}
			if contains(x, func(y plan.Expr) bool { _, ok := y.(*plan.Subquery); return ok }) {
				return a.errorf(d.Default.Pos(), "USER_DEFINED_FUNCTIONS.NOT_A_VALID_DEFAULT_EXPRESSION", "42601", "The DEFAULT of %s holds a sub-query.", quote(d.Name.Name))
			}
		}
		r.Params = append(r.Params, plan.RoutineParam{Name: d.Name.Name, Type: d.Type, Default: d.DefaultText, Comment: d.Comment})
	}
	return nil
}
