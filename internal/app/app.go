package app

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/marisma/marisma/internal/bundle"
	"github.com/marisma/marisma/internal/obs"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/web"
)

// Config says what to run. Project is required.
type Config struct {
	Project *bundle.Project
	Logger  *slog.Logger
	// Banner gets the block that says where everything is, once all is ready;
	// with BannerJSON as one JSON object. Nil for none.
	Banner     io.Writer
	BannerJSON bool
	Fleet      Fleet
	// Worker starts a process that runs ad-hoc SQL; the running binary with
	// the argument "worker" if empty.
	Worker []string
}

// Fleet says whether and how the project's own devices are played.
type Fleet struct {
	Play     bool
	Interval time.Duration // between two messages of a device
	History  time.Duration // sent first, back-dated, where the hub is empty
}

// App is one project's run.
type App struct {
	cfg     Config
	log     *slog.Logger
	started time.Time
}

// New checks cfg; it does no I/O.
func New(cfg Config) (*App, error) {
	if cfg.Project == nil {
		return nil, errors.New("app: no project")
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Fleet.Interval == 0 {
		cfg.Fleet.Interval = 5 * time.Second
	}
	return &App{cfg: cfg, log: cfg.Logger}, nil
}

// stopWait bounds how long open requests may take to end.
const stopWait = 5 * time.Second

// Run runs the project until ctx is done, which is a clean stop and gives nil,
// or until a part that the rest needs fails.
func (a *App) Run(ctx context.Context) error {
	a.started = time.Now()
	tuneMemory()
	if err := checkNew(ctx, a.cfg.Project); err != nil {
		return err
	}
	s, err := openStores(ctx, a.cfg.Project, a.log)
	if err != nil {
		return err
	}
	defer s.close()
	e, err := openEngines(ctx, a.cfg.Project, s, a.cfg.Worker, a.log)
	if err != nil {
		return err
	}
	defer e.close()
	l, err := listen(ctx, a.cfg.Project, s)
	if err != nil {
		return err
	}
	defer l.close()
	return a.serve(ctx, s, e, l)
}

// serve starts everything and stops it in order: fronts first, so that
// nothing new comes in, then the pipelines, then the log.
func (a *App) serve(ctx context.Context, s *stores, e *engines, l *listeners) error {
	g, fronts := errgroup.WithContext(ctx)
	engineCtx, stopEngines := context.WithCancel(context.WithoutCancel(ctx))
	defer stopEngines()
	storeCtx, stopStores := context.WithCancel(context.WithoutCancel(ctx))
	defer stopStores()

	stores, storesFailed := errgroup.WithContext(storeCtx)
	stores.Go(func() error { return s.log.Run(storesFailed) })
	pipes := new(errgroup.Group)
	for _, p := range e.pipelines {
		pipes.Go(func() error { return p.Run(engineCtx) })
	}
	door, err := a.door(s, e, l)
	if err != nil {
		return err
	}
	for _, ln := range l.devices {
		g.Go(func() error { return e.hub.Serve(fronts, ln) })
	}
	g.Go(func() error { return serveHTTP(fronts, l.http, door.Handler()) })
	g.Go(func() error { return serveHTTP(fronts, l.local, door.LocalHandler()) })
	g.Go(func() error { e.meter.run(fronts, e.hub); return nil })
	// A log that ends early takes the fronts with it.
	g.Go(func() error {
		select {
		case <-fronts.Done():
			return nil
		case <-storesFailed.Done():
			return context.Cause(storesFailed)
		}
	})
	if a.cfg.Fleet.Play {
		g.Go(func() error { return a.play(fronts, s, l) })
	}
	if err := a.announce(s, l); err != nil {
		return err
	}
	errs := []error{g.Wait()}
	e.hub.Close() // WebSocket connections outlive the HTTP server
	a.log.Info("stopping: no new messages, finishing batches")
	stopEngines()
	errs = append(errs, pipes.Wait())
	stopStores()
	errs = append(errs, stores.Wait())
	a.log.Info("stopped", "ran", time.Since(a.started).Round(time.Second))
	return failures(errs)
}

// failures joins the errors but for those that only say that a stop was asked for.
func failures(errs []error) error {
	return errors.Join(slices.DeleteFunc(errs, func(err error) bool { return errors.Is(err, context.Canceled) })...)
}

func (a *App) door(s *stores, e *engines, l *listeners) (*web.Server, error) {
	page, err := web.UI()
	if err != nil {
		return nil, err
	}
	return web.New(web.Config{
		Backend:   &backend{app: a, stores: s, engines: e, listeners: l, sessions: query.NewSessions(maxSessions, sessionIdle)},
		Logger:    a.log,
		Metrics:   obs.Handler(s.metrics),
		WebSocket: e.hub.WebSocket(),
		UI:        page,
	}), nil
}

// serveHTTP serves until ctx is done, then lets open requests end for a while.
func serveHTTP(ctx context.Context, ln net.Listener, h http.Handler) error {
	srv := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second, BaseContext: func(net.Listener) context.Context { return ctx }}
	done := make(chan error, 1)
	go func() { done <- srv.Serve(ln) }()
	select {
	case err := <-done:
		return err
	case <-ctx.Done():
	}
	stop, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopWait)
	defer cancel()
	if err := srv.Shutdown(stop); err != nil {
		return srv.Close()
	}
	return nil
}

// SocketPath is the local socket of the server that owns a data folder. A
// path that is too long for the system's sockets goes to the folder for
// temporary files, under a name made from it.
func SocketPath(dataDir string) string {
	abs, err := filepath.Abs(dataDir)
	if err != nil {
		abs = dataDir
	}
	path := filepath.Join(abs, "marisma.sock")
	if len(path) < maxSocketPath {
		return path
	}
	return filepath.Join(os.TempDir(), "marisma-"+shortHash(abs)+".sock")
}
