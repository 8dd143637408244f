package marisma

import (
	"context"
	"io"
	"log/slog"

	"github.com/marisma/marisma/internal/app"
	"github.com/marisma/marisma/internal/bundle"
)

// Config says what to run. Project is required.
type Config struct {
	// Project is the folder with databricks.yml.
	Project string
	// Target of databricks.yml; the default target if empty.
	Target string
	// Vars are values of bundle variables.
	Vars map[string]string
	// Logger gets what `up` logs; nothing is logged without.
	Logger *slog.Logger
	// Worker is the command that runs ad-hoc SQL in a process of its own;
	// `marisma worker`, found on the PATH, if empty.
	Worker []string
	// Ready gets one JSON object with the addresses, the data folder and, at the
	// first start, an admin token, once devices and clients can connect.
	Ready io.Writer
}

// Server is one project's run. Its methods are for one goroutine.
type Server struct {
	app *app.App
}

// New reads and checks the project; the error lists everything that is wrong
// with its files, each with file, line and column. Nothing is opened yet.
func New(cfg Config) (*Server, error) {
	p, err := bundle.Load(cfg.Project, cfg.Target, cfg.Vars)
	if err != nil {
		return nil, err
	}
	worker := cfg.Worker
	if len(worker) == 0 {
		worker = []string{"marisma", "worker"}
	}
	a, err := app.New(app.Config{Project: p, Logger: cfg.Logger, Banner: cfg.Ready, BannerJSON: true, Worker: worker})
	if err != nil {
		return nil, err
	}
	return &Server{app: a}, nil
}

// Run runs the project until ctx is done, which is a clean stop and gives nil.
// It returns when everything has stopped; the error of another process that
// owns the data folder names its pid.
func (s *Server) Run(ctx context.Context) error { return s.app.Run(ctx) }
