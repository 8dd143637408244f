package web

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/marisma/marisma/internal/auth"
	"github.com/marisma/marisma/internal/web/api"
)

// Backend is what the door needs from the rest; app implements it.
type Backend interface {
	Status() api.Status
	Pipelines() []api.Pipeline
	// PipelineAction does "run", "stop" or "reset"; tables limits a reset.
	PipelineAction(ctx context.Context, key, action string, tables []string) error
	Devices() []api.Device
	// Device gives one device with its keys.
	Device(id string) (api.Device, error)
	AddDevice(ctx context.Context, id string) (api.Device, error)
	RemoveDevice(ctx context.Context, id string) error
	Tables(ctx context.Context, p auth.Principal) ([]api.Table, error)
	History(ctx context.Context, p auth.Principal, table string, limit int) ([]api.Commit, error)
	// Lineage gives a table's lineage; through follows it down to the sources.
	Lineage(ctx context.Context, p auth.Principal, table string, through bool) (api.Lineage, error)
	// SQL runs a statement and sends its lines in order: Columns first, then
	// Rows, Done last. An error before or between lines is returned.
	SQL(ctx context.Context, p auth.Principal, req api.SQLRequest, send func(api.SQLLine) error) error
	// NewToken mints an admin token.
	NewToken() (string, error)
	// Verify names the principal of a token.
	Verify(token string) (auth.Principal, error)
}

// Sentinels that a Backend wraps so that the door picks the HTTP status.
var (
	ErrNotFound = errors.New("not found")
	ErrInvalid  = errors.New("invalid argument")
	ErrConflict = errors.New("conflict")
)

// Config of the door. Backend is required.
type Config struct {
	Backend   Backend
	Logger    *slog.Logger
	Metrics   http.Handler // /metrics; nil for none
	WebSocket http.Handler // /$iothub/websocket; nil for none
	UI        fs.FS        // the built page; nil for none
	// Interval between two messages of the event stream, 1 s if zero.
	Interval time.Duration
	// MaxStreams bounds the open event streams, 64 if zero.
	MaxStreams int
}

// Server makes the handlers. New does no I/O.
type Server struct {
	cfg     Config
	streams chan struct{}
}

// New fills in the defaults of cfg.
func New(cfg Config) *Server {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	if cfg.Interval == 0 {
		cfg.Interval = time.Second
	}
	if cfg.MaxStreams == 0 {
		cfg.MaxStreams = 64
	}
	return &Server{cfg: cfg, streams: make(chan struct{}, cfg.MaxStreams)}
}

// Handler serves TCP: the page, the API with a token, metrics, the WebSocket.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/api/v1/", s.authenticate(s.api()))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { write(w, map[string]string{"status": "ok"}) })
	mux.HandleFunc("POST /login", s.login)
	if s.cfg.Metrics != nil {
		mux.Handle("GET /metrics", s.authenticate(s.cfg.Metrics))
	}
	if s.cfg.WebSocket != nil {
		mux.Handle("/$iothub/websocket", s.cfg.WebSocket)
	}
	if s.cfg.UI != nil {
		mux.Handle("/", s.page())
	}
	return secure(mux)
}

// LocalHandler serves the local socket: the API as the admin of the folder.
func (s *Server) LocalHandler() http.Handler {
	owner := auth.Principal{Name: "owner", Kind: auth.User, Admin: true}
	h := s.api()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.ServeHTTP(w, r.WithContext(withPrincipal(r.Context(), owner)))
	})
}

func (s *Server) api() http.Handler {
	mux := http.NewServeMux()
	b := s.cfg.Backend
	mux.HandleFunc("GET /api/v1/status", func(w http.ResponseWriter, _ *http.Request) { write(w, b.Status()) })
	mux.HandleFunc("GET /api/v1/pipelines", func(w http.ResponseWriter, _ *http.Request) { write(w, b.Pipelines()) })
	mux.HandleFunc("POST /api/v1/pipelines/{key}/{action}", admin(s.pipelineAction))
	mux.HandleFunc("GET /api/v1/devices", admin(func(w http.ResponseWriter, _ *http.Request) { write(w, b.Devices()) }))
	mux.HandleFunc("GET /api/v1/devices/{id}", admin(func(w http.ResponseWriter, r *http.Request) {
		d, err := b.Device(r.PathValue("id"))
		reply(w, d, err)
	}))
	mux.HandleFunc("PUT /api/v1/devices/{id}", admin(func(w http.ResponseWriter, r *http.Request) {
		d, err := b.AddDevice(r.Context(), r.PathValue("id"))
		reply(w, d, err)
	}))
	mux.HandleFunc("DELETE /api/v1/devices/{id}", admin(func(w http.ResponseWriter, r *http.Request) {
		reply(w, map[string]string{}, b.RemoveDevice(r.Context(), r.PathValue("id")))
	}))
	mux.HandleFunc("GET /api/v1/tables", func(w http.ResponseWriter, r *http.Request) {
		t, err := b.Tables(r.Context(), principal(r.Context()))
		reply(w, t, err)
	})
	mux.HandleFunc("GET /api/v1/tables/{name}/history", s.history)
	mux.HandleFunc("GET /api/v1/tables/{name}/lineage", func(w http.ResponseWriter, r *http.Request) {
		l, err := b.Lineage(r.Context(), principal(r.Context()), r.PathValue("name"), r.URL.Query().Get("through") == "true")
		reply(w, l, err)
	})
	mux.HandleFunc("POST /api/v1/sql", s.sql)
	mux.HandleFunc("POST /api/v1/tokens", admin(func(w http.ResponseWriter, _ *http.Request) {
		t, err := b.NewToken()
		reply(w, map[string]string{"token": t}, err)
	}))
	mux.HandleFunc("GET /api/v1/live", s.live)
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		fail(w, http.StatusNotFound, api.Error{Code: "NOT_FOUND", Message: "there is no " + r.Method + " " + r.URL.Path + " in this API."})
	})
	return mux
}

// maxBody bounds a request's body.
const maxBody = 17 << 20

func decode(w http.ResponseWriter, r *http.Request, into any) bool {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(into); err != nil {
		fail(w, http.StatusBadRequest, api.Error{Code: "INVALID_ARGUMENT", Message: "the body is not the JSON expected here: " + err.Error()})
		return false
	}
	return true
}

func write(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	// An error here is the client's going away: nobody is left to tell.
	_ = json.NewEncoder(w).Encode(v)
}

func reply(w http.ResponseWriter, v any, err error) {
	if err == nil {
		write(w, v)
		return
	}
	code, e := classify(err)
	fail(w, code, e)
}

func fail(w http.ResponseWriter, code int, e api.Error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"error": e})
}

func (s *Server) pipelineAction(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Tables []string `json:"tables"`
	}
	if !decode(w, r, &in) {
		return
	}
	err := s.cfg.Backend.PipelineAction(r.Context(), r.PathValue("key"), r.PathValue("action"), in.Tables)
	reply(w, map[string]string{}, err)
}

// secure adds the headers that keep the page out of foreign frames and the
// browser from guessing.
func secure(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hd := w.Header()
		hd.Set("X-Content-Type-Options", "nosniff")
		hd.Set("X-Frame-Options", "DENY")
		hd.Set("Referrer-Policy", "no-referrer")
		if !strings.HasPrefix(r.URL.Path, "/$iothub/") {
			hd.Set("Content-Security-Policy", "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:")
		}
		h.ServeHTTP(w, r)
	})
}
