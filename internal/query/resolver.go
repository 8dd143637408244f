package query

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Resolver finds names in the catalog. Within one Resolver a table is read at
// one version, however often it is named.
type Resolver struct {
	catalog         *catalog.Catalog
	tables          *Tables
	defCat, defSchm string
	pinned          map[string]*delta.Snapshot // by table ID
	files           map[string]*fileHandle     // by table ID
	globals         *globals                   // nil: no global temporary views
}

// NewResolver resolves one- and two-part names in defCatalog and defSchema.
func NewResolver(c *catalog.Catalog, t *Tables, defCatalog, defSchema string) *Resolver {
	return &Resolver{catalog: c, tables: t, defCat: defCatalog, defSchm: defSchema, pinned: map[string]*delta.Snapshot{}, files: map[string]*fileHandle{}}
}

var _ analyze.Resolver = (*Resolver)(nil)

// Handle is the Source.Handle of a table: the snapshot that is read.
type Handle struct {
	Table    catalog.Table
	Delta    *delta.Table
	Snapshot *delta.Snapshot
}

// full completes a name of one to three parts.
func (r *Resolver) full(name []string) (cat, schema, table string, ok bool) {
	switch len(name) {
	case 1:
		return r.defCat, r.defSchm, name[0], true
	case 2:
		return r.defCat, name[0], name[1], true
	case 3:
		return name[0], name[1], name[2], true
	}
	return "", "", "", false
}

// Table finds a table or view; nil, nil, nil where there is none.
func (r *Resolver) Table(ctx context.Context, name []string, at analyze.TimeTravel) (*plan.Source, *analyze.View, error) {
	cat, schema, table, ok := r.full(name)
	if !ok {
		return nil, nil, nil
	}
	if v := r.globals.find(schema, table); v != nil {
		return nil, v, nil
	}
	var t catalog.Table
	var d *delta.Table
	var err error
	if strings.EqualFold(schema, "delta") && isPath(table) {
		if at == (analyze.TimeTravel{}) {
			table, at = pathVersion(table)
		}
		t, d, err = r.byPath(ctx, table)
		if errors.Is(err, delta.ErrNotATable) {
			return nil, nil, nil
		}
	} else {
		t, err = r.catalog.Table(ctx, cat, schema, table)
		if errors.Is(err, catalog.ErrNotFound) || errors.Is(err, catalog.ErrInvalid) {
			return nil, nil, nil
		}
		if err == nil && t.Type == catalog.View {
			v, err := storedView(t)
			return nil, v, err
		}
		if err == nil && ofFiles(t) {
			src, err := r.fileTable(t, at)
			return src, nil, err
		}
		if err == nil {
			if d, err = r.tables.Open(ctx, t); err != nil {
				err = fmt.Errorf("table %s: %w", t.FullName(), err)
			}
		}
	}
	if err != nil {
		return nil, nil, err
	}
	full := []string{t.Catalog, t.Schema, t.Name}
	if !inCatalog(t) {
		full = full[1:]
	}
	snap, err := r.snapshot(ctx, t, d, at)
	if err != nil {
		return nil, nil, err
	}
	cols, err := types.FromArrowFields(snap.Schema().Fields())
	if err != nil {
		return nil, nil, fmt.Errorf("table %s: %w", t.FullName(), err)
	}
	known := rules(snap)
	return &plan.Source{
		Kind: plan.SourceTable, Name: full, Columns: cols, Version: at.Version, Timestamp: at.Timestamp,
		Handle: &Handle{Table: t, Delta: d, Snapshot: snap}, Rules: known, Metadata: tableMetadata(known),
	}, nil, nil
}

func (r *Resolver) snapshot(ctx context.Context, t catalog.Table, d *delta.Table, at analyze.TimeTravel) (*delta.Snapshot, error) {
	switch {
	case at.Version != nil:
		s, err := d.SnapshotAt(ctx, *at.Version)
		return s, travelError(t, err)
	case at.Timestamp != nil:
		return asOf(ctx, d, *at.Timestamp)
	}
	if s := r.pinned[t.ID]; s != nil {
		return s, nil
	}
	s, err := d.Snapshot(ctx)
	if err != nil {
		return nil, fmt.Errorf("table %s: %w", t.FullName(), err)
	}
	r.pinned[t.ID] = s
	return s, nil
}

// asOf is a table as it was at a time between its first and its last commit.
func asOf(ctx context.Context, d *delta.Table, at time.Time) (*delta.Snapshot, error) {
	now, err := d.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	if err := notAfter(now, at); err != nil {
		return nil, err
	}
	s, err := d.SnapshotAsOf(ctx, at)
	if errors.Is(err, delta.ErrVersionNotFound) {
		return nil, tooEarly(at)
	}
	return s, err
}

// notAfter refuses a time behind a table's newest version.
func notAfter(now *delta.Snapshot, at time.Time) error {
	if newest := now.Timestamp(); at.After(newest) {
		return feedError("DELTA_TIMESTAMP_GREATER_THAN_COMMIT", "42816", "%s lies after the newest version (%s).", at.Format(time.DateTime), newest.UTC().Format(time.RFC3339Nano))
	}
	return nil
}

// tooEarly is the error of a time before a table's oldest version.
func tooEarly(at time.Time) error {
	return feedError("DELTA_TIMESTAMP_EARLIER_THAN_COMMIT_RETENTION", "42816", "%s lies before the oldest version.", at.Format(time.DateTime))
}

func travelError(t catalog.Table, err error) error {
	if errors.Is(err, delta.ErrVersionNotFound) {
		return &sparksql.Error{
			Class: "DELTA_VERSION_NOT_FOUND", SQLState: "22003", Phase: sparksql.PhaseAnalysis,
			Message: fmt.Sprintf("table %s has no such version: %s.", t.FullName(), err),
			Hint:    "`DESCRIBE HISTORY` lists what there is.",
		}
	}
	return err
}

// Function refuses what only pipelines read, and knows nothing else.
func (r *Resolver) Function(_ context.Context, name string, _ map[string]string, _ []types.Field) (*plan.Source, error) {
	switch name {
	case "read_kafka", "read_files":
	default:
		return nil, nil
	}
	return nil, &sparksql.Error{
		Class: "UNSUPPORTED_FEATURE.TABLE_FUNCTION", SQLState: "0A000", Phase: sparksql.PhaseAnalysis,
		Message: name + " reads outside the catalog, which a query here may not.",
		Hint:    "Read it in a pipeline (CREATE OR REFRESH STREAMING TABLE ... or MATERIALIZED VIEW ...) and query the table.",
	}
}

// Names are all tables and views, for hints.
func (r *Resolver) Names(ctx context.Context) []string {
	all, err := r.catalog.AllTables(ctx)
	if err != nil { // only a hint is lost
		return nil
	}
	out := make([]string, len(all))
	for i, t := range all {
		out[i] = t.FullName()
	}
	return out
}

// Inputs reads each scan of n from the snapshot that the resolver pinned,
// pruned by what n's filters say.
func Inputs(ctx context.Context, n plan.Node, at Locator) func(*plan.Scan) (Input, error) {
	preds := Prune(n)
	return func(s *plan.Scan) (Input, error) {
		switch h := s.Source.Handle.(type) {
		case *Handle:
			if len(s.Attrs) == 0 { // files that are only counted need not be here
				if in, known, err := counted(h.Snapshot, preds[s]); known || err != nil {
					return in, err
				}
			}
			return Files(ctx, h.Snapshot, at, preds[s]...)
		case *fileHandle:
			return h.input(ctx, preds[s])
		case *feed:
			return h.input(ctx, at)
		case *copySource:
			return h.input(), nil
		}
		return Input{}, fmt.Errorf("query: source %v cannot be read here", s.Source.Name)
	}
}

// now is the time of a statement, in the microseconds that SQL has.
func now() time.Time { return time.Now().UTC().Truncate(time.Microsecond) }
