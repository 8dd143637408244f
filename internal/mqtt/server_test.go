package mqtt

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// book is a handler that writes down what it is called with.
type book struct {
	mu       sync.Mutex
	code     ConnackCode
	present  bool
	messages []string
	batches  []int
	owed     []*Pending
	ended    []error
	sessions int
	granted  byte
	keep     bool // leaves acknowledgements to the test
	fail     error
}

func (b *book) Connect(context.Context, *Conn, *Connect) (Session, bool, ConnackCode) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.code != Accepted {
		return nil, false, b.code
	}
	b.sessions++
	return b, b.present, Accepted
}

func (b *book) Ended(_ context.Context, _ *Conn, s Session, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if s == nil {
		err = errors.Join(errNoSession, err)
	}
	b.ended = append(b.ended, err)
}

var errNoSession = errors.New("no session")

func (b *book) Publish(_ context.Context, c *Conn, batch []Publish) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.fail != nil {
		return b.fail
	}
	b.batches = append(b.batches, len(batch))
	for _, p := range batch {
		b.messages = append(b.messages, string(p.Payload))
	}
	p := c.Owe(batch)
	if b.keep {
		b.owed = append(b.owed, p)
	} else {
		p.Done()
	}
	return nil
}

func (b *book) Subscribe(s Subscription) byte { return min(s.QoS, b.granted) }
func (b *book) Unsubscribe(string)            {}

func (b *book) end() error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.ended) == 0 {
		return nil
	}
	return b.ended[0]
}

func (b *book) got() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.messages)
}

// pipe serves one end of an in-memory connection inside a bubble and gives the
// other; wait returns when the server is done with it.
func pipe(t *testing.T, b *book, change func(*ServerConfig)) (peer net.Conn, wait func()) {
	t.Helper()
	cfg := ServerConfig{Handler: b}
	if change != nil {
		change(&cfg)
	}
	s, err := NewServer(cfg)
	if err != nil {
		t.Fatal(err)
	}
	peer, mine := net.Pipe()
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.ServeConn(t.Context(), mine)
	}()
	return peer, func() { <-done; peer.Close() }
}

func connectPacket(keepAlive uint16) []byte {
	return AppendConnect(nil, &Connect{ClientID: "d", KeepAlive: keepAlive})
}

func write(t *testing.T, c net.Conn, b []byte) {
	t.Helper()
	if _, err := c.Write(b); err != nil {
		t.Fatal(err)
	}
}

func expect(t *testing.T, c net.Conn, want []byte) {
	t.Helper()
	got := make([]byte, len(want))
	if _, err := io.ReadFull(c, got); err != nil || !bytes.Equal(got, want) {
		t.Fatalf("got %x, %v; want %x", got, err, want)
	}
}

// open connects a peer.
func open(t *testing.T, c net.Conn, keepAlive uint16) {
	t.Helper()
	write(t, c, connectPacket(keepAlive))
	expect(t, c, []byte{0x20, 2, 0, 0})
}

func TestBadPeersAreClosed(t *testing.T) {
	ok := connectPacket(0)
	for name, tc := range map[string]struct {
		in     []byte
		answer []byte
		err    error
	}{
		"no CONNECT first":    {AppendEmpty(nil, PINGREQ), nil, ErrProtocol},
		"not MQTT":            {[]byte("GET / HTTP/1.1\r\n\r\n"), nil, ErrMalformed},
		"MQTT 5":              {[]byte("\x10\x10\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01dxx"), []byte{0x20, 2, 0, 1}, ErrVersion},
		"no client id":        {AppendConnect(nil, &Connect{}), []byte{0x20, 2, 0, 2}, ErrRefused},
		"malformed CONNECT":   {[]byte{0x10, 1, 0}, nil, ErrMalformed},
		"second CONNECT":      {append(ok[:len(ok):len(ok)], ok...), []byte{0x20, 2, 0, 0}, ErrProtocol},
		"QoS 2":               {AppendPublish(ok[:len(ok):len(ok)], "t", nil, 1, 2, false, false), []byte{0x20, 2, 0, 0}, ErrProtocol},
		"PUBREL":              {AppendAck(ok[:len(ok):len(ok)], PUBREL, 1), []byte{0x20, 2, 0, 0}, ErrProtocol},
		"a server's packet":   {AppendAck(ok[:len(ok):len(ok)], UNSUBACK, 1), []byte{0x20, 2, 0, 0}, ErrProtocol},
		"identifier 0":        {append(ok[:len(ok):len(ok)], "\x32\x05\x00\x01t\x00\x00"...), []byte{0x20, 2, 0, 0}, ErrMalformed},
		"PINGREQ with a body": {append(ok[:len(ok):len(ok)], 0xc0, 1, 0), []byte{0x20, 2, 0, 0}, ErrMalformed},
		"DISCONNECT's flags":  {append(ok[:len(ok):len(ok)], 0xe1, 0), []byte{0x20, 2, 0, 0}, ErrMalformed},
		"too large":           {append(ok[:len(ok):len(ok)], 0x30, 0xff, 0xff, 0xff, 0x01), []byte{0x20, 2, 0, 0}, ErrTooLarge},
		"DISCONNECT":          {AppendEmpty(ok[:len(ok):len(ok)], DISCONNECT), []byte{0x20, 2, 0, 0}, ErrDisconnected},
		"gone":                {ok, []byte{0x20, 2, 0, 0}, io.EOF},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &book{}
				peer, wait := pipe(t, b, nil)
				go func() { _, _ = peer.Write(tc.in) }()
				expect(t, peer, tc.answer)
				synctest.Wait()
				if errors.Is(tc.err, io.EOF) {
					peer.Close()
				} else if n, err := peer.Read(make([]byte, 1)); err == nil {
					t.Errorf("%d more bytes", n)
				}
				wait()
				if err := b.end(); !errors.Is(err, tc.err) {
					t.Errorf("ended with %v, want %v", err, tc.err)
				}
				if len(b.ended) != 1 || b.got() != 0 {
					t.Errorf("%d ends, %d messages", len(b.ended), b.got())
				}
			})
		})
	}
}

func TestSilenceEndsConnections(t *testing.T) {
	for name, tc := range map[string]struct {
		keepAlive uint16
		lives     time.Duration
	}{"ten seconds": {10, 15 * time.Second}, "capped": {60000, 1767 * time.Second}, "off is capped too": {0, 1767 * time.Second}} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &book{}
				peer, wait := pipe(t, b, nil)
				open(t, peer, tc.keepAlive)
				time.Sleep(tc.lives - time.Second)
				write(t, peer, AppendEmpty(nil, PINGREQ))
				expect(t, peer, []byte{0xd0, 0})
				last := time.Now()
				wait()
				// The server is up to two seconds generous.
				if d := time.Since(last); d < tc.lives || d > tc.lives+2*time.Second || !errors.Is(b.end(), ErrKeepAlive) {
					t.Errorf("closed after %v for %v", d, b.end())
				}
			})
		})
	}
}

func TestConnectMustComeInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{}
		peer, wait := pipe(t, b, nil)
		write(t, peer, connectPacket(0)[:5])
		start := time.Now()
		wait()
		if d := time.Since(start); d != 10*time.Second || !errors.Is(b.end(), ErrNoConnect) || !errors.Is(b.end(), errNoSession) {
			t.Errorf("closed after %v for %v", d, b.end())
		}
	})
}

func TestPeerThatDoesNotReadIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{}
		peer, wait := pipe(t, b, nil)
		open(t, peer, 0)
		write(t, peer, AppendPublish(nil, "t", nil, 1, 1, false, false))
		start := time.Now()
		wait()
		if d := time.Since(start); d > 31*time.Second || !errors.Is(b.end(), ErrSlow) {
			t.Errorf("closed after %v for %v", d, b.end())
		}
	})
}

func TestAcknowledgementsLeaveInTheOrderOfTheMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{keep: true}
		peer, wait := pipe(t, b, nil)
		open(t, peer, 0)
		for id := uint16(1); id <= 3; id++ {
			write(t, peer, AppendPublish(AppendPublish(nil, "t", nil, 10*id, 1, false, false), "t", nil, 10*id+1, 1, true, false))
			synctest.Wait()
		}
		read := make(chan []byte, 10)
		go func() {
			for {
				buf := make([]byte, 100)
				n, err := peer.Read(buf)
				if err != nil {
					close(read)
					return
				}
				read <- buf[:n]
			}
		}()
		b.owed[2].Done()
		b.owed[1].Done()
		synctest.Wait()
		if len(read) != 0 {
			t.Fatalf("acknowledged before the first: %x", <-read)
		}
		b.owed[0].Done()
		synctest.Wait()
		var want []byte
		for _, id := range []uint16{10, 11, 20, 21, 30, 31} {
			want = AppendAck(want, PUBACK, id)
		}
		if got := <-read; !bytes.Equal(got, want) { // one write
			t.Errorf("%x, want %x", got, want)
		}
		write(t, peer, AppendEmpty(nil, DISCONNECT))
		wait()
	})
}

func TestMessagesOfOneReadComeTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{granted: 1}
		peer, wait := pipe(t, b, nil)
		open(t, peer, 0)
		var in []byte
		for i := range 20 {
			in = AppendPublish(in, "t", []byte{byte('a' + i)}, 0, 0, false, false)
		}
		in = AppendSubscribe(in, 5, Subscription{"x", 2}, Subscription{"y", 0})
		in = AppendPublish(in, "t", []byte("last"), 0, 0, false, false)
		in = AppendUnsubscribe(in, 6, "x")
		in = append(in, 0x30, 100, 0, 1) // the begin of one more
		write(t, peer, in)
		expect(t, peer, []byte{0x90, 4, 0, 5, 1, 0, 0xb0, 2, 0, 6})
		if d := b.batches; len(d) != 2 || d[0] != 20 || d[1] != 1 {
			t.Errorf("batches %v", d)
		}
		peer.Close()
		wait()
	})
}

func TestPacketsOfAnyCutAndSizeArrive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{}
		peer, wait := pipe(t, b, nil)
		open(t, peer, 0)
		go func() { _, _ = io.Copy(io.Discard, peer) }()
		var in []byte
		var want []string
		for i, n := range []int{0, 1, 100, 4000, 4096, 5000, 100_000, 200_000, 3, 33_000} {
			body := bytes.Repeat([]byte{byte('a' + i)}, n)
			want = append(want, string(body))
			in = AppendPublish(in, "t", body, uint16(i+1), 1, false, false)
		}
		for i := 0; len(in) > 0; i++ {
			n := min(len(in), 1+i*i%977)
			write(t, peer, in[:n])
			in = in[n:]
		}
		write(t, peer, AppendEmpty(nil, DISCONNECT))
		wait()
		if len(b.messages) != len(want) {
			t.Fatalf("%d messages: %v", len(b.messages), b.end())
		}
		for i := range want {
			if b.messages[i] != want[i] {
				t.Errorf("message %d of %d bytes differs", i, len(want[i]))
			}
		}
	})
}

func TestConnectionThatOwesTooMuchIsNotRead(t *testing.T) {
	for name, limit := range map[string]func(*ServerConfig){
		"messages": func(c *ServerConfig) { c.MaxUnacked = 8 },
		"bytes":    func(c *ServerConfig) { c.MaxUnackedBytes = 8 * 1001 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &book{keep: true}
				peer, wait := pipe(t, b, limit)
				open(t, peer, 0)
				go func() { _, _ = io.Copy(io.Discard, peer) }()
				body := make([]byte, 1000)
				go func() {
					for id := range 100 {
						if _, err := peer.Write(AppendPublish(nil, "t", body, uint16(id+1), 1, false, false)); err != nil {
							return
						}
					}
					_, _ = peer.Write(AppendEmpty(nil, DISCONNECT))
				}()
				synctest.Wait()
				if n := b.got(); n != 8 {
					t.Errorf("%d messages taken, want 8", n)
				}
				for range 100 {
					b.mu.Lock()
					owed := b.owed
					b.owed = nil
					b.mu.Unlock()
					for _, p := range owed {
						p.Done()
					}
					synctest.Wait()
				}
				wait()
				if n := b.got(); n != 100 || !errors.Is(b.end(), ErrDisconnected) {
					t.Errorf("%d messages, %v", n, b.end())
				}
			})
		})
	}
}

func TestSessionErrorEndsTheConnection(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := &book{fail: io.ErrNoProgress}
		peer, wait := pipe(t, b, nil)
		open(t, peer, 0)
		write(t, peer, AppendPublish(nil, "t", nil, 0, 0, false, false))
		wait()
		if !errors.Is(b.end(), io.ErrNoProgress) {
			t.Error(b.end())
		}
	})
}

func TestServerBoundsConnectionsAndCloses(t *testing.T) {
	b := &book{}
	s, err := NewServer(ServerConfig{Handler: b, MaxConnections: 2})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	served := make(chan error, 1)
	ctx, cancel := context.WithCancel(t.Context())
	go func() { served <- s.Serve(ctx, ln) }()
	cfg := ClientConfig{Addr: ln.Addr().String(), ClientID: "d"}
	var clients []*Client
	for range 2 {
		c, err := Dial(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		clients = append(clients, c)
	}
	if _, err := Dial(t.Context(), cfg); err == nil {
		t.Error("the third connection was taken")
	}
	clients[0].Close()
	for s.Connections() > 1 {
		time.Sleep(time.Millisecond)
	}
	c, err := Dial(t.Context(), cfg)
	if err != nil {
		t.Fatalf("no room after one left: %v", err)
	}
	cancel()
	if err := <-served; err != nil {
		t.Error(err)
	}
	<-c.done
	if c.Err() == nil {
		t.Error("the server's end was not seen")
	}
	for _, c := range append(clients, c) {
		c.Close()
	}
	if s.Connections() != 0 {
		t.Errorf("%d connections after Serve returned", s.Connections())
	}
}

func TestRefusalArrivesThoughTheClientSendsOn(t *testing.T) {
	b := &book{code: NotAuthorized}
	s, err := NewServer(ServerConfig{Handler: b})
	if err != nil {
		t.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	ctx, cancel := context.WithCancel(t.Context())
	wg.Go(func() { _ = s.Serve(ctx, ln) })
	defer wg.Wait()
	defer cancel()
	for range 20 {
		c, err := net.Dial("tcp", ln.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		write(t, c, append(connectPacket(0), bytes.Repeat(AppendPublish(nil, "t", make([]byte, 500), 0, 0, false, false), 20)...))
		expect(t, c, []byte{0x20, 2, 0, 5})
		c.Close()
	}
}

func TestServerStopsWithItsAcknowledgementsSent(t *testing.T) {
	for name, stuck := range map[string]bool{"committed": false, "never committed": true} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := &book{keep: true}
				s, err := NewServer(ServerConfig{Handler: b})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithCancel(t.Context())
				peer, mine := net.Pipe()
				done := make(chan struct{})
				go func() {
					defer close(done)
					s.ServeConn(ctx, mine)
				}()
				open(t, peer, 0)
				write(t, peer, AppendPublish(nil, "t", nil, 7, 1, false, false))
				synctest.Wait()
				began := time.Now()
				cancel()
				synctest.Wait()
				if !stuck {
					b.owed[0].Done()
					expect(t, peer, []byte{0x40, 2, 0, 7})
				}
				<-done
				if d := time.Since(began); stuck != (d == drainTime) || !errors.Is(b.end(), ErrClosed) {
					t.Errorf("ended after %v with %v", d, b.end())
				}
				peer.Close()
			})
		})
	}
}
