package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/marisma/marisma/internal/mqtt"
)

// pump sends as fast as acknowledgements come, with one goroutine and one
// write for what they have made room for: the generator shares the cores with
// what it measures.
type pump struct {
	nc     net.Conn
	window int
	out    []byte
	in     []byte
	have   int // of in
}

// dialPump connects with the credentials of cfg.
func dialPump(ctx context.Context, cfg mqtt.ClientConfig) (*pump, error) {
	nc, err := (&net.Dialer{}).DialContext(ctx, "tcp", cfg.Addr)
	if err != nil {
		return nil, err
	}
	p := &pump{nc: nc, window: cfg.Window, in: make([]byte, 4<<10)}
	hello := mqtt.AppendConnect(nil, &mqtt.Connect{
		ClientID: cfg.ClientID, Username: cfg.Username, HasUsername: cfg.Username != "",
		Password: []byte(cfg.Password), HasPassword: cfg.Password != "", CleanSession: cfg.CleanSession,
	})
	answered := false
	_, err = nc.Write(hello)
	for err == nil && !answered {
		err = p.frames(func(f mqtt.Frame) error {
			answered = true
			_, code, err := mqtt.ParseConnack(f.Body)
			if err == nil && code != mqtt.Accepted {
				err = &mqtt.ConnackError{Code: code}
			}
			return err
		})
	}
	if err != nil {
		return nil, errors.Join(err, nc.Close())
	}
	return p, nil
}

// patience is how long an acknowledgement may take.
const patience = time.Minute

// frames reads once and calls f for each whole packet.
func (p *pump) frames(f func(mqtt.Frame) error) error {
	n, err := p.nc.Read(p.in[p.have:])
	if err != nil {
		return err
	}
	p.have += n
	at := 0
	for {
		fr, n, err := mqtt.Split(p.in[at:p.have], len(p.in))
		if err != nil {
			return err
		}
		if n == 0 || n > p.have-at {
			break
		}
		if err := f(fr); err != nil {
			return err
		}
		at += n
	}
	p.have = copy(p.in, p.in[at:p.have])
	return nil
}

// run sends count messages and waits for their acknowledgements; body appends
// message n to its argument.
func (p *pump) run(ctx context.Context, topic string, count int64, body func(dst []byte, n int64) []byte) error {
	stop := context.AfterFunc(ctx, func() { _ = p.nc.SetDeadline(time.Unix(1, 0)) }) // ends the read
	defer stop()
	var msg []byte
	var sent, acked int64
	for acked < count {
		p.out = p.out[:0]
		for ; sent < count && sent-acked < int64(p.window); sent++ {
			msg = body(msg[:0], sent)
			id := uint16(sent%int64(p.window)) + 1
			p.out = mqtt.AppendPublish(p.out, topic, msg, id, 1, false, false)
		}
		if len(p.out) > 0 {
			if err := p.nc.SetDeadline(time.Now().Add(patience)); err != nil {
				return err
			}
			if _, err := p.nc.Write(p.out); err != nil {
				return err
			}
		}
		err := p.frames(func(f mqtt.Frame) error {
			if f.Type != mqtt.PUBACK {
				return fmt.Errorf("packet of type %d instead of PUBACK", f.Type)
			}
			acked++
			return nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
