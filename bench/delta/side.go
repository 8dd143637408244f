package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

// side is our work on one table.
type side struct {
	name    string // of the task
	dir     string
	rows    int
	profile string
	figures
}

// ours does a task and prints its figures.
func ours(ctx context.Context, name, dir string, rows int, profile string) error {
	i := slices.IndexFunc(tasks(), func(t task) bool { return t.name == name })
	if i < 0 {
		return fmt.Errorf("no task %q", name)
	}
	s := &side{name: name, dir: dir, rows: rows, profile: profile}
	if err := tasks()[i].run(ctx, s); err != nil {
		return err
	}
	var err error
	if s.Peak, err = peak(); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(s.figures)
}

// timed measures f, done times over.
func (s *side) timed(done int, f func() error) error {
	if s.profile != "" {
		out, err := os.Create(s.profile)
		if err != nil {
			return err
		}
		defer func() { _ = out.Close() }()
		if err := pprof.StartCPUProfile(out); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	var walls []float64
	cpu := spent()
	for range done {
		began := time.Now()
		if err := f(); err != nil {
			return err
		}
		walls = append(walls, time.Since(began).Seconds())
	}
	s.CPU = (spent() - cpu) / float64(done)
	slices.Sort(walls)
	s.Wall = walls[len(walls)/2]
	return nil
}

// spent are the process' CPU seconds.
func spent() float64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()).Seconds()
}

// peak is the most memory that the process had, in MB.
func peak() (float64, error) {
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	var kb float64
	if _, err := fmt.Sscan(rest, &kb); err != nil {
		return 0, fmt.Errorf("VmHWM: %w", err)
	}
	return kb / 1024, nil
}

func (s *side) open(ctx context.Context, root string) (*delta.Table, error) {
	return delta.Open(ctx, objstore.Local(s.dir), root)
}

// openFiles opens a table and looks at each of its files.
func openFiles(ctx context.Context, s *side) error {
	return s.timed(1, func() error {
		t, err := s.open(ctx, tableRoot)
		if err != nil {
			return err
		}
		snap, err := t.Snapshot(ctx)
		if err != nil {
			return err
		}
		for a := range snap.All() {
			if a.Path != "" {
				s.Result++
			}
		}
		return nil
	})
}

// refresh has one more commit come to an open table.
func refresh(ctx context.Context, s *side) error {
	t, err := s.open(ctx, tableRoot)
	if err != nil {
		return err
	}
	next := filepath.Join(s.dir, tableRoot, "_delta_log", fmt.Sprintf("%020d.json", commits+1))
	if err := os.Link(filepath.Join(s.dir, "next.json"), next); err != nil {
		return err
	}
	return s.timed(1, func() error {
		snap, err := t.Snapshot(ctx)
		if err == nil {
			s.Result = snap.Version()
		}
		return err
	})
}

// appendRows appends rows that are in memory.
func appendRows(ctx context.Context, s *side) error {
	a := appended[s.name]
	f, err := os.Open(rowsFile(s.dir, a.rows))
	if err != nil {
		return err
	}
	defer func() { _ = f.Close() }()
	r, err := ipc.NewFileReader(f)
	if err != nil {
		return err
	}
	var recs []arrow.RecordBatch
	for i := range r.NumRecords() {
		rec, err := r.RecordBatchAt(i)
		if err != nil {
			return err
		}
		recs = append(recs, rec)
	}
	t, err := s.open(ctx, tableRoot)
	if err != nil {
		return err
	}
	return s.timed(a.done, func() error {
		s.Result, err = t.Append(ctx, delta.Batches(recs...))
		return err
	})
}

func compact(ctx context.Context, s *side) error {
	return s.timed(1, func() error {
		t, err := s.open(ctx, tableRoot)
		if err != nil {
			return err
		}
		r, err := t.Compact(ctx, delta.CompactOptions{MaxFiles: 2 * smalls})
		s.Result = int64(r.Removed)
		return err
	})
}
