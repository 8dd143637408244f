package analyze

import (
	"errors"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// files is an INSERT into a table of files.
func (in *inserter) files(ctes []*plan.CTE) (plan.Statement, error) {
	switch {
	case in.ast.Evolve:
		return nil, in.a.errorf(in.ast.Pos(), "UNSUPPORTED_INSERT_WITH_SCHEMA_EVOLUTION", "0A000", "A table of files takes no new columns by INSERT.").hint("ALTER TABLE ... ADD COLUMNS adds some.")
	case in.ast.Replace != "":
		return nil, in.a.errorf(in.ast.Pos(), "_LEGACY_ERROR_TEMP_1012", "", "A table of files does not support REPLACE %s.", strings.ToUpper(in.ast.Replace)).hint("INSERT OVERWRITE replaces partitions.")
	}
	target := in.t.src
	f := target.Files
	src := *target
	src.Rules = &plan.Rules{Columns: f.Columns, PartitionBy: f.PartitionBy}
	in.t.src, in.schema, in.static = &src, src.Columns, make([]plan.Expr, len(src.Columns))
	in.evolve, in.s.evolve = false, false
	for _, pv := range in.ast.Partition {
		if !slices.ContainsFunc(f.PartitionBy, func(p string) bool { return strings.EqualFold(p, pv.Name.Name) }) {
			return nil, in.a.errorf(pv.Name.P, "PARTITIONS_NOT_FOUND", "428FT", "The table %s has no partition column %s.", quoteAll(src.Name), quote(pv.Name.Name))
		}
	}
	if err := in.columns(); err != nil {
		return nil, err
	}
	r, err := in.query()
	if err != nil {
		return nil, err
	}
	if err := in.fileArity(r); err != nil {
		return nil, err
	}
	vals, err := in.values(r)
	if err != nil {
		return nil, fileMismatch(err)
	}
	out := &plan.Insert{Target: target, Pos: in.ast.Pos(), IfAbsent: in.ast.IfNotExists}
	b := &rowBuilder{a: in.a, target: &src, schema: in.schema, s: in.s, pos: in.ast.Pos(), ctes: ctes}
	rows, err := b.build(r.node, vals, nil)
	if err != nil {
		return nil, err
	}
	out.Rows = *rows
	if err := in.fileMode(out); err != nil {
		return nil, err
	}
	out.Lines, err = in.a.lines(rows, f, src.Columns, in.ast.At)
	return out, err
}

// fileArity compares the numbers of columns, and their types.
func (in *inserter) fileArity(r relation) error {
	if !in.ast.ByName && len(r.cols) != len(in.given) {
		kind := "TOO_MANY_DATA_COLUMNS"
		if len(r.cols) < len(in.given) {
			kind = "NOT_ENOUGH_DATA_COLUMNS"
		}
		if slices.ContainsFunc(in.static, func(x plan.Expr) bool { return x != nil }) {
			return in.a.errorf(in.ast.Pos(), "INSERT_PARTITION_COLUMN_ARITY_MISMATCH", "21S01", "Beside PARTITION the table takes %d columns, the query has %d.", len(in.given), len(r.cols))
		}
		return in.a.errorf(in.ast.Pos(), "INSERT_COLUMN_ARITY_MISMATCH."+kind, "21S01", "The table takes %d columns, the query has %d.", len(in.given), len(r.cols))
	}
	for i, c := range r.cols {
		to := fieldAt(in.schema, c.Name)
		if !in.ast.ByName {
			to = in.given[i]
		}
		if to < 0 {
			continue
		}
		f := in.schema[to]
		if !storesFile(c.Type, f.Type) {
			return in.a.errorf(in.ast.Pos(), "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST", "KD000", "The column %s is %s, which does not take %s.", quote(f.Name), f.Type.SQL(), c.Type.SQL()).hint("CAST the value.")
		}
	}
	return nil
}

// storesFile tells whether values of from are taken for to; the numbers of
// structs' fields are compared later.
func storesFile(from, to types.Type) bool {
	switch t := to.(type) {
	case types.Struct:
		f, ok := from.(types.Struct)
		for i := 0; ok && i < min(len(f.Fields), len(t.Fields)); i++ {
			ok = storesFile(f.Fields[i].Type, t.Fields[i].Type)
		}
		return ok || from == types.Void
	case types.Array:
		f, ok := from.(types.Array)
		return ok && storesFile(f.Elem, t.Elem) || from == types.Void
	case types.Map:
		f, ok := from.(types.Map)
		return ok && storesFile(f.Key, t.Key) && storesFile(f.Value, t.Value) || from == types.Void
	}
	return from == types.Void || funcs.StoreAssignable(from, to)
}

// fileMismatch gives errors about columns the classes that they have for tables
// of files.
func fileMismatch(err error) error {
	e, ok := errors.AsType[*sparksql.Error](err)
	if !ok {
		return err
	}
	switch {
	case strings.HasPrefix(e.Class, "DELTA_DUPLICATE_COLUMNS_FOUND"):
		e.Class, e.SQLState = "INCOMPATIBLE_DATA_FOR_TABLE.AMBIGUOUS_COLUMN_NAME", "KD000"
	case e.Class == "DELTA_INSERT_COLUMN_ARITY_MISMATCH":
		e.Class, e.SQLState = "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_FIND_DATA", "KD000"
	case e.Class == "DELTA_METADATA_MISMATCH":
		e.Class, e.SQLState, e.Hint = "INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_COLUMNS", "KD000", ""
	case strings.HasPrefix(e.Class, "DELTA_"):
		e.Class, e.SQLState = "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST", "KD000"
	}
	return err
}

// fileMode says which files the new ones replace.
func (in *inserter) fileMode(out *plan.Insert) error {
	out.Static = map[string]plan.Expr{}
	for i, x := range in.static {
		if x != nil {
			out.Static[in.schema[i].Name] = funcs.CastTo(x, types.String, in.a.fctx(in.ast.Pos()))
		}
	}
	if !in.ast.Overwrite {
		return nil
	}
	dynamic := strings.EqualFold(in.a.env.Conf["spark.sql.sources.partitionOverwriteMode"], "dynamic")
	if dynamic && len(out.Static) < len(in.t.src.Rules.PartitionBy) {
		out.Mode = plan.WriteDynamic
		return nil
	}
	out.Mode = plan.WriteOverwrite
	for _, s := range plan.Scans(out.Rows.Plan) {
		if slices.Equal(s.Source.Name, in.t.src.Name) {
			return in.a.errorf(in.ast.Pos(), "UNSUPPORTED_OVERWRITE.TABLE", "42902", "The query reads the table %s, which it is to overwrite.", quoteAll(in.t.src.Name))
		}
	}
	return nil
}
