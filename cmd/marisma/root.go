package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/marisma/marisma/internal/app"
	"github.com/marisma/marisma/internal/bundle"
	"github.com/marisma/marisma/internal/catalog/folder"
	"github.com/marisma/marisma/internal/obs"
	"github.com/marisma/marisma/internal/web/api"
)

// Exit codes, documented in the command's package comment.
const (
	exitOK          = 0
	exitFailed      = 1
	exitUsage       = 2
	exitNotRunning  = 3
	exitFolderInUse = 4
	exitInterrupted = 130
)

// usageError marks errors of the command line itself.
type usageError struct{ error }

func (u usageError) Unwrap() error { return u.error }

// cli is what all commands share.
type cli struct {
	in       io.Reader
	out, err io.Writer

	project string
	target  string
	vars    map[string]string
	format  string // text or json
}

func execute(ctx context.Context, args []string, in io.Reader, out, errw io.Writer) int {
	c := &cli{in: in, out: out, err: errw}
	root := c.root()
	root.SetArgs(args)
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errw)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) {
		return exitInterrupted
	}
	fmt.Fprintln(errw, "marisma:", err)
	return exitCode(err)
}

func exitCode(err error) int {
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	switch {
	case errors.Is(err, api.ErrNotRunning):
		return exitNotRunning
	case errors.Is(err, folder.ErrInUse):
		return exitFolderInUse
	}
	return exitFailed
}

func (c *cli) root() *cobra.Command {
	root := &cobra.Command{
		Use:           "marisma",
		Short:         "An IoT lakehouse in one binary",
		Long:          "Marisma runs a project folder as an IoT lakehouse: devices speak to it as to\nAzure IoT Hub, pipelines are Lakeflow SQL, tables are Delta Lake.",
		SilenceErrors: true,
		SilenceUsage:  true,
		Version:       obs.Build().Version,

		SuggestionsMinimumDistance: 2,
	}
	f := root.PersistentFlags()
	f.StringVarP(&c.project, "project", "C", ".", "the project folder (with databricks.yml)")
	f.StringVarP(&c.target, "target", "t", "", "target of databricks.yml; the default target if empty")
	f.StringToStringVar(&c.vars, "var", nil, "bundle variable, name=value (repeatable)")
	f.StringVarP(&c.format, "output", "o", "text", "text or json")
	group(root)
	root.PersistentPreRunE = func(*cobra.Command, []string) error {
		if c.format != "text" && c.format != "json" {
			return usageError{fmt.Errorf("--output is text or json, not %q", c.format)}
		}
		return nil
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(
		c.initCmd(), c.upCmd(), c.validateCmd(), c.sqlCmd(), c.pipelineCmd(), c.deviceCmd(), c.tableCmd(), c.catalogCmd(),
		c.simulateCmd(), c.replayCmd(), c.fmtCmd(), c.tokenCmd(), c.doctorCmd(), c.versionCmd(), c.workerCmd(),
	)
	return root
}

// group has a command that only holds others tell of words that it does not
// know; by itself it shows its help.
func group(cmd *cobra.Command) *cobra.Command {
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, a []string) error {
		if len(a) == 0 {
			return cmd.Help()
		}
		hint := fmt.Sprintf("`%s --help` lists what there is", cmd.CommandPath())
		if near := cmd.SuggestionsFor(a[0]); len(near) > 0 {
			hint = fmt.Sprintf("did you mean `%s %s`?", cmd.CommandPath(), near[0])
		}
		return usageError{fmt.Errorf("%s has no command %q; %s", cmd.CommandPath(), a[0], hint)}
	}
	return cmd
}

// args wraps cobra's argument checks so that they end in exit code 2.
func args(check cobra.PositionalArgs) cobra.PositionalArgs {
	return func(cmd *cobra.Command, a []string) error {
		if err := check(cmd, a); err != nil {
			return usageError{fmt.Errorf("%w\nUsage: %s", err, cmd.UseLine())}
		}
		return nil
	}
}

// load reads the project; its errors are already lists with positions.
func (c *cli) load() (*bundle.Project, error) {
	if _, err := os.Stat(c.project); err != nil {
		return nil, fmt.Errorf("project folder %s: %w", c.project, err)
	}
	return bundle.Load(c.project, c.target, c.vars)
}

// client reaches the server that owns this project's data folder.
func (c *cli) client() (*api.Client, *bundle.Project, error) {
	p, err := c.load()
	if err != nil {
		return nil, nil, err
	}
	return api.Unix(app.SocketPath(p.DataDir())), p, nil
}

// explain adds what to do to ErrNotRunning.
func (c *cli) explain(err error) error {
	if errors.Is(err, api.ErrNotRunning) {
		return fmt.Errorf("%w for the project %s: start it with `marisma up -C %s`", api.ErrNotRunning, c.project, c.project)
	}
	return err
}
