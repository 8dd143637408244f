package analyze

import (
	"slices"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// alterFiles analyses ALTER TABLE over a table of files.
func (a *analyzer) alterFiles(src *plan.Source, st *ast.AlterTable) (plan.Statement, error) {
	out := &plan.AlterTable{Target: src, Pos: st.Pos(), Operation: "ALTER TABLE"}
	not := func(what string) error {
		return a.errorf(st.Pos(), "UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "The table %s, a table of files, does not support %s.", quoteAll(src.Name), what)
	}
	switch x := st.Action.(type) {
	case *ast.AlterOther:
		return a.filePartition(src, x)
	case *ast.AddColumns:
		if x.Replace {
			return nil, not("REPLACE COLUMNS")
		}
		return out, a.addFileColumns(out, x)
	case *ast.SetProperties:
		out.Properties = map[string]string{}
		for _, p := range x.Properties {
			out.Properties[p.Key] = p.Value
		}
		return out, nil
	case *ast.UnsetProperties:
		out.Unset = []string{}
		for _, p := range x.Keys {
			out.Unset = append(out.Unset, p.Key)
		}
		return out, nil
	case *ast.AlterColumns:
		return out, a.alterFileColumns(out, x, not)
	case *ast.DropColumns:
		return nil, not("DROP COLUMN")
	case *ast.RenameColumn:
		return nil, not("RENAME COLUMN")
	case *ast.AlterClusterBy:
		return nil, a.errorf(st.Pos(), "DELTA_ONLY_OPERATION", "0AKDD", "CLUSTER BY is for Delta tables.")
	}
	return nil, not("this ALTER TABLE")
}

func (a *analyzer) addFileColumns(out *plan.AlterTable, x *ast.AddColumns) error {
	fields := slices.Clone(out.Target.Columns)
	for _, c := range x.Columns {
		if len(c.Path) > 1 || c.Position != "" {
			return a.errorf(c.Pos(), "UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "Columns are added at the end, and no fields.")
		}
		col, err := a.tableColumn(c)
		if err == nil {
			err = a.fileType(out.Target.Files.Format, col.Field, c.Pos())
		}
		if err != nil {
			return fileTypes(err)
		}
		if fieldAt(fields, col.Name) >= 0 {
			return a.errorf(c.Pos(), "COLUMN_ALREADY_EXISTS", "42711", "The table has a column %s already.", quote(col.Name))
		}
		if out.Target.Files.Format == "text" {
			return a.errorf(c.Pos(), "_LEGACY_ERROR_TEMP_1260", "", "A table of text files has one column.")
		}
		fields = append(fields, col.Field)
		out.Edits = append(out.Edits, plan.Edit{Kind: plan.EditAdd, Path: []string{col.Name}, Column: col})
	}
	return nil
}

func (a *analyzer) alterFileColumns(out *plan.AlterTable, x *ast.AlterColumns, not func(string) error) error {
	for _, c := range x.Columns {
		at := fieldAt(out.Target.Columns, c.Column[0].Name)
		switch {
		case len(c.Column) > 1 || at < 0:
			return a.unresolved(c.Column.Strings(), c.Column[0].P, a.readTarget(out.Target, ast.Target{At: c.At}, c.Column).cols)
		case c.Type != nil && !types.Equal(c.Type, out.Target.Columns[at].Type):
			return a.errorf(c.Pos(), "NOT_SUPPORTED_CHANGE_COLUMN", "0A000", "The column %s is %s and does not become %s.", quote(c.Column[0].Name), out.Target.Columns[at].Type.SQL(), c.Type.SQL())
		case c.Comment == nil:
			return not("this ALTER COLUMN")
		}
		out.Edits = append(out.Edits, plan.Edit{Kind: plan.EditComment, Path: []string{out.Target.Columns[at].Name}, Text: *c.Comment})
	}
	return nil
}
