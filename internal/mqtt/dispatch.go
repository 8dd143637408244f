package mqtt

import (
	"context"
	"errors"
	"io"
	"os"
	"time"
)

// connect reads the first packet, which must be CONNECT [MQTT-3.1.0-1], and
// answers it.
func (c *Conn) connect(ctx context.Context) error {
	var f Frame
	for {
		var ok bool
		var err error
		if f, ok, err = c.next(); err != nil {
			return err
		}
		if ok {
			break
		}
		if err := c.fill(); err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				return ErrNoConnect
			}
			return err
		}
	}
	if f.Type != CONNECT {
		return violation("first packet is not CONNECT")
	}
	p, err := ParseConnect(f.Body)
	if errors.Is(err, ErrVersion) {
		return c.refuse(BadVersion, err) // [MQTT-3.1.2-2]
	}
	if err != nil {
		return err
	}
	if p.ClientID == "" && !p.CleanSession {
		return c.refuse(IdentifierRejected, nil) // [MQTT-3.1.3-8]
	}
	session, present, code := c.srv.cfg.Handler.Connect(ctx, c, p)
	if code != Accepted {
		return c.refuse(code, nil)
	}
	c.session = session
	return c.accept(p, present)
}

func (c *Conn) accept(p *Connect, present bool) error {
	limit := c.srv.cfg.MaxKeepAlive
	c.silence = limit
	if p.KeepAlive > 0 {
		c.silence = min(limit, time.Duration(p.KeepAlive)*1500*time.Millisecond)
	}
	// CONNACK is the first packet to the client [MQTT-3.2.0-1]: whatever the
	// session has queued already follows it.
	if _, err := c.nc.Write(AppendConnack(nil, present, Accepted)); err != nil {
		return err
	}
	if err := c.nc.SetDeadline(time.Time{}); err != nil {
		return err
	}
	c.writer.Go(c.write)
	return nil
}

// refuse answers CONNECT with a code and closes [MQTT-3.2.2-5]. What the
// client has sent meanwhile is read away for a moment, for closing over
// unread bytes resets the connection and the answer could be lost.
func (c *Conn) refuse(code ConnackCode, cause error) error {
	err := error(&ConnackError{code})
	if cause != nil {
		err = errors.Join(err, cause)
	}
	if _, werr := c.nc.Write(AppendConnack(nil, false, code)); werr != nil {
		return err
	}
	if h, ok := c.nc.(interface{ CloseWrite() error }); ok && h.CloseWrite() != nil {
		return err
	}
	if c.nc.SetReadDeadline(time.Now().Add(time.Second)) == nil {
		_, _ = io.CopyN(io.Discard, c.nc, 64<<10) // until the peer closes or the time is over, both are fine
	}
	return err
}

// parse handles every complete packet of the buffer. Messages that follow each
// other go to the session at once.
func (c *Conn) parse(ctx context.Context) error {
	for {
		f, ok, err := c.next()
		if err == nil && ok && f.Type == PUBLISH {
			var p Publish
			if p, err = ParsePublish(f.Flags, f.Body); err == nil {
				if p.QoS < 2 {
					c.pubs = append(c.pubs, p)
					continue
				}
				err = violation("QoS 2 is not served")
			}
		}
		// The messages before a bad packet were good ones.
		if perr := c.deliver(ctx); perr != nil {
			return perr
		}
		if err != nil || !ok {
			return err
		}
		if err := c.handle(f); err != nil {
			return err
		}
	}
}

func (c *Conn) deliver(ctx context.Context) error {
	if len(c.pubs) == 0 {
		return nil
	}
	err := c.session.Publish(ctx, c, c.pubs)
	clear(c.pubs)
	c.pubs = c.pubs[:0]
	return err
}

// handle answers a packet other than PUBLISH.
func (c *Conn) handle(f Frame) error {
	switch f.Type {
	case PINGREQ:
		if len(f.Body) != 0 {
			return malformed("PINGREQ with a body")
		}
		c.Send([]byte{byte(PINGRESP) << 4, 0}) // [MQTT-3.12.4-1]
		return nil
	case SUBSCRIBE:
		return c.subscribe(f.Body)
	case UNSUBSCRIBE:
		id, filters, err := ParseUnsubscribe(f.Body)
		if err != nil {
			return err
		}
		for _, s := range filters {
			c.session.Unsubscribe(s)
		}
		c.Send(AppendAck(nil, UNSUBACK, id)) // [MQTT-3.10.4-4] [MQTT-3.10.4-5]
		return nil
	case PUBACK:
		_, err := ParsePacketID(f.Body) // what the server sends at QoS 0 owes none; one more does no harm
		return err
	case DISCONNECT:
		if len(f.Body) != 0 {
			return malformed("DISCONNECT with a body")
		}
		return ErrDisconnected // [MQTT-3.14.4-3]: the will is dropped
	case CONNECT: // [MQTT-3.1.0-2]
		return violation("second CONNECT")
	}
	return violation("packet that only QoS 2 or a server sends")
}

// subscribe grants each filter of the packet in its order [MQTT-3.8.4-4]. The
// connection answers QoS 2 with 1 at most, as the session does.
func (c *Conn) subscribe(body []byte) error {
	id, subs, err := ParseSubscribe(body)
	if err != nil {
		return err
	}
	codes := make([]byte, 0, len(subs))
	for _, s := range subs {
		s.QoS = min(s.QoS, 1)
		codes = append(codes, c.session.Subscribe(s))
	}
	c.Send(AppendSuback(nil, id, codes)) // [MQTT-3.8.4-1] [MQTT-3.8.4-2]
	return nil
}
