package eventlog

// maxNames bounds the header names that a decoder remembers.
const maxNames = 512

// decoder turns stored batches into records without allocating: it reuses one
// Record, whose slices point into the batch, and remembers header names.
type decoder struct {
	rec   Record
	heads []Header
	names map[string]string
	bare  bool // headers are passed over
}

// each calls f for the batch's records with from <= offset < to. It returns
// false when f did, and ErrCorrupt where the batch is not well formed.
func (d *decoder) each(h *header, raw []byte, from, to int64, f func(int64, *Record) bool) (bool, error) {
	if h.attrs&0x7 != 0 { // compressed: this log never writes such
		return false, ErrCorrupt
	}
	b := raw[:h.size]
	i := batchOverhead
	for n := range int64(h.count) {
		size, at := varint(b, i)
		if at < 0 || size < 0 || size > int64(len(b)-at) {
			return false, ErrCorrupt
		}
		i = at + int(size)
		offset := h.base + n
		if offset >= to {
			return true, nil
		}
		if offset < from {
			continue
		}
		if !d.record(b[at:i:i], h.baseTime, n) {
			return false, ErrCorrupt
		}
		if !f(offset, &d.rec) {
			return false, nil
		}
	}
	if i != len(b) {
		return false, ErrCorrupt
	}
	return true, nil
}

// record decodes one record's body into d.rec.
func (d *decoder) record(b []byte, baseTime, delta int64) bool {
	r := &d.rec
	dt, i := varint(b, 1) // after the attributes
	if i < 0 {
		return false
	}
	r.Timestamp = baseTime + dt
	od, i := varint(b, i)
	if i < 0 || od != delta {
		return false
	}
	if r.Key, i = field(b, i); i < 0 {
		return false
	}
	if r.Value, i = field(b, i); i < 0 {
		return false
	}
	if d.bare {
		r.Headers = nil
		return true
	}
	n, i := varint(b, i)
	if i < 0 || n < 0 || n > int64(len(b)-i) {
		return false
	}
	if i = d.headers(b, i, int(n)); i != len(b) {
		return false
	}
	r.Headers = d.heads
	return true
}

// headers decodes n headers at b[i:] and returns the index after them, or -1.
func (d *decoder) headers(b []byte, i, n int) int {
	// The previous record's names usually come again in the same places.
	old := d.heads[:cap(d.heads)]
	d.heads = d.heads[:0]
	for k := range n {
		var key, value []byte
		if key, i = field(b, i); i < 0 || key == nil {
			return -1
		}
		if value, i = field(b, i); i < 0 {
			return -1
		}
		name := ""
		if k < len(old) && old[k].Key == string(key) {
			name = old[k].Key
		} else {
			name = d.name(key)
		}
		d.heads = append(d.heads, Header{Key: name, Value: value})
	}
	return i
}

// name is string(b), the same string each time.
func (d *decoder) name(b []byte) string {
	if s, ok := d.names[string(b)]; ok {
		return s
	}
	if d.names == nil || len(d.names) >= maxNames {
		d.names = map[string]string{}
	}
	s := string(b)
	d.names[s] = s
	return s
}

// field reads a nullable byte string at b[i:]; next is the index after it, or -1.
func field(b []byte, i int) (v []byte, next int) {
	n, i := varint(b, i)
	switch {
	case i < 0 || n < -1 || n > int64(len(b)-i):
		return nil, -1
	case n < 0:
		return nil, i
	}
	end := i + int(n)
	return b[i:end:end], end
}
