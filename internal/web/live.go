package web

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"github.com/marisma/marisma/internal/web/api"
)

// live is a stream of server-sent events, one api.Live a tick, until the
// client goes away.
func (s *Server) live(w http.ResponseWriter, r *http.Request) {
	select {
	case s.streams <- struct{}{}:
		defer func() { <-s.streams }()
	default:
		fail(w, http.StatusTooManyRequests, api.Error{Code: "TOO_MANY_REQUESTS", Message: "too many pages are open; close some."})
		return
	}
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	rc := http.NewResponseController(w)
	t := time.NewTicker(s.cfg.Interval)
	defer t.Stop()
	for {
		b, err := json.Marshal(api.Live{Time: time.Now().UTC(), Status: s.cfg.Backend.Status(), Pipelines: s.cfg.Backend.Pipelines()})
		if err != nil {
			s.cfg.Logger.Error("live message", "error", err)
			return
		}
		if _, err := fmt.Fprintf(w, "data: %s\n\n", b); err != nil {
			return
		}
		if err := rc.Flush(); err != nil {
			return
		}
		select {
		case <-r.Context().Done():
			return
		case <-t.C:
		}
	}
}
