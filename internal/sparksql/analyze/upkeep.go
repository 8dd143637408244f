package analyze

import (
	"errors"
	"slices"
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// optimize analyses OPTIMIZE.
func (a *analyzer) optimize(o *ast.Optimize) (plan.Statement, error) {
	t, err := a.target(o.Target, "OPTIMIZE")
	if err != nil {
		return nil, err
	}
	out := &plan.Optimize{
		Target: t.src, Text: o.WhereText, Full: o.Full, MinFileBytes: a.bytes(minFileSize), MaxFileBytes: a.bytes(maxFileSize), Pos: o.Pos(),
	}
	if err := a.clusteredOptimize(o, t.src.Rules); err != nil {
		return nil, err
	}
	if out.Where, err = a.partitionFiles(o.Where, t); err != nil {
		return nil, err
	}
	for _, z := range o.ZOrder {
		i := fieldAt(t.src.Columns, z[0].Name)
		if i < 0 {
			return nil, a.errorf(z[0].P, "DELTA_ZORDERING_COLUMN_DOES_NOT_EXIST", "42703", "There is no column %s to order by.", quoteAll(z.Strings()))
		}
		name := t.src.Columns[i].Name
		if slices.Contains(t.src.Rules.PartitionBy, name) {
			return nil, a.errorf(z[0].P, "DELTA_ZORDERING_ON_PARTITION_COLUMN", "42P10", "%s is a partition column; ZORDER BY takes others.", quote(name))
		}
		if err := a.orderable(t.src.Columns[i], z); err != nil {
			return nil, err
		}
		out.ZOrder = append(out.ZOrder, strings.Join(append([]string{name}, z.Strings()[1:]...), "."))
	}
	return out, nil
}

// The session's sizes of files that OPTIMIZE merges and makes.
const (
	minFileSize = "spark.databricks.delta.optimize.minFileSize"
	maxFileSize = "spark.databricks.delta.optimize.maxFileSize"
)

// bytes is a setting in bytes, 0 where it is not set.
func (a *analyzer) bytes(key string) int64 {
	n, err := strconv.ParseInt(a.env.Conf[key], 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// clusteredOptimize refuses what OPTIMIZE does not take for clustered tables,
// and what it takes for no others.
func (a *analyzer) clusteredOptimize(o *ast.Optimize, r *plan.Rules) error {
	clustered := slices.Contains(r.Features, "clustering")
	switch {
	case o.Full && len(r.ClusterBy) == 0:
		return a.errorf(o.Pos(), "DELTA_OPTIMIZE_FULL_NOT_SUPPORTED", "42601", "OPTIMIZE FULL is for clustered tables with clustering columns.")
	case clustered && len(o.ZOrder) > 0:
		return a.errorf(o.ZOrder[0][0].P, "DELTA_CLUSTERING_WITH_ZORDER_BY", "42613", "The table is clustered; OPTIMIZE orders it by its clustering columns.").
			hint("Leave ZORDER BY out, or change the columns by ALTER TABLE ... CLUSTER BY.")
	case clustered && o.Where != nil:
		return a.errorf(o.Where.Pos(), "DELTA_CLUSTERING_WITH_PARTITION_PREDICATE", "0A000", "The table is clustered; it has no partitions to choose from.").
			hint("Leave the condition out: " + o.WhereText + ".")
	}
	return nil
}

// orderable refuses columns whose values have no order.
func (a *analyzer) orderable(f types.Field, path ast.Name) error {
	t := f.Type
	for _, p := range path[1:] {
		st, ok := t.(types.Struct)
		at := -1
		if ok {
			at = fieldAt(st.Fields, p.Name)
		}
		if at < 0 {
			return a.errorf(p.P, "DELTA_ZORDERING_COLUMN_DOES_NOT_EXIST", "42703", "There is no column %s to order by.", quoteAll(path.Strings()))
		}
		t = st.Fields[at].Type
	}
	switch t.(type) {
	case types.Array, types.Map:
		return a.errorf(path[0].P, "DELTA_ZORDERING_ON_COLUMN_WITHOUT_STATS", "KD00D", "%s is %s, whose values have no order to follow.", quoteAll(path.Strings()), t)
	}
	return nil
}

// partitionFiles is a plan of the files whose partitions fulfil a condition;
// nil without one.
func (a *analyzer) partitionFiles(where ast.Expr, t *targetRelation) (plan.Node, error) {
	if where == nil {
		return nil, nil
	}
	names := columnNames(t.src.Columns)
	for _, n := range columnsOf(where) {
		if !slices.ContainsFunc(t.src.Rules.PartitionBy, func(p string) bool { return strings.EqualFold(p, n[len(n)-1]) }) {
			return nil, a.errorf(where.Pos(), "DELTA_NON_PARTITION_COLUMN_REFERENCE", "42P10", "%s is no partition column; the condition chooses partitions.", quoteAll(n)).hint("The columns are " + strings.Join(names, ", ") + ".")
		}
	}
	x, err := a.rowCondition(where, t, a.here(), "OPTIMIZE")
	if err != nil {
		return nil, err
	}
	return t.touched(x, nil), nil
}

func (a *analyzer) reorg(r *ast.Reorg) (plan.Statement, error) {
	t, err := a.target(r.Target, "REORG")
	if err != nil {
		return nil, err
	}
	if r.Apply != "purge" {
		return nil, a.errorf(r.Pos(), "UNSUPPORTED_FEATURE.UNIFORM", "0A000", "REORG ... UPGRADE UNIFORM is not supported.")
	}
	out := &plan.Optimize{Target: t.src, Purge: true, Pos: r.Pos()}
	out.Where, err = a.partitionFiles(r.Where, t)
	return out, err
}

// shortRetention allows VACUUM below the table's retention.
const shortRetention = "spark.databricks.delta.retentionDurationCheck.enabled"

func (a *analyzer) vacuum(v *ast.Vacuum) (plan.Statement, error) {
	t, err := a.target(v.Target, "VACUUM")
	if err != nil {
		return nil, err
	}
	const week = 168
	out := &plan.Vacuum{Target: t.src, Retain: v.Retain, DryRun: v.DryRun, Pos: v.Pos()}
	switch {
	case v.Retain == nil || *v.Retain >= week || !a.on(shortRetention):
	case *v.Retain == 0:
		return nil, a.errorf(v.Pos(), "DELTA_VACUUM_RETENTION_PERIOD_TOO_SHORT", "22003", "A retention of 0 hours may delete files that readers or writers still use; the least is %d.", week).
			hint("SET " + shortRetention + " = false allows it.")
	default: // as in Delta, a shorter one than the table's own does not count
		out.Retain = nil
	}
	return out, nil
}

func (a *analyzer) restore(r *ast.Restore) (plan.Statement, error) {
	t, err := a.target(r.Target, "RESTORE")
	if err != nil {
		return nil, err
	}
	if lit, ok := r.Version.(*ast.Literal); ok && lit.Type == types.String {
		return nil, a.errorf(r.Version.Pos(), "INVALID_TIME_TRAVEL_VERSION", "42K0E", "RESTORE takes the version as a number, not as a text.")
	}
	at, err := a.timeTravel(&ast.TableName{At: r.At, Name: r.Target.Name, Version: r.Version, Timestamp: r.Timestamp})
	if e, ok := errors.AsType[*fault](err); ok && e.Class == "INVALID_TIME_TRAVEL_TIMESTAMP_EXPR.INPUT" {
		e.Class, e.SQLState = "DELTA_TIMESTAMP_INVALID", "42816"
	}
	if err != nil {
		return nil, err
	}
	src, _, err := a.env.Resolver.Table(a.ctx, t.src.Name, at)
	if err != nil {
		switch sparksql.ClassOf(err) {
		case "DELTA_VERSION_NOT_FOUND":
			err = a.errorf(r.Pos(), "DELTA_CANNOT_RESTORE_TABLE_VERSION", "22003", "The table has no such version.").hint("DESCRIBE HISTORY lists them.")
		case "DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION":
			err = a.errorf(r.Pos(), "DELTA_CANNOT_RESTORE_TIMESTAMP_EARLIER", "22003", "The time is before the oldest version.").hint("DESCRIBE HISTORY lists them.")
		case "DELTA_TIMESTAMP_GREATER_THAN_COMMIT":
			err = a.errorf(r.Pos(), "DELTA_CANNOT_RESTORE_TIMESTAMP_GREATER", "22003", "The time is after the newest version.").hint("DESCRIBE HISTORY lists them.")
		}
		return nil, a.placed(err, r.Pos())
	}
	out := &plan.Restore{Target: t.src, Source: src, Pos: r.Pos(), Parameters: map[string]string{}}
	return out, nil
}
