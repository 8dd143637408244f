package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/bundle"
	"github.com/marisma/marisma/internal/pipeline/source"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Checked are pipelines that were analysed but not loaded.
type Checked struct {
	Graphs []Status // in the order of the pipelines given
	Order  []int    // in which each pipeline comes after those whose tables it reads
}

// CheckAll analyses pipelines without making anything. They may read each
// other's tables; other is where further names are found, nil for nowhere. All
// errors come back joined, each with its place. topic is the hub's.
func CheckAll(ctx context.Context, all []bundle.Pipeline, topic string, other analyze.Resolver) (Checked, error) {
	c := &checkAll{all: all, topic: topic, other: other, states: make([]checkState, len(all))}
	for i := range all {
		g, _ := declared(&all[i]) // its errors come up again
		c.states[i].declared = g
	}
	out := Checked{Graphs: make([]Status, len(all))}
	for i := range all {
		if err := c.check(ctx, i); err != nil {
			return Checked{}, err
		}
		if g := c.states[i].graph; g != nil {
			out.Graphs[i] = g.status(&c.states[i].cfg)
		}
	}
	out.Order = c.order
	return out, errors.Join(c.errs...)
}

type checkAll struct {
	all    []bundle.Pipeline
	topic  string
	other  analyze.Resolver
	states []checkState
	order  []int
	errs   []error
}

type checkState struct {
	cfg      Config
	state    analysis
	declared *graph // parsed only
	graph    *graph // nil: not yet, or it has errors
}

// check analyses one pipeline and, through its resolver, those that it reads.
// Its error is the machine's; those of the pipelines are collected.
func (c *checkAll) check(ctx context.Context, i int) error {
	s := &c.states[i]
	if s.state != fresh {
		return nil
	}
	s.state = underWay
	s.cfg = Config{Pipeline: c.all[i], Topic: c.topic}
	s.cfg.setDefaults()
	g, err := buildGraph(ctx, &s.cfg, &siblings{c, i}, &resolver{hub: s.cfg.hub(), files: &source.Files{}})
	if err == nil {
		err = checkIntervals(g, &s.cfg)
	}
	if err != nil {
		s.state = broken
		c.errs = append(c.errs, err)
		return ctx.Err()
	}
	s.state, s.graph = analysed, g
	c.order = append(c.order, i)
	return nil
}

// siblings finds the tables of the other pipelines for one of them.
type siblings struct {
	*checkAll
	self int
}

var _ analyze.Resolver = (*siblings)(nil)

// Table finds a dataset of another pipeline, or what other knows.
func (s *siblings) Table(ctx context.Context, name []string, at analyze.TimeTravel) (*plan.Source, *analyze.View, error) {
	full := strings.Join(name, ".")
	for i := range s.all {
		if i == s.self || !s.states[i].declared.makes(full) {
			continue
		}
		if s.states[i].state == underWay {
			return nil, nil, fmt.Errorf("the pipelines %s and %s read each other's tables: move the datasets into one pipeline", s.all[s.self].Name, s.all[i].Name)
		}
		if err := s.check(ctx, i); err != nil {
			return nil, nil, err
		}
		g := s.states[i].graph
		if g == nil {
			return nil, nil, errBroken // its own errors say why
		}
		if cols, ok := g.table(full); ok {
			return &plan.Source{Kind: plan.SourceTable, Name: name, Columns: cols, Version: at.Version, Timestamp: at.Timestamp, Metadata: query.FileMetadata()}, nil, nil
		}
	}
	if s.other == nil {
		return nil, nil, nil
	}
	return s.other.Table(ctx, name, at)
}

// makes tells whether the graph has a table, or its quarantine.
func (g *graph) makes(full string) bool {
	d := g.byName[full]
	if main, ok := strings.CutSuffix(full, quarantineSuffix); ok && d == nil {
		d = g.byName[main]
	}
	return d != nil && d.kind != plan.TemporaryView
}

// table gives the columns of a dataset that is a table, or of its quarantine.
func (g *graph) table(full string) ([]types.Field, bool) {
	if d := g.byName[full]; d != nil {
		return slices.Clone(d.cols), d.def != nil
	}
	if main, ok := strings.CutSuffix(full, quarantineSuffix); ok {
		if d := g.byName[main]; d != nil && d.def != nil && d.quarantines() {
			return quarantineOf(d).fields, true
		}
	}
	return nil, false
}

// Function leaves functions to the pipeline's own resolver.
func (s *siblings) Function(context.Context, string, map[string]string, []types.Field) (*plan.Source, error) {
	return nil, nil //nolint:nilnil // there are none
}

// Names are for hints.
func (s *siblings) Names(ctx context.Context) []string {
	var out []string
	for i := range s.states {
		if g := s.states[i].graph; i != s.self && g != nil {
			for name := range g.byName {
				out = append(out, name)
			}
		}
	}
	if s.other != nil {
		out = append(out, s.other.Names(ctx)...)
	}
	return out
}
