package vfs

import (
	"maps"
	"math/rand/v2"
	"slices"
)

// sector is the unit in which a disk writes: a torn write keeps some of them.
const sector = 512

// Crash is a copy of the file system as it stands after a power cut now: what
// was synced is there; unsynced writes and changes of names are each kept,
// dropped or, of writes, torn, as rng draws. With a nil rng all unsynced
// things are dropped. m itself stays as it is; the copy's power is on and it
// injects no errors.
func (m *Mem) Crash(rng *rand.Rand) *Mem {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := crash{rng: rng, made: map[*node]*node{}, kept: map[*node]map[string]*node{}}
	if rng != nil {
		for _, ch := range m.pending {
			if rng.IntN(2) == 0 {
				continue
			}
			for _, e := range ch {
				if c.kept[e.dir] == nil {
					c.kept[e.dir] = map[string]*node{}
				}
				c.kept[e.dir][e.name] = e.node
			}
		}
	}
	return &Mem{root: c.copy(m.root), cutAt: -1}
}

type crash struct {
	rng  *rand.Rand
	made map[*node]*node            // copies so far: a file with two names stays one
	kept map[*node]map[string]*node // unsynced names that survive, nil: removed
}

func (c *crash) copy(n *node) *node {
	if there := c.made[n]; there != nil {
		return there
	}
	out := &node{dir: n.dir, modTime: n.modTime}
	c.made[n] = out
	if !n.dir {
		out.synced = c.content(n)
		out.data = slices.Clone(out.synced)
		return out
	}
	out.names, out.durable = map[string]*node{}, map[string]*node{}
	names := maps.Clone(n.durable)
	for name, child := range c.kept[n] {
		set(names, entry{name: name, node: child})
	}
	// In order, so that one seed gives one outcome.
	for _, name := range slices.Sorted(maps.Keys(names)) {
		child := c.copy(names[name])
		out.names[name], out.durable[name] = child, child
	}
	return out
}

// content is what a file holds after the crash.
func (c *crash) content(n *node) []byte {
	out := slices.Clone(n.synced)
	if c.rng == nil {
		return out
	}
	for _, e := range n.unsynced {
		switch c.rng.IntN(4) {
		case 0: // dropped
		case 1: // kept
			out = e.on(out)
		case 2: // the length came through, the bytes did not
			if end := e.off + int64(len(e.data)); end > int64(len(out)) {
				out = resize(out, end)
			}
		case 3:
			out = c.torn(e, out)
		}
	}
	return out
}

// torn does some sectors of a write, or its first bytes.
func (c *crash) torn(e edit, out []byte) []byte {
	if e.resize || len(e.data) == 0 {
		return out
	}
	if c.rng.IntN(2) == 0 {
		return edit{off: e.off, data: e.data[:c.rng.IntN(len(e.data))]}.on(out)
	}
	for at := 0; at < len(e.data); at += sector {
		if c.rng.IntN(2) == 0 {
			out = edit{off: e.off + int64(at), data: e.data[at:min(at+sector, len(e.data))]}.on(out)
		}
	}
	return out
}
