package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/marisma/marisma/internal/web/api"
)

func (c *cli) catalogCmd() *cobra.Command {
	cmd := group(&cobra.Command{Use: "catalog", Short: "Look into the catalog", SuggestionsMinimumDistance: 2})
	var through bool
	lineage := &cobra.Command{
		Use: "lineage <table>", Short: "Tell where a table's columns come from",
		Long: "Tells for each column of a table or view which columns of which sources it\n" +
			"comes from, and how, in OpenLineage's words; below them what decides which\n" +
			"rows there are. With -o json as data.",
		Example: "  marisma catalog lineage gold_machine_health\n  marisma catalog lineage gold_energy_site --through -o json",
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, a []string) error {
			return c.lineage(cmd.Context(), a[0], through)
		},
	}
	lineage.Flags().BoolVar(&through, "through", false, "follow the columns through all tables down to the logs and files")
	cmd.AddCommand(lineage)
	return cmd
}

func (c *cli) lineage(ctx context.Context, table string, through bool) error {
	cl, p, err := c.client()
	if err != nil {
		return err
	}
	l, err := cl.Lineage(ctx, p.Qualify(table), through)
	if err != nil {
		return c.explain(err)
	}
	if c.format == "json" {
		return printJSON(c.out, l)
	}
	return printLineage(c, l)
}

func printLineage(c *cli, l api.Lineage) error {
	t := table{head: []string{"column", "comes from", "how"}, whole: true}
	add := func(name string, in []api.LineageInput) {
		if len(in) == 0 {
			t.add(name, "", "")
		}
		for _, i := range in {
			how := strings.ToLower(i.Subtype)
			if i.Masking {
				how += ", masking"
			}
			t.add(name, shortSource(i.Source)+"."+i.Field, how)
			name = ""
		}
	}
	for _, col := range l.Columns {
		add(col.Name, col.Inputs)
	}
	if len(l.Rows) > 0 {
		add("(rows)", l.Rows)
	}
	if err := t.print(c.out); err != nil {
		return err
	}
	readers := "no table"
	if len(l.Readers) > 0 {
		readers = strings.Join(l.Readers, ", ")
	}
	_, err := fmt.Fprintf(c.out, "\n%s is made by the %s; %s reads it.\n", l.Table, l.MadeBy, readers)
	return err
}

// shortSource is a table's last name part, or the kind and name of what is no
// table.
func shortSource(s api.LineageSource) string {
	if s.Kind != "table" {
		return s.Kind + ":" + s.Name
	}
	return s.Name[strings.LastIndexByte(s.Name, '.')+1:]
}
