package dml

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// knownFeatures are the table features that Delta has, besides those that can
// be dropped.
var knownFeatures = []string{
	"allowColumnDefaults", "appendOnly", "catalogManaged", "changeDataFeed", "clustering", "generatedColumns", "icebergCompatV1", "icebergCompatV2",
	"icebergCompatV3", "identityColumns", "invariants", "timestampNtz", "variantShredding", "variantType",
}

// dropFeature runs ALTER TABLE ... DROP FEATURE.
func dropFeature(ctx context.Context, t target, c *plan.AlterTable) error {
	name := c.DropFeature.Name
	same := func(f string) bool { return strings.EqualFold(f, name) }
	history, droppable := false, false
	for f, h := range delta.Droppable() {
		if same(f) {
			history, droppable = h, true
		}
	}
	fail := func(class, state, message string) error {
		return &sparksql.Error{Class: class, SQLState: state, Phase: sparksql.PhaseAnalysis, Pos: c.Pos, Message: message}
	}
	if !droppable && !slices.ContainsFunc(knownFeatures, same) {
		return fail("DELTA_FEATURE_DROP_UNSUPPORTED_CLIENT_FEATURE", "0AKDC", "the feature "+name+" is not known.")
	}
	have := slices.ContainsFunc(delta.Features(t.snap.Protocol()), same)
	switch {
	case have && c.DropFeature.Truncate && droppable && !history:
		return fail("DELTA_FEATURE_DROP_HISTORY_TRUNCATION_NOT_ALLOWED", "42000", "only features that readers must know need their history truncated.")
	case have && !c.DropFeature.Truncate && same("checkpointProtection"):
		return fail("DELTA_FEATURE_CAN_ONLY_DROP_CHECKPOINT_PROTECTION_WITH_HISTORY_TRUNCATION", "55000", "checkpointProtection goes with TRUNCATE HISTORY only.")
	}
	used := t.snap.Metadata().Configuration
	err := t.table.DropFeature(ctx, name, delta.DropFeatureOptions{TruncateHistory: c.DropFeature.Truncate})
	switch {
	case errors.Is(err, delta.ErrFeatureAbsent):
		return fail("DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT", "0AKDE", "the table does not have the feature "+name+".")
	case errors.Is(err, delta.ErrFeatureFixed):
		return fail("DELTA_FEATURE_DROP_NONREMOVABLE_FEATURE", "0AKDE", "the feature "+name+" cannot be dropped.")
	case errors.Is(err, delta.ErrFeatureInUse) && same("columnMapping"):
		return fail("DELTA_INVALID_COLUMN_NAMES_WHEN_REMOVING_COLUMN_MAPPING", "42K05", err.Error()+"; rename it first.")
	case errors.Is(err, delta.ErrFeatureInUse):
		return fail("DELTA_FEATURE_DROP_DEPENDENT_FEATURE", "0AKDE", err.Error()+"; drop that first.")
	case errors.Is(err, delta.ErrFeatureHistory):
		return historyError(ctx, t, name, used, err)
	}
	return commitError(err)
}

// historyError is the error of a feature whose history is too young to go: the
// first time the table stops using it, later only time is missing.
func historyError(ctx context.Context, t target, name string, before map[string]string, cause error) error {
	e := &sparksql.Error{SQLState: "22KD0", Phase: sparksql.PhaseRuntime, Message: cause.Error() + ".", Hint: "Versions older than 24 hours are deleted by TRUNCATE HISTORY; try again then."}
	switch changed, err := t.changedSince(ctx, before); {
	case err != nil:
		return err
	case strings.EqualFold(name, "checkpointProtection"):
		e.Class = "DELTA_FEATURE_DROP_CHECKPOINT_PROTECTION_WAIT_FOR_RETENTION_PERIOD"
	case changed:
		e.Class = "DELTA_FEATURE_DROP_WAIT_FOR_RETENTION_PERIOD"
	default:
		e.Class = "DELTA_FEATURE_DROP_HISTORICAL_VERSIONS_EXIST"
	}
	return e
}

// changedSince tells whether the table's files or properties have changed since
// the statement began, but for versions that change nothing.
func (t target) changedSince(ctx context.Context, props map[string]string) (bool, error) {
	now, err := t.table.Snapshot(ctx)
	if err != nil {
		return false, err
	}
	if len(now.Metadata().Configuration) != len(props) {
		return true, nil
	}
	for a := range t.snap.All() {
		if a.DeletionVector != nil {
			return true, nil
		}
	}
	return now.Bytes() != t.snap.Bytes() || now.NumFiles() != t.snap.NumFiles(), nil
}
