package app

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"github.com/marisma/marisma/internal/bundle"
)

// maxSocketPath is what fits into sockaddr_un on Linux, with room for the end.
const maxSocketPath = 100

// listeners are the open doors.
type listeners struct {
	http, local net.Listener
	devices     []net.Listener    // MQTT over TLS, and plain where marisma.yml asks
	addresses   map[string]string // http, mqtts, mqtt, websocket
	socket      string
}

func listen(ctx context.Context, p *bundle.Project, s *stores) (_ *listeners, err error) {
	l := &listeners{addresses: map[string]string{}, socket: SocketPath(p.DataDir())}
	defer func() {
		if err != nil {
			l.close()
		}
	}()
	var lc net.ListenConfig
	open := func(name, address string) (net.Listener, error) {
		ln, err := lc.Listen(ctx, "tcp", address)
		if err != nil {
			if errors.Is(err, syscall.EADDRINUSE) {
				return nil, fmt.Errorf("listeners.%s in marisma.yml: %w: stop the program that listens there, or name another address (port 0 takes any)", name, err)
			}
			return nil, fmt.Errorf("listeners.%s in marisma.yml: %w", name, err)
		}
		l.addresses[name] = ln.Addr().String()
		return ln, nil
	}
	if l.http, err = open("http", p.Listeners.HTTP); err != nil {
		return nil, err
	}
	l.addresses["websocket"] = l.addresses["http"] + "/$iothub/websocket"
	if !loopback(l.http.Addr()) {
		l.http = tls.NewListener(l.http, s.ca.ServerTLS())
	}
	mqtts, err := open("mqtts", p.Listeners.MQTTS)
	if err != nil {
		return nil, err
	}
	l.devices = append(l.devices, tls.NewListener(mqtts, s.ca.ServerTLS()))
	if p.Listeners.MQTT != "" {
		plain, err := open("mqtt", p.Listeners.MQTT)
		if err != nil {
			return nil, err
		}
		l.devices = append(l.devices, plain)
		if !loopback(plain.Addr()) {
			return nil, fmt.Errorf("listeners.mqtt in marisma.yml: %s is open beyond this machine; MQTT without TLS is for 127.0.0.1 only", plain.Addr())
		}
	}
	// The folder's lock is ours, so a socket that is there is a dead one's.
	if err := os.Remove(l.socket); err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	if l.local, err = lc.Listen(ctx, "unix", l.socket); err != nil {
		return nil, err
	}
	return l, os.Chmod(l.socket, 0o600)
}

func loopback(a net.Addr) bool {
	t, ok := a.(*net.TCPAddr)
	return ok && t.IP.IsLoopback()
}

func (l *listeners) close() {
	for _, ln := range append([]net.Listener{l.http, l.local}, l.devices...) {
		if ln != nil {
			_ = ln.Close() // most are closed by their servers already
		}
	}
}

func shortHash(s string) string {
	h := sha256.Sum256([]byte(s))
	return hex.EncodeToString(h[:6])
}
