package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/auth"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/sparksql/lineage"
	"github.com/marisma/marisma/internal/web"
	"github.com/marisma/marisma/internal/web/api"
)

// Lineage tells where a table's columns come from.
func (b *backend) Lineage(ctx context.Context, _ auth.Principal, table string, through bool) (api.Lineage, error) {
	t, err := b.find(ctx, table)
	if err != nil {
		return api.Lineage{}, err
	}
	l, err := b.stores.catalog.Lineage(ctx, t.ID)
	if errors.Is(err, catalog.ErrNotFound) {
		return api.Lineage{}, web.As(web.ErrNotFound, fmt.Errorf("no lineage is known of %s: no pipeline and no view makes it", table))
	}
	if err != nil {
		return api.Lineage{}, err
	}
	all, readers, err := b.lineages(ctx, t.FullName())
	if err != nil {
		return api.Lineage{}, err
	}
	if through {
		l.Lineage = lineage.Through(l.Lineage, func(s lineage.Source) (lineage.Lineage, bool) {
			up, ok := all[s.Name]
			return up, ok
		})
	}
	out := api.Lineage{Table: t.FullName(), MadeBy: l.MadeBy, Updated: l.Updated, Readers: readers, Rows: apiInputs(l.Rows)}
	for _, s := range l.Sources {
		out.Sources = append(out.Sources, api.LineageSource(s))
	}
	out.Columns = apiColumns("", l.Columns)
	return out, nil
}

// apiColumns lists fields that have inputs of their own as columns with dots.
func apiColumns(prefix string, cols []lineage.Column) []api.LineageColumn {
	var out []api.LineageColumn
	for _, c := range cols {
		out = append(out, api.LineageColumn{Name: prefix + c.Name, Inputs: apiInputs(c.Inputs)})
		out = append(out, apiColumns(prefix+c.Name+".", c.Fields)...)
	}
	return out
}

// lineages are those of all tables by full name, and who reads a table.
func (b *backend) lineages(ctx context.Context, table string) (map[string]lineage.Lineage, []string, error) {
	tables, err := b.stores.catalog.AllTables(ctx)
	if err != nil {
		return nil, nil, err
	}
	all, readers := map[string]lineage.Lineage{}, []string{}
	for _, t := range tables {
		l, err := b.stores.catalog.Lineage(ctx, t.ID)
		if errors.Is(err, catalog.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, nil, err
		}
		all[t.FullName()] = l.Lineage
		if slices.ContainsFunc(l.Sources, func(s lineage.Source) bool { return s.Name == table }) {
			readers = append(readers, t.FullName())
		}
	}
	return all, readers, nil
}

func apiInputs(in []lineage.Input) []api.LineageInput {
	out := make([]api.LineageInput, len(in))
	for i, x := range in {
		out[i] = api.LineageInput{Source: api.LineageSource(x.Source), Field: x.Field, Type: x.Type, Subtype: x.Subtype, Masking: x.Masking}
	}
	return out
}

// find gives a table or view by its full name.
func (b *backend) find(ctx context.Context, name string) (catalog.Table, error) {
	parts := strings.Split(name, ".")
	if len(parts) != 3 {
		return catalog.Table{}, web.As(web.ErrInvalid, fmt.Errorf("%q is no full name: catalog.schema.table", name))
	}
	t, err := b.stores.catalog.Table(ctx, parts[0], parts[1], parts[2])
	if errors.Is(err, catalog.ErrNotFound) {
		return t, web.As(web.ErrNotFound, err)
	}
	return t, err
}
