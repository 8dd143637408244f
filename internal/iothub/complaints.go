package iothub

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/marisma/marisma/internal/auth"
	"github.com/marisma/marisma/internal/mqtt"
)

// quiet is the least time between two log lines of the same complaint.
const quiet = time.Minute

// maxComplaints bounds what is remembered of who was complained about.
const maxComplaints = 4096

// complaints logs what devices do wrong, each complaint about a device at most
// once a minute with the number of those left out.
type complaints struct {
	log *slog.Logger
	mu  sync.Mutex
	of  map[complaint]*spell
}

// complaint is what is said at most once a minute: a text, of a kind, about
// someone; kind is not printed.
type complaint struct{ what, kind, who string }

type spell struct {
	last    time.Time
	leftOut int
}

func (c *complaints) say(what, kind, who string, err error, more ...any) {
	c.at(slog.LevelWarn, complaint{what, kind, who}, err, more)
}

// alarm is say for what is wrong with the hub itself.
func (c *complaints) alarm(what string, err error, more ...any) {
	c.at(slog.LevelError, complaint{what: what}, err, more)
}

func (c *complaints) at(level slog.Level, k complaint, err error, more []any) {
	now := time.Now()
	c.mu.Lock()
	if c.of == nil {
		c.of = map[complaint]*spell{}
	}
	s := c.of[k]
	if s != nil && now.Sub(s.last) < quiet {
		s.leftOut++
		c.mu.Unlock()
		return
	}
	if s == nil {
		c.sweep(now)
		s = &spell{}
		c.of[k] = s
	}
	left := s.leftOut
	s.last, s.leftOut = now, 0
	c.mu.Unlock()
	args := append([]any{"error", err}, more...)
	if k.who != "" {
		args = append([]any{"who", k.who}, args...)
	}
	if left > 0 {
		args = append(args, "times_more", left)
	}
	c.log.Log(context.Background(), level, k.what, args...)
}

// sweep makes room: old complaints first, all if there is no old one.
func (c *complaints) sweep(now time.Time) {
	if len(c.of) < maxComplaints {
		return
	}
	for k, s := range c.of {
		if now.Sub(s.last) >= quiet {
			delete(c.of, k)
		}
	}
	if len(c.of) >= maxComplaints {
		clear(c.of)
	}
}

// refusal is the metric's label of a refused CONNECT.
func refusal(err error) string {
	switch {
	case errors.Is(err, ErrUnknownDevice):
		return "unknown_device"
	case errors.Is(err, ErrDisabled):
		return "disabled"
	case errors.Is(err, auth.ErrExpired):
		return "token_expired"
	case errors.Is(err, auth.ErrBadSignature):
		return "bad_signature"
	case errors.Is(err, ErrForeignWill):
		return "will"
	case errors.Is(err, ErrUserName), errors.Is(err, ErrForeignHost):
		return "user_name"
	}
	return "token"
}

// ending is the metric's label of why a connection ended, and whether it is
// something to complain about.
func ending(err error) (label string, bad bool) {
	switch {
	case errors.Is(err, mqtt.ErrClosed), errors.Is(err, ErrDropped):
		return "closed", false
	case errors.Is(err, ErrTakenOver):
		return "taken_over", false
	case errors.Is(err, ErrTokenExpired):
		return "token_expired", false
	case errors.Is(err, mqtt.ErrKeepAlive):
		return "keep_alive", false
	case errors.Is(err, io.EOF):
		return "gone", false
	case errors.Is(err, mqtt.ErrVersion):
		return "version", true
	case errors.Is(err, mqtt.ErrMalformed):
		return "malformed", true
	case errors.Is(err, mqtt.ErrProtocol), errors.Is(err, mqtt.ErrRefused):
		return "protocol", true
	case errors.Is(err, ErrForeignTopic):
		return "topic", true
	case errors.Is(err, ErrTooBig), errors.Is(err, mqtt.ErrTooLarge):
		return "too_large", true
	case errors.Is(err, ErrNotStored):
		return "not_stored", true
	case errors.Is(err, mqtt.ErrNoConnect):
		return "no_connect", true
	case errors.Is(err, mqtt.ErrTooMany):
		return "too_many", true
	case errors.Is(err, mqtt.ErrSlow):
		return "slow", true
	}
	return "network", false
}

// shorten keeps a text of a stranger from filling the log.
func shorten(s string) string {
	if len(s) > 128 {
		s = strings.ToValidUTF8(s[:128], "") + "…"
	}
	return s
}

func hostOf(addr string) string {
	if h, _, err := net.SplitHostPort(addr); err == nil {
		return h
	}
	return addr
}
