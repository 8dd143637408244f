package analyze

import (
	"errors"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// inserter analyses one INSERT.
type inserter struct {
	a   *analyzer
	ast *ast.Insert
	t   *targetRelation
	s   assigner
	p   place
	// evolve allows columns that the table does not have yet.
	evolve bool
	// given are the target's columns that the query fills, in its order.
	given []int
	// static are the values of PARTITION (p = x), nil elsewhere.
	static []plan.Expr
	schema []types.Field
}

// autoMerge is the setting that lets every write add columns.
const autoMerge = "spark.databricks.delta.schema.autoMerge.enabled"

// optimizeWrites is the session's switch of optimised writes.
const optimizeWrites = "spark.databricks.delta.optimizeWrite.enabled"

// optimizeWrite is what the session says of optimised writes, nil for nothing.
func (a *analyzer) optimizeWrite() *bool {
	v, ok := a.env.Conf[optimizeWrites]
	if !ok {
		return nil
	}
	return new(strings.EqualFold(v, "true"))
}

func (a *analyzer) insert(ins *ast.Insert) (plan.Statement, error) {
	in := &inserter{a: a, ast: ins, p: a.here(), evolve: ins.Evolve || strings.EqualFold(a.env.Conf[autoMerge], "true")}
	in.s = assigner{a: a, store: insertOverflow, byName: ins.ByName, evolve: in.evolve}
	ctes, err := a.prelude(ins.Prelude, &in.p)
	if err != nil {
		return nil, err
	}
	if in.t, err = a.target(ins.Target, "INSERT"); err != nil {
		return nil, err
	}
	if ins.Replace == "using" || ins.Replace == "on" {
		return nil, a.errorf(ins.Pos(), "UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "INSERT ... REPLACE %s is not supported.", strings.ToUpper(ins.Replace)).hint("Use REPLACE WHERE or MERGE.")
	}
	if in.t.src.Files != nil {
		return in.files(ctes)
	}
	if ins.IfNotExists {
		return nil, a.errorf(ins.Pos(), "UNSUPPORTED_FEATURE.INSERT_PARTITION_SPEC_IF_NOT_EXISTS", "0A000", "IF NOT EXISTS cannot stand behind PARTITION (...).")
	}
	if in.t.src.Rules == nil {
		return nil, in.foreign()
	}
	in.schema = in.t.src.Columns
	in.static = make([]plan.Expr, len(in.schema))
	if err := in.columns(); err != nil {
		return nil, err
	}
	r, err := in.query()
	if err != nil {
		return nil, err
	}
	in.s.byName = ins.ByName && in.readable(r)
	if err := in.required(r); err != nil {
		return nil, err
	}
	vals, err := in.values(r)
	if err != nil {
		return nil, err
	}
	out := &plan.Insert{Target: in.t.src, Pos: ins.Pos()}
	b := &rowBuilder{a: a, target: in.t.src, schema: in.schema, s: in.s, pos: ins.Pos(), ctes: ctes}
	if err := in.mode(out, b, ctes); err != nil {
		return nil, err
	}
	rows, err := b.build(r.node, vals, nil)
	if err != nil {
		return nil, err
	}
	out.Rows = *rows
	if len(in.schema) != len(in.t.src.Columns) || in.widened() {
		out.Schema = in.schema
	}
	for i, f := range in.t.src.Columns {
		if in.t.src.Rules.Columns[i].Identity != nil && !in.fills(i) {
			out.Identity = append(out.Identity, f.Name)
		}
	}
	return out, nil
}

// readable tells whether the query's columns are the table's but for their
// order, and that of the fields of structs. Then fields go by their names; else,
// as in Delta, the values are cast, and the fields of structs by their places.
func (in *inserter) readable(r relation) bool {
	for _, c := range r.cols {
		if i := fieldAt(in.schema, c.Name); i >= 0 && !covers(stored(in.schema[i].Type), stored(c.Type)) {
			return false
		}
	}
	return true
}

// covers tells whether from has all the fields of t, with their types.
func covers(t, from types.Type) bool {
	switch t := t.(type) {
	case types.Struct:
		f, ok := from.(types.Struct)
		if !ok {
			return false
		}
		for _, x := range t.Fields {
			if i := fieldAt(f.Fields, x.Name); i < 0 || !covers(x.Type, f.Fields[i].Type) {
				return false
			}
		}
		return true
	case types.Array:
		f, ok := from.(types.Array)
		return ok && covers(t.Elem, f.Elem)
	case types.Map:
		f, ok := from.(types.Map)
		return ok && covers(t.Key, f.Key) && covers(t.Value, f.Value)
	}
	return types.Equal(t, from)
}

// required refuses an INSERT that names columns, but not one that may not be
// NULL and has no value without it.
func (in *inserter) required(r relation) error {
	if len(in.ast.Columns) == 0 && !in.ast.ByName {
		return nil
	}
	for i, f := range in.t.src.Columns {
		rule := in.t.src.Rules.Columns[i]
		given := slices.Contains(in.given, i)
		if in.ast.ByName {
			given = slices.ContainsFunc(r.cols, func(c column) bool { return strings.EqualFold(c.Name, f.Name) })
		}
		if !f.Nullable && !given && in.static[i] == nil && rule.Default == "" && rule.Generated == "" && rule.Identity == nil {
			return in.a.errorf(in.ast.Pos(), "DELTA_INSERT_COLUMN_MISMATCH", "42802", "The column %s is NOT NULL and gets no value.", quote(f.Name))
		}
	}
	return nil
}

// foreign is the error of an INSERT into a table that is only read here.
func (in *inserter) foreign() error {
	src := *in.t.src
	src.Rules = &plan.Rules{Columns: make([]plan.ColumnRule, len(src.Columns))}
	in.t.src, in.schema, in.static = &src, src.Columns, make([]plan.Expr, len(src.Columns))
	if err := in.columns(); err != nil {
		return err
	}
	r, err := in.query()
	if err != nil {
		return err
	}
	if len(r.cols) != len(in.given) {
		kind := "TOO_MANY_DATA_COLUMNS"
		if len(r.cols) < len(in.given) {
			kind = "NOT_ENOUGH_DATA_COLUMNS"
		}
		return in.a.errorf(in.ast.Pos(), "INSERT_COLUMN_ARITY_MISMATCH."+kind, "21S01", "The table takes %d columns, the query has %d.", len(in.given), len(r.cols))
	}
	return in.a.errorf(in.ast.Target.Pos(), "UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "The table %s does not support INSERT.", quoteAll(src.Name))
}

func (in *inserter) widened() bool {
	for i, f := range in.t.src.Columns {
		if !types.Equal(f.Type, in.schema[i].Type) {
			return true
		}
	}
	return false
}

func (in *inserter) fills(i int) bool { return in.static[i] != nil || slices.Contains(in.given, i) }

// columns finds what PARTITION (...) and the column list name.
func (in *inserter) columns() error {
	src := in.t.src
	var dynamic []int
	for _, pv := range in.ast.Partition {
		i := fieldAt(src.Columns, pv.Name.Name)
		if i < 0 || !slices.ContainsFunc(src.Rules.PartitionBy, func(p string) bool { return strings.EqualFold(p, pv.Name.Name) }) {
			return in.a.errorf(pv.Name.P, "NON_PARTITION_COLUMN", "42000", "PARTITION names %s, which is no partition column.", quote(pv.Name.Name))
		}
		if pv.Value == nil {
			dynamic = append(dynamic, i)
			continue
		}
		x, err := in.a.expr(pv.Value, &scope{place: in.p})
		if err == nil {
			x, err = in.s.assign(x, src.Columns[i].Type, src.Columns[i].Name, pv.Value.Pos())
		}
		if err != nil {
			return err
		}
		in.static[i] = x
	}
	if len(in.ast.Columns) == 0 {
		for i := range src.Columns {
			if in.static[i] == nil && !slices.Contains(dynamic, i) {
				in.given = append(in.given, i)
			}
		}
		in.given = append(in.given, dynamic...)
		return nil
	}
	for _, id := range in.ast.Columns {
		i := fieldAt(src.Columns, id.Name)
		if i < 0 {
			return in.a.unresolved([]string{id.Name}, id.P, in.t.cols)
		}
		if slices.Contains(in.given, i) {
			return in.a.errorf(id.P, "COLUMN_ALREADY_EXISTS", "42711", "The column list names %s twice.", quote(id.Name))
		}
		in.given = append(in.given, i)
	}
	return nil
}

// query analyses the rows; DEFAULT in VALUES and in a select list stands for
// the column's default.
func (in *inserter) query() (relation, error) {
	q := in.ast.Query
	if err := in.defaults(q); err != nil {
		return relation{}, err
	}
	r, err := in.a.query(q, in.p)
	if err != nil {
		if s, ok := q.Body.(*ast.Select); ok && strings.HasPrefix(sparksql.ClassOf(err), "UNRESOLVED_COLUMN") {
			for _, it := range s.Items {
				if namesDefault(it.X) {
					return r, in.a.misplacedDefault(it.X.Pos())
				}
			}
		}
		return r, in.inline(err, q)
	}
	r = relation{node: r.node, cols: r.visible()}
	return r, nil
}

// namesDefault tells whether DEFAULT stands in an expression.
func namesDefault(x ast.Expr) bool {
	return slices.ContainsFunc(columnsOf(x), func(n []string) bool { return len(n) == 1 && strings.EqualFold(n[0], "default") })
}

func (a *analyzer) misplacedDefault(pos sparksql.Pos) error {
	return a.errorf(pos, "DEFAULT_PLACEMENT_INVALID", "42608", "DEFAULT stands for a whole value and cannot be part of an expression.")
}

// inline tells what is wrong with a name in VALUES, where no columns are.
func (in *inserter) inline(err error, q *ast.Query) error {
	v, ok := q.Body.(*ast.Values)
	if !ok || !strings.HasPrefix(sparksql.ClassOf(err), "UNRESOLVED_COLUMN") {
		return err
	}
	for _, r := range v.Rows {
		all := columnsOf(r)
		if len(all) == 0 {
			continue
		}
		if n := all[0]; len(n) > 1 || !strings.EqualFold(n[0], "default") {
			return in.a.unresolved(n, r.Pos(), nil)
		}
		return in.a.misplacedDefault(r.Pos())
	}
	return err
}

// defaults replaces DEFAULT by the column's default.
func (in *inserter) defaults(q *ast.Query) error {
	row := func(items []ast.Expr) error {
		for i, x := range items {
			if !isDefault(x) || i >= len(in.given) {
				continue
			}
			text := in.t.src.Rules.Columns[in.given[i]].Default
			if text == "" {
				text = "NULL"
			}
			e, err := parse.Expression(text)
			if err != nil {
				return err
			}
			items[i] = e
		}
		return nil
	}
	switch b := q.Body.(type) {
	case *ast.Values:
		for i, r := range b.Rows {
			one := []ast.Expr{r}
			items := one
			if t, ok := r.(*ast.Tuple); ok {
				items = t.Items
			}
			if err := row(items); err != nil {
				return err
			}
			if items[0] != r && len(items) == 1 && &items[0] == &one[0] {
				b.Rows[i] = one[0]
			}
		}
	case *ast.Select:
		for i := range b.Items {
			one := []ast.Expr{b.Items[i].X}
			if isDefault(one[0]) && i < len(in.given) {
				text := in.t.src.Rules.Columns[in.given[i]].Default
				if text == "" {
					text = "NULL"
				}
				e, err := parse.Expression(text)
				if err != nil {
					return err
				}
				b.Items[i].X = e
			}
		}
	}
	return nil
}

// values gives each column its value: nil for a generated one.
func (in *inserter) values(r relation) ([]plan.Expr, error) {
	src := in.t.src
	place := make([]int, len(r.cols)) // of the query's columns in the schema
	var err error
	if in.ast.ByName {
		err = in.byName(r, place)
	} else {
		err = in.byPosition(r, place)
	}
	if err != nil {
		return nil, err
	}
	vals := make([]plan.Expr, len(in.schema))
	for i, c := range r.cols {
		to := place[i]
		if to < len(src.Columns) {
			if id := src.Rules.Columns[to].Identity; id != nil && !id.Explicit {
				return nil, in.a.errorf(in.ast.Pos(), "DELTA_IDENTITY_COLUMNS_EXPLICIT_INSERT_NOT_SUPPORTED", "42808", "The column %s is GENERATED ALWAYS AS IDENTITY and takes no value.", quote(src.Columns[to].Name))
			}
		}
		in.widen(to, c.Type)
		if vals[to], err = in.s.assign(&plan.Column{Attr: c.Attr}, in.schema[to].Type, in.schema[to].Name, in.ast.Query.Pos()); err != nil {
			return nil, err
		}
	}
	for i := range vals {
		switch {
		case vals[i] != nil:
		case i < len(in.static) && in.static[i] != nil:
			vals[i] = in.static[i]
		case i < len(src.Columns):
			if vals[i], err = in.a.defaultOf(src, i, in.s, in.ast.Pos()); err != nil {
				return nil, err
			}
		}
	}
	in.given = append([]int(nil), place...)
	return vals, nil
}

// add gives the schema a new column and its place.
func (in *inserter) add(c column) int {
	in.schema = append(slices.Clone(in.schema), types.Field{Name: c.Name, Type: stored(c.Type), Nullable: true})
	return len(in.schema) - 1
}

func (in *inserter) byName(r relation, place []int) error {
	seen := map[string]bool{}
	for i, c := range r.cols {
		low := strings.ToLower(c.Name)
		if seen[low] {
			return in.a.errorf(in.ast.Query.Pos(), "DELTA_DUPLICATE_COLUMNS_FOUND.READ_SCHEMA", "42711", "The query makes two columns %s.", quote(c.Name))
		}
		seen[low] = true
		at := fieldAt(in.schema, c.Name)
		switch {
		case at >= 0:
			place[i] = at
		case in.evolve:
			place[i] = in.add(c)
		default:
			return in.mismatch("The table has no column %s.", quote(c.Name))
		}
	}
	return nil
}

func (in *inserter) mismatch(format string, args ...any) error {
	return in.a.errorf(in.ast.Query.Pos(), "DELTA_METADATA_MISMATCH", "42KDG", format, args...).hint("INSERT WITH SCHEMA EVOLUTION adds columns.")
}

func (in *inserter) byPosition(r relation, place []int) error {
	n := len(in.given)
	if len(in.ast.Columns) > 0 && len(r.cols) != n {
		kind := "TOO_MANY_DATA_COLUMNS"
		if len(r.cols) < n {
			kind = "NOT_ENOUGH_DATA_COLUMNS"
		}
		return in.a.errorf(in.ast.Pos(), "INSERT_COLUMN_ARITY_MISMATCH."+kind, "21S01", "The column list has %d columns, the query %d.", n, len(r.cols))
	}
	if len(r.cols) < n {
		return in.a.errorf(in.ast.Pos(), "DELTA_INSERT_COLUMN_ARITY_MISMATCH", "42802", "The query has %d columns, the table takes %d.", len(r.cols), n).hint("Name the columns after the table.")
	}
	for i, c := range r.cols {
		switch {
		case i < n:
			place[i] = in.given[i]
		case in.evolve && fieldAt(in.schema, c.Name) < 0:
			place[i] = in.add(c)
		default:
			return in.mismatch("The query has %d columns, the table takes %d.", len(r.cols), n)
		}
	}
	return nil
}

// mode says which rows the new ones replace.
func (in *inserter) mode(out *plan.Insert, b *rowBuilder, ctes []*plan.CTE) error {
	var cond plan.Expr
	var err error
	dynamic := strings.EqualFold(in.a.env.Conf["spark.sql.sources.partitionOverwriteMode"], "dynamic")
	switch {
	case in.ast.Replace == "where":
		cond, err = in.a.rowCondition(in.ast.ReplaceCond, in.t, in.p, "REPLACE WHERE")
		switch e, ok := errors.AsType[*sparksql.Error](err); {
		case ok && e.Class == "DELTA_UNSUPPORTED_SUBQUERY":
			e.Class, e.SQLState = "UNSUPPORTED_FEATURE.OVERWRITE_BY_SUBQUERY", "0A000"
		case ok && e.Class == "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN":
			e.Class, e.SQLState = "_LEGACY_ERROR_TEMP_1109", ""
		}
		if err != nil {
			return err
		}
		b.replace = func(cols []column) (plan.Expr, error) {
			return in.a.boolean(in.ast.ReplaceCond, "REPLACE WHERE", &scope{place: in.p, cols: cols})
		}
	case !in.ast.Overwrite:
		return nil
	case dynamic && len(in.t.src.Rules.PartitionBy) > 0:
		out.Mode = plan.WriteDynamic
		return nil
	default:
		if cond, err = in.staticPartition(); err != nil {
			return err
		}
		if cond == nil {
			out.Mode = plan.WriteOverwrite
			return nil
		}
	}
	out.Mode = plan.WriteReplace
	out.Replace, err = in.a.deletion(in.t, cond, ctes, in.ast.Pos())
	return err
}

// staticPartition is the condition that PARTITION (p = x) means.
func (in *inserter) staticPartition() (plan.Expr, error) {
	var cond plan.Expr
	for i, x := range in.static {
		if x == nil {
			continue
		}
		ctx := in.a.fctx(in.ast.Pos())
		e, err := funcs.Resolve("<=>", []plan.Expr{&plan.Column{Attr: in.t.cols[i].Attr}, x}, ctx)
		if err == nil && cond != nil {
			e, err = funcs.Resolve("and", []plan.Expr{cond, e}, ctx)
		}
		if err != nil {
			return nil, err
		}
		cond = e
	}
	return cond, nil
}
