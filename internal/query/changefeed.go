package query

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// feed is the Source.Handle of a table's change feed: the versions that are
// read, by the newest schema.
type feed struct {
	table    catalog.Table
	delta    *delta.Table
	now      *delta.Snapshot
	from, to int64
}

var _ analyze.ChangeReader = (*Resolver)(nil)

// Changes finds the change feed of a table.
func (r *Resolver) Changes(ctx context.Context, name []string, from, to analyze.TimeTravel) (*plan.Source, *analyze.View, error) {
	src, view, err := r.Table(ctx, name, analyze.TimeTravel{})
	if src == nil || err != nil {
		return nil, view, err
	}
	h, ok := src.Handle.(*Handle)
	if !ok {
		return nil, nil, feedError("DELTA_TABLE_ONLY_OPERATION", "0AKDD", "%s is no Delta table and has no change feed.", strings.Join(src.Name, "."))
	}
	f := &feed{table: h.Table, delta: h.Delta, now: h.Snapshot, to: h.Snapshot.Version()}
	if f.from, err = f.version(ctx, from, true); err != nil {
		return nil, nil, err
	}
	if to != (analyze.TimeTravel{}) {
		if f.to, err = f.version(ctx, to, false); err != nil {
			return nil, nil, err
		}
	}
	switch {
	case f.from > h.Snapshot.Version():
		err = runtimeFault("DELTA_CDC_START_VERSION_AFTER_LATEST", "22003", "the changes are to begin with version %d, and the newest is %d.", f.from, h.Snapshot.Version())
	case f.to < f.from:
		err = runtimeFault("DELTA_INVALID_CDC_RANGE", "22003", "the changes are to end with version %d, before they begin with %d.", f.to, f.from)
	default:
		f.to = min(f.to, h.Snapshot.Version())
		err = f.recorded(ctx)
	}
	if err != nil {
		return nil, nil, err
	}
	cols := append(src.Columns[:len(src.Columns):len(src.Columns)],
		types.Field{Name: delta.ChangeType, Type: types.String, Nullable: true},
		types.Field{Name: delta.CommitVersion, Type: types.BigInt, Nullable: true},
		types.Field{Name: delta.CommitTimestamp, Type: types.Timestamp, Nullable: true})
	return &plan.Source{Kind: plan.SourceTable, Name: src.Name, Columns: cols, Handle: f}, nil, nil
}

func feedError(class, state, format string, args ...any) error {
	return &sparksql.Error{Class: class, SQLState: state, Phase: sparksql.PhaseAnalysis, Message: fmt.Sprintf(format, args...)}
}

func runtimeFault(class, state, format string, args ...any) error {
	return &sparksql.Error{Class: class, SQLState: state, Phase: sparksql.PhaseRuntime, Message: fmt.Sprintf(format, args...)}
}

// version is the one that a point stands for: a time begins with the first
// version at it or after it, and ends with the last one at it or before it.
func (f *feed) version(ctx context.Context, at analyze.TimeTravel, begins bool) (int64, error) {
	if at.Version != nil {
		if *at.Version < 0 {
			return 0, runtimeFault("DELTA_LOG_FILE_NOT_FOUND", "42K03", "there is no version %d of %s.", *at.Version, f.table.FullName())
		}
		return *at.Version, nil
	}
	if err := notAfter(f.now, *at.Timestamp); err != nil {
		return 0, err
	}
	s, err := f.delta.SnapshotAsOf(ctx, *at.Timestamp)
	switch {
	case errors.Is(err, delta.ErrVersionNotFound) && begins:
		oldest, _, err := f.delta.LogBounds(ctx)
		return oldest, err
	case errors.Is(err, delta.ErrVersionNotFound):
		return 0, tooEarly(*at.Timestamp)
	case err != nil:
		return 0, err
	case begins && s.Timestamp().Before(*at.Timestamp):
		return s.Version() + 1, nil
	}
	return s.Version(), nil
}

// recorded refuses a feed some of whose versions were written without it.
func (f *feed) recorded(ctx context.Context) error {
	s, err := f.delta.SnapshotAt(ctx, f.from)
	if err != nil {
		return travelError(f.table, err)
	}
	if s.Metadata().Configuration["delta.enableChangeDataFeed"] == "true" {
		return f.readable(s)
	}
	return f.fault(fmt.Errorf("%w: version %d", delta.ErrNoChangeData, f.from))
}

// readable refuses a feed that begins with columns that the table has no more,
// or has with other types. With column mapping, names and types are told apart
// where the files are listed.
func (f *feed) readable(first *delta.Snapshot) error {
	if mode := f.now.Metadata().Configuration["delta.columnMapping.mode"]; mode != "" && mode != "none" {
		return nil
	}
	now := f.now.Schema()
	for _, old := range first.Schema().Fields() {
		same := slices.ContainsFunc(now.Fields(), func(k arrow.Field) bool {
			return strings.EqualFold(k.Name, old.Name) && (hasParts(old.Type) || arrow.TypeEqual(k.Type, old.Type))
		})
		if !same {
			return f.fault(&delta.IncompatibleChangesError{Start: true, Version: first.Version(), Column: old.Name})
		}
	}
	return nil
}

// hasParts tells whether values of t have parts, which may have gained fields.
func hasParts(t arrow.DataType) bool {
	switch t.ID() {
	case arrow.STRUCT, arrow.LIST, arrow.MAP:
		return true
	}
	return false
}

// fault gives the errors of a feed Delta's classes.
func (f *feed) fault(err error) error {
	if e, ok := errors.AsType[*delta.IncompatibleChangesError](err); ok {
		class := "DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_SCHEMA_CHANGE"
		if e.Start {
			class = "DELTA_CHANGE_DATA_FEED_INCOMPATIBLE_DATA_SCHEMA"
		}
		return &sparksql.Error{
			Class: class, SQLState: "0AKDC", Phase: sparksql.PhaseRuntime,
			Message: fmt.Sprintf("the changes of the versions %d to %d cannot be read by one schema: version %d has a column %s, which was renamed, dropped or given another type since.", f.from, f.to, e.Version, e.Column),
			Hint:    "Read the changes before and after that in two statements; `DESCRIBE HISTORY` shows the versions.",
		}
	}
	if errors.Is(err, delta.ErrNoChangeData) {
		return &sparksql.Error{
			Class: "DELTA_MISSING_CHANGE_DATA", SQLState: "KD002", Phase: sparksql.PhaseAnalysis,
			Message: fmt.Sprintf("the changes of the versions %d to %d of %s are not all recorded: %s.", f.from, f.to, f.table.FullName(), err),
			Hint:    "`DESCRIBE HISTORY` shows when the feed was switched on; ALTER TABLE ... SET TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true') does it.",
		}
	}
	return travelError(f.table, err)
}

// input reads the feed's files: those whose rows share one kind of change,
// those of which only some rows changed, and those whose rows say it themselves.
func (f *feed) input(ctx context.Context, at Locator) (Input, error) {
	files, _, err := f.delta.ChangeFiles(ctx, f.from, f.to)
	if err != nil {
		return Input{}, f.fault(err)
	}
	var parts [3]struct {
		adds  []delta.Add
		files []delta.ChangeFile
	}
	for _, c := range files {
		kind := 0
		switch {
		case c.Type == "":
			kind = 2
		case c.Only != nil:
			kind = 1
		}
		if kind > 0 {
			c.Add.DeletionVector = nil
		}
		parts[kind].adds, parts[kind].files = append(parts[kind].adds, c.Add), append(parts[kind].files, c)
	}
	out := Input{Union: []Input{}}
	for i, p := range parts {
		if len(p.adds) == 0 {
			continue
		}
		in, err := AddsInput(ctx, f.now, p.adds, at)
		if err != nil {
			out.Release()
			return Input{}, err
		}
		in.Partition = append(in.Partition[:len(in.Partition):len(in.Partition)], delta.CommitVersion, delta.CommitTimestamp)
		if i < 2 {
			in.Partition = append(in.Partition, delta.ChangeType)
		}
		in.Kept = i == 1
		for j, c := range p.files {
			if err := in.Files[j].change(c); err != nil {
				return Input{}, err
			}
		}
		out.Union = append(out.Union, in)
	}
	return out, nil
}

// change notes what the log says of a file of the feed, as partitionText has it.
func (f *File) change(c delta.ChangeFile) error {
	values := map[string]string{
		delta.ChangeType: c.Type, delta.CommitVersion: strconv.FormatInt(c.Version, 10),
		delta.CommitTimestamp: strconv.FormatInt(c.Time.UnixMicro(), 10),
	}
	maps.Copy(values, f.Partition)
	f.Partition = values
	if c.Only == nil {
		return nil
	}
	var err error
	if f.Deleted, err = c.Only.ToBytes(); err != nil {
		return fmt.Errorf("query: changed rows of %s: %w", c.Add.Path, err)
	}
	return nil
}
