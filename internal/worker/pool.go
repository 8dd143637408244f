package worker

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"sync"
	"syscall"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// Families of errors.
var (
	// ErrDied: the process ended before its result did.
	ErrDied = errors.New("the query's process died; nothing else was touched")
	// ErrClosed: the pool is closed.
	ErrClosed = errors.New("worker: the pool is closed")
)

// Config of a Pool.
type Config struct {
	// Command starts a worker: the binary and its arguments. Empty is the
	// running binary with "worker".
	Command []string
	// Env is added to the environment of the workers.
	Env []string
	// Size bounds the processes and so the statements that run at a time, 2 if
	// zero; others wait.
	Size int
	// Memory is the limit of one worker in bytes, 1 GiB if zero.
	Memory int64
	// Threads of one worker, 2 if zero.
	Threads int
	// TempDir is where large statements spill.
	TempDir string
	Logger  *slog.Logger
}

// Pool starts workers when they are needed and keeps them for the next
// statement.
type Pool struct {
	cfg   Config
	slots chan struct{}

	mu     sync.Mutex
	idle   []*process
	closed bool
}

// New makes a pool; it starts no process.
func New(cfg Config) *Pool {
	if cfg.Size == 0 {
		cfg.Size = 2
	}
	if cfg.Memory == 0 {
		cfg.Memory = 1 << 30
	}
	if cfg.Threads == 0 {
		cfg.Threads = 2
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	return &Pool{cfg: cfg, slots: make(chan struct{}, cfg.Size)}
}

// process is one running worker.
type process struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	w   *bufio.Writer
	r   *bufio.Reader
}

func (p *Pool) start() (*process, error) {
	command := p.cfg.Command
	if len(command) == 0 {
		self, err := os.Executable()
		if err != nil {
			return nil, err
		}
		command = []string{self, "worker"}
	}
	cmd := exec.Command(command[0], command[1:]...) //nolint:gosec // the command is the program itself
	cmd.Env = append(os.Environ(), p.cfg.Env...)
	cmd.Stderr = os.Stderr
	// A Ctrl-C on the terminal is the server's to handle; a worker ends when its
	// standard input does, so also when the server was killed.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("worker: %w", err)
	}
	return &process{cmd: cmd, in: in, w: bufio.NewWriter(in), r: bufio.NewReaderSize(out, dataFrame)}, nil
}

// end stops the process; it is gone on return.
func (w *process) end() error {
	_ = w.in.Close()
	_ = w.cmd.Process.Kill()
	return w.cmd.Wait()
}

// take gives an idle process or starts one.
func (p *Pool) take() (*process, error) {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil, ErrClosed
	}
	if n := len(p.idle); n > 0 {
		w := p.idle[n-1]
		p.idle = p.idle[:n-1]
		p.mu.Unlock()
		return w, nil
	}
	p.mu.Unlock()
	return p.start()
}

// put keeps a process for the next statement.
func (p *Pool) put(w *process) {
	p.mu.Lock()
	if !p.closed {
		p.idle = append(p.idle, w)
		p.mu.Unlock()
		return
	}
	p.mu.Unlock()
	_ = w.end() // it was killed: its exit status says nothing
}

// Close ends the idle workers; those that run end with their statements.
func (p *Pool) Close() error {
	p.mu.Lock()
	idle := p.idle
	p.idle, p.closed = nil, true
	p.mu.Unlock()
	for _, w := range idle {
		_ = w.end() // killed
	}
	return nil
}

// Rows is a running result. Close it.
type Rows struct {
	pool *Pool
	proc *process
	data *dataReader
	dec  *ipc.Reader
	stop func() bool
	done bool
	once sync.Once
}

// Query runs req in a worker. It waits for a free one. Ending ctx ends the
// worker that runs the statement. Memory, threads and the folder for spilling
// come from the pool where req leaves them zero.
func (p *Pool) Query(ctx context.Context, req Request) (*Rows, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if req.Memory == 0 {
		req.Memory = p.cfg.Memory
	}
	if req.Threads == 0 {
		req.Threads = p.cfg.Threads
	}
	if req.TempDir == "" {
		req.TempDir = p.cfg.TempDir
	}
	proc, err := p.take()
	if err != nil {
		<-p.slots
		return nil, err
	}
	r := &Rows{pool: p, proc: proc, data: &dataReader{r: proc.r}}
	r.stop = context.AfterFunc(ctx, func() { _ = proc.cmd.Process.Kill() })
	if err := r.begin(req); err != nil {
		err = r.explain(ctx, err)
		r.Close()
		return nil, err
	}
	return r, nil
}

func (r *Rows) begin(req Request) error {
	if err := writeJSON(r.proc.w, frameRequest, req); err != nil {
		return err
	}
	dec, err := ipc.NewReader(r.data)
	if err != nil {
		// The stream never began: the closing frame says why.
		if r.data.end != nil && !errors.Is(r.data.end, io.EOF) {
			return r.data.end
		}
		return err
	}
	r.dec = dec
	return nil
}

// explain names the cause behind a broken pipe.
func (r *Rows) explain(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if qe, ok := errors.AsType[*QueryError](err); ok {
		return qe
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.EPIPE) || errors.Is(err, os.ErrClosed) {
		return fmt.Errorf("%w (%w)", ErrDied, err)
	}
	return err
}

// Schema of the result.
func (r *Rows) Schema() *arrow.Schema { return r.dec.Schema() }

// Next gives the next batch, the caller's to release; io.EOF at the end.
func (r *Rows) Next(ctx context.Context) (arrow.RecordBatch, error) {
	if r.dec.Next() {
		rec := r.dec.RecordBatch()
		rec.Retain()
		return rec, nil
	}
	err := r.dec.Err()
	if err == nil || errors.Is(err, io.EOF) {
		// The Arrow stream has its own end; the worker's word comes after it.
		err = r.data.drain()
	}
	if err == nil {
		r.done = true
		return nil, io.EOF
	}
	if _, ok := errors.AsType[*QueryError](err); ok {
		r.done = true
	}
	return nil, r.explain(ctx, err)
}

// Close ends the statement. A worker whose result was read to the end serves
// the next one; any other is ended.
func (r *Rows) Close() {
	r.once.Do(func() {
		if r.dec != nil {
			r.dec.Release()
		}
		finished := r.done || r.data.end != nil
		if r.stop() && finished {
			r.pool.put(r.proc)
		} else {
			_ = r.proc.end() // killed
		}
		<-r.pool.slots
	})
}
