package web

import (
	"context"
	"errors"
	"net/http"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/web/api"
)

// kinded is an error of a kind that reads as the error itself.
type kinded struct{ kind, err error }

// As makes err one of the kinds ErrNotFound, ErrInvalid and ErrConflict,
// without a word more in its text.
func As(kind, err error) error { return &kinded{kind, err} }

// Error is the text of the error itself.
func (k *kinded) Error() string { return k.err.Error() }

// Unwrap gives the kind and the error.
func (k *kinded) Unwrap() []error { return []error{k.kind, k.err} }

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
