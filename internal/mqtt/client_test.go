package mqtt

import (
	"context"
	"errors"
	"net"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// serve serves b on loopback and gives the address.
func serve(t *testing.T, b *book) string {
	t.Helper()
	s, err := NewServer(ServerConfig{Handler: b})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	wg.Go(func() { _ = s.Serve(ctx, ln) })
	t.Cleanup(func() { cancel(); wg.Wait() })
	return ln.Addr().String()
}

func TestClientWindow(t *testing.T) {
	b := &book{keep: true}
	c, err := Dial(t.Context(), ClientConfig{Addr: serve(t, b), ClientID: "d", Window: 3})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for range 3 {
		if err := c.Publish(t.Context(), "t", []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := c.Publish(ctx, "t", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("above the window: %v", err)
	}
	if err := c.Flush(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("Flush: %v", err)
	}
	for b.got() < 3 {
		time.Sleep(time.Millisecond)
	}
	b.mu.Lock()
	for _, p := range b.owed {
		p.Done()
	}
	b.keep = false
	b.mu.Unlock()
	if err := c.Flush(t.Context()); err != nil || c.Unacked() != 0 {
		t.Error(err)
	}
	for range 1000 {
		if err := c.Publish(t.Context(), "t", []byte("x")); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	if b.got() != 1003 {
		t.Errorf("%d messages", b.got())
	}
}

func TestClientTellsTheEnd(t *testing.T) {
	b := &book{fail: errors.New("no")}
	c, err := Dial(t.Context(), ClientConfig{Addr: serve(t, b), ClientID: "d", Window: 2})
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Publish(t.Context(), "t", nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Flush(t.Context()); err == nil || c.Err() == nil {
		t.Error("Flush did not see the end")
	}
	for range 3 {
		if err := c.Publish(t.Context(), "t", nil); err == nil && c.Err() == nil {
			t.Error("Publish did not see the end")
		}
	}
	if _, err := c.Subscribe(t.Context(), "x", 1); err == nil {
		t.Error("Subscribe did not see the end")
	}
	c.Close()
	c.Close()
}

func TestClientIsRefused(t *testing.T) {
	addr := serve(t, &book{code: ServerUnavailable})
	_, err := Dial(t.Context(), ClientConfig{Addr: addr, ClientID: "d"})
	if ce, ok := errors.AsType[*ConnackError](err); !ok || ce.Code != ServerUnavailable || !errors.Is(err, ErrRefused) {
		t.Errorf("%v", err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0") // accepts and says nothing
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := Dial(ctx, ClientConfig{Addr: ln.Addr().String()}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("silent server: %v", err)
	}
}

func TestClientKeepsAlive(t *testing.T) {
	t.Parallel()
	b := &book{}
	c, err := Dial(t.Context(), ClientConfig{Addr: serve(t, b), ClientID: "d", KeepAlive: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	time.Sleep(3500 * time.Millisecond) // 1.5 s and a second are allowed
	if err := c.Err(); err != nil {
		t.Error(err)
	}
}

func TestClientOverWebSocket(t *testing.T) {
	b := &book{granted: 1}
	s, err := NewServer(ServerConfig{Handler: b})
	if err != nil {
		t.Fatal(err)
	}
	srv := httptest.NewServer(s.WebSocket())
	defer srv.Close()
	c, err := Dial(t.Context(), ClientConfig{WebSocketURL: "ws" + strings.TrimPrefix(srv.URL, "http"), ClientID: "d"})
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if err := c.Publish(t.Context(), "t", make([]byte, 1000)); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Flush(t.Context()); err != nil {
		t.Error(err)
	}
	if g, err := c.Subscribe(t.Context(), "a/#", 2); g != 1 || err != nil {
		t.Error(g, err)
	}
	if err := c.Unsubscribe(t.Context(), "a/#"); err != nil {
		t.Error(err)
	}
	s.Close()
	<-c.done
	c.Close()
	if len(b.ended) != 1 || !errors.Is(b.ended[0], ErrClosed) {
		t.Errorf("%v", b.ended)
	}
	if _, err := Dial(t.Context(), ClientConfig{WebSocketURL: "ws" + strings.TrimPrefix(srv.URL, "http"), ClientID: "d"}); err == nil {
		t.Error("a closed server took a connection")
	}
}
