package duck

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow/memory"
	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/kernel"
	"github.com/marisma/marisma/internal/duck/vector"
)

// Config says how large a Pool is. The zero value of a field is its default.
type Config struct {
	Memory    int64 // bytes for all instances together; default 1 GiB
	Instances int   // default: GOMAXPROCS
	Threads   int   // of each instance; default 1
	// TempDir is where queries spill what their share of memory does not
	// hold; each instance makes a folder of its own in it. "" means no spill.
	TempDir string
	// AllowedDirs are the folders whose files the SQL may read and write; no
	// other file, address or extension can be reached. nil: none.
	AllowedDirs []string
	// AllowedFiles are single files that the SQL may read besides.
	AllowedFiles []string
	// ReadOnlySandbox refuses every statement but SELECT and EXPLAIN.
	ReadOnlySandbox bool
	Logger          *slog.Logger
}

func (c *Config) validate() error {
	c.Memory = cmp.Or(c.Memory, 1<<30)
	c.Instances = cmp.Or(c.Instances, runtime.GOMAXPROCS(0))
	c.Threads = cmp.Or(c.Threads, 1)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	switch {
	case c.Memory < 0 || c.Instances < 0 || c.Threads < 0:
		return errors.New("duck: Memory, Instances and Threads must not be negative")
	case c.Memory/int64(c.Instances) < 16<<20:
		return fmt.Errorf("duck: %d bytes are less than 16 MiB for each of %d instances", c.Memory, c.Instances)
	}
	for _, d := range append(slices.Clone(c.AllowedDirs), c.AllowedFiles...) {
		if !filepath.IsAbs(d) {
			return fmt.Errorf("duck: allowed path %q is not absolute", d)
		}
	}
	return nil
}

// Pool is a set of DuckDB instances. It is safe for concurrent use.
type Pool struct {
	cfg  Config
	free chan *instance
	done chan struct{}

	mu     sync.Mutex
	closed bool
	out    sync.WaitGroup // Conns taken
}

// maxKernels bounds the functions that one instance collects, since DuckDB
// cannot drop them: an instance with more is opened anew when it comes back.
const maxKernels = 2000

// instance is one DuckDB with its one connection.
type instance struct {
	db      duckdb.Database
	conn    duckdb.Connection
	temp    string
	kernels *kernel.Set
	scans   *registry
}

// Open starts the instances.
func Open(cfg Config) (*Pool, error) {
	if err := cfg.validate(); err != nil {
		return nil, err
	}
	p := &Pool{cfg: cfg, free: make(chan *instance, cfg.Instances), done: make(chan struct{})}
	for range cfg.Instances {
		in, err := p.open()
		if err != nil {
			return nil, errors.Join(err, p.Close())
		}
		p.free <- in
	}
	return p, nil
}

// Allocator gives the memory in which batches for DuckDB are built best:
// outside the Go heap, so that the collector neither scans nor counts it.
func Allocator() memory.Allocator { return vector.Allocator{} }

// TuneMemory has the C library keep less free memory, in the whole process;
// it is called once, early. Without it every thread has a pool of its own.
func TuneMemory() { vector.Tune(min(max(2, runtime.GOMAXPROCS(0)), maxArenas)) }

// maxArenas is enough not to have threads wait for each other: most memory is
// asked for in large pieces.
const maxArenas = 8

func (p *Pool) open() (in *instance, err error) {
	in = &instance{}
	defer func() {
		if err != nil {
			in.close()
			in = nil
		}
	}()
	opts := map[string]string{
		"memory_limit":                 fmt.Sprintf("%dB", p.cfg.Memory/int64(p.cfg.Instances)),
		"threads":                      fmt.Sprint(p.cfg.Threads),
		"preserve_insertion_order":     "false", // true makes scans of table functions single-threaded
		"autoinstall_known_extensions": "false",
		"autoload_known_extensions":    "false",
		"temp_directory":               "",
	}
	if p.cfg.TempDir != "" {
		if err := os.MkdirAll(p.cfg.TempDir, 0o700); err != nil {
			return in, fmt.Errorf("duck: spill folder: %w", err)
		}
		if in.temp, err = os.MkdirTemp(p.cfg.TempDir, "duckdb-"); err != nil {
			return in, fmt.Errorf("duck: spill folder: %w", err)
		}
		opts["temp_directory"] = in.temp
	}
	if err := in.start(opts); err != nil {
		return in, err
	}
	for _, s := range p.setup() {
		if err := in.exec(s); err != nil {
			return in, fmt.Errorf("duck: %s: %w", s, err)
		}
	}
	in.kernels = kernel.NewSet(in.conn)
	in.scans, err = newRegistry(in.conn, p.cfg.Threads)
	return in, err
}

func (in *instance) start(opts map[string]string) error {
	var cfg duckdb.Config
	if duckdb.CreateConfig(&cfg) == duckdb.StateError {
		return errors.New("duck: no memory for a configuration")
	}
	defer duckdb.DestroyConfig(&cfg)
	for k, v := range opts {
		if duckdb.SetConfig(cfg, k, v) == duckdb.StateError {
			return fmt.Errorf("duck: setting %s = %q is refused", k, v)
		}
	}
	var msg string
	if duckdb.OpenExt("", &in.db, cfg, &msg) == duckdb.StateError {
		return newError(msg, nil)
	}
	if duckdb.Connect(in.db, &in.conn) == duckdb.StateError {
		return errors.New("duck: cannot connect to a new instance")
	}
	return nil
}

// setup is what an instance runs first; the last statements close the sandbox.
// The streaming buffer holds about one batch of a Reader: with DuckDB's own
// 976 KiB its threads wait for each other while a batch is made.
func (p *Pool) setup() []string {
	s := []string{"SET GLOBAL TimeZone = 'UTC'", "SET enable_progress_bar = false", "SET streaming_buffer_size = '4MB'"}
	if len(p.cfg.AllowedDirs) > 0 {
		q := make([]string, len(p.cfg.AllowedDirs))
		for i, d := range p.cfg.AllowedDirs {
			q[i] = Quote(strings.TrimRight(filepath.ToSlash(d), "/") + "/")
		}
		s = append(s, "SET allowed_directories = ["+strings.Join(q, ", ")+"]")
	}
	if len(p.cfg.AllowedFiles) > 0 {
		q := make([]string, len(p.cfg.AllowedFiles))
		for i, f := range p.cfg.AllowedFiles {
			q[i] = Quote(filepath.ToSlash(f))
		}
		s = append(s, "SET allowed_paths = ["+strings.Join(q, ", ")+"]")
	}
	return append(s, "SET enable_external_access = false", "SET lock_configuration = true")
}

// Quote is text as a SQL string literal.
func Quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func (in *instance) exec(sql string) error {
	var res duckdb.Result
	defer duckdb.DestroyResult(&res)
	if duckdb.Query(in.conn, sql, &res) == duckdb.StateError {
		return newError(duckdb.ResultError(&res), nil)
	}
	return nil
}

func (in *instance) close() {
	duckdb.Disconnect(&in.conn)
	duckdb.Close(&in.db)
	if in.temp != "" {
		_ = os.RemoveAll(in.temp) // only spilled pages, and DuckDB has removed its own
	}
}

// Get waits for a free instance. The Conn is for one goroutine; Put gives it
// back.
func (p *Pool) Get(ctx context.Context) (*Conn, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	select {
	case <-p.done:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	case in := <-p.free:
		p.mu.Lock()
		defer p.mu.Unlock()
		if p.closed {
			p.free <- in
			return nil, ErrClosed
		}
		p.out.Add(1)
		return &Conn{pool: p, in: in}, nil
	}
}

// put takes an instance back, or a new one in its place.
func (p *Pool) put(in *instance) {
	defer p.out.Done()
	if in.kernels.Len() > maxKernels {
		fresh, err := p.open()
		if err != nil {
			// The old one still works, and the next return tries again.
			p.cfg.Logger.Warn("DuckDB instance could not be opened anew", "error", err)
		} else {
			in.close()
			in = fresh
		}
	}
	p.free <- in
}

// Close waits until every Conn is back, then ends the instances.
func (p *Pool) Close() error {
	p.mu.Lock()
	if p.closed {
		p.mu.Unlock()
		return nil
	}
	p.closed = true
	close(p.done)
	p.mu.Unlock()
	p.out.Wait()
	for {
		select {
		case in := <-p.free:
			in.close()
		default:
			return nil
		}
	}
}
