package delta

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/schema"
)

// Errors of DropFeature.
var (
	// ErrFeatureAbsent: the table does not have the feature.
	ErrFeatureAbsent = errors.New("delta: the table does not have the feature")
	// ErrFeatureFixed: the feature cannot be taken away.
	ErrFeatureFixed = errors.New("delta: the feature cannot be dropped")
	// ErrFeatureInUse: something that the table has needs the feature.
	ErrFeatureInUse = errors.New("delta: the feature is in use")
	// ErrFeatureHistory: older versions in the log use the feature. The table
	// itself no longer does; try again when the log's retention has passed.
	ErrFeatureHistory = errors.New("delta: versions in the log use the feature")
)

// DropFeatureOptions say how a feature is dropped.
type DropFeatureOptions struct {
	// TruncateHistory deletes the versions in the log that use the feature,
	// where they are older than a day, rather than protecting them: without it
	// the table gets the feature checkpointProtection (writer version 7).
	TruncateHistory bool
}

// Droppable are the features that DropFeature takes away. True says that
// readers of older versions must know the feature, too, so that either the
// history is truncated or its checkpoints are protected.
func Droppable() map[string]bool {
	return map[string]bool{
		"checkConstraints": false, "domainMetadata": false, "inCommitTimestamp": false, "rowTracking": false,
		"checkpointProtection": true, "columnMapping": true, "deletionVectors": true, "typeWidening": true,
		"typeWidening-preview": true, "v2Checkpoint": true, "vacuumProtocolCheck": true,
	}
}

// needs are the features that stand on another one.
var needs = map[string][]string{"domainMetadata": {"clustering", "rowTracking", "icebergCompatV3"}, "rowTracking": {"icebergCompatV3"}}

const (
	protection       = "checkpointProtection"
	protectedKey     = "delta.requireCheckpointProtectionBeforeVersion"
	truncationPeriod = 24 * time.Hour
	// barriers is how many checkpoints stand between a dropped feature and its
	// history, so that one that is lost does no harm.
	barriers = 3
)

// DropFeature takes a feature away from the table: what uses it is undone
// first, files are written anew where they need it. ErrFeatureAbsent,
// ErrFeatureFixed, ErrFeatureInUse, and, with TruncateHistory, ErrFeatureHistory.
func (t *Table) DropFeature(ctx context.Context, feature string, opt DropFeatureOptions) error {
	s, err := t.Snapshot(ctx)
	if err != nil {
		return err
	}
	name := ""
	for f := range features(s.protocol) {
		if strings.EqualFold(f, feature) {
			name = f
		}
	}
	if name == "" {
		return fmt.Errorf("%w: %s", ErrFeatureAbsent, feature)
	}
	history, ok := Droppable()[name]
	if !ok || name == protection && !opt.TruncateHistory {
		return fmt.Errorf("%w: %s", ErrFeatureFixed, name)
	}
	for _, f := range needs[name] {
		if features(s.protocol)[f] {
			return fmt.Errorf("%w: %s needs %s", ErrFeatureInUse, f, name)
		}
	}
	d := &dropper{t: t, ctx: ctx, name: name}
	if err := d.stopUse(s); err != nil {
		return err
	}
	c := Commit{
		ReadVersion: -1, Operation: "DROP FEATURE", Serializable: true, drop: name,
		Parameters: map[string]string{"featureName": name, "truncateHistory": strconv.FormatBool(opt.TruncateHistory)},
	}
	switch {
	case history && opt.TruncateHistory:
		if err := d.truncate(); err != nil {
			return err
		}
	case history:
		for range barriers {
			if err := d.barrier(); err != nil {
				return err
			}
		}
		c.protect = true
	}
	_, err = t.Commit(ctx, c)
	return err
}

// dropper drops one feature.
type dropper struct {
	t    *Table
	ctx  context.Context //nolint:containedctx // lives as long as the call
	name string
}

// barrier makes a version that changes nothing, with a checkpoint: from there
// on nobody reads the versions before.
func (d *dropper) barrier() error {
	if _, err := d.t.Commit(d.ctx, Commit{ReadVersion: -1, Operation: "Empty Commit", Parameters: map[string]string{}}); err != nil {
		return err
	}
	_, err := d.t.Checkpoint(d.ctx)
	return err
}

// truncate deletes the log before a new checkpoint as far as it is old enough;
// ErrFeatureHistory where versions that use the feature are left.
func (d *dropper) truncate() error {
	if err := d.barrier(); err != nil {
		return err
	}
	if _, err := d.t.CleanupLog(d.ctx, CleanupOptions{Retention: truncationPeriod}); err != nil {
		return err
	}
	oldest, newest, err := d.t.LogBounds(d.ctx)
	if err != nil {
		return err
	}
	if d.name == protection {
		s := d.t.current()
		if v, err := strconv.ParseInt(s.meta.Configuration[protectedKey], 10, 64); err != nil || oldest < v {
			return fmt.Errorf("%w: versions from %d on are protected", ErrFeatureHistory, oldest)
		}
		return nil
	}
	for v := oldest; v < newest; v++ {
		s, err := d.t.SnapshotAt(d.ctx, v)
		if err != nil {
			return err
		}
		if features(s.protocol)[d.name] && d.used(s) {
			return fmt.Errorf("%w: %s, version %d of %d", ErrFeatureHistory, d.name, v, newest)
		}
	}
	return nil
}

// used tells whether a version uses the feature.
func (d *dropper) used(s *Snapshot) bool {
	on := func(key string) bool { return strings.EqualFold(s.meta.Configuration[key], "true") }
	switch d.name {
	case "columnMapping":
		return s.mapping != schema.Unmapped
	case "deletionVectors":
		for a := range s.All() {
			if a.DeletionVector != nil {
				return true
			}
		}
		return on("delta.enableDeletionVectors")
	case "typeWidening", "typeWidening-preview":
		return on(wideningKey) || usesKey(arrow.StructOf(s.schema.Fields()...), schema.ChangesKey)
	case "v2Checkpoint":
		return s.meta.Configuration[policyKey] == "v2"
	}
	return true
}

// stopUse makes the newest version one that does not use the feature.
func (d *dropper) stopUse(s *Snapshot) error {
	switch d.name {
	case "checkConstraints":
		for k := range s.meta.Configuration {
			if name, ok := strings.CutPrefix(k, constraintKey); ok {
				return fmt.Errorf("%w: the constraint %s", ErrFeatureInUse, name)
			}
		}
	case "columnMapping":
		return d.unmap(s)
	case "deletionVectors":
		return d.purge(s)
	case "inCommitTimestamp":
		return d.unset(s, ictKey, "delta.inCommitTimestampEnablementTimestamp", "delta.inCommitTimestampEnablementVersion")
	case "rowTracking":
		return d.untrack(s)
	case "typeWidening", "typeWidening-preview":
		return d.narrow(s)
	case "v2Checkpoint":
		if s.meta.Configuration[policyKey] != "v2" {
			return nil
		}
		_, err := d.t.Commit(d.ctx, Commit{
			ReadVersion: -1, Operation: "SET TBLPROPERTIES", Serializable: true, Properties: map[string]string{policyKey: "classic"},
			Parameters: map[string]string{"properties": jsonText(map[string]string{policyKey: "classic"})},
		})
		return err
	}
	return nil
}

// unset deletes properties where the first is true.
func (d *dropper) unset(s *Snapshot, key string, all ...string) error {
	if !strings.EqualFold(s.meta.Configuration[key], "true") {
		return nil
	}
	props := map[string]string{key: ""}
	for _, k := range all {
		props[k] = ""
	}
	_, err := d.t.Commit(d.ctx, Commit{
		ReadVersion: -1, Operation: "UNSET TBLPROPERTIES", Serializable: true, Properties: props,
		Parameters: map[string]string{"properties": jsonText([]string{key}), "ifExists": "true"},
	})
	return err
}

// untrackTries bounds how often other writers may come in between.
const untrackTries = 10

// untrack has writers number no rows any more and takes the numbers that files
// have away. The columns in which files keep some stay, and nobody reads them.
func (d *dropper) untrack(s *Snapshot) error {
	off := map[string]string{rowTrackingKey: "false", rowTrackingSuspended: "true"}
	if s.meta.Configuration[rowTrackingKey] != "false" || s.meta.Configuration[rowTrackingSuspended] != "true" {
		c := Commit{ReadVersion: -1, Operation: "SET TBLPROPERTIES", Serializable: true, Properties: off, Parameters: map[string]string{"properties": jsonText(off)}}
		if _, err := d.t.Commit(d.ctx, c); err != nil {
			return err
		}
	}
	for try := 0; ; try++ {
		s, err := d.t.Snapshot(d.ctx)
		if err != nil {
			return err
		}
		var files []Add
		for a := range s.All() {
			if a.BaseRowID != nil || a.DefaultRowCommitVersion != nil {
				a.BaseRowID, a.DefaultRowCommitVersion, a.DataChange = nil, nil, false
				files = append(files, a)
			}
		}
		if len(files) == 0 {
			return nil
		}
		_, err = d.t.Commit(d.ctx, Commit{Adds: files, describes: true, ReadVersion: s.version, Operation: "ROW TRACKING UNBACKFILL", Parameters: map[string]string{"batchId": "0"}})
		if err == nil || !errors.Is(err, ErrConflict) || try == untrackTries {
			return err
		}
	}
}

// purge writes the files with deletion vectors anew, and keeps the vectors'
// files from clean-ups that do not know what they are.
func (d *dropper) purge(s *Snapshot) error {
	if err := d.unset(s, "delta.enableDeletionVectors"); err != nil {
		return err
	}
	var files []Add
	var stones []Remove
	for a := range s.All() {
		v := a.DeletionVector
		if v == nil {
			continue
		}
		files = append(files, a)
		if v.StorageType == "u" {
			key, err := d.t.vectorKey(v)
			if err != nil {
				return err
			}
			path := strings.TrimPrefix(key, d.t.root+"/")
			if !slices.ContainsFunc(stones, func(r Remove) bool { return r.Path == action.Encode(path) }) {
				stones = append(stones, Remove{Path: action.Encode(path), DeletionTimestamp: d.t.opt.clock().UnixMilli()})
			}
		}
	}
	if err := d.rewrite(s, files); err != nil {
		return err
	}
	_, err := d.t.Commit(d.ctx, Commit{ReadVersion: -1, Operation: "Deletion Vector Tombstones", Parameters: map[string]string{}, tombstones: stones})
	return err
}

// narrow writes the files anew whose columns have an older type.
func (d *dropper) narrow(s *Snapshot) error {
	if err := d.unset(s, wideningKey); err != nil {
		return err
	}
	if !usesKey(arrow.StructOf(s.schema.Fields()...), schema.ChangesKey) {
		return nil
	}
	var files []Add
	want := s.mapping.Files(s.schema, s.meta.PartitionColumns)
	for a := range s.All() {
		old, err := d.otherTypes(s, a, want)
		if err != nil {
			return err
		}
		if old {
			files = append(files, a)
		}
	}
	if err := d.rewrite(s, files); err != nil {
		return err
	}
	now, err := d.t.Snapshot(d.ctx)
	if err != nil {
		return err
	}
	to := now.Schema()
	text, err := schema.Text(to)
	if err != nil {
		return fmt.Errorf("delta: %w", err)
	}
	_, err = d.t.Commit(d.ctx, Commit{
		ReadVersion: now.version, Operation: "DROP FEATURE", Serializable: true, SchemaTo: schema.Without(to, schema.ChangesKey),
		Parameters: map[string]string{"columns": text},
	})
	return err
}

// otherTypes tells whether a file has columns of other types than the table.
func (d *dropper) otherTypes(s *Snapshot, a Add, want *arrow.Schema) (bool, error) {
	store, key, err := d.t.where(s.Locate(a))
	if err != nil {
		return false, err
	}
	have, err := fileSchema(d.ctx, store, key, a.Size)
	if err != nil {
		return false, fmt.Errorf("delta: reading %s: %w", key, err)
	}
	for _, f := range want.Fields() {
		if at := indexOf(have.Fields(), f, s.mapping); at >= 0 && !arrow.TypeEqual(have.Field(at).Type, f.Type) {
			return true, nil
		}
	}
	return false, nil
}

// rewrite writes files anew without changing rows.
func (d *dropper) rewrite(s *Snapshot, files []Add) error {
	if len(files) == 0 {
		return nil
	}
	var bins []bin
	for _, group := range s.byPartition(files) {
		bins = append(bins, bin{files: group})
	}
	_, err := d.t.rearrange(d.ctx, s, bins, WriterOptions{}, nil, Commit{ReadVersion: -1, Operation: "REORG", Parameters: purgeParameters("[]")})
	return err
}

// unmap writes all files anew under the table's own names.
func (d *dropper) unmap(s *Snapshot) error {
	if s.mapping == schema.Unmapped {
		return nil
	}
	t := d.t
	for _, f := range s.schema.Fields() {
		if strings.ContainsAny(f.Name, " ,;{}()\n\t=") {
			return fmt.Errorf("%w: the column name %q needs column mapping", ErrFeatureInUse, f.Name)
		}
	}
	props := map[string]string{}
	for k, v := range s.meta.Configuration {
		if k != schema.ModeKey && k != schema.MaxIDKey {
			props[k] = v
		}
	}
	opts := []Option{WithPartitionBy(s.meta.PartitionColumns...), WithProperties(props), WithName(s.meta.Name)}
	if by := s.ClusterBy(); by != nil {
		opts = append(opts, WithClusterBy(by...))
	}
	def, err := t.Redefine(schema.Plain(s.schema), append(opts, func(o *options) {
		o.rows, o.rowRules, o.engine, o.clock = t.opt.rows, true, t.opt.engine, t.opt.clock
		o.description, o.described = s.meta.Description, s.meta.Described
	})...)
	if err != nil {
		return err
	}
	w, err := def.NewWriter(d.ctx, WriterOptions{Rearranged: true})
	if err != nil {
		return err
	}
	for rec, err := range s.Read(d.ctx, nil) {
		if err == nil {
			err = w.Write(rec)
			rec.Release()
		}
		if err != nil {
			return w.abort(err)
		}
	}
	adds, err := w.Close()
	if err != nil {
		return err
	}
	_, err = t.keep(d.ctx, Commit{
		Adds: adds, ReplaceAll: true, ReadVersion: s.version, Serializable: true, define: def, Operation: "REMOVE COLUMN MAPPING", Parameters: map[string]string{},
	})
	return err
}

// dropped is the protocol without the feature that a commit drops.
func (c *Commit) dropped(p *Protocol, m *Metadata, version int64) *Protocol {
	want := features(p)
	delete(want, c.drop)
	if c.protect {
		want[protection] = true
		m.Configuration[protectedKey] = strconv.FormatInt(version, 10)
	}
	switch c.drop {
	case protection:
		delete(m.Configuration, protectedKey)
	case "rowTracking":
		for _, k := range []string{rowTrackingKey, rowTrackingSuspended, rowIDColumnKey, rowVersionColumn} {
			delete(m.Configuration, k)
		}
	}
	return lowest(want)
}

// protected tells whether the log may not be cleaned up to a version: what
// checkpointProtection protects goes as a whole or not at all.
func protected(p *Protocol, m *Metadata, first int64) bool {
	if !features(p)[protection] {
		return false
	}
	v, err := strconv.ParseInt(m.Configuration[protectedKey], 10, 64)
	return err == nil && first < v
}
