package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/marisma/marisma/internal/web/api"
)

func (c *cli) deviceCmd() *cobra.Command {
	cmd := group(&cobra.Command{Use: "device", Short: "Add, list and remove devices", SuggestionsMinimumDistance: 2})
	cmd.AddCommand(
		&cobra.Command{
			Use: "add <id>", Short: "Register a device and print its connection string",
			Args: args(cobra.ExactArgs(1)),
			RunE: func(cmd *cobra.Command, a []string) error {
				return c.device(cmd.Context(), a[0], (*api.Client).AddDevice)
			},
		},
		&cobra.Command{
			Use: "show <id>", Short: "Print a device with its keys and connection string",
			Args: args(cobra.ExactArgs(1)),
			RunE: func(cmd *cobra.Command, a []string) error { return c.device(cmd.Context(), a[0], (*api.Client).Device) },
		},
		&cobra.Command{
			Use: "remove <id>", Short: "Take a device out of the registry and close its connection",
			Args: args(cobra.ExactArgs(1)),
			RunE: func(cmd *cobra.Command, a []string) error {
				cl, _, err := c.client()
				if err != nil {
					return err
				}
				return c.explain(cl.RemoveDevice(cmd.Context(), a[0]))
			},
		},
		&cobra.Command{
			Use: "list", Short: "List the devices",
			Args: args(cobra.NoArgs),
			RunE: func(cmd *cobra.Command, _ []string) error { return c.listDevices(cmd.Context()) },
		},
	)
	return cmd
}

func (c *cli) device(ctx context.Context, id string, get func(*api.Client, context.Context, string) (api.Device, error)) error {
	cl, p, err := c.client()
	if err != nil {
		return err
	}
	d, err := get(cl, ctx, id)
	if err != nil {
		return c.explain(err)
	}
	if c.format == "json" {
		return printJSON(c.out, d)
	}
	_, err = fmt.Fprintf(c.out, "%s\n\nThe server's certificate is signed by its own CA: give the SDK %s\n", d.ConnectionString, p.CAFile())
	return err
}

func (c *cli) listDevices(ctx context.Context) error {
	cl, _, err := c.client()
	if err != nil {
		return err
	}
	all, err := cl.Devices(ctx)
	if err != nil {
		return c.explain(err)
	}
	if c.format == "json" {
		return printJSON(c.out, all)
	}
	t := table{head: []string{"device", "status", "connected", "last activity"}}
	for _, d := range all {
		t.add(d.ID, d.Status, yesNo(d.Connected), ago(d.LastActivity))
	}
	return t.print(c.out)
}

func yesNo(b bool) string {
	if b {
		return "yes"
	}
	return "no"
}

func ago(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return time.Since(t).Round(time.Second).String() + " ago"
}

func (c *cli) tokenCmd() *cobra.Command {
	return &cobra.Command{
		Use: "token", Short: "Make an admin token for the page and the API; it is shown once",
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, _, err := c.client()
			if err != nil {
				return err
			}
			t, err := cl.NewToken(cmd.Context())
			if err != nil {
				return c.explain(err)
			}
			if c.format == "json" {
				return printJSON(c.out, map[string]string{"token": t})
			}
			_, err = fmt.Fprintln(c.out, t)
			return err
		},
	}
}
