package mqtt

import "time"

// closeTime is how long Close waits for the peer to take the last bytes.
const closeTime = time.Second

// end ends the client once; last is written before, if the peer takes it.
func (c *Client) end(err error, last []byte) {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	c.err = err
	close(c.done)
	c.ticker.Stop()
	c.mu.Unlock()
	signal(c.wake)
	if len(last) > 0 && c.nc.SetWriteDeadline(time.Now().Add(closeTime)) == nil {
		_, _ = c.nc.Write(last) // a goodbye; the connection is closed either way
	}
	_ = c.nc.Close() // given up
}

// tickTime is half the keep alive time: what was silent for one tick is never
// silent for two.
func (c *Client) tickTime() time.Duration { return c.keepAlive / 2 }

// tick sends PINGREQ where nothing was sent since the last tick
// [MQTT-3.1.2-23], and ends a client whose pings nobody answers.
func (c *Client) tick() {
	c.mu.Lock()
	if c.err != nil {
		c.mu.Unlock()
		return
	}
	late := c.pings >= 2
	if !c.sent && !late {
		c.out = AppendEmpty(c.out, PINGREQ)
		c.pings++
	}
	c.sent = false
	c.ticker.Reset(c.tickTime())
	c.mu.Unlock()
	if late {
		c.end(ErrKeepAlive, nil)
		return
	}
	signal(c.wake)
}

// write sends what is queued in one call.
func (c *Client) write() {
	var buf []byte
	for {
		<-c.wake // of end too
		c.mu.Lock()
		buf, c.out = c.out, buf[:0]
		c.sent = c.sent || len(buf) > 0
		ended := c.err != nil
		c.mu.Unlock()
		if ended {
			return
		}
		if len(buf) == 0 {
			continue
		}
		if _, err := c.nc.Write(buf); err != nil {
			c.end(err, nil)
			return
		}
		if cap(buf) > maxQueued {
			buf = nil
		}
	}
}

// read takes acknowledgements and messages; rest was read with CONNACK.
func (c *Client) read(rest []byte) {
	buf := make([]byte, max(1024, len(rest)))
	w := copy(buf, rest)
	for {
		r := 0
		for {
			f, n, err := Split(buf[r:w], 1<<20)
			if err != nil {
				c.end(err, nil)
				return
			}
			if n == 0 || n > w-r {
				break
			}
			if err := c.take(f); err != nil {
				c.end(err, nil)
				return
			}
			r += n
		}
		w = copy(buf, buf[r:w])
		if w == len(buf) {
			buf = append(buf, make([]byte, len(buf))...)
		}
		n, err := c.nc.Read(buf[w:])
		if n == 0 && err != nil {
			c.end(err, nil)
			return
		}
		w += n
	}
}

func (c *Client) take(f Frame) error {
	switch f.Type {
	case PUBACK:
		id, err := ParsePacketID(f.Body)
		if err != nil {
			return err
		}
		return c.acked(id)
	case PUBLISH:
		p, err := ParsePublish(f.Flags, f.Body)
		if err != nil {
			return err
		}
		if c.onMessage != nil {
			c.onMessage(p.Topic, p.Payload)
		}
		if p.QoS == 1 {
			c.mu.Lock()
			c.out = AppendAck(c.out, PUBACK, p.ID)
			c.mu.Unlock()
			signal(c.wake)
		}
		return nil
	case SUBACK:
		id, codes, err := ParseSuback(f.Body)
		if err != nil {
			return err
		}
		return c.answered(id, append([]byte(nil), codes...))
	case UNSUBACK:
		id, err := ParsePacketID(f.Body)
		if err != nil {
			return err
		}
		return c.answered(id, nil)
	case PINGRESP:
		c.mu.Lock()
		c.pings = 0
		c.mu.Unlock()
		return nil
	}
	return violation("packet that a server does not send")
}

func (c *Client) acked(id uint16) error {
	c.mu.Lock()
	if int(id) >= len(c.busy) || !c.busy[id] {
		c.mu.Unlock()
		return violation("PUBACK of a message that was not sent")
	}
	c.busy[id] = false
	c.open--
	if c.open == 0 && c.idle != nil {
		close(c.idle)
		c.idle = nil
	}
	c.mu.Unlock()
	c.slots <- id // has room: the identifier came from there
	return nil
}

func (c *Client) answered(id uint16, codes []byte) error {
	c.mu.Lock()
	answer := c.waits[id]
	delete(c.waits, id)
	c.mu.Unlock()
	if answer == nil {
		return violation("acknowledgement of a request that was not sent")
	}
	answer <- codes
	return nil
}
