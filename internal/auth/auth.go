package auth

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
)

// Families of errors.
var (
	ErrInvalidToken = errors.New("auth: invalid token")
	ErrMalformed    = errors.New("auth: malformed shared access signature")
	ErrExpired      = errors.New("auth: expired")
	ErrBadSignature = errors.New("auth: wrong signature")
)

// Kind is a kind of principal.
type Kind string

// The kinds of principals.
const (
	User             Kind = "user"
	ServicePrincipal Kind = "service_principal"
	Device           Kind = "device"
)

// Principal is who a caller is.
type Principal struct {
	Name  string `json:"name"`
	Kind  Kind   `json:"kind"`
	Admin bool   `json:"admin,omitempty"`
}

// NewKey makes a device's or policy's key: base64 of 32 random bytes.
func NewKey() string { return base64.StdEncoding.EncodeToString(random(32)) }

// random gives n random bytes; crypto/rand.Read never fails.
func random(n int) []byte {
	b := make([]byte, n)
	_, _ = rand.Read(b)
	return b
}
