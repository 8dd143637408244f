package query

import (
	"container/list"
	"context"
	"sync"
	"time"

	"github.com/marisma/marisma/internal/sparksql"
)

// Sessions keeps sessions between requests: at most a number of them, each
// until nobody used it for a while. It is safe for concurrent use.
type Sessions struct {
	max  int
	idle time.Duration

	mu    sync.Mutex
	byKey map[string]*list.Element // of *kept
	order *list.List               // the one used last in front
}

// kept is a session with its turn: one statement at a time.
type kept struct {
	key  string
	sess *Session
	turn chan struct{} // holds a token while a statement runs
	used time.Time
}

// NewSessions keeps up to limit sessions that were used within idle.
func NewSessions(limit int, idle time.Duration) *Sessions {
	return &Sessions{max: limit, idle: idle, byKey: map[string]*list.Element{}, order: list.New()}
}

// Take gives the session called key for one statement, made by begin where
// there is none; done gives it back. It waits while another statement of the
// session runs, and where all sessions are busy and one more is asked for it
// is an error.
func (s *Sessions) Take(ctx context.Context, key string, begin func() *Session) (sess *Session, done func(), err error) {
	k, err := s.find(key, begin)
	if err != nil {
		return nil, nil, err
	}
	select {
	case k.turn <- struct{}{}:
	case <-ctx.Done():
		return nil, nil, ctx.Err()
	}
	return k.sess, func() {
		s.mu.Lock()
		k.used = time.Now()
		s.mu.Unlock()
		<-k.turn
	}, nil
}

func (s *Sessions) find(key string, begin func() *Session) (*kept, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if e := s.byKey[key]; e != nil {
		k, _ := e.Value.(*kept)
		if len(k.turn) > 0 || now.Sub(k.used) < s.idle {
			k.used = now
			s.order.MoveToFront(e)
			return k, nil
		}
	}
	for e := s.order.Back(); e != nil; {
		prev := e.Prev()
		k, _ := e.Value.(*kept)
		if len(k.turn) == 0 && (now.Sub(k.used) >= s.idle || s.order.Len() >= s.max) {
			s.order.Remove(e)
			delete(s.byKey, k.key)
		}
		e = prev
	}
	if s.order.Len() >= s.max {
		return nil, &sparksql.Error{
			Class: "SESSION_LIMIT", SQLState: "53300", Phase: sparksql.PhaseRuntime,
			Message: "all SQL sessions are busy.", Hint: "Try again when a statement has ended.",
		}
	}
	k := &kept{key: key, sess: begin(), turn: make(chan struct{}, 1), used: now}
	s.byKey[key] = s.order.PushFront(k)
	return k, nil
}
