package mqtt

import (
	"context"
	"net"
	"net/http"
	"sync"

	"github.com/coder/websocket"
)

// Subprotocol is MQTT's name in a WebSocket handshake [MQTT-6.0.0-3].
const Subprotocol = "mqtt"

// WebSocket serves MQTT connections that come as WebSocket: in binary frames
// [MQTT-6.0.0-1], whose borders mean nothing [MQTT-6.0.0-2]. Its
// connections outlive the HTTP server's Shutdown: Close ends them.
func (s *Server) WebSocket() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{
			Subprotocols: []string{Subprotocol},
			// Devices show a token, not cookies: a foreign page gains nothing.
			InsecureSkipVerify: true,
			CompressionMode:    websocket.CompressionDisabled,
		})
		if err != nil {
			s.cfg.Logger.Debug("websocket handshake failed", "remote", r.RemoteAddr, "error", err)
			return // Accept has answered
		}
		if ws.Subprotocol() != Subprotocol {
			_ = ws.Close(websocket.StatusPolicyViolation, "subprotocol mqtt is needed")
			return
		}
		ws.SetReadLimit(-1) // a frame is read piece by piece, packets have their limit
		s.ServeConn(r.Context(), newWSConn(r.Context(), ws, r.RemoteAddr))
	})
}

// wsConn is a WebSocket as a net.Conn whose Close does not wait for the peer.
type wsConn struct {
	net.Conn
	ws     *websocket.Conn
	remote wsAddr
	once   sync.Once
}

func newWSConn(ctx context.Context, ws *websocket.Conn, remote string) *wsConn {
	return &wsConn{Conn: websocket.NetConn(ctx, ws, websocket.MessageBinary), ws: ws, remote: wsAddr(remote)}
}

func (c *wsConn) RemoteAddr() net.Addr { return c.remote }

// CloseWrite sends the close frame and waits for the peer's, a few seconds at
// most: after it nothing is read.
func (c *wsConn) CloseWrite() error { return c.ws.Close(websocket.StatusNormalClosure, "") }

func (c *wsConn) Close() error {
	var err error
	c.once.Do(func() {
		err = c.ws.CloseNow()
		_ = c.Conn.Close() // stops its timers; the socket is gone already
	})
	return err
}

type wsAddr string

func (a wsAddr) Network() string { return "websocket" }
func (a wsAddr) String() string  { return string(a) }
