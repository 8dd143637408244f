package main

import (
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/marisma/marisma/internal/app"
	"github.com/marisma/marisma/internal/bundle"
	"github.com/marisma/marisma/internal/obs"
	"github.com/marisma/marisma/internal/worker"
)

func (c *cli) initCmd() *cobra.Command {
	return &cobra.Command{
		Use: "init [folder]", Short: "Write a small project that runs as it is",
		Args: args(cobra.MaximumNArgs(1)),
		RunE: func(_ *cobra.Command, a []string) error {
			dir := c.project
			if len(a) > 0 {
				dir = a[0]
			}
			files, err := bundle.Init(dir)
			if err != nil {
				return err
			}
			if c.format == "json" {
				return printJSON(c.out, map[string]any{"project": dir, "files": files})
			}
			for _, f := range files {
				fmt.Fprintln(c.out, "wrote", f)
			}
			_, err = fmt.Fprintf(c.out, "\nNext: marisma up -C %s\n", dir)
			return err
		},
	}
}

func (c *cli) validateCmd() *cobra.Command {
	return &cobra.Command{
		Use: "validate", Short: "Check the project's YAML and SQL without a server",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			p, err := c.load()
			if err != nil {
				return err
			}
			graphs, err := app.Validate(cmd.Context(), p)
			if err != nil {
				return err
			}
			if c.format == "json" {
				return printJSON(c.out, map[string]any{"project": p.Name, "target": p.Target, "warnings": p.WarningTexts(), "pipelines": graphs})
			}
			for _, w := range p.WarningTexts() {
				fmt.Fprintln(c.out, "warning:", w)
			}
			for _, g := range graphs {
				fmt.Fprintf(c.out, "pipeline %s: %d datasets\n", g.Name, len(g.Nodes))
			}
			_, err = fmt.Fprintf(c.out, "%s (target %s) is valid\n", p.Name, p.Target)
			return err
		},
	}
}

func (c *cli) upCmd() *cobra.Command {
	var fl app.Fleet
	cmd := &cobra.Command{
		Use: "up", Short: "Run the project until it is interrupted",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if fl.Interval <= 0 || fl.History < 0 {
				return usageError{errors.New("--interval must be positive and --history not negative")}
			}
			p, err := c.load()
			if err != nil {
				return err
			}
			for _, w := range p.WarningTexts() {
				fmt.Fprintln(c.err, "warning:", w)
			}
			a, err := app.New(app.Config{
				Project:    p,
				Logger:     obs.NewLogger(c.err, os.Getenv("MARISMA_LOG"), "text"),
				Banner:     c.out,
				BannerJSON: c.format == "json",
				Fleet:      fl,
			})
			if err != nil {
				return err
			}
			return a.Run(cmd.Context())
		},
	}
	f := cmd.Flags()
	f.BoolVar(&fl.Play, "simulate", false, "also play the project's devices")
	f.DurationVar(&fl.History, "history", 0, "with --simulate: on an empty hub, send this much back-dated time first")
	f.DurationVar(&fl.Interval, "interval", 5*time.Second, "with --simulate: time between two messages of a device")
	return cmd
}

func (c *cli) versionCmd() *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print the version and what it is built from",
		Args: args(cobra.NoArgs),
		RunE: func(*cobra.Command, []string) error {
			b := obs.Build()
			if c.format == "json" {
				return printJSON(c.out, b)
			}
			_, err := fmt.Fprintln(c.out, b)
			return err
		},
	}
}

func (c *cli) doctorCmd() *cobra.Command {
	return &cobra.Command{
		Use: "doctor", Short: "Check the machine, the project and the data folder",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			checks := app.Doctor(cmd.Context(), c.project, c.target, c.vars)
			bad := false
			for _, k := range checks {
				bad = bad || k.Result == "fail"
			}
			if c.format == "json" {
				if err := printJSON(c.out, checks); err != nil {
					return err
				}
			} else {
				t := table{head: []string{"check", "result", "what was found"}, whole: true}
				for _, k := range checks {
					t.add(k.Name, k.Result, k.Found)
				}
				if err := t.print(c.out); err != nil {
					return err
				}
			}
			if bad {
				return errors.New("some checks failed")
			}
			return nil
		},
	}
}

// workerCmd is the process that runs ad-hoc SQL; the server starts it.
func (c *cli) workerCmd() *cobra.Command {
	return &cobra.Command{
		Use: "worker", Hidden: true, Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return worker.Serve(cmd.Context(), c.in, c.out)
		},
	}
}
