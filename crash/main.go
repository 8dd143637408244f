package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"github.com/marisma/marisma/internal/app"
	"github.com/marisma/marisma/internal/web/api"
)

// options of a run.
type options struct {
	bin, python, dir string
	kills            int
	devices          int
	rate             int // messages a second over all devices
	seed             uint64
	keep             bool
}

func main() {
	var o options
	flag.StringVar(&o.bin, "bin", "bin/marisma", "the built program")
	flag.StringVar(&o.python, "python", "python3", "a Python with deltalake for the checker")
	flag.StringVar(&o.dir, "dir", "", "work folder; a temporary one if empty")
	flag.IntVar(&o.kills, "kills", 200, "how often the server is killed")
	flag.IntVar(&o.devices, "devices", 16, "devices that send, at most 16")
	flag.IntVar(&o.rate, "rate", 2000, "messages a second")
	flag.Uint64Var(&o.seed, "seed", uint64(time.Now().UnixNano()), "random seed")
	flag.BoolVar(&o.keep, "keep", false, "keep the work folder")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, o); err != nil {
		fmt.Fprintln(os.Stderr, "crash:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, o options) error {
	dir := o.dir
	if dir == "" {
		tmp, err := os.MkdirTemp("", "marisma-crash-*")
		if err != nil {
			return err
		}
		dir = tmp
	}
	if !o.keep {
		defer func() { _ = os.RemoveAll(dir) }()
	}
	project := filepath.Join(dir, "project")
	if err := os.CopyFS(project, os.DirFS("crash/project")); err != nil {
		return err
	}
	fmt.Printf("seed %d, work folder %s\n", o.seed, dir)
	bin, err := filepath.Abs(o.bin)
	if err != nil {
		return err
	}
	k := &killer{bin: bin, project: project, rng: rand.New(rand.NewPCG(o.seed, 1))}
	load, err := newLoad(filepath.Join(dir, "sent.jsonl"), project, o)
	if err != nil {
		return err
	}
	loadCtx, stopLoad := context.WithCancel(ctx)
	loaded := make(chan error, 1)
	go func() { loaded <- load.run(loadCtx) }()
	err = k.kills(ctx, o.kills)
	stopLoad()
	err = errors.Join(err, <-loaded)
	if err != nil {
		return err
	}
	fmt.Printf("%d kills, %d of them before the server was ready; %d messages sent, %d acknowledged\n",
		o.kills, k.early, load.sent.Load(), load.acked.Load())
	if err := k.drain(ctx, filepath.Join(dir, "tables.json")); err != nil {
		return err
	}
	check := exec.CommandContext(ctx, o.python, "crash/check.py", "--tables", filepath.Join(dir, "tables.json"), "--sent", filepath.Join(dir, "sent.jsonl"))
	check.Stdout, check.Stderr = os.Stdout, os.Stderr
	return check.Run()
}

// killer starts and kills the server.
type killer struct {
	bin, project string
	rng          *rand.Rand
	early        int
}

// Bounds of a server's life; about a third ends before it is ready.
const (
	lifeEarly = 400 * time.Millisecond
	lifeLong  = 2500 * time.Millisecond
)

func (k *killer) start(ctx context.Context) (*exec.Cmd, error) {
	// What the last one left behind would look ready.
	if err := os.Remove(k.readyFile()); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, k.bin, "up", "-C", k.project, "-o", "json")
	log, err := os.OpenFile(filepath.Join(filepath.Dir(k.project), "server.log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer func() { _ = log.Close() }() // the child has its own
	cmd.Stderr = log
	return cmd, cmd.Start()
}

func (k *killer) readyFile() string { return filepath.Join(k.project, ".marisma", "ready.json") }

func (k *killer) ready() bool {
	_, err := os.Stat(k.readyFile())
	return err == nil
}

func (k *killer) kills(ctx context.Context, n int) error {
	for i := range n {
		cmd, err := k.start(ctx)
		if err != nil {
			return err
		}
		life := time.Duration(k.rng.Int64N(int64(lifeLong)))
		if k.rng.IntN(3) == 0 {
			life = time.Duration(k.rng.Int64N(int64(lifeEarly)))
		}
		gone := make(chan error, 1)
		go func() { gone <- cmd.Wait() }()
		select {
		case <-time.After(life):
		case err := <-gone:
			return fmt.Errorf("the server ended by itself before kill %d: %w (see server.log)", i+1, err)
		case <-ctx.Done():
			return ctx.Err()
		}
		if !k.ready() {
			k.early++
		}
		if err := cmd.Process.Kill(); err != nil {
			return err
		}
		<-gone
		if (i+1)%20 == 0 {
			fmt.Printf("%d kills\n", i+1)
		}
	}
	return nil
}

// drainWait bounds how long the pipeline may take to catch up.
const drainWait = 3 * time.Minute

// drain starts the server once more, lets the pipeline catch up, writes where
// the tables lie and stops cleanly.
func (k *killer) drain(ctx context.Context, tables string) error {
	cmd, err := k.start(ctx)
	if err != nil {
		return err
	}
	defer func() { _ = cmd.Process.Kill() }()
	ctx, cancel := context.WithTimeout(ctx, drainWait)
	defer cancel()
	for !k.ready() {
		select {
		case <-ctx.Done():
			return errors.New("the server did not get ready after the last kill")
		case <-time.After(50 * time.Millisecond):
		}
	}
	cl := api.Unix(app.SocketPath(filepath.Join(k.project, ".marisma")))
	if err := cl.PipelineAction(ctx, "crash", "run", nil); err != nil {
		return err
	}
	var all []api.Table
	if err := cl.Do(ctx, "GET", "/tables", nil, &all); err != nil {
		return err
	}
	paths := map[string]string{}
	for _, t := range all {
		if t.Path != "" {
			paths[t.Name] = t.Path
		}
	}
	b, err := json.Marshal(paths)
	if err != nil {
		return err
	}
	if err := os.WriteFile(tables, b, 0o600); err != nil {
		return err
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		return err
	}
	return cmd.Wait()
}
