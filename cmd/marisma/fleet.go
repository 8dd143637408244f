package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/marisma/marisma/internal/app"
	"github.com/marisma/marisma/internal/bundle"
	"github.com/marisma/marisma/internal/fleet"
	"github.com/marisma/marisma/internal/obs"
	"github.com/marisma/marisma/internal/web/api"
)

// devices dials the running hub as its devices.
func (c *cli) devices(ctx context.Context) (*api.Client, *bundle.Project, fleet.Dialer, error) {
	cl, p, err := c.client()
	if err != nil {
		return nil, nil, nil, err
	}
	st, err := cl.Status(ctx)
	if err != nil {
		return nil, nil, nil, c.explain(err)
	}
	dial, err := app.Dialer(p.CAFile(), st.Addresses["mqtts"], cl.Device)
	return cl, p, dial, err
}

func (c *cli) simulateCmd() *cobra.Command {
	var cfg fleet.SimulateConfig
	var clean bool
	cmd := &cobra.Command{
		Use: "simulate [device...]", Short: "Play the project's devices, or those named, until it is interrupted",
		Example: `  marisma simulate --interval 1s
  marisma simulate press-01 press-02 --history 2h --count 100`,
		RunE: func(cmd *cobra.Command, a []string) error {
			if cfg.Interval <= 0 || cfg.History < 0 || cfg.Count < 0 {
				return usageError{errors.New("--interval must be positive, --history and --count not negative")}
			}
			_, p, dial, err := c.devices(cmd.Context())
			if err != nil {
				return err
			}
			cfg.Dial, cfg.Devices = dial, a
			if len(a) == 0 {
				cfg.Devices = p.DeviceIDs()
			}
			if len(cfg.Devices) == 0 {
				return usageError{errors.New("the project has no devices: name some, or add `devices` to marisma.yml")}
			}
			if !clean {
				cfg.Dirt = fleet.HonestDirt
			}
			cfg.Logger = obs.NewLogger(c.err, "", "text")
			bar := newProgress(c.err, "messages")
			cfg.Progress = func(s fleet.Sent) { bar.show(s.Messages) }
			sent, err := fleet.Simulate(cmd.Context(), cfg)
			bar.end()
			if err != nil && cmd.Context().Err() == nil {
				return err
			}
			if c.format == "json" {
				return printJSON(c.out, sent)
			}
			_, err = fmt.Fprintf(c.out, "%s messages acknowledged, %s of them repetitions\n", count(sent.Messages), count(sent.Again))
			return err
		},
	}
	f := cmd.Flags()
	f.DurationVar(&cfg.Interval, "interval", 5*time.Second, "time between two messages of a device")
	f.DurationVar(&cfg.History, "history", 0, "send this much back-dated time first")
	f.IntVar(&cfg.Count, "count", 0, "end after this many messages a device (0: never)")
	f.Uint64Var(&cfg.Seed, "seed", 0, "make the same fleet again (0: from the clock)")
	f.BoolVar(&clean, "clean", false, "send no faulty messages")
	return cmd
}

func (c *cli) replayCmd() *cobra.Command {
	var cfg fleet.ReplayConfig
	var order, zone string
	cmd := &cobra.Command{
		Use: "replay <file.csv>...", Short: "Send the rows of CSV files as the devices that measured them",
		Long: `Replay sends each row of the files as a JSON message of its device and ends
when the hub has acknowledged all. The device is taken from the column
device_id, device, station or sensor (else the file's name), the time from ts,
timestamp, time, datetime or date, or from year, month, day and hour.`,
		Example: `  marisma replay PRSA_Data_*.csv --order event-time --zone +08:00
  marisma replay machine.csv --device-column asset --rate 500`,
		Args: args(cobra.MinimumNArgs(1)),
		RunE: func(cmd *cobra.Command, a []string) error {
			if order != string(fleet.EventTime) && order != string(fleet.FileOrder) {
				return usageError{fmt.Errorf("--order is event-time or file, not %q", order)}
			}
			loc, err := parseZone(zone)
			if err != nil {
				return usageError{err}
			}
			cl, _, dial, err := c.devices(cmd.Context())
			if err != nil {
				return err
			}
			cfg.Files, cfg.Order, cfg.Zone, cfg.Dial = a, fleet.Order(order), loc, dial
			cfg.Ensure = ensureDevice(cl)
			cfg.Logger = obs.NewLogger(c.err, "", "text")
			bar := newProgress(c.err, "rows")
			cfg.Progress = bar.show
			stats, err := fleet.Replay(cmd.Context(), cfg)
			bar.end()
			if err != nil {
				return fmt.Errorf("after %d acknowledged rows: %w", stats.Rows, err)
			}
			if c.format == "json" {
				return printJSON(c.out, stats)
			}
			_, err = fmt.Fprintf(c.out, "%s rows of %d devices acknowledged in %s, from %s to %s\n", count(stats.Rows), stats.Devices,
				stats.Took.Round(time.Millisecond), stats.First.UTC().Format(time.DateTime), stats.Last.UTC().Format(time.DateTime))
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&order, "order", string(fleet.EventTime), "event-time merges the files by time, file sends one after the other")
	f.StringVar(&cfg.DeviceColumn, "device-column", "", "column that names the device")
	f.StringVar(&cfg.TimeColumn, "time-column", "", "column of the event time")
	f.StringVar(&zone, "zone", "UTC", "time zone of times without one: a name or +hh:mm")
	f.Float64Var(&cfg.Rate, "rate", 0, "rows a second (0: as fast as the hub takes them)")
	return cmd
}

// ensureDevice registers a device that the hub does not know yet.
func ensureDevice(cl *api.Client) func(context.Context, string) error {
	return func(ctx context.Context, id string) error {
		_, err := cl.Device(ctx, id)
		if e, ok := errors.AsType[*api.Error](err); ok && e.Code == "NOT_FOUND" {
			_, err = cl.AddDevice(ctx, id)
		}
		return err
	}
}

func parseZone(s string) (*time.Location, error) {
	if t, err := time.Parse("-07:00", s); err == nil {
		return t.Location(), nil
	}
	loc, err := time.LoadLocation(s)
	if err != nil {
		return nil, fmt.Errorf("--zone %q is neither a zone name like Asia/Shanghai nor an offset like +08:00", s)
	}
	return loc, nil
}
