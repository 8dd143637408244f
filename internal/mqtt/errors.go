package mqtt

import (
	"errors"
	"fmt"
)

// Families of errors; what a connection ended with wraps one of them or is an
// error of the network.
var (
	// ErrMalformed: bytes that are no MQTT 3.1.1 packet.
	ErrMalformed = errors.New("malformed packet")
	// ErrProtocol: a well-formed packet that must not come here or now.
	ErrProtocol = errors.New("protocol violation")
	// ErrTooLarge: a packet above the server's limit.
	ErrTooLarge = errors.New("packet too large")
	// ErrRefused: CONNECT was answered with a refusal.
	ErrRefused = errors.New("connection refused")
	// ErrKeepAlive: the peer was silent for too long.
	ErrKeepAlive = errors.New("keep alive time passed")
	// ErrNoConnect: no CONNECT came in time.
	ErrNoConnect = errors.New("no CONNECT in time")
	// ErrSlow: the peer did not take what was sent to it.
	ErrSlow = errors.New("peer does not read")
	// ErrDisconnected: the peer said DISCONNECT, the orderly end.
	ErrDisconnected = errors.New("disconnected")
	// ErrClosed: closed by this side.
	ErrClosed = errors.New("connection closed")
	// ErrVersion: CONNECT of another protocol level.
	ErrVersion = errors.New("unacceptable protocol version")
)

func malformed(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }
func violation(what string) error { return fmt.Errorf("%w: %s", ErrProtocol, what) }

// ConnackCode is the return code of CONNACK.
type ConnackCode byte

// Return codes [MQTT-3.2.2-4].
const (
	Accepted           ConnackCode = 0
	BadVersion         ConnackCode = 1
	IdentifierRejected ConnackCode = 2
	ServerUnavailable  ConnackCode = 3
	BadCredentials     ConnackCode = 4
	NotAuthorized      ConnackCode = 5
)

func (c ConnackCode) String() string {
	switch c {
	case Accepted:
		return "accepted"
	case BadVersion:
		return "unacceptable protocol version"
	case IdentifierRejected:
		return "identifier rejected"
	case ServerUnavailable:
		return "server unavailable"
	case BadCredentials:
		return "bad user name or password"
	case NotAuthorized:
		return "not authorized"
	}
	return fmt.Sprintf("return code %d", byte(c))
}

// ConnackError is a refused CONNECT, as Dial returns it.
type ConnackError struct{ Code ConnackCode }

func (e *ConnackError) Error() string { return "connection refused: " + e.Code.String() }

// Unwrap makes it one of ErrRefused.
func (e *ConnackError) Unwrap() error { return ErrRefused }
