package mqtt

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// Handler gives connections their meaning. Its methods are called from many
// connections at once.
type Handler interface {
	// Connect answers a CONNECT: with a session, or with a code other than
	// Accepted. present tells that the session carries on an older one. c is
	// open: a handler that replaces a connection closes the older.
	Connect(ctx context.Context, c *Conn, p *Connect) (s Session, present bool, code ConnackCode)
	// Ended is called once per connection, after the last call of its
	// session; s is nil where there was none. Pending of the session may
	// still be open. ctx outlives the connection by a moment.
	Ended(ctx context.Context, c *Conn, s Session, err error)
}

// Session is one accepted connection. Its methods are called by one goroutine.
type Session interface {
	// Publish takes the messages of one read, in their order. Their memory is
	// the connection's again when it returns. Each must be covered by
	// c.Owe, or it is not acknowledged. ctx ends with the connection. An
	// error ends the connection.
	Publish(ctx context.Context, c *Conn, batch []Publish) error
	// Subscribe grants a quality or Refused.
	Subscribe(s Subscription) byte
	// Unsubscribe takes a subscription back; none is no error.
	Unsubscribe(filter string)
}

// ServerConfig configures a Server; the zero value of a field is its default.
type ServerConfig struct {
	Handler Handler // required

	MaxPacket       int           // bytes of a packet, 256 KiB + 64 KiB
	MaxConnections  int           // open at once, 10000
	ConnectTimeout  time.Duration // from accept to CONNECT, TLS included: 10 s
	MaxKeepAlive    time.Duration // what the time without a packet is capped to, 1767 s
	WriteTimeout    time.Duration // for the peer to take what is sent, 30 s
	MaxUnacked      int           // messages owed an acknowledgement before reading stops, 1024
	MaxUnackedBytes int           // their bytes, 1 MiB
	Logger          *slog.Logger
}

func (c *ServerConfig) setDefaults() error {
	if c.Handler == nil {
		return errors.New("mqtt: a server needs a handler")
	}
	def(&c.MaxPacket, 320<<10)
	def(&c.MaxConnections, 10_000)
	def(&c.ConnectTimeout, 10*time.Second)
	def(&c.MaxKeepAlive, 1767*time.Second)
	def(&c.WriteTimeout, 30*time.Second)
	def(&c.MaxUnacked, 1024)
	def(&c.MaxUnackedBytes, 1<<20)
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	return nil
}

func def[T comparable](v *T, d T) {
	var zero T
	if *v == zero {
		*v = d
	}
}

// Server serves MQTT connections. It is safe for concurrent use.
type Server struct {
	cfg      ServerConfig
	pendings sync.Pool // of *Pending

	mu     sync.Mutex
	conns  map[*Conn]struct{}
	closed bool
	all    sync.WaitGroup
}

// NewServer makes a server.
func NewServer(cfg ServerConfig) (*Server, error) {
	if err := cfg.setDefaults(); err != nil {
		return nil, err
	}
	return &Server{cfg: cfg, conns: map[*Conn]struct{}{}}, nil
}

// Connections is how many are open, those before CONNECT included.
func (s *Server) Connections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.conns)
}

// Close ends all connections as Serve does at its end, those of WebSocket too,
// and waits for them. The server takes no new ones.
func (s *Server) Close() {
	s.mu.Lock()
	s.closed = true
	for c := range s.conns {
		c.drain()
	}
	s.mu.Unlock()
	s.all.Wait()
}

// enter books an open connection, or says why there may be none.
func (s *Server) enter(c *Conn) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	if len(s.conns) >= s.cfg.MaxConnections {
		return ErrTooMany
	}
	s.conns[c] = struct{}{}
	s.all.Add(1)
	return nil
}

func (s *Server) leave(c *Conn) {
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	s.all.Done()
}

// ErrTooMany ends a connection above MaxConnections.
var ErrTooMany = errors.New("too many connections")

// Serve accepts from ln until ctx is done, then closes ln and the connections
// and returns nil once all have ended. A connection is not read from any more,
// and has a moment for the acknowledgements that are on their way. TLS is the
// listener's.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	defer wg.Wait()
	defer cancel()
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() }) // ends Accept; nothing else to do about an error
	defer stop()
	wait := time.Duration(0)
	for {
		nc, err := ln.Accept()
		switch {
		case err == nil:
			wait = 0
			wg.Go(func() { s.ServeConn(ctx, nc) })
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return err
		default: // out of file descriptors, a peer gone before accept: goes by
			wait = min(max(2*wait, 5*time.Millisecond), time.Second)
			s.cfg.Logger.Warn("accept failed", "error", err, "again_in", wait)
			select {
			case <-ctx.Done():
			case <-time.After(wait):
			}
		}
	}
}

// drainTime is how long a connection may wait for its acknowledgements at the
// server's end.
const drainTime = 2 * time.Second

// ServeConn serves one connection and closes it; it returns when both of its
// goroutines have ended.
func (s *Server) ServeConn(ctx context.Context, nc net.Conn) {
	c := newConn(s, nc)
	life := context.WithoutCancel(ctx)
	cctx, cancel := context.WithCancel(life)
	defer cancel()
	c.cancel = cancel
	if err := s.enter(c); err != nil {
		_ = nc.Close() // never used
		s.cfg.Handler.Ended(life, c, nil, err)
		return
	}
	defer s.leave(c)
	defer context.AfterFunc(ctx, c.drain)()
	gone := make(chan struct{})
	// Close may wait for a peer that does not read (TLS says goodbye), so it
	// has a goroutine of its own.
	context.AfterFunc(cctx, func() {
		defer close(gone)
		_ = nc.Close() // the connection is given up
	})
	err := c.serve(cctx)
	if c.draining.Load() && !errors.Is(err, ErrDisconnected) {
		c.awaitAcks(cctx)
		err = ErrClosed
	}
	if r := c.reason(); r != nil {
		err = r // why it was closed says more than the read error that came of it
	}
	c.Close(err)
	<-gone
	c.writer.Wait()
	s.cfg.Handler.Ended(life, c, c.session, err)
}
