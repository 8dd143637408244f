package analyze

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// rawFiles knows the lines of a table's files besides all else.
type rawFiles struct {
	Resolver
	raw *plan.Source
}

// Table finds the lines, or a table.
func (r rawFiles) Table(ctx context.Context, name []string, at TimeTravel) (*plan.Source, *View, error) {
	if name[len(name)-1] == plan.RawFiles {
		return r.raw, nil, nil
	}
	return r.Resolver.Table(ctx, name, at)
}

// fileRows are the rows of a table of files.
func (a *analyzer) fileRows(src *plan.Source, t *ast.TableName) (relation, error) {
	if src.Files.Query == "" {
		return a.scan(src, t)
	}
	if t.Stream {
		return relation{}, a.errorf(t.Pos(), "UNSUPPORTED_FEATURE.STREAM_OF_FILES", "0A000", "STREAM(%s): a table of %s files is read as a whole.", quoteAll(src.Name), src.Files.Format).hint("read_files() streams files.")
	}
	st, err := parse.Statement("", src.Files.Query)
	if err != nil {
		return relation{}, err
	}
	q, ok := st.(*ast.QueryStatement)
	if !ok {
		return relation{}, fmt.Errorf("analyze: the rows of %v are %T", src.Name, st)
	}
	b := *a
	b.env.Resolver, b.env.Session = rawFiles{a.env.Resolver, src.Files.Raw}, noSession{}
	p := a.here()
	p.files = true
	r, err := b.query(q.Query, p)
	if err != nil {
		return r, a.placed(err, t.Pos())
	}
	plan.PlaceNode(r.node, t.Pos())
	name := src.Name
	if len(name) < len(t.Name) {
		name = t.Name.Strings()
	}
	for i := range r.cols {
		r.cols[i].Qualifier = name
		if at := fieldAt(src.Columns, r.cols[i].Name); at >= 0 && !r.cols[i].metadata {
			r.cols[i].Comment, r.cols[i].Declared = src.Columns[at].Comment, src.Files.Columns[at].Declared
		}
	}
	return a.padRead(r)
}

// parserOptions are the options of from_json and from_csv, to_json and to_csv.
func (a *analyzer) parserOptions(f *plan.FileTable, ctx funcs.Context) ([]plan.Expr, error) {
	var args []plan.Expr
	for _, k := range slices.Sorted(maps.Keys(f.Options)) {
		if plan.ParserOption(k) {
			args = append(args, text(k), text(f.Options[k]))
		}
	}
	if args == nil {
		return nil, nil
	}
	m, err := funcs.Resolve("map", args, ctx)
	return []plan.Expr{m}, err
}

// lines are the rows that are written to a table of text as its files have them:
// a line, and the partition columns, as STRING; the checks of the rows follow.
// nil for Parquet.
func (a *analyzer) lines(rows *plan.Rows, f *plan.FileTable, fields []types.Field, pos ast.At) (plan.Node, error) {
	if f.Format == "parquet" {
		return nil, nil
	}
	out, ctx := rows.Plan.Output(), a.fctx(pos.P)
	data := len(fields) - len(f.PartitionBy)
	var vals []plan.Expr
	var names []string
	for i, c := range fields[:data] {
		vals, names = append(vals, &plan.Column{Attr: out[i]}), append(names, c.Name)
	}
	var line plan.Expr
	var err error
	if f.Format == "text" {
		line, err = funcs.Resolve("coalesce", []plan.Expr{vals[0], text("")}, ctx)
	} else {
		var args []plan.Expr
		if args, err = a.parserOptions(f, ctx); err != nil {
			return nil, err
		}
		row, rowErr := funcs.Struct(vals, names, ctx)
		if rowErr != nil {
			return nil, rowErr
		}
		line, err = funcs.Resolve("to_"+f.Format, append([]plan.Expr{row}, args...), ctx)
	}
	if err != nil {
		return nil, err
	}
	p := &plan.Project{Input: rows.Plan}
	add := func(name string, x plan.Expr) {
		at := newAttr(name, x.Type())
		at.Nullable = x.Nullable()
		p.Exprs = append(p.Exprs, plan.NamedExpr{X: x, Attr: at})
	}
	add("line", line)
	for i := data; i < len(fields); i++ {
		add(fields[i].Name, funcs.CastTo(&plan.Column{Attr: out[i]}, types.String, ctx))
	}
	for _, c := range out[len(fields):] {
		add(c.Name, &plan.Column{Attr: c})
	}
	return p, nil
}

// partitionTexts are the values of PARTITION (p = x, ...) as STRING by column,
// nil where one names no partition column.
func (a *analyzer) partitionTexts(src *plan.Source, spec []ast.PartitionValue) (map[string]plan.Expr, error) {
	out := map[string]plan.Expr{}
	for _, v := range spec {
		i := fieldAt(src.Columns, v.Name.Name)
		if i < len(src.Columns)-len(src.Files.PartitionBy) {
			return nil, a.errorf(v.Name.P, "PARTITIONS_NOT_FOUND", "428FT", "The table %s has no partition column %s.", quoteAll(src.Name), quote(v.Name.Name))
		}
		if v.Value == nil {
			return nil, a.errorf(v.Name.P, "INVALID_SQL_SYNTAX.EMPTY_PARTITION_VALUE", "42000", "The partition column %s needs a value.", quote(v.Name.Name))
		}
		x, err := a.expr(v.Value, &scope{place: a.here()})
		if err != nil {
			return nil, err
		}
		if x, err = (assigner{a: a, store: insertOverflow}).assign(x, src.Columns[i].Type, src.Columns[i].Name, v.Value.Pos()); err != nil {
			return nil, err
		}
		out[src.Columns[i].Name] = funcs.CastTo(x, types.String, a.fctx(v.Value.Pos()))
	}
	return out, nil
}

// filePartition is a statement about the partitions of a table of files.
func (a *analyzer) filePartition(src *plan.Source, x *ast.AlterOther) (plan.Statement, error) {
	out := &plan.Partition{Target: src, Action: x.Verb, Lenient: x.Lenient, Pos: x.Pos()}
	switch {
	case x.Verb == "repair" && len(src.Files.PartitionBy) == 0:
		return nil, a.errorf(x.Pos(), "NOT_A_PARTITIONED_TABLE", "42809", "The table %s is not partitioned.", quoteAll(src.Name))
	case x.Verb == "":
		return nil, a.errorf(x.Pos(), "UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "ALTER TABLE ... %s is not supported.", strings.ToUpper(x.What))
	case x.Verb != "repair" && len(src.Files.PartitionBy) == 0:
		return nil, a.errorf(x.Pos(), "_LEGACY_ERROR_TEMP_1251", "", "The table %s is not partitioned.", quoteAll(src.Name))
	}
	for _, spec := range x.Specs {
		values, err := a.partitionTexts(src, spec)
		if err != nil {
			return nil, err
		}
		if x.Verb == "add" && len(values) < len(src.Files.PartitionBy) {
			return nil, a.errorf(x.Pos(), "_LEGACY_ERROR_TEMP_1232", "", "A partition that is added names all of %s.", strings.Join(src.Files.PartitionBy, ", "))
		}
		out.Specs = append(out.Specs, values)
	}
	return out, nil
}

// truncateFiles is TRUNCATE TABLE of a table of files.
func (a *analyzer) truncateFiles(src *plan.Source, t *ast.Truncate) (plan.Statement, error) {
	out := &plan.Partition{Target: src, Action: "truncate", Pos: t.Pos()}
	if len(t.Partition) == 0 {
		return out, nil
	}
	if len(src.Files.PartitionBy) == 0 {
		return nil, a.errorf(t.Pos(), "_LEGACY_ERROR_TEMP_1267", "", "The table %s is not partitioned.", quoteAll(src.Name))
	}
	values, err := a.partitionTexts(src, t.Partition)
	out.Specs = []map[string]plan.Expr{values}
	return out, err
}

// Stored is a declared type as files hold it: CHAR and VARCHAR are STRING.
func Stored(t types.Type) types.Type { return undeclared(t) }
