package analyze_test

import (
	"context"
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func itoa(n int) string { return strconv.Itoa(n) }

// fakeResolver knows tables and views by their last name part.
type fakeResolver struct {
	tables map[string][]types.Field
	views  map[string]*analyze.View
}

func (r fakeResolver) Table(_ context.Context, name []string, at analyze.TimeTravel) (*plan.Source, *analyze.View, error) {
	last := strings.ToLower(name[len(name)-1])
	if v, ok := r.views[last]; ok {
		return nil, v, nil
	}
	if f, ok := r.tables[last]; ok {
		return &plan.Source{Kind: plan.SourceTable, Name: name, Columns: f, Version: at.Version, Timestamp: at.Timestamp}, nil, nil
	}
	return nil, nil, nil
}

func (r fakeResolver) Function(_ context.Context, name string, args map[string]string, schema []types.Field) (*plan.Source, error) {
	switch name {
	case "read_kafka":
		cols := []types.Field{
			{Name: "key", Type: types.Binary, Nullable: true}, {Name: "value", Type: types.Binary, Nullable: true},
			{Name: "topic", Type: types.String}, {Name: "partition", Type: types.Int}, {Name: "offset", Type: types.BigInt},
			{Name: "timestamp", Type: types.Timestamp}, {Name: "timestampType", Type: types.Int},
		}
		if args["includeheaders"] == "true" {
			cols = append(cols, types.Field{Name: "headers", Nullable: true, Type: types.Array{ContainsNull: true, Elem: types.Struct{Fields: []types.Field{
				{Name: "key", Type: types.String, Nullable: true}, {Name: "value", Type: types.Binary, Nullable: true}}}}})
		}
		return &plan.Source{Kind: plan.SourceKafka, Name: []string{name}, Columns: cols, Options: args}, nil
	case "read_files":
		return &plan.Source{Kind: plan.SourceFiles, Name: []string{name}, Columns: schema, Options: args}, nil
	}
	return nil, nil
}

func (r fakeResolver) Names(context.Context) []string {
	var out []string
	for n := range r.tables {
		out = append(out, n)
	}
	return out
}
