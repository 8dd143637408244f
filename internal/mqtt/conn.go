package mqtt

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Sizes of the read buffer: it starts small, for most connections are idle,
// doubles while reads fill it, and shrinks again after a run of small reads.
const (
	smallBuffer = 4 << 10
	largeBuffer = 32 << 10
	calmReads   = 64
)

// maxQueued bounds what waits to be written besides acknowledgements: a peer
// that asks and does not read is not read from.
const maxQueued = 64 << 10

// Conn is a server's side of one connection. Its methods may be called from
// any goroutine and never block.
type Conn struct {
	srv     *Server
	nc      net.Conn
	session Session // set by the reader before the writer starts

	// The reader's own.
	buf      []byte
	r, w     int // what was read and not parsed yet: buf[r:w]
	need     int // size of the packet that buf[r:] begins with, 0: unknown
	calm     int
	pubs     []Publish
	silence  time.Duration // how long the peer may be silent
	deadline time.Time     // the read deadline that is set

	cancel   context.CancelFunc
	draining atomic.Bool // no more reading
	writer   sync.WaitGroup
	wake     chan struct{} // something to write
	room     chan struct{} // less is owed

	mu           sync.Mutex
	out          []byte     // to be written
	owed         []*Pending // in the order of their messages
	unacked      int
	unackedBytes int
	stuck        bool // the reader waits for room
	writing      bool // the writer has taken out
	why          error
}

func newConn(s *Server, nc net.Conn) *Conn {
	return &Conn{srv: s, nc: nc, wake: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// RemoteAddr is the peer's address.
func (c *Conn) RemoteAddr() net.Addr { return c.nc.RemoteAddr() }

// Close ends the connection for a reason; the first one counts.
func (c *Conn) Close(reason error) {
	c.mu.Lock()
	if c.why == nil {
		c.why = reason
	}
	c.mu.Unlock()
	c.cancel()
	signal(c.wake) // the writer ends
}

func (c *Conn) reason() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.why
}

// Send queues a whole packet; what is queued when the connection ends is lost.
// p is the caller's again when it returns.
func (c *Conn) Send(p []byte) {
	c.mu.Lock()
	c.out = append(c.out, p...)
	c.mu.Unlock()
	signal(c.wake)
}

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}

// serve reads until the connection ends and says why.
func (c *Conn) serve(ctx context.Context) error {
	c.buf = make([]byte, smallBuffer)
	if err := c.nc.SetDeadline(time.Now().Add(c.srv.cfg.ConnectTimeout)); err != nil {
		return err
	}
	if err := c.connect(ctx); err != nil {
		return err
	}
	for {
		if err := c.parse(ctx); err != nil {
			return err
		}
		if err := c.waitRoom(ctx); err != nil {
			return err
		}
		if err := c.renewDeadline(); err != nil {
			return err
		}
		if err := c.fill(); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return ErrKeepAlive
			}
			return err
		}
	}
}

// next cuts a packet from the buffer; ok is false while it is not complete.
func (c *Conn) next() (f Frame, ok bool, err error) {
	f, n, err := Split(c.buf[c.r:c.w], c.srv.cfg.MaxPacket)
	if err != nil || n == 0 || n > c.w-c.r {
		c.need = n
		return Frame{}, false, err
	}
	c.r += n
	c.need = 0
	return f, true, nil
}

// fill reads once into the free part of the buffer, which it makes if need be.
func (c *Conn) fill() error {
	switch {
	case c.r == c.w:
		c.r, c.w = 0, 0
		if c.calm >= calmReads && len(c.buf) > smallBuffer {
			c.buf, c.calm = make([]byte, smallBuffer), 0
		}
	case c.r > 0 && (len(c.buf)-c.w < 512 || c.need > len(c.buf)-c.r):
		c.w = copy(c.buf, c.buf[c.r:c.w])
		c.r = 0
	}
	if c.w == len(c.buf) { // grows with what really came, not with what a header promises
		b := make([]byte, 2*len(c.buf))
		copy(b, c.buf)
		c.buf = b
	}
	n, err := c.nc.Read(c.buf[c.w:])
	if n == 0 && err != nil {
		return err
	}
	c.w += n
	switch {
	case c.w == len(c.buf) && c.r == 0 && len(c.buf) < largeBuffer:
		b := make([]byte, 2*len(c.buf))
		copy(b, c.buf)
		c.buf, c.calm = b, 0
	case n < len(c.buf)/4:
		c.calm++
	default:
		c.calm = 0
	}
	return nil
}

// renewDeadline gives the peer one and a half times its keep alive time from
// now [MQTT-3.1.2-24]. Setting a deadline costs as much as parsing a message,
// so it is done at most once a second and the peer gets a second on top.
func (c *Conn) renewDeadline() error {
	now := time.Now()
	d := now.Add(c.silence + time.Second)
	if d.Sub(c.deadline) < time.Second {
		return nil
	}
	c.deadline = d
	err := c.nc.SetReadDeadline(d)
	if c.draining.Load() { // it was set meanwhile: undo
		return ErrClosed
	}
	return err
}

// drain has the reader stop and gives acknowledgements a moment.
func (c *Conn) drain() {
	if c.draining.Swap(true) {
		return
	}
	time.AfterFunc(drainTime, func() { c.Close(ErrClosed) })
	_ = c.nc.SetReadDeadline(time.Unix(1, 0)) // wakes the reader; on a closed connection nobody is to be woken
}

// awaitAcks waits until nothing is owed and everything is written.
func (c *Conn) awaitAcks(ctx context.Context) {
	for {
		c.mu.Lock()
		idle := c.unacked == 0 && len(c.out) == 0 && !c.writing
		c.stuck = true
		c.mu.Unlock()
		if idle || c.session == nil {
			return
		}
		select {
		case <-c.room:
		case <-ctx.Done():
			return
		}
	}
}

// waitRoom blocks while the connection owes too much or has too much to write.
func (c *Conn) waitRoom(ctx context.Context) error {
	for {
		if c.draining.Load() {
			return ErrClosed
		}
		c.mu.Lock()
		cfg := &c.srv.cfg
		c.stuck = c.unacked >= cfg.MaxUnacked || c.unackedBytes >= cfg.MaxUnackedBytes || len(c.out) >= maxQueued
		stuck := c.stuck
		c.mu.Unlock()
		if !stuck {
			return nil
		}
		select {
		case <-c.room:
		case <-ctx.Done():
			return ErrClosed
		}
	}
}

// write is the writer: all that is queued goes out in one call.
func (c *Conn) write() {
	var buf []byte
	var until time.Time
	timeout := c.srv.cfg.WriteTimeout
	for {
		<-c.wake // of Close too
		c.mu.Lock()
		buf, c.out = c.out, buf[:0]
		c.writing = len(buf) > 0
		closed := c.why != nil
		c.mu.Unlock()
		if closed {
			return
		}
		if len(buf) == 0 {
			continue
		}
		if now := time.Now(); until.Sub(now) < timeout-time.Second || until.IsZero() {
			until = now.Add(timeout)
			if err := c.nc.SetWriteDeadline(until); err != nil {
				c.Close(err)
				return
			}
		}
		if _, err := c.nc.Write(buf); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				err = ErrSlow
			}
			c.Close(err)
			return
		}
		if cap(buf) > maxQueued {
			buf = nil
		}
		c.mu.Lock()
		c.writing = false
		stuck := c.stuck
		c.mu.Unlock()
		if stuck {
			signal(c.room)
		}
	}
}
