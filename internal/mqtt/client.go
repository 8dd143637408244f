package mqtt

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"github.com/coder/websocket"
)

// ClientConfig configures a Client; Addr or WebSocketURL is required.
type ClientConfig struct {
	Addr         string      // host:port
	TLS          *tls.Config // nil: plain TCP
	WebSocketURL string      // ws:// or wss://, wins over Addr; TLS applies to wss
	ClientID     string
	Username     string
	Password     string
	KeepAlive    time.Duration // 0: 60 s; whole seconds
	Window       int           // QoS 1 messages without acknowledgement, 64; at most 65000
	CleanSession bool
	Will         *Will
	// OnMessage gets what arrives on subscriptions, on the reader's goroutine;
	// the memory is its own only during the call. It must not wait for this
	// client. nil: dropped.
	OnMessage func(topic, payload []byte)
}

// Client is one connection to a server. It does not connect again: a client
// that ended says why in Err. It is safe for concurrent use.
type Client struct {
	nc        net.Conn
	onMessage func(topic, payload []byte)
	keepAlive time.Duration
	slots     chan uint16   // free packet identifiers 1..Window, the window
	wake      chan struct{} // something to write
	done      chan struct{} // closed at the end
	loops     sync.WaitGroup

	mu     sync.Mutex
	out    []byte
	busy   []bool // by identifier: waits for PUBACK
	open   int    // how many of busy
	idle   chan struct{}
	waits  map[uint16]chan []byte // SUBACK and UNSUBACK, by identifier above the window
	lastID uint16
	sent   bool // since the last tick
	pings  int  // unanswered
	ticker *time.Timer
	err    error
}

// handshakeTime bounds Dial where ctx does not.
const handshakeTime = 30 * time.Second

// Dial connects and waits for CONNACK; a refusal is a *ConnackError.
func Dial(ctx context.Context, cfg ClientConfig) (*Client, error) {
	def(&cfg.Window, 64)
	def(&cfg.KeepAlive, 60*time.Second)
	cfg.KeepAlive = max(cfg.KeepAlive, time.Second)
	if cfg.Window < 0 || cfg.Window > 65000 {
		return nil, fmt.Errorf("mqtt: window of %d messages", cfg.Window)
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	nc, err := dialNet(ctx, cfg)
	if err != nil {
		return nil, err
	}
	c := &Client{
		nc: nc, onMessage: cfg.OnMessage, keepAlive: cfg.KeepAlive,
		slots: make(chan uint16, cfg.Window), wake: make(chan struct{}, 1), done: make(chan struct{}),
		busy: make([]bool, cfg.Window+1),
	}
	for id := 1; id <= cfg.Window; id++ {
		c.slots <- uint16(id)
	}
	stop := context.AfterFunc(ctx, func() { _ = nc.SetDeadline(time.Unix(1, 0)) }) // ends the handshake's reads
	rest, err := c.connect(cfg)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		_ = nc.Close() // given up
		if ctx.Err() != nil {
			return nil, errors.Join(ctx.Err(), err)
		}
		return nil, err
	}
	c.mu.Lock()
	c.ticker = time.AfterFunc(c.tickTime(), c.tick)
	c.mu.Unlock()
	c.loops.Go(c.write)
	c.loops.Go(func() { c.read(rest) })
	return c, nil
}

func dialNet(ctx context.Context, cfg ClientConfig) (net.Conn, error) {
	if cfg.WebSocketURL != "" {
		tr := &http.Transport{TLSClientConfig: cfg.TLS}
		ws, resp, err := websocket.Dial(ctx, cfg.WebSocketURL, &websocket.DialOptions{
			HTTPClient: &http.Client{Transport: tr}, Subprotocols: []string{Subprotocol}, CompressionMode: websocket.CompressionDisabled,
		})
		if err != nil {
			if resp != nil && resp.Body != nil {
				_ = resp.Body.Close() // says nothing that err does not
			}
			return nil, err
		}
		ws.SetReadLimit(-1) // a frame is read piece by piece, packets have their limit
		return newWSConn(context.WithoutCancel(ctx), ws, cfg.WebSocketURL), nil
	}
	if cfg.TLS != nil {
		return (&tls.Dialer{Config: cfg.TLS}).DialContext(ctx, "tcp", cfg.Addr)
	}
	return (&net.Dialer{}).DialContext(ctx, "tcp", cfg.Addr)
}

func (c *Client) connect(cfg ClientConfig) (rest []byte, err error) {
	p := &Connect{
		ClientID: cfg.ClientID, Username: cfg.Username, Password: []byte(cfg.Password), HasUsername: cfg.Username != "",
		HasPassword: cfg.Password != "", CleanSession: cfg.CleanSession, KeepAlive: uint16(min(cfg.KeepAlive/time.Second, 65535)), Will: cfg.Will,
	}
	if _, err := c.nc.Write(AppendConnect(nil, p)); err != nil {
		return nil, err
	}
	buf := make([]byte, 0, 256)
	for {
		n, err := c.nc.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		f, size, serr := Split(buf, cap(buf))
		switch {
		case serr != nil:
			return nil, serr
		case size > 0 && size <= len(buf):
			if f.Type != CONNACK {
				return nil, violation("first packet is not CONNACK")
			}
			_, code, perr := ParseConnack(f.Body)
			if perr != nil {
				return nil, perr
			}
			if code != Accepted {
				return nil, &ConnackError{code}
			}
			return buf[size:], nil
		case err != nil:
			return nil, err
		}
	}
}

// Publish sends at QoS 1. It returns when the message is queued, which waits
// while the window is full; Flush tells that it has arrived. topic and payload
// are the caller's again when it returns.
func (c *Client) Publish(ctx context.Context, topic string, payload []byte) error {
	if len(topic) > 65535 || len(payload) > MaxRemaining-65535-4 {
		return ErrTooLarge
	}
	var id uint16
	select {
	case id = <-c.slots:
	default:
		select {
		case id = <-c.slots:
		case <-ctx.Done():
			return ctx.Err()
		case <-c.done:
			return c.Err()
		}
	}
	c.mu.Lock()
	if err := c.err; err != nil {
		c.mu.Unlock()
		return err
	}
	c.busy[id] = true
	c.open++
	c.out = AppendPublish(c.out, topic, payload, id, 1, false, false)
	c.mu.Unlock()
	signal(c.wake)
	return nil
}

// Flush waits until everything published is acknowledged.
func (c *Client) Flush(ctx context.Context) error {
	for {
		c.mu.Lock()
		if c.open == 0 || c.err != nil {
			defer c.mu.Unlock()
			if c.open == 0 {
				return nil
			}
			return c.err
		}
		if c.idle == nil {
			c.idle = make(chan struct{})
		}
		idle := c.idle
		c.mu.Unlock()
		select {
		case <-idle:
		case <-c.done:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// Unacked is how many messages wait for their acknowledgement.
func (c *Client) Unacked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.open
}

// Subscribe asks for a filter and returns what was granted, Refused included.
func (c *Client) Subscribe(ctx context.Context, filter string, qos byte) (granted byte, err error) {
	codes, err := c.ask(ctx, func(dst []byte, id uint16) []byte {
		return AppendSubscribe(dst, id, Subscription{Filter: filter, QoS: qos})
	})
	if err != nil {
		return 0, err
	}
	if len(codes) != 1 {
		return 0, malformed("SUBACK")
	}
	return codes[0], nil
}

// Unsubscribe takes a filter back.
func (c *Client) Unsubscribe(ctx context.Context, filter string) error {
	_, err := c.ask(ctx, func(dst []byte, id uint16) []byte { return AppendUnsubscribe(dst, id, filter) })
	return err
}

// ask sends a request under an identifier above the window and waits for its answer.
func (c *Client) ask(ctx context.Context, request func([]byte, uint16) []byte) ([]byte, error) {
	answer := make(chan []byte, 1)
	c.mu.Lock()
	if c.err != nil {
		defer c.mu.Unlock()
		return nil, c.err
	}
	if c.waits == nil {
		c.waits = map[uint16]chan []byte{}
	}
	first := uint16(len(c.busy))
	if c.lastID < first || c.lastID == 65535 {
		c.lastID = first - 1
	}
	c.lastID++
	id := c.lastID
	c.waits[id] = answer
	c.out = request(c.out, id)
	c.mu.Unlock()
	signal(c.wake)
	select {
	case a := <-answer:
		return a, nil
	case <-c.done:
		return nil, c.Err()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// Err is why the client ended, nil while it is connected.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

// Close says DISCONNECT and closes; messages without acknowledgement may or
// may not have arrived.
func (c *Client) Close() error {
	c.mu.Lock()
	ended := c.err != nil
	var last []byte
	if !ended {
		last, c.out = AppendEmpty(c.out, DISCONNECT), nil
	}
	c.mu.Unlock()
	if !ended {
		c.end(ErrClosed, last)
	}
	c.loops.Wait()
	return nil
}
