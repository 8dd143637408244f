package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/web/api"
)

// classify picks the HTTP status and the API's form of err.
func classify(err error) (int, api.Error) {
	if e, ok := errors.AsType[*api.Error](err); ok {
		return http.StatusBadRequest, *e
	}
	if e, ok := errors.AsType[*sparksql.Error](err); ok {
		return http.StatusBadRequest, api.Error{Code: e.Class, Message: e.Message, SQLState: e.SQLState, Line: e.Pos.Line, Col: e.Pos.Col, Hint: e.Hint}
	}
	switch {
	case errors.Is(err, ErrNotFound):
		return http.StatusNotFound, api.Error{Code: "NOT_FOUND", Message: err.Error()}
	case errors.Is(err, ErrInvalid):
		return http.StatusBadRequest, api.Error{Code: "INVALID_ARGUMENT", Message: err.Error()}
	case errors.Is(err, ErrConflict):
		return http.StatusConflict, api.Error{Code: "CONFLICT", Message: err.Error()}
	case errors.Is(err, context.Canceled):
		return http.StatusServiceUnavailable, api.Error{Code: "CANCELLED", Message: "the request was cancelled."}
	}
	return http.StatusInternalServerError, api.Error{Code: "INTERNAL_ERROR", Message: err.Error()}
}
