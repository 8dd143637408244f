package pipeline

import (
	"context"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/marisma/marisma/internal/pipeline/source"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Handles of the sources that a pipeline resolves, in plan.Source.Handle;
// tables outside the pipeline carry query's own.
type (
	// datasetHandle is a table of this pipeline.
	datasetHandle struct{ ds *dataset }
	// logHandle is read_kafka.
	logHandle struct {
		opt  source.LogOptions
		json []source.JSONColumn // what fuse has the reader parse
	}
	// filesHandle is read_files.
	filesHandle struct {
		id      string
		opt     source.CSVOptions
		columns []types.Field
	}
)

// resolver finds names first among the pipeline's datasets, then in the
// catalog. Each dataset is analysed with a resolver of its own, which notes
// what it reads.
type resolver struct {
	graph *graph
	outer analyze.Resolver // nil: there is no catalog
	hub   source.Hub
	files *source.Files
	ds    *dataset
}

func (r *resolver) reading(d *dataset) *resolver {
	own := *r
	own.ds = d
	return &own
}

// note adds an edge.
func (r *resolver) note(id string) {
	if r.ds != nil && !slices.Contains(r.ds.inputs, id) {
		r.ds.inputs = append(r.ds.inputs, id)
	}
}

// addSource lists a source of the graph once.
func (r *resolver) addSource(id, name, kind string) {
	if !slices.ContainsFunc(r.graph.sources, func(n Node) bool { return n.ID == id }) {
		r.graph.sources = append(r.graph.sources, Node{ID: id, Name: name, Kind: kind, State: StateIdle, Version: -1})
	}
	r.note(id)
}

// Table finds a dataset of the pipeline or a table of the catalog.
func (r *resolver) Table(ctx context.Context, name []string, at analyze.TimeTravel) (*plan.Source, *analyze.View, error) {
	full, ok := r.graph.qualify(name)
	if !ok {
		return nil, nil, nil
	}
	if d := r.graph.byName[strings.Join(full, ".")]; d != nil {
		r.note(d.full)
		if err := r.graph.analyse(ctx, d); err != nil {
			return nil, nil, err
		}
		if d.kind == plan.TemporaryView {
			return nil, &analyze.View{Text: d.query, Name: d.name, CatalogName: r.graph.catalog, Schema: r.graph.schema, File: d.pos.File}, nil
		}
		cols := slices.Clone(d.cols)
		return &plan.Source{
			Kind: plan.SourceTable, Name: d.name, Columns: cols,
			Version: at.Version, Timestamp: at.Timestamp, Handle: &datasetHandle{d}, Metadata: query.FileMetadata(),
		}, nil, nil
	}
	if r.outer == nil {
		return nil, nil, nil
	}
	src, view, err := r.outer.Table(ctx, full, at)
	if err == nil && src != nil && src.Files != nil { // a batch that is repeated must find the rows that it read
		return nil, nil, &sparksql.Error{
			Class: "UNSUPPORTED_FEATURE.TABLE_REFERENCE", SQLState: "0A000", Phase: sparksql.PhaseAnalysis,
			Message: strings.Join(full, ".") + " is a table of " + src.Files.Format + " files, which has no versions to read it at.",
			Hint:    "Read its folder with read_files(), or keep it as a Delta table.",
		}
	}
	if err == nil && (src != nil || view != nil) {
		kind := KindTable
		if view != nil {
			kind = KindView
		}
		r.addSource(strings.Join(full, "."), full[2], kind)
	}
	return src, view, err
}

// Function resolves read_kafka and read_files.
func (r *resolver) Function(ctx context.Context, name string, args map[string]string, schema []types.Field) (*plan.Source, error) {
	switch strings.ToLower(name) {
	case "read_kafka":
		opt, err := source.ParseLogOptions(args, r.hub, sparksql.Pos{})
		if err != nil {
			return nil, err
		}
		r.addSource("log:"+opt.Topic, opt.Topic, KindLog)
		return &plan.Source{
			Kind: plan.SourceKafka, Name: []string{"read_kafka"}, Columns: source.KafkaColumns(opt.Headers),
			Options: args, Handle: &logHandle{opt: opt},
		}, nil
	case "read_files", "cloud_files":
		return r.readFiles(ctx, args, schema)
	}
	return nil, nil //nolint:nilnil // the analyzer says so with the name's place
}

func (r *resolver) readFiles(ctx context.Context, args map[string]string, given []types.Field) (*plan.Source, error) {
	zone, err := time.LoadLocation(r.graph.env.TimeZone)
	if err != nil {
		zone = time.UTC // the analyzer refuses unknown zones itself
	}
	opt, err := source.ParseCSVOptions(args, zone, sparksql.Pos{})
	if err != nil {
		return nil, err
	}
	var listing source.Listing
	if given == nil {
		if listing, err = r.files.List(ctx, opt); err != nil {
			return nil, err
		}
	}
	cols, err := source.Columns(opt, given, listing.Files)
	if err != nil {
		return nil, err
	}
	id := "files:" + opt.Path
	r.addSource(id, path.Base(opt.Path), KindFiles)
	return &plan.Source{
		Kind: plan.SourceFiles, Name: []string{"read_files"}, Columns: cols, Options: args,
		Handle: &filesHandle{id, opt, cols}, Metadata: query.FileMetadata(),
	}, nil
}

// Names are the pipeline's datasets and the catalog's tables, for hints.
func (r *resolver) Names(ctx context.Context) []string {
	var out []string
	for name := range r.graph.byName {
		out = append(out, name)
	}
	if r.outer != nil {
		out = append(out, r.outer.Names(ctx)...)
	}
	return out
}

// tableOf is the query package's handle of a table outside the pipeline.
func tableOf(s *plan.Source) (*query.Handle, bool) {
	h, ok := s.Handle.(*query.Handle)
	return h, ok
}
