package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/marisma/marisma/internal/sparksql/types"
	"github.com/marisma/marisma/internal/web/api"
)

func (c *cli) tableCmd() *cobra.Command {
	cmd := group(&cobra.Command{Use: "table", Short: "Look into tables and keep them in shape", SuggestionsMinimumDistance: 2,
		Long: "Each verb but history runs the SQL statement of its name; a table is a name or an absolute path."})
	cmd.AddCommand(c.tableHistory(), c.tableOptimize(), c.tableVacuum(), c.tableRestore(),
		&cobra.Command{
			Use: "detail <table>", Short: "Print where a table lies, its size, features and properties",
			Args: args(cobra.ExactArgs(1)),
			RunE: func(cmd *cobra.Command, a []string) error {
				return c.statement(cmd.Context(), "DESCRIBE DETAIL "+c.tableName(a[0]))
			},
		},
		&cobra.Command{
			Use: "create-statement <table>", Short: "Print the statement that makes such a table",
			Args: args(cobra.ExactArgs(1)),
			RunE: func(cmd *cobra.Command, a []string) error {
				return c.statement(cmd.Context(), "SHOW CREATE TABLE "+c.tableName(a[0]))
			},
		})
	return cmd
}

func (c *cli) tableOptimize() *cobra.Command {
	var where string
	var zorder []string
	var full bool
	cmd := &cobra.Command{
		Use: "optimize <table>", Short: "Merge small files, and order rows",
		Example: `  marisma table optimize silver_readings --where "day >= '2024-01-01'" --zorder-by device_id`,
		Args:    args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, a []string) error {
			sql := "OPTIMIZE " + c.tableName(a[0])
			if full {
				sql += " FULL"
			}
			if where != "" {
				sql += " WHERE " + where
			}
			if len(zorder) > 0 {
				sql += " ZORDER BY (" + strings.Join(zorder, ", ") + ")"
			}
			return c.statement(cmd.Context(), sql)
		},
	}
	cmd.Flags().StringVar(&where, "where", "", "condition on partition columns")
	cmd.Flags().StringSliceVar(&zorder, "zorder-by", nil, "columns to order rows by")
	cmd.Flags().BoolVar(&full, "full", false, "cluster all files of a clustered table anew")
	return cmd
}

func (c *cli) tableVacuum() *cobra.Command {
	var hours float64
	var dry, lite bool
	cmd := &cobra.Command{
		Use: "vacuum <table>", Short: "Delete files that no version in the retention needs",
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, a []string) error {
			sql := "VACUUM " + c.tableName(a[0])
			if lite {
				sql += " LITE"
			}
			if cmd.Flags().Changed("retain-hours") {
				sql += fmt.Sprintf(" RETAIN %g HOURS", hours)
			}
			if dry {
				sql += " DRY RUN"
			}
			return c.statement(cmd.Context(), sql)
		},
	}
	cmd.Flags().Float64Var(&hours, "retain-hours", 168, "age below which files stay")
	cmd.Flags().BoolVar(&dry, "dry-run", false, "only list the files")
	cmd.Flags().BoolVar(&lite, "lite", false, "look into the log only, not into the folder")
	return cmd
}

func (c *cli) tableRestore() *cobra.Command {
	var version int64
	var at string
	cmd := &cobra.Command{
		Use: "restore <table>", Short: "Make a table what it was at a version or time",
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, a []string) error {
			sql := "RESTORE TABLE " + c.tableName(a[0])
			switch {
			case (at != "") == cmd.Flags().Changed("version"):
				return usageError{errors.New("give either --version or --timestamp")}
			case at != "":
				sql += " TO TIMESTAMP AS OF " + types.QuoteText(at)
			default:
				sql += fmt.Sprintf(" TO VERSION AS OF %d", version)
			}
			return c.statement(cmd.Context(), sql)
		},
	}
	cmd.Flags().Int64Var(&version, "version", 0, "the version")
	cmd.Flags().StringVar(&at, "timestamp", "", "the time, as 2024-05-01 or 2024-05-01 12:00:00")
	return cmd
}

// tableName is a table as statements name it: each part in backticks.
func (c *cli) tableName(name string) string {
	if strings.HasPrefix(name, "/") || strings.Contains(name, "://") {
		return "delta." + types.Quote(name)
	}
	parts := strings.Split(name, ".")
	for i, p := range parts {
		parts[i] = types.Quote(strings.Trim(p, "`"))
	}
	return strings.Join(parts, ".")
}

// statement runs one statement and prints its only row as a list.
func (c *cli) statement(ctx context.Context, sql string) error {
	cl, p, err := c.client()
	if err != nil {
		return err
	}
	cat, schema := p.DefaultSchema()
	var out resultPrinter = &listPrinter{cli: c}
	if c.format == "json" {
		out = &jsonPrinter{w: bufio.NewWriter(c.out)}
	}
	return c.explain(cl.SQL(ctx, api.SQLRequest{Statement: sql, Catalog: cat, Schema: schema}, printed(out)))
}

// listPrinter prints a row as a list of its columns, and single columns as
// lines.
type listPrinter struct {
	*cli
	names []string
}

func (p *listPrinter) columns(cols []api.Column) error {
	for _, c := range cols {
		p.names = append(p.names, c.Name)
	}
	return nil
}

func (p *listPrinter) rows(rows [][]*string) error {
	w := tabwriter.NewWriter(p.out, 0, 0, 2, ' ', 0)
	for _, r := range rows {
		for i, v := range r {
			switch {
			case v == nil:
			case len(r) == 1:
				fmt.Fprintln(w, strings.TrimRight(*v, "\n"))
			default:
				fmt.Fprintf(w, "%s\t%s\n", p.names[i], *v)
			}
		}
	}
	return w.Flush()
}

func (p *listPrinter) done(api.SQLDone) error { return nil }

func (c *cli) tableHistory() *cobra.Command {
	var limit int
	cmd := &cobra.Command{
		Use: "history <table>", Short: "List a table's commits, newest first",
		Args: args(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, a []string) error {
			if limit < 1 {
				return usageError{errors.New("--limit must be positive")}
			}
			return c.history(cmd.Context(), a[0], limit)
		},
	}
	cmd.Flags().IntVar(&limit, "limit", 20, "number of commits")
	return cmd
}

func (c *cli) history(ctx context.Context, table string, limit int) error {
	cl, p, err := c.client()
	if err != nil {
		return err
	}
	h, err := cl.History(ctx, p.Qualify(table), limit)
	if err != nil {
		return c.explain(err)
	}
	if c.format == "json" {
		return printJSON(c.out, h)
	}
	return printHistory(c, h)
}

func printHistory(c *cli, h []api.Commit) error {
	t := table{head: []string{"version", "time", "operation", "rows", "files", "engine"}, right: []bool{true, false, false, true, true, false}}
	for _, k := range h {
		t.add(fmt.Sprint(k.Version), k.Time.UTC().Format("2006-01-02 15:04:05.000"), k.Operation,
			k.Metrics["numOutputRows"], k.Metrics["numFiles"], k.Engine)
	}
	return t.print(c.out)
}
