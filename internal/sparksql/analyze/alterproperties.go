package analyze

import (
	"errors"
	"maps"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func (k *alterer) setProperties(x *ast.SetProperties) error {
	k.out.Operation = "SET TBLPROPERTIES"
	k.out.Properties = map[string]string{}
	for _, p := range x.Properties {
		k.out.Properties[p.Key] = p.Value
	}
	for p := range k.out.Properties {
		if strings.HasPrefix(strings.ToLower(p), "delta.constraints.") {
			return k.errorf("DELTA_ADD_CONSTRAINTS", "0A000", "ALTER TABLE ... ADD CONSTRAINT adds constraints, properties do not.")
		}
	}
	if err := k.a.properties(k.out.Properties, k.pos); err != nil {
		return err
	}
	if err := k.a.retention(k.merged(), k.pos); err != nil {
		return err
	}
	if strings.EqualFold(k.out.Properties["delta.enableChangeDataFeed"], "true") {
		for _, f := range k.t.src.Columns {
			if err := k.a.noFeedColumn(f.Name, k.pos); err != nil {
				return err
			}
		}
	}
	return k.mappingMode(k.out.Properties)
}

// merged are the table's properties as they will be.
func (k *alterer) merged() map[string]string {
	out := maps.Clone(k.t.src.Rules.Properties)
	if out == nil {
		out = map[string]string{}
	}
	maps.Copy(out, k.out.Properties)
	return out
}

// mappingMode refuses modes of column mapping that a table cannot change to.
func (k *alterer) mappingMode(set map[string]string) error {
	const property = "delta.columnMapping.mode"
	next, ok := set[property]
	if !ok {
		return nil
	}
	old := strings.ToLower(k.t.src.Rules.Properties[property])
	if old == "" {
		old = "none"
	}
	if next = strings.ToLower(next); old == "name" && next == "none" {
		for _, f := range k.t.src.Columns {
			if k.a.columnName(f, k.pos) != nil {
				return k.errorf("DELTA_INVALID_COLUMN_NAMES_WHEN_REMOVING_COLUMN_MAPPING", "42K05", "The column name %s holds a character that tables without column mapping cannot have.", quote(f.Name))
			}
		}
	}
	switch {
	case next == old, old == "none" && next == "name", old == "name" && next == "none", next != "none" && next != "name" && next != "id":
		return nil
	}
	return k.errorf("DELTA_UNSUPPORTED_COLUMN_MAPPING_MODE_CHANGE", "0AKDC", "Column mapping cannot change from %s to %s.", old, next)
}

func (k *alterer) unsetProperties(x *ast.UnsetProperties) error {
	k.out.Operation = "UNSET TBLPROPERTIES"
	k.out.Properties = map[string]string{}
	for _, p := range x.Keys {
		k.out.Properties[p.Key] = ""
	}
	return nil
}

func (k *alterer) addConstraint(x *ast.AddConstraint) error {
	if x.Kind != "check" {
		return k.errorf("UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "Delta tables have CHECK constraints with a name only.")
	}
	name := strings.ToLower(x.Name.Name)
	for _, c := range k.t.src.Rules.Constraints {
		if strings.EqualFold(c.Name, name) {
			return k.errorf("DELTA_CONSTRAINT_ALREADY_EXISTS", "42710", "There is a constraint %s already: %s.", quote(name), c.Text)
		}
	}
	cond, err := k.a.expr(x.Cond, &scope{place: k.a.here(), cols: k.t.cols})
	if err != nil {
		return err
	}
	switch {
	case hasWindow(cond):
		return k.errorf("WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE", "42601", "A constraint cannot hold window functions.")
	case hasAggregate(cond) || hasGenerator(cond):
		return k.errorf("INVALID_WHERE_CONDITION", "42903", "A constraint cannot hold aggregates or generators.")
	case cond.Type() != types.Boolean:
		return k.errorf("DELTA_NON_BOOLEAN_CHECK_CONSTRAINT", "42621", "The constraint %s is %s, not BOOLEAN.", quote(name), cond.Type().SQL())
	}
	broken := &plan.Case{When: []plan.When{{Cond: cond, Then: &plan.Literal{Value: false, Typ: types.Boolean}}}, Else: &plan.Literal{Value: true, Typ: types.Boolean}, Typ: types.Boolean}
	found := &plan.Limit{Input: &plan.Filter{Input: k.t.scan, Cond: broken}, N: intLit(1)}
	one := &plan.Project{Input: found, Exprs: []plan.NamedExpr{{X: intLit(1), Attr: newAttr("broken", types.Int)}}}
	k.out.Check, k.out.Violation = &plan.Constraint{Name: name, Text: x.Text}, prune(one)
	k.out.Operation = "ADD CONSTRAINT"
	k.out.Properties = map[string]string{"delta.constraints." + name: x.Text}
	k.out.Parameters = map[string]string{"name": name, "expr": x.Text}
	return nil
}

func (k *alterer) dropConstraint(x *ast.DropConstraint) error {
	for _, c := range k.t.src.Rules.Constraints {
		if strings.EqualFold(c.Name, x.Name.Name) {
			k.out.Operation = "DROP CONSTRAINT"
			k.out.Properties = map[string]string{"delta.constraints." + c.Name: ""}
			k.out.Parameters = map[string]string{"name": c.Name, "expr": c.Text, "existed": "true"}
			return nil
		}
	}
	if x.IfExists { // a version that changes nothing, as in Delta
		k.out.Operation = "DROP CONSTRAINT"
		k.out.Properties = map[string]string{}
		k.out.Parameters = map[string]string{"name": x.Name.Name, "existed": "false"}
		return nil
	}
	return k.errorf("DELTA_CONSTRAINT_DOES_NOT_EXIST", "42704", "There is no constraint %s.", quote(x.Name.Name))
}

func (k *alterer) clusterBy(x *ast.AlterClusterBy) error {
	if len(k.t.src.Rules.PartitionBy) > 0 {
		return k.errorf("DELTA_ALTER_TABLE_CLUSTER_BY_ON_PARTITIONED_TABLE_NOT_ALLOWED", "42000", "A partitioned table cannot be clustered.")
	}
	var err error
	k.out.Operation, k.out.Clustering = "CLUSTER BY", true
	k.out.ClusterBy, err = k.a.clustering(x.Columns, k.t.src.Columns, k.pos)
	if e, ok := errors.AsType[*fault](err); ok && e.Class == "UNSUPPORTED_FEATURE.PARTITION_WITH_NESTED_COLUMN_IS_UNSUPPORTED" {
		e.Class, e.SQLState = "DELTA_COLUMN_NOT_FOUND_IN_SCHEMA", "42703"
	}
	return err
}

func (k *alterer) dropFeature(x *ast.DropFeature) error {
	if len(k.t.src.Rules.Constraints) > 0 && strings.EqualFold(x.Name, "checkConstraints") {
		names := make([]string, len(k.t.src.Rules.Constraints))
		for i, c := range k.t.src.Rules.Constraints {
			names[i] = quote(c.Name)
		}
		return k.errorf("DELTA_CANNOT_DROP_CHECK_CONSTRAINT_FEATURE", "0AKDE", "The table has the constraints %s; drop them first.", strings.Join(names, ", "))
	}
	k.out.Operation = "DROP FEATURE"
	k.out.DropFeature = &plan.FeatureDrop{Name: x.Name, Truncate: x.Truncate}
	return nil
}
