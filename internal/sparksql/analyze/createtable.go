package analyze

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// creator analyses one CREATE TABLE.
type creator struct {
	a   *analyzer
	ast *ast.CreateTable
	out *plan.CreateTable
}

func (a *analyzer) createTable(c *ast.CreateTable) (plan.Statement, error) {
	k := &creator{a: a, ast: c, out: &plan.CreateTable{Create: c.Create, Replace: c.Replace, Comment: c.Comment, Location: c.Location, Pos: c.Pos()}}
	if err := k.name(); err != nil || k.out.Skip {
		return k.out, err
	}
	if err := k.likeFiles(); err != nil {
		return nil, err
	}
	if fileProvider(k.ast.Provider) {
		return k.files()
	}
	if err := k.refused(); err != nil {
		return nil, err
	}
	k.out.Properties = map[string]string{}
	for _, p := range c.Options {
		k.out.Properties[p.Key], k.out.Properties["option."+p.Key] = p.Value, p.Value
	}
	for _, p := range c.Properties {
		k.out.Properties[p.Key] = p.Value
	}
	if err := a.properties(k.out.Properties, c.Pos()); err != nil {
		return nil, err
	}
	if err := k.columns(); err != nil {
		return nil, err
	}
	if err := k.checkNames(); err != nil {
		return nil, err
	}
	if err := k.keys(); err != nil {
		return nil, err
	}
	if k.out.Adopt != nil {
		if err := k.adopted(); err != nil {
			return nil, err
		}
	}
	return k.out, k.rules()
}

// plainName tells whether a name needs no backticks in a catalog.
func plainName(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool {
		return r != '_' && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
	}) < 0
}

// name checks the name and what has it already.
func (k *creator) name() error {
	name, err := k.a.targetName(k.ast.Target)
	if err != nil {
		return err
	}
	k.out.Name = name.Strings()
	switch {
	case len(name) > 3:
		return k.a.errorf(name[0].P, "REQUIRES_SINGLE_PART_NAMESPACE", "42K05", "A table's name has up to three parts: catalog, schema and name.")
	case len(name) == 2 && strings.EqualFold(name[0].Name, "delta") && strings.Contains(name[1].Name, "/"):
		k.out.Path, k.out.Location = true, name[1].Name
		name = nil
	}
	for _, p := range name {
		if !plainName(p.Name) {
			return k.a.errorf(p.P, "INVALID_SCHEMA_OR_RELATION_NAME", "42602", "%s is no valid name of a table: it takes letters, digits and _.", quote(p.Name))
		}
	}
	src, view, err := k.a.env.Resolver.Table(k.a.ctx, qualified(k.out.Name, k.a.here()), TimeTravel{})
	if err != nil && (!k.out.Path || sparksql.ClassOf(err) != "PATH_NOT_FOUND") {
		return k.a.placed(err, k.ast.Pos())
	}
	there := src != nil || view != nil && !view.Temporary
	switch {
	case there && k.ast.IfNotExists:
		k.out.Skip = true
		if k.ast.Clone != nil { // the result has the columns of a clone's
			k.out.Clone = &plan.Source{Name: k.out.Name}
			return nil
		}
	case there && k.ast.Clone != nil && k.ast.Replace:
		return k.a.errorf(k.ast.Pos(), "DELTA_UNSUPPORTED_NON_EMPTY_CLONE", "0AKDC", "%s is there already, and a clone replaces no table.", quoteAll(k.out.Name))
	case there && k.ast.Clone != nil:
		return k.a.errorf(k.ast.Pos(), "DELTA_TABLE_ALREADY_EXISTS", "42P07", "%s is there already.", quoteAll(k.out.Name))
	case there && (!k.ast.Replace || view != nil):
		return k.a.errorf(k.ast.Pos(), "TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", "%s is there already.", quoteAll(k.out.Name)).hint("Use another name, CREATE OR REPLACE TABLE or IF NOT EXISTS.")
	case !there && !k.ast.Create:
		return k.a.noTable(k.out.Name, k.ast.Pos())
	}
	k.out.Old = src
	return k.location()
}

// location finds what lies at LOCATION already.
func (k *creator) location() error {
	if k.ast.Location == "" || k.out.Path || fileProvider(k.ast.Provider) {
		return nil
	}
	at := []string{"delta", k.ast.Location}
	src, _, err := k.a.env.Resolver.Table(k.a.ctx, qualified(at, k.a.here()), TimeTravel{})
	switch {
	case err != nil && sparksql.ClassOf(err) != "PATH_NOT_FOUND":
		return k.a.placed(err, k.ast.Pos())
	case src == nil || err != nil || k.out.Old != nil || k.out.Skip:
	case k.ast.Replace:
		k.out.Old = src
	case k.ast.Query != nil || k.ast.Clone != nil:
		return k.a.errorf(k.ast.Pos(), "DELTA_CREATE_TABLE_WITH_NON_EMPTY_LOCATION", "42601", "There is a table at %s already.", quote(k.ast.Location)).hint("CREATE TABLE ... LOCATION without a query takes it over, CREATE OR REPLACE TABLE replaces it.")
	default:
		k.out.Adopt = src
	}
	return nil
}

// adopted compares what the statement says with the table at LOCATION.
func (k *creator) adopted() error {
	src := k.out.Adopt
	at := quote(k.ast.Location)
	mismatch := func(class, what string) error {
		return k.a.errorf(k.ast.Pos(), class, "42KD7", "The table at %s has other %s.", at, what).hint("Leave them out to take the table as it is.")
	}
	if len(k.out.Columns) > 0 {
		same := len(k.out.Columns) == len(src.Columns)
		for i := 0; same && i < len(src.Columns); i++ {
			c, f := k.out.Columns[i], src.Columns[i]
			r := src.Rules.Columns[i]
			same = strings.EqualFold(c.Name, f.Name) && types.Equal(stored(c.Type), f.Type) && c.Nullable == f.Nullable && c.Comment == f.Comment &&
				c.Generated == r.Generated && c.Default == r.Default
		}
		if !same {
			return mismatch("DELTA_CREATE_TABLE_SCHEME_MISMATCH", "columns")
		}
		if !slices.EqualFunc(k.out.PartitionBy, src.Rules.PartitionBy, strings.EqualFold) {
			return mismatch("DELTA_CREATE_TABLE_WITH_DIFFERENT_PARTITIONING", "partition columns")
		}
	}
	for p, v := range k.out.Properties {
		if have, ok := src.Rules.Properties[p]; !ok || have != v {
			return mismatch("DELTA_CREATE_TABLE_WITH_DIFFERENT_PROPERTY", "properties")
		}
	}
	return nil
}

// refused are clauses that tables do not have here.
func (k *creator) refused() error {
	c, a := k.ast, k.a
	switch {
	case c.Constraint != "":
		return a.errorf(c.Pos(), "UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "CREATE TABLE takes no %s.", c.Constraint).hint("ALTER TABLE ... ADD CONSTRAINT ... CHECK adds a condition.")
	case c.Buckets:
		return a.errorf(c.Pos(), "DELTA_OPERATION_NOT_ALLOWED_DETAIL", "0AKDC", "Delta tables have no buckets.").hint("Use CLUSTER BY.")
	case c.Query == nil && c.Clone == nil && c.Like.Name == nil && len(c.Columns) == 0 && len(c.Properties) > 0 && c.Provider == "":
		return a.errorf(c.Pos(), "UNABLE_TO_INFER_SCHEMA", "42KD9", "A table needs columns, or AS with a query.")
	}
	return nil
}

// columns finds the table's columns: declared, of the query, or of another table.
func (k *creator) columns() error {
	c := k.ast
	switch {
	case c.Clone != nil:
		return k.clone()
	case c.Like.Name != nil || c.Like.NameExpr != nil:
		src, view, _, err := k.a.source(c.Like)
		if err != nil {
			return err
		}
		if view != nil {
			for _, f := range view.Columns {
				f.Type, f.Nullable = stored(f.Type), true
				k.out.Columns = append(k.out.Columns, plan.TableColumn{Field: f})
			}
			return nil
		}
		k.like(src)
		if src.Rules != nil && k.out.Comment == "" {
			k.out.Comment = src.Rules.Comment
		}
		return nil
	case c.Query != nil:
		return k.query()
	}
	for _, d := range c.Columns {
		col, err := k.a.tableColumn(d)
		if err != nil {
			return err
		}
		k.out.Columns = append(k.out.Columns, col)
	}
	return nil
}

func (k *creator) like(src *plan.Source) {
	for i, f := range src.Columns {
		col := plan.TableColumn{Field: f}
		if src.Rules != nil {
			col.ColumnRule = src.Rules.Columns[i]
		}
		k.out.Columns = append(k.out.Columns, col)
	}
	if src.Rules != nil {
		k.out.PartitionBy = src.Rules.PartitionBy
		for p, v := range src.Rules.Properties {
			if _, given := k.out.Properties[p]; !given {
				k.out.Properties[p] = v
			}
		}
	}
}

func (k *creator) clone() error {
	c := k.ast.Clone
	name, err := k.a.targetName(c.Source)
	if err != nil {
		return err
	}
	at, err := k.a.timeTravel(&ast.TableName{At: c.Source.At, Name: name, Version: c.Version, Timestamp: c.Timestamp})
	if err != nil {
		return err
	}
	src, view, err := k.a.env.Resolver.Table(k.a.ctx, qualified(name.Strings(), k.a.here()), at)
	switch {
	case err != nil:
		return k.a.placed(err, c.Source.Pos())
	case view != nil:
		return k.a.errorf(c.Source.Pos(), "DELTA_CLONE_UNSUPPORTED_SOURCE", "0AKDC", "%s is a view; only tables can be cloned.", quoteAll(name.Strings()))
	case src == nil:
		return k.a.noTable(name.Strings(), c.Source.Pos())
	case src.Files != nil:
		return k.a.errorf(c.Source.Pos(), "DELTA_CLONE_UNSUPPORTED_SOURCE", "0AKDC", "%s is a table of files; only Delta tables are cloned.", quoteAll(name.Strings()))
	}
	k.out.Clone = src
	k.like(src)
	return nil
}

func (k *creator) query() error {
	r, err := k.a.query(k.ast.Query, k.a.here())
	if err != nil {
		return err
	}
	r = relation{node: r.node, cols: r.visible()}
	p := &plan.Project{Input: r.node}
	for _, c := range r.cols {
		at := c.Attr
		at.ID = plan.NewID()
		p.Exprs = append(p.Exprs, plan.NamedExpr{X: &plan.Column{Attr: c.Attr}, Attr: at})
		k.out.Columns = append(k.out.Columns, plan.TableColumn{
			Field:      types.Field{Name: c.Name, Type: stored(c.Type), Nullable: true, Comment: c.Comment},
			ColumnRule: plan.ColumnRule{Declared: c.Declared},
		})
	}
	k.out.Rows = &plan.Rows{Plan: k.a.plan(nil, p), OptimizeWrite: k.a.optimizeWrite()}
	return nil
}

// tableColumn is a declared column.
func (a *analyzer) tableColumn(d ast.TableColumn) (plan.TableColumn, error) {
	col := plan.TableColumn{Field: types.Field{Name: d.Path[len(d.Path)-1].Name, Type: d.Type, Nullable: !d.NotNull, Comment: d.Comment}}
	if hasChar(d.Type, true) {
		col.Declared, col.Type = d.Type, undeclared(d.Type)
	}
	switch {
	case d.Default != nil && d.Generated != nil:
		return col, a.errorf(d.Pos(), "GENERATED_COLUMN_WITH_DEFAULT_VALUE", "42623", "The column %s cannot have both a DEFAULT and an expression that generates it.", quote(col.Name))
	case d.Default != nil:
		col.Default = d.Text
	case d.Generated != nil:
		col.Generated = d.Text
	case d.Identity != nil:
		col.Identity = &plan.IdentityRule{Start: d.Identity.Start, Step: d.Identity.Step, Explicit: !d.Identity.Always}
		if d.Type != types.BigInt {
			return col, a.errorf(d.Pos(), "DELTA_IDENTITY_COLUMNS_UNSUPPORTED_DATA_TYPE", "428H2", "An IDENTITY column is BIGINT, not %s.", d.Type.SQL())
		}
	}
	return col, a.storable(d.Type, d.Pos())
}

// storable refuses types that files do not hold.
func (a *analyzer) storable(t types.Type, pos sparksql.Pos) error {
	switch t := t.(type) {
	case types.Array:
		return a.storable(t.Elem, pos)
	case types.Map:
		if err := a.storable(t.Key, pos); err != nil {
			return err
		}
		return a.storable(t.Value, pos)
	case types.Struct:
		seen := map[string]bool{}
		for _, f := range t.Fields {
			low := strings.ToLower(f.Name)
			if seen[low] {
				return a.errorf(pos, "COLUMN_ALREADY_EXISTS", "42711", "A struct has two fields %s.", quote(f.Name))
			}
			seen[low] = true
			if err := a.storable(f.Type, pos); err != nil {
				return err
			}
		}
	case types.Spatial:
		return a.errorf(pos, "DELTA_GEOSPATIAL_NOT_SUPPORTED", "0AKDC", "A table cannot keep values of type %s.", t.SQL()).hint("Keep the well-known binary that st_asbinary gives.")
	case types.YearMonth, types.DayTime, types.Time:
		return a.errorf(pos, "DELTA_UNSUPPORTED_DATA_TYPES", "0AKDC", "A table cannot keep values of type %s.", t.SQL())
	case types.Primitive:
		if t == types.Calendar {
			return a.errorf(pos, "DELTA_UNSUPPORTED_DATA_TYPES", "0AKDC", "A table cannot keep values of type %s.", t.SQL())
		}
	}
	return nil
}

// checkNames refuses columns that the table could not keep apart or write.
func (k *creator) checkNames() error {
	seen := map[string]bool{}
	mode := k.out.Properties["delta.columnMapping.mode"]
	feed := strings.EqualFold(k.out.Properties["delta.enableChangeDataFeed"], "true")
	for _, c := range k.out.Columns {
		low := strings.ToLower(c.Name)
		if seen[low] {
			return k.a.errorf(k.ast.Pos(), "COLUMN_ALREADY_EXISTS", "42711", "The table has two columns %s.", quote(c.Name))
		}
		seen[low] = true
		if mode == "" || mode == "none" {
			if err := k.a.columnName(c.Field, k.ast.Pos()); err != nil {
				return err
			}
		}
		if k.out.Rows != nil {
			if err := k.a.storable(c.Type, k.ast.Pos()); err != nil {
				return err
			}
		}
		if feed {
			if err := k.a.noFeedColumn(c.Name, k.ast.Pos()); err != nil {
				return err
			}
		}
	}
	return nil
}

// noFeedColumn refuses the names that the change feed gives its own columns.
func (a *analyzer) noFeedColumn(name string, pos sparksql.Pos) error {
	switch strings.ToLower(name) {
	case "_change_type", "_commit_version", "_commit_timestamp":
		return a.errorf(pos, "DELTA_TABLE_ALREADY_CONTAINS_CDC_COLUMNS", "42711", "The column %s has the name of one of the change feed's own columns.", quote(name))
	}
	return nil
}

// columnName refuses characters that files without column mapping cannot have.
func (a *analyzer) columnName(f types.Field, pos sparksql.Pos) error {
	if strings.ContainsAny(f.Name, " ,;{}()\n\t=") {
		return a.errorf(pos, "DELTA_INVALID_CHARACTERS_IN_COLUMN_NAMES", "42K05", "The column name %s holds one of the characters ' ,;{}()\\n\\t='.", quote(f.Name)).
			hint("Give it another name with AS, or set 'delta.columnMapping.mode' = 'name'.")
	}
	for t := f.Type; ; {
		switch x := t.(type) {
		case types.Struct:
			for _, g := range x.Fields {
				if err := a.columnName(g, pos); err != nil {
					return err
				}
			}
			return nil
		case types.Array:
			t = x.Elem
			continue
		case types.Map:
			t = x.Value
			continue
		}
		return nil
	}
}

// keys checks PARTITIONED BY and CLUSTER BY.
func (k *creator) keys() error {
	for _, it := range k.ast.PartitionBy {
		if it.Transform == "bucket" {
			return k.a.errorf(it.Pos(), "DELTA_OPERATION_NOT_ALLOWED_DETAIL", "0AKDC", "Delta tables have no buckets.").hint("Use CLUSTER BY.")
		}
		if it.Transform != "" {
			return k.a.errorf(it.Pos(), "DELTA_OPERATION_NOT_ALLOWED", "0AKDC", "Delta tables are partitioned by columns, not by %s(...).", it.Transform).hint("Add a generated column and partition by it.")
		}
		name := it.Name[len(it.Name)-1].Name
		if it.Type != nil && k.column(name) >= 0 {
			return k.a.errorf(it.Pos(), "COLUMN_ALREADY_EXISTS", "42711", "The table has two columns %s.", quote(name))
		}
		if it.Type != nil {
			k.out.Columns = append(k.out.Columns, plan.TableColumn{Field: types.Field{Name: name, Type: it.Type, Nullable: true}})
		}
		i := k.column(name)
		if i < 0 {
			return k.a.errorf(it.Pos(), "_LEGACY_ERROR_TEMP_3060", "", "There is no column %s to partition by.", quote(name))
		}
		col := k.out.Columns[i]
		if !partitions(col.Type) {
			return k.a.errorf(it.Pos(), "INVALID_PARTITION_COLUMN_DATA_TYPE", "0A000", "%s cannot be a partition column: it is %s.", quote(name), col.Type.SQL())
		}
		if col.Identity != nil {
			return k.a.errorf(it.Pos(), "DELTA_IDENTITY_COLUMNS_PARTITION_NOT_SUPPORTED", "42601", "The IDENTITY column %s cannot be a partition column.", quote(name))
		}
		if slices.Contains(k.out.PartitionBy, col.Name) {
			return k.a.errorf(it.Pos(), "_LEGACY_ERROR_TEMP_3058", "", "The table is partitioned twice by %s.", quote(name))
		}
		k.out.PartitionBy = append(k.out.PartitionBy, col.Name)
	}
	if n := len(k.out.PartitionBy); n > 0 && n == len(k.out.Columns) {
		return k.a.errorf(k.ast.Pos(), "ALL_PARTITION_COLUMNS_NOT_ALLOWED", "KD005", "At least one column must be left that the table is not partitioned by.")
	}
	var err error
	k.out.ClusterBy, err = k.a.clustering(k.ast.ClusterBy, k.out.Fields(), k.ast.Pos())
	return err
}

// clusteredTwice refuses columns that CLUSTER BY names twice.
func (a *analyzer) clusteredTwice(names []ast.Name) error {
	seen := map[string]bool{}
	for _, n := range names {
		low := strings.ToLower(strings.Join(n.Strings(), "."))
		if seen[low] {
			return a.errorf(n[0].P, "DELTA_DUPLICATE_COLUMNS_FOUND.CLUSTER_BY", "42711", "CLUSTER BY names %s twice.", quoteAll(n.Strings()))
		}
		seen[low] = true
	}
	return nil
}

// partitions tells whether a table can be partitioned by values of t.
func partitions(t types.Type) bool {
	switch t.(type) {
	case types.Array, types.Collated, types.Map, types.Struct:
		return false
	}
	return t != types.Variant
}

func (k *creator) column(name string) int {
	return slices.IndexFunc(k.out.Columns, func(c plan.TableColumn) bool { return strings.EqualFold(c.Name, name) })
}

// clustering resolves CLUSTER BY.
func (a *analyzer) clustering(names []ast.Name, fields []types.Field, pos sparksql.Pos) ([][]string, error) {
	if err := a.clusteredTwice(names); err != nil {
		return nil, err
	}
	if len(names) > 4 {
		return nil, a.errorf(pos, "DELTA_CLUSTER_BY_INVALID_NUM_COLUMNS", "54000", "CLUSTER BY takes up to 4 columns, not %d.", len(names))
	}
	var out [][]string
	for _, n := range names {
		var path []string
		fs := fields
		var typ types.Type
		for _, p := range n {
			i := fieldAt(fs, p.Name)
			if i < 0 {
				return nil, a.errorf(p.P, "UNSUPPORTED_FEATURE.PARTITION_WITH_NESTED_COLUMN_IS_UNSUPPORTED", "0A000", "There is no column %s to cluster by.", quoteAll(n.Strings()))
			}
			path, typ, fs = append(path, fs[i].Name), fs[i].Type, nil
			if s, ok := typ.(types.Struct); ok {
				fs = s.Fields
			}
		}
		switch typ.(type) {
		case types.Array, types.Map, types.Struct:
			return nil, a.errorf(n[0].P, "DELTA_CLUSTERING_COLUMNS_DATATYPE_NOT_SUPPORTED", "0A000", "%s cannot be clustered by: it is %s.", quoteAll(path), typ.SQL())
		}
		if typ == types.Boolean || typ == types.Binary || typ == types.Variant {
			return nil, a.errorf(n[0].P, "DELTA_CLUSTERING_COLUMNS_DATATYPE_NOT_SUPPORTED", "0A000", "%s cannot be clustered by: it is %s.", quoteAll(path), typ.SQL())
		}
		out = append(out, path)
	}
	return out, nil
}

// noDefaults refuses a default of a table that has none.
func (a *analyzer) noDefaults(column string, pos sparksql.Pos) error {
	return a.errorf(pos, "WRONG_COLUMN_DEFAULTS_FOR_DELTA_FEATURE_NOT_ENABLED", "0AKDE", "The default of %s needs the table feature allowColumnDefaults.", quote(column)).
		hint("TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported') switches it on.")
}

// rules checks the expressions of generated columns and defaults.
func (k *creator) rules() error {
	defaults := k.out.Properties["delta.feature.allowColumnDefaults"]
	if err := k.a.checkRules(k.out.Columns, k.ast.Pos()); err != nil {
		return err
	}
	for _, c := range k.out.Columns {
		if c.Default != "" && defaults != "supported" && defaults != "enabled" {
			return k.a.noDefaults(c.Name, k.ast.Pos())
		}
	}
	return nil
}

func isVariant(t types.Type) bool { return t == types.Variant }

// dropTable analyses DROP TABLE.
func (a *analyzer) dropTable(d *ast.DropTable) (plan.Statement, error) {
	name, err := a.targetName(d.Target)
	if err != nil {
		return nil, err
	}
	out := &plan.DropTable{Name: name.Strings(), Pos: d.Pos()}
	if s := sessionName(out.Name); s != "" && a.env.Session.View(s) != nil {
		return out, nil
	}
	src, view, err := a.env.Resolver.Table(a.ctx, qualified(out.Name, a.here()), TimeTravel{})
	if err != nil && sparksql.ClassOf(err) != "PATH_NOT_FOUND" {
		return nil, a.placed(err, d.Target.Pos())
	}
	if err != nil || src == nil && view == nil {
		if !d.IfExists {
			if err != nil {
				return nil, a.errorf(d.Target.Pos(), "TABLE_OR_VIEW_NOT_FOUND", "42P01", "There is no table at %s.", quote(out.Name[len(out.Name)-1]))
			}
			return nil, a.noTable(out.Name, d.Target.Pos())
		}
		out.Missing = true
	}
	return out, nil
}
