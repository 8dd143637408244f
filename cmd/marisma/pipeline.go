package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/marisma/marisma/internal/web/api"
)

func (c *cli) pipelineCmd() *cobra.Command {
	cmd := group(&cobra.Command{Use: "pipeline", Short: "Run, watch and reset pipelines", SuggestionsMinimumDistance: 2})
	cmd.AddCommand(c.pipelineStatusCmd(), c.pipelineRunCmd(), c.pipelineResetCmd())
	return cmd
}

// onePipeline picks the pipeline that an optional argument names.
func onePipeline(all []api.Pipeline, a []string) (api.Pipeline, error) {
	if len(a) == 0 {
		if len(all) == 1 {
			return all[0], nil
		}
		return api.Pipeline{}, usageError{fmt.Errorf("say which pipeline: %s", strings.Join(keys(all), ", "))}
	}
	for _, p := range all {
		if p.Key == a[0] || p.Name == a[0] {
			return p, nil
		}
	}
	return api.Pipeline{}, fmt.Errorf("there is no pipeline %q; there are: %s", a[0], strings.Join(keys(all), ", "))
}

func keys(all []api.Pipeline) []string {
	out := make([]string, len(all))
	for i, p := range all {
		out[i] = p.Key
	}
	return out
}

func (c *cli) pipelineStatusCmd() *cobra.Command {
	return &cobra.Command{
		Use: "status [pipeline]", Short: "Show each dataset's state, rows, backlog and expectations",
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, a []string) error {
			cl, _, err := c.client()
			if err != nil {
				return err
			}
			all, err := cl.Pipelines(cmd.Context())
			if err != nil {
				return c.explain(err)
			}
			if len(a) > 0 {
				p, err := onePipeline(all, a)
				if err != nil {
					return err
				}
				all = []api.Pipeline{p}
			}
			if c.format == "json" {
				return printJSON(c.out, all)
			}
			for _, p := range all {
				if err := c.printPipeline(p); err != nil {
					return err
				}
			}
			return nil
		},
	}
}

func (c *cli) printPipeline(p api.Pipeline) error {
	fmt.Fprintf(c.out, "pipeline %s: %s\n", p.Name, p.State)
	if p.Error != "" {
		fmt.Fprintf(c.out, "  %s\n", p.Error)
	}
	t := table{
		head:  []string{"dataset", "kind", "state", "rows in", "rows out", "dropped", "quarantined", "backlog", "lag", "version"},
		right: []bool{false, false, false, true, true, true, true, true, true, true},
	}
	for _, n := range p.Nodes {
		t.add(n.Name, strings.ToLower(strings.ReplaceAll(n.Kind, "_", " ")), n.State, count(n.RowsIn), count(n.RowsOut),
			count(n.RowsDropped), count(n.RowsQuarantine), count(n.Backlog), fmt.Sprintf("%.1f s", n.LagSeconds), fmt.Sprint(n.Version))
	}
	if err := t.print(c.out); err != nil {
		return err
	}
	rules := table{head: []string{"expectation", "dataset", "action", "passed", "failed"}, right: []bool{false, false, false, true, true}}
	for _, n := range p.Nodes {
		for _, e := range n.Expectations {
			rules.add(e.Name, n.Name, e.Action, count(e.Passed), count(e.Failed))
		}
		if n.Error != "" {
			fmt.Fprintf(c.out, "%s: %s\n", n.Name, n.Error)
		}
	}
	if len(rules.rows) == 0 {
		return nil
	}
	fmt.Fprintln(c.out)
	return rules.print(c.out)
}

func (c *cli) pipelineRunCmd() *cobra.Command {
	return &cobra.Command{
		Use: "run [pipeline]", Short: "Bring a pipeline up to what its sources hold now, and wait for it",
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, a []string) error {
			return c.pipelineAction(cmd, a, "run", nil)
		},
	}
}

func (c *cli) pipelineResetCmd() *cobra.Command {
	var tables []string
	var yes bool
	cmd := &cobra.Command{
		Use: "reset [pipeline]", Short: "Empty a pipeline's tables and read all sources from their start (full refresh)",
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(cmd *cobra.Command, a []string) error {
			if !yes {
				return usageError{fmt.Errorf("a reset empties tables; readings older than the hub's retention are gone then. Say --yes to do it")}
			}
			return c.pipelineAction(cmd, a, "reset", tables)
		},
	}
	cmd.Flags().StringSliceVar(&tables, "tables", nil, "only these tables (comma-separated); all if empty")
	cmd.Flags().BoolVar(&yes, "yes", false, "really do it")
	return cmd
}

func (c *cli) pipelineAction(cmd *cobra.Command, a []string, action string, tables []string) error {
	cl, _, err := c.client()
	if err != nil {
		return err
	}
	all, err := cl.Pipelines(cmd.Context())
	if err != nil {
		return c.explain(err)
	}
	p, err := onePipeline(all, a)
	if err != nil {
		return err
	}
	if err := cl.PipelineAction(cmd.Context(), p.Key, action, tables); err != nil {
		return c.explain(err)
	}
	if all, err = cl.Pipelines(cmd.Context()); err != nil {
		return c.explain(err)
	}
	if p, err = onePipeline(all, []string{p.Key}); err != nil {
		return err
	}
	if c.format == "json" {
		return printJSON(c.out, p)
	}
	return c.printPipeline(p)
}
