package mqtt

// Pending is the acknowledgement owed for some messages of a connection. Done
// is called at most once, from any goroutine, and returns at once; the Pending
// must not be used after that. Without Done nothing after it is acknowledged
// either: the owner closes the connection, and the peer sends again.
type Pending struct {
	c        *Conn
	acks     []byte // PUBACK packets as they will be written
	messages int
	bytes    int
	done     bool
}

// Owe books messages as to be acknowledged, after those booked before. It
// must be called in the order of the messages, by the session's goroutine.
func (c *Conn) Owe(batch []Publish) *Pending {
	p, ok := c.srv.pendings.Get().(*Pending)
	if !ok {
		p = new(Pending)
	}
	p.c, p.acks, p.messages, p.bytes, p.done = c, p.acks[:0], len(batch), 0, false
	for i := range batch {
		m := &batch[i]
		p.bytes += len(m.Topic) + len(m.Payload)
		if m.QoS == 1 {
			p.acks = AppendAck(p.acks, PUBACK, m.ID) // [MQTT-3.3.4-1] [MQTT-2.3.1-6]
		}
	}
	c.mu.Lock()
	c.owed = append(c.owed, p)
	c.unacked += p.messages
	c.unackedBytes += p.bytes
	c.mu.Unlock()
	return p
}

// Done says that the messages are kept: their acknowledgements leave as soon
// as those before them have left.
func (p *Pending) Done() {
	c := p.c
	c.mu.Lock()
	p.done = true
	n := 0
	before := len(c.out)
	for n < len(c.owed) && c.owed[n].done {
		q := c.owed[n]
		c.out = append(c.out, q.acks...)
		c.unacked -= q.messages
		c.unackedBytes -= q.bytes
		q.c = nil
		c.srv.pendings.Put(q)
		n++
	}
	if n > 0 {
		k := copy(c.owed, c.owed[n:])
		clear(c.owed[k:])
		c.owed = c.owed[:k]
	}
	cfg := &c.srv.cfg
	room := c.stuck && c.unacked < cfg.MaxUnacked && c.unackedBytes < cfg.MaxUnackedBytes
	some := len(c.out) > before
	c.mu.Unlock()
	if some {
		signal(c.wake)
	}
	if room {
		signal(c.room)
	}
}

// Unacked is how many messages are owed an acknowledgement.
func (c *Conn) Unacked() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.unacked
}
