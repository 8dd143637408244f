package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// task is one line of the result.
type task struct {
	name  string
	table string // which of the made tables it works on
	// most is the target for the ratios of time and, where memory is above 0,
	// of peak memory; 0 for none.
	most, memory float64
	run          func(ctx context.Context, s *side) error
}

func tasks() []task {
	return []task{
		{"snapshot of 300k adds", "adds", 0.7, 0.7, openFiles},
		{"snapshot of 10k commits", "commits", 0.7, 0.7, openFiles},
		{"refresh by one commit", "commits", 0.02, 0, refresh},
		{"append 1k rows", "empty", 0.8, 0, appendRows},
		{"append 1k rows, both synced", "empty", 0.8, 0, appendRows},
		{"append 100k rows", "empty", 0.8, 0, appendRows},
		{"append 1M rows", "empty", 0.8, 0, appendRows},
		{"merge 1 %", "large", 0.8, 1, changes(mergeText)},
		{"delete 1 %", "large", 0.8, 1, changes(deleteText)},
		{"compact 10k files", "small", 0.8, 1, compact},
		// Of scans the design names the target for SQL over Delta alone.
		{"scan pruned by statistics", "small", 1.15, 0, selects(statsText)},
		{"scan pruned by partition", "days", 1.15, 0, selects(daysText)},
	}
}

// figures are what one process did.
type figures struct {
	Wall   float64 `json:"wall"` // seconds
	CPU    float64 `json:"cpu"`  // seconds
	Peak   float64 `json:"peak"` // MB
	Result int64   `json:"result"`
}

func main() {
	rows := flag.Int("rows", 10_000_000, "rows of the table that MERGE and DELETE change")
	dir := flag.String("dir", ".cache/bench-delta", "folder of the tables")
	adds := flag.String("adds", "../shared/golden/bench/300k-add-files-100-col-partitioned.tar.zst", "archive of the table with 300k adds; the line is left out where it is missing")
	times := flag.Int("times", 3, "runs of each side")
	only := flag.String("only", "", "a part of the names of the tasks to run")
	python := flag.String("python", "", "a Python with deltalake; only our side runs if empty")
	profile := flag.String("profile", "", "file for a CPU profile of our side's work")
	work := flag.String("work", "", "run our side of this task on -dir; the command starts itself so")
	flag.Parse()
	ctx := context.Background()
	var err error
	if *work != "" {
		err = ours(ctx, *work, *dir, *rows, *profile)
	} else {
		b := bench{dir: *dir, rows: *rows, archive: *adds, times: *times, python: *python, profile: *profile}
		err = b.run(ctx, *only)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench/delta:", err)
		os.Exit(1)
	}
}

type bench struct {
	dir, archive, python, profile string
	rows, times                   int
}

func (b *bench) run(ctx context.Context, only string) (err error) {
	if b.dir, err = filepath.Abs(b.dir); err != nil {
		return err
	}
	fmt.Printf("%-27s %28s %28s %6s %6s %6s\n", "", "ours: ms, CPU ms, MB", "deltalake: ms, CPU ms, MB", "time", "CPU", "memory")
	for _, t := range tasks() {
		if !strings.Contains(t.name, only) {
			continue
		}
		base, err := b.table(ctx, t.table)
		if errors.Is(err, errMissing) {
			fmt.Printf("%-27s left out: %v\n", t.name, err)
			continue
		}
		if err == nil {
			err = b.compare(ctx, t, base)
		}
		if err != nil {
			return fmt.Errorf("%s: %w", t.name, err)
		}
	}
	return nil
}

// compare runs both sides in turn and prints the medians.
func (b *bench) compare(ctx context.Context, t task, base string) error {
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	var us, them []figures
	for range b.times {
		args := []string{"-work", t.name, "-rows", fmt.Sprint(b.rows)}
		if b.profile != "" {
			args = append(args, "-profile", b.profile)
		}
		f, err := b.once(ctx, base, func(dir string) *exec.Cmd { return exec.CommandContext(ctx, exe, append(args, "-dir", dir)...) })
		if err != nil {
			return err
		}
		us = append(us, f)
		if b.python == "" {
			continue
		}
		p, err := b.once(ctx, base, func(dir string) *exec.Cmd {
			return exec.CommandContext(ctx, b.python, "bench/delta/peer.py", t.name, dir, fmt.Sprint(b.rows))
		})
		if err != nil {
			return fmt.Errorf("deltalake: %w", err)
		}
		if p.Result != f.Result {
			return fmt.Errorf("we say %d, deltalake says %d", f.Result, p.Result)
		}
		them = append(them, p)
	}
	t.print(middle(us), middle(them))
	return nil
}

func (t task) print(us, them figures) {
	fmt.Printf("%-27s %12.1f %8.0f %6.0f %12.1f %8.0f %6.0f", t.name, us.Wall*1000, us.CPU*1000, us.Peak, them.Wall*1000, them.CPU*1000, them.Peak)
	if them.Wall > 0 {
		time, memory := us.Wall/them.Wall, us.Peak/them.Peak
		fmt.Printf(" %6.3f %6.3f %6.2f   target %g", time, us.CPU/max(them.CPU, 0.001), memory, t.most)
		if t.memory > 0 {
			fmt.Printf(", memory %g", t.memory)
		}
		if time > t.most || t.memory > 0 && memory > t.memory {
			fmt.Print("   MISSED")
		}
	}
	fmt.Println()
}

// once runs one side on a copy of a table.
func (b *bench) once(ctx context.Context, base string, command func(dir string) *exec.Cmd) (f figures, err error) {
	dir, err := os.MkdirTemp(b.dir, "run-*")
	if err != nil {
		return f, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	// Files of a table are never changed in place: links are copies.
	if out, err := exec.CommandContext(ctx, "cp", "-al", base+"/.", dir).CombinedOutput(); err != nil {
		return f, fmt.Errorf("%w: %s", err, out)
	}
	cmd := command(dir)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	cmd.Env = append(os.Environ(), "TZ=UTC")
	if err := cmd.Run(); err != nil {
		return f, fmt.Errorf("%w: %s", err, errs.String())
	}
	return f, json.Unmarshal(out.Bytes(), &f)
}

// middle are the medians.
func middle(all []figures) figures {
	mid := func(of func(figures) float64) float64 {
		v := make([]float64, len(all))
		for i, f := range all {
			v[i] = of(f)
		}
		slices.Sort(v)
		if len(v) == 0 {
			return math.NaN()
		}
		return v[len(v)/2]
	}
	return figures{
		Wall: mid(func(f figures) float64 { return f.Wall }), CPU: mid(func(f figures) float64 { return f.CPU }),
		Peak: mid(func(f figures) float64 { return f.Peak }),
	}
}

var day0 = time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
