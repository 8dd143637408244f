package analyze

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// alterer analyses one ALTER TABLE.
type alterer struct {
	a   *analyzer
	t   *targetRelation
	out *plan.AlterTable
	pos sparksql.Pos
}

func (a *analyzer) alterTable(st *ast.AlterTable) (plan.Statement, error) {
	src, view, name, err := a.source(st.Target)
	if err != nil {
		return nil, noDeltaTable(err, "ALTER TABLE")
	}
	if r, ok := st.Action.(*ast.RenameTable); ok {
		return a.renameTable(st, r, src, view)
	}
	if view != nil {
		class := "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE"
		switch st.Action.(type) {
		case *ast.SetProperties, *ast.UnsetProperties:
			class = "EXPECT_TABLE_NOT_VIEW.USE_ALTER_VIEW"
		}
		return nil, a.errorf(st.Target.Pos(), class, "42809", "%s is a view; ALTER TABLE takes a table.", quoteAll(name.Strings()))
	}
	if src.Files != nil {
		return a.alterFiles(src, st)
	}
	if x, ok := st.Action.(*ast.AlterColumns); ok && src.Rules == nil && len(x.Columns) > 0 && x.Columns[0].Type != nil {
		return nil, a.errorf(st.Pos(), "NOT_SUPPORTED_CHANGE_COLUMN", "0A000", "Columns of the table %s do not change their type.", quoteAll(src.Name))
	}
	if src.Rules == nil {
		return nil, a.errorf(st.Target.Pos(), "UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "The table %s cannot be altered.", quoteAll(src.Name))
	}
	k := &alterer{a: a, t: a.readTarget(src, st.Target, name), pos: st.Pos()}
	k.out = &plan.AlterTable{Target: src, Pos: st.Pos(), Parameters: map[string]string{}}
	return k.out, k.action(st.Action)
}

func (k *alterer) action(act ast.AlterAction) error {
	switch x := act.(type) {
	case *ast.AddColumns:
		return k.addColumns(x)
	case *ast.DropColumns:
		return k.dropColumns(x)
	case *ast.RenameColumn:
		return k.renameColumn(x)
	case *ast.AlterColumns:
		return k.alterColumns(x)
	case *ast.SetProperties:
		return k.setProperties(x)
	case *ast.UnsetProperties:
		return k.unsetProperties(x)
	case *ast.AddConstraint:
		return k.addConstraint(x)
	case *ast.DropConstraint:
		return k.dropConstraint(x)
	case *ast.AlterClusterBy:
		return k.clusterBy(x)
	case *ast.DropFeature:
		return k.dropFeature(x)
	case *ast.SetLocation:
		return k.setLocation(x)
	case *ast.AlterOther:
		if x.What == "partition" {
			return k.errorf("INVALID_PARTITION_OPERATION.PARTITION_MANAGEMENT_IS_UNSUPPORTED", "42601", "Partitions of a Delta table come and go with its rows.")
		}
		return k.errorf("NOT_SUPPORTED_COMMAND_FOR_V2_TABLE", "0A000", "ALTER TABLE ... %s is not for Delta tables.", strings.ToUpper(x.What))
	}
	return k.errorf("UNSUPPORTED_FEATURE.STATEMENT", "0A000", "This ALTER TABLE is not supported.")
}

// setLocation has the name stand for the table at another place, which has the
// same columns.
func (k *alterer) setLocation(x *ast.SetLocation) error {
	if n := k.t.src.Name; len(n) == 2 && strings.EqualFold(n[0], "delta") {
		return k.errorf("DELTA_CANNOT_SET_LOCATION_ON_PATH_IDENTIFIER", "42613", "A table that is named by its path has no other place.")
	}
	if x.Path == "" {
		return k.errorf("UNSUPPORTED_TABLE_CHANGE", "0A000", "A location cannot be empty.")
	}
	to, _, err := k.a.env.Resolver.Table(k.a.ctx, []string{"delta", x.Path}, TimeTravel{})
	if err != nil {
		return k.a.placed(noDeltaTable(err, "ALTER TABLE"), k.pos)
	}
	if to == nil {
		return k.errorf("DELTA_MISSING_DELTA_TABLE", "42P01", "There is no table at %s.", quote(x.Path)).hint("CREATE TABLE ... LOCATION makes one.")
	}
	if have, want := sameColumns(k.t.src.Columns), sameColumns(to.Columns); !slices.Equal(have, want) && !strings.EqualFold(k.a.env.Conf["spark.databricks.delta.alterLocation.bypassSchemaCheck"], "true") {
		return k.errorf("DELTA_SET_LOCATION_SCHEMA_MISMATCH", "42KD7", "The table there has the columns (%s), not (%s).", strings.Join(want, ", "), strings.Join(have, ", ")).
			hint("SET spark.databricks.delta.alterLocation.bypassSchemaCheck = true allows it.")
	}
	k.out.Location = to
	return nil
}

// sameColumns are columns as texts that are equal for equal schemas.
func sameColumns(fields []types.Field) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.Name + " " + f.Type.SQL()
		if !f.Nullable {
			out[i] += " NOT NULL"
		}
	}
	return out
}

func (k *alterer) errorf(class, state, format string, args ...any) *fault {
	return k.a.errorf(k.pos, class, state, format, args...)
}

func (a *analyzer) renameTable(st *ast.AlterTable, r *ast.RenameTable, src *plan.Source, view *View) (plan.Statement, error) {
	if view != nil {
		return nil, a.errorf(st.Target.Pos(), "EXPECT_TABLE_NOT_VIEW.USE_ALTER_VIEW", "42809", "%s is a view; ALTER TABLE takes a table.", quoteAll(view.Name)).hint("Use ALTER VIEW.")
	}
	to := r.To.Strings()
	var from []string
	if src != nil {
		from = src.Name
	} else {
		from = view.Name
	}
	full := qualified(to, a.here())
	if len(full) == 3 && len(from) == 3 && (!strings.EqualFold(full[0], from[0]) || !strings.EqualFold(full[1], from[1])) {
		return nil, a.errorf(st.Pos(), "_LEGACY_ERROR_TEMP_1073", "", "A table stays in its schema when it is renamed.")
	}
	for _, p := range r.To {
		if !plainName(p.Name) {
			return nil, a.errorf(p.P, "INVALID_SCHEMA_OR_RELATION_NAME", "42602", "%s is no valid name of a table: it takes letters, digits and _.", quote(p.Name))
		}
	}
	other, otherView, err := a.env.Resolver.Table(a.ctx, full, TimeTravel{})
	if err != nil {
		return nil, a.placed(err, st.Pos())
	}
	if other != nil || otherView != nil && !otherView.Temporary {
		return nil, a.errorf(r.To[0].P, "TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", "%s is there already.", quoteAll(to))
	}
	return &plan.AlterTable{Target: src, RenameTo: full, Pos: st.Pos()}, nil
}

// step finds what a path's next part names in t: a field, or element, key and value.
func step(t types.Type, name string) (types.Type, bool) {
	switch t := t.(type) {
	case types.Struct:
		if i := fieldAt(t.Fields, name); i >= 0 {
			return t.Fields[i].Type, true
		}
	case types.Array:
		return t.Elem, strings.EqualFold(name, "element")
	case types.Map:
		if strings.EqualFold(name, "key") {
			return t.Key, true
		}
		return t.Value, strings.EqualFold(name, "value")
	}
	return nil, false
}

// find gives the type of a column or field.
func (k *alterer) find(n ast.Name) (types.Type, error) {
	var t types.Type = types.Struct{Fields: k.t.src.Columns}
	for _, p := range n {
		next, ok := step(t, p.Name)
		if _, st := t.(types.Struct); !ok && !st {
			return nil, k.a.errorf(p.P, "INVALID_FIELD_NAME", "42000", "%s is no field: what stands before %s is no struct.", quoteAll(n.Strings()), quote(p.Name))
		}
		if !ok {
			return nil, k.a.unresolved(n.Strings(), n[0].P, k.t.cols)
		}
		t = next
	}
	if len(n) == 1 {
		if i := fieldAt(k.t.src.Columns, n[0].Name); i >= 0 && k.t.src.Rules.Columns[i].Declared != nil {
			return k.t.src.Rules.Columns[i].Declared, nil
		}
	}
	return t, nil
}

func (k *alterer) addColumns(x *ast.AddColumns) error {
	if x.Replace {
		return k.replaceColumns(x)
	}
	k.out.Operation = "ADD COLUMNS"
	names := columnNames(k.t.src.Columns)
	for i, c := range x.Columns {
		for _, o := range x.Columns[:i] {
			if slices.EqualFunc(c.Path.Strings(), o.Path.Strings(), strings.EqualFold) {
				return k.a.errorf(c.Pos(), "COLUMN_ALREADY_EXISTS", "42711", "The column %s is added twice.", quoteAll(c.Path.Strings()))
			}
		}
	}
	for _, c := range x.Columns {
		parent := ast.Name(c.Path[:len(c.Path)-1])
		name := c.Path[len(c.Path)-1].Name
		taken := names
		if len(parent) > 0 {
			t, err := k.find(parent)
			if err != nil {
				return err
			}
			st, ok := t.(types.Struct)
			if !ok {
				return k.errorf("INVALID_FIELD_NAME", "42000", "%s cannot be added: %s is no struct.", quoteAll(c.Path.Strings()), quoteAll(parent.Strings()))
			}
			taken = columnNames(st.Fields)
		}
		if err := k.newColumn(c, name, taken); err != nil {
			return err
		}
		col, err := k.a.tableColumn(c)
		if err != nil {
			return err
		}
		if len(parent) == 0 {
			names = append(names, name)
		}
		k.out.Edits = append(k.out.Edits, plan.Edit{Kind: plan.EditAdd, Path: c.Path.Strings(), Column: col, Position: c.Position, After: c.After.Name})
	}
	return nil
}

// newColumn checks a column that is added beside others.
func (k *alterer) newColumn(c ast.TableColumn, name string, names []string) error {
	has := func(n string) bool {
		return slices.ContainsFunc(names, func(o string) bool { return strings.EqualFold(o, n) })
	}
	switch {
	case has(name):
		return k.errorf("FIELD_ALREADY_EXISTS", "42710", "There is a column %s already.", quoteAll(c.Path.Strings()))
	case c.Position == "after" && !has(c.After.Name):
		return k.a.errorf(c.After.P, "FIELD_NOT_FOUND", "42704", "There is no column %s to stand after.", quote(c.After.Name))
	case c.NotNull:
		return k.a.errorf(c.Pos(), "DELTA_OPERATION_NOT_ALLOWED", "0AKDC", "A column that is added cannot be NOT NULL: the rows that are there have no value for it.")
	case c.Default != nil:
		return k.a.errorf(c.Pos(), "WRONG_COLUMN_DEFAULTS_FOR_DELTA_ALTER_TABLE_ADD_COLUMN_NOT_SUPPORTED", "0AKDC", "A column that is added takes no DEFAULT.").hint("Add it, then ALTER COLUMN ... SET DEFAULT.")
	}
	if strings.EqualFold(k.t.src.Rules.Properties["delta.enableChangeDataFeed"], "true") && k.a.noFeedColumn(name, c.Pos()) != nil {
		return k.a.errorf(c.Pos(), "RESERVED_CDC_COLUMNS_ON_WRITE", "42939", "The change feed has a column %s of its own.", quote(name))
	}
	if k.mapped() {
		return nil
	}
	return k.a.columnName(types.Field{Name: name, Type: c.Type}, c.Pos())
}

func (k *alterer) mapped() bool {
	mode := k.t.src.Rules.Properties["delta.columnMapping.mode"]
	return mode != "" && mode != "none"
}

// replaceColumns allows what adds columns only.
func (k *alterer) replaceColumns(x *ast.AddColumns) error {
	k.out.Operation = "REPLACE COLUMNS"
	kept := map[string]bool{}
	for _, c := range x.Columns {
		name := c.Path[len(c.Path)-1].Name
		i := fieldAt(k.t.src.Columns, name)
		if i < 0 {
			col, err := k.a.tableColumn(c)
			if err != nil {
				return err
			}
			k.out.Edits = append(k.out.Edits, plan.Edit{Kind: plan.EditAdd, Path: c.Path.Strings(), Column: col})
			continue
		}
		if !types.Equal(stored(c.Type), stored(k.t.src.Columns[i].Type)) {
			return k.errorf("DELTA_UNSUPPORTED_ALTER_TABLE_REPLACE_COL_OP", "0AKDC", "REPLACE COLUMNS cannot change the type of %s.", quote(name))
		}
		kept[strings.ToLower(name)] = true
	}
	for _, f := range k.t.src.Columns {
		if !kept[strings.ToLower(f.Name)] {
			return k.errorf("DELTA_UNSUPPORTED_ALTER_TABLE_REPLACE_COL_OP", "0AKDC", "REPLACE COLUMNS cannot drop the column %s.", quote(f.Name))
		}
	}
	return nil
}

func (k *alterer) dropColumns(x *ast.DropColumns) error {
	k.out.Operation = "DROP COLUMNS"
	gone := 0
	for at, n := range x.Columns {
		if _, err := k.find(n); err != nil {
			if x.IfExists {
				continue
			}
			return err
		}
		if !k.mapped() {
			return k.errorf("DELTA_UNSUPPORTED_DROP_COLUMN", "0AKDC", "DROP COLUMN needs column mapping.").hint("ALTER TABLE ... SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name') switches it on.")
		}
		if len(n) == 1 {
			if gone++; gone >= len(k.t.src.Columns) {
				return k.errorf("DELTA_DROP_COLUMN_ON_SINGLE_FIELD_SCHEMA", "0AKDC", "A table keeps at least one column.")
			}
			if k.partitioned(n[0].Name) {
				return k.errorf("DELTA_UNSUPPORTED_DROP_PARTITION_COLUMN", "0AKDC", "The partition column %s cannot be dropped.", quote(n[0].Name))
			}
		}
		if len(n) > 1 {
			if of, err := k.find(n[:len(n)-1]); err == nil && !isStruct(of) {
				return k.errorf("DELTA_UNSUPPORTED_DROP_NESTED_COLUMN_FROM_NON_STRUCT_TYPE", "0AKDC", "Only fields of structs can be dropped, and %s is no struct.", quoteAll(n[:len(n)-1].Strings()))
			}
		}
		if slices.ContainsFunc(x.Columns[:at], func(o ast.Name) bool {
			return slices.EqualFunc(o.Strings(), n.Strings(), strings.EqualFold)
		}) {
			return k.errorf("DELTA_COLUMN_NOT_FOUND_IN_SCHEMA", "42703", "The column %s is named twice, and gone after the first time.", quoteAll(n.Strings()))
		}
		if len(n) > 1 && k.lastField(n) {
			return k.errorf("DELTA_DROP_COLUMN_ON_SINGLE_FIELD_SCHEMA", "0AKDC", "A struct keeps at least one field.")
		}
		if err := k.dependents(n, false); err != nil {
			return err
		}
		k.out.Edits = append(k.out.Edits, plan.Edit{Kind: plan.EditDrop, Path: n.Strings()})
	}
	if len(k.out.Edits) == 0 {
		k.out.Operation = ""
	}
	return nil
}

func isStruct(t types.Type) bool { _, ok := t.(types.Struct); return ok }

func (k *alterer) partitioned(name string) bool {
	return slices.ContainsFunc(k.t.src.Rules.PartitionBy, func(p string) bool { return strings.EqualFold(p, name) })
}

// dependents refuses a change of a column that generated columns or CHECKs use.
func (k *alterer) dependents(n ast.Name, own bool) error {
	uses := func(text string) bool {
		e, err := parse.Expression(text)
		return err == nil && usesColumn(e, n.Strings())
	}
	for i, r := range k.t.src.Rules.Columns {
		if r.Generated != "" && (uses(r.Generated) || own && strings.EqualFold(k.t.src.Columns[i].Name, n[0].Name)) {
			return k.errorf("DELTA_GENERATED_COLUMNS_DEPENDENT_COLUMN_CHANGE", "42K09", "The generated column %s is computed from %s.", quote(k.t.src.Columns[i].Name), quoteAll(n.Strings()))
		}
	}
	for _, c := range k.t.src.Rules.Constraints {
		if uses(c.Text) {
			return k.errorf("DELTA_CONSTRAINT_DEPENDENT_COLUMN_CHANGE", "42K09", "The constraint %s uses %s.", quote(c.Name), quoteAll(n.Strings()))
		}
	}
	return nil
}

func (k *alterer) renameColumn(x *ast.RenameColumn) error {
	k.out.Operation = "RENAME COLUMN"
	if _, err := k.find(x.From); err != nil {
		return err
	}
	siblings := k.t.src.Columns
	if len(x.From) > 1 {
		t, err := k.find(x.From[:len(x.From)-1])
		if err != nil {
			return err
		}
		st, ok := t.(types.Struct)
		if !ok {
			return k.errorf("INVALID_FIELD_NAME", "42000", "%s is no field of a struct.", quoteAll(x.From.Strings()))
		}
		siblings = st.Fields
	}
	if fieldAt(siblings, x.To.Name) >= 0 {
		return k.errorf("FIELD_ALREADY_EXISTS", "42710", "There is a column %s already.", quote(x.To.Name))
	}
	if !k.mapped() {
		return k.errorf("DELTA_UNSUPPORTED_RENAME_COLUMN", "0AKDC", "RENAME COLUMN needs column mapping.").hint("ALTER TABLE ... SET TBLPROPERTIES ('delta.columnMapping.mode' = 'name') switches it on.")
	}
	if err := k.dependents(x.From, false); err != nil {
		return err
	}
	k.out.Edits = []plan.Edit{{Kind: plan.EditRename, Path: x.From.Strings(), Name: x.To.Name}}
	k.out.Parameters = map[string]string{"oldColumnPath": strings.Join(x.From.Strings(), "."), "newColumnPath": strings.Join(append(x.From[:len(x.From)-1].Strings(), x.To.Name), ".")}
	return nil
}

func (k *alterer) alterColumns(x *ast.AlterColumns) error {
	k.out.Operation = "CHANGE COLUMN"
	for _, c := range x.Columns {
		if err := k.alterColumn(c); err != nil {
			return err
		}
	}
	return nil
}

func (k *alterer) alterColumn(c ast.AlterColumn) error {
	old, err := k.find(c.Column)
	if err != nil {
		return err
	}
	path := c.Column.Strings()
	add := func(e plan.Edit) { e.Path = path; k.out.Edits = append(k.out.Edits, e) }
	if c.Type != nil && !sameDeclared(c.Type, old) {
		if err := k.changeType(c, old); err != nil {
			return err
		}
		col := plan.TableColumn{Field: types.Field{Type: stored(c.Type)}}
		if hasChar(c.Type, true) {
			col.Declared = c.Type
		}
		add(plan.Edit{Kind: plan.EditType, Column: col})
	}
	if c.Comment != nil {
		add(plan.Edit{Kind: plan.EditComment, Text: *c.Comment})
	}
	if c.NotNull != nil {
		switch {
		case !*c.NotNull:
			add(plan.Edit{Kind: plan.EditNotNull})
		case k.nullable(c.Column):
			return k.errorf("_LEGACY_ERROR_TEMP_2330", "", "The column %s may be NULL and cannot become NOT NULL.", quoteAll(path)).hint("Add a CHECK constraint.")
		}
	}
	if c.Position != "" {
		if err := k.movable(c); err != nil {
			return err
		}
		if c.Position != "after" || !strings.EqualFold(c.After.Name, path[len(path)-1]) { // else it stays where it is
			add(plan.Edit{Kind: plan.EditMove, Position: c.Position, After: c.After.Name})
		}
	}
	if c.DropDefault {
		add(plan.Edit{Kind: plan.EditDefault})
	}
	if c.Default != nil {
		if !slices.Contains(k.t.src.Rules.Features, "allowColumnDefaults") {
			return k.a.noDefaults(path[len(path)-1], k.pos)
		}
		col := plan.TableColumn{Field: types.Field{Name: path[len(path)-1], Type: old}, ColumnRule: plan.ColumnRule{Default: c.Text}}
		if err := k.a.checkRules([]plan.TableColumn{col}, c.Pos()); err != nil {
			return err
		}
		add(plan.Edit{Kind: plan.EditDefault, Text: c.Text})
	}
	if c.Sync {
		i := fieldAt(k.t.src.Columns, path[0])
		if i < 0 || k.t.src.Rules.Columns[i].Identity == nil {
			return k.errorf("DELTA_IDENTITY_COLUMNS_ALTER_NON_IDENTITY_COLUMN", "429BQ", "The column %s is no IDENTITY column.", quote(path[0]))
		}
		k.out.Operation = "SYNC IDENTITY"
	}
	return nil
}

// nullable tells whether a column or field may be NULL.
func (k *alterer) nullable(n ast.Name) bool {
	var t types.Type = types.Struct{Fields: k.t.src.Columns}
	out := true
	for _, p := range n {
		out = true
		if st, ok := t.(types.Struct); ok {
			if i := fieldAt(st.Fields, p.Name); i >= 0 {
				out = st.Fields[i].Nullable
			}
		}
		t, _ = step(t, p.Name) // find has been here before
	}
	return out
}

// lastField tells whether the struct around a field has no other one.
func (k *alterer) lastField(n ast.Name) bool {
	t, err := k.find(n[:len(n)-1])
	st, ok := t.(types.Struct)
	return err == nil && ok && len(st.Fields) == 1
}

func sameDeclared(a, b types.Type) bool {
	if x, ok := a.(types.Char); ok {
		return x == b
	}
	if _, ok := b.(types.Char); ok {
		return false
	}
	return types.Equal(a, b)
}

func (k *alterer) movable(c ast.AlterColumn) error {
	if c.Position != "after" {
		return nil
	}
	siblings := k.t.src.Columns
	if len(c.Column) > 1 {
		t, err := k.find(c.Column[:len(c.Column)-1])
		if err != nil {
			return err
		}
		if st, ok := t.(types.Struct); ok {
			siblings = st.Fields
		}
	}
	if fieldAt(siblings, c.After.Name) < 0 {
		return k.a.errorf(c.After.P, "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "There is no column %s to stand after.", quote(c.After.Name))
	}
	return nil
}

// changeType checks ALTER COLUMN ... TYPE.
func (k *alterer) changeType(c ast.AlterColumn, old types.Type) error {
	name := quoteAll(c.Column.Strings())
	switch old.(type) {
	case types.Array:
		return k.errorf("CANNOT_UPDATE_FIELD.ARRAY_TYPE", "0A000", "Change %s.element instead of the array.", name)
	case types.Map:
		return k.errorf("CANNOT_UPDATE_FIELD.MAP_TYPE", "0A000", "Change %s.key or %s.value instead of the map.", name, name)
	case types.Struct:
		return k.errorf("CANNOT_UPDATE_FIELD.STRUCT_TYPE", "0A000", "Change, add or drop the fields of %s.", name)
	}
	from, isChar := old.(types.Char)
	to, toChar := c.Type.(types.Char)
	switch {
	case isChar && toChar:
		if to.Var && from.Length <= to.Length {
			return nil
		}
		return k.noChange(name, old, c.Type)
	case isChar:
		if c.Type == types.String {
			return nil
		}
		return k.noChange(name, old, c.Type)
	case toChar:
		return k.noChange(name, old, c.Type)
	case !upCast(old, c.Type):
		return k.noChange(name, old, c.Type)
	}
	on := strings.EqualFold(k.t.src.Rules.Properties["delta.enableTypeWidening"], "true")
	day := old == types.Date && c.Type == types.TimestampNTZ
	if on && day && !slices.Contains(k.t.src.Rules.Features, "timestampNtz") {
		return k.errorf("DELTA_FEATURES_REQUIRE_MANUAL_ENABLEMENT", "42000", "TIMESTAMP_NTZ needs the table feature timestampNtz.").hint("ALTER TABLE ... SET TBLPROPERTIES ('delta.feature.timestampNtz' = 'supported') adds it.")
	}
	if !on || !day && !widens(old, c.Type) {
		return k.errorf("DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP", "0AKDC", "The column %s cannot change from %s to %s.", name, old.SQL(), c.Type.SQL())
	}
	if err := k.dependents(c.Column, false); err != nil {
		return err
	}
	return nil
}

func (k *alterer) noChange(name string, from, to types.Type) error {
	return k.errorf("NOT_SUPPORTED_CHANGE_COLUMN", "0A000", "The column %s cannot change from %s to %s.", name, from.SQL(), to.SQL())
}
