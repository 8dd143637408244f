package eventlog

import "sync"

// spares keeps a few used things for the next use. Unlike a sync.Pool it
// survives the collector, which large buffers would otherwise keep busy, and
// it is bounded.
type spares[T any] struct {
	mu   sync.Mutex
	list []*T
	max  int
}

// get gives a spare thing or a new one.
func (s *spares[T]) get() *T {
	s.mu.Lock()
	defer s.mu.Unlock()
	n := len(s.list)
	if n == 0 {
		return new(T)
	}
	x := s.list[n-1]
	s.list[n-1] = nil
	s.list = s.list[:n-1]
	return x
}

// put keeps x unless there are enough.
func (s *spares[T]) put(x *T) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.list) < s.max {
		s.list = append(s.list, x)
	}
}
