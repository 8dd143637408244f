package web

import (
	"encoding/json"
	"net/http"
	"strconv"

	"github.com/marisma/marisma/internal/web/api"
)

// defaultHistory is the number of commits sent where the request says none.
const defaultHistory = 20

func (s *Server) history(w http.ResponseWriter, r *http.Request) {
	limit := defaultHistory
	if q := r.URL.Query().Get("limit"); q != "" {
		n, err := strconv.Atoi(q)
		if err != nil || n < 1 {
			fail(w, http.StatusBadRequest, api.Error{Code: "INVALID_ARGUMENT", Message: "limit must be a positive number."})
			return
		}
		limit = n
	}
	h, err := s.cfg.Backend.History(r.Context(), principal(r.Context()), r.PathValue("name"), limit)
	reply(w, h, err)
}

// sql streams a statement's result. Once the first line is out an error can
// only be a line of its own.
func (s *Server) sql(w http.ResponseWriter, r *http.Request) {
	var in api.SQLRequest
	if !decode(w, r, &in) {
		return
	}
	enc := json.NewEncoder(w)
	rc := http.NewResponseController(w)
	started := false
	err := s.cfg.Backend.SQL(r.Context(), principal(r.Context()), in, func(l api.SQLLine) error {
		if !started {
			w.Header().Set("Content-Type", "application/x-ndjson")
			started = true
		}
		if err := enc.Encode(l); err != nil {
			return err
		}
		return rc.Flush()
	})
	if err == nil {
		return
	}
	code, e := classify(err)
	if started {
		_ = enc.Encode(api.SQLLine{Error: &e})
		return
	}
	fail(w, code, e)
}
