package sketch

import (
	"encoding/binary"
	"fmt"
	"math"
	"math/bits"
	"slices"
)

// Item is a value of a Frequent sketch: its bytes, which tell equal items from
// others, and its Java hash code.
type Item struct {
	Bytes string
	Hash  int32
}

// Row is a frequent item with its estimated count; a nil Item counts NULLs.
type Row struct {
	Item  *Item
	Count int64
}

// frequentSample is the number of counts from which a purge takes the median.
const frequentSample = 1024

// Frequent counts the items that come most often in a table of bounded size.
// When the table is full, all counts go down by their median; what was taken
// off is the error of every count.
type Frequent struct {
	lgMost int // of the largest table
	table  []slot
	active int
	offset int64
	weight int64
	nulls  int64
}

// slot is a place of the table; drift is its distance from where the hash
// points to plus one, 0 for a free one.
type slot struct {
	item  Item
	count int64
	drift int
}

const lgLeastTable = 3

// NewFrequent makes a sketch that tracks at least maxItems items.
func NewFrequent(maxItems int) *Frequent {
	least := int(math.Ceil(float64(maxItems) / 0.75))
	return &Frequent{lgMost: max(lgLeastTable, bits.Len(uint(least-1))), table: make([]slot, 1<<lgLeastTable)}
}

// Add counts an item n times.
func (s *Frequent) Add(it Item, n int64) {
	s.weight += n
	s.put(it, n)
	if s.active <= len(s.table)*3/4 {
		return
	}
	if len(s.table) < 1<<s.lgMost {
		old := s.table
		s.table, s.active = make([]slot, 2*len(old)), 0
		for _, e := range old {
			if e.drift > 0 {
				s.put(e.item, e.count)
			}
		}
		return
	}
	s.purge()
}

// AddNull counts a NULL.
func (s *Frequent) AddNull() { s.nulls++ }

func (s *Frequent) put(it Item, n int64) {
	mask := len(s.table) - 1
	i, drift := int(mix(uint64(int64(it.Hash))))&mask, 1
	for s.table[i].drift > 0 && s.table[i].item != it {
		i, drift = (i+1)&mask, drift+1
	}
	if s.table[i].drift == 0 {
		s.table[i] = slot{it, 0, drift}
		s.active++
	}
	s.table[i].count += n
}

func (s *Frequent) purge() {
	limit := min(frequentSample, s.active)
	counts := make([]int64, 0, limit)
	for i := 0; len(counts) < limit; i++ {
		if s.table[i].drift > 0 {
			counts = append(counts, s.table[i].count)
		}
	}
	slices.Sort(counts)
	by := counts[limit/2]
	s.offset += by
	for i := range s.table {
		s.table[i].count -= by
	}
	first := len(s.table) - 1
	for s.table[first].drift > 0 {
		first--
	}
	drop := func(i int) {
		if s.table[i].drift > 0 && s.table[i].count <= 0 {
			s.remove(i)
			s.active--
		}
	}
	for i := first - 1; i >= 0; i-- {
		drop(i)
	}
	for i := len(s.table) - 1; i >= first; i-- {
		drop(i)
	}
}

// remove frees a place and closes the run behind it.
func (s *Frequent) remove(i int) {
	mask := len(s.table) - 1
	s.table[i].drift = 0
	for drift, j := 1, (i+1)&mask; s.table[j].drift != 0; drift, j = drift+1, (j+1)&mask {
		if s.table[j].drift > drift {
			s.table[i] = s.table[j]
			s.table[i].drift -= drift
			s.table[j].drift = 0
			drift, i = 0, j
		}
	}
}

// Merge adds what o has counted.
func (s *Frequent) Merge(o *Frequent) {
	weight := s.weight + o.weight
	for _, e := range o.walk() {
		s.Add(e.item, e.count)
	}
	s.offset += o.offset
	s.weight = weight
	s.nulls += o.nulls
}

// walk lists the table by golden steps.
func (s *Frequent) walk() []slot {
	out := make([]slot, 0, s.active)
	mask, step := len(s.table)-1, int(float64(len(s.table))*(math.Sqrt(5)-1)/2)|1
	for i := 0; len(out) < s.active; i = (i + step) & mask {
		if s.table[i].drift > 0 {
			out = append(out, s.table[i])
		}
	}
	return out
}

// Top are the k most frequent items, NULL among them, those left out whose
// count may be an error.
func (s *Frequent) Top(k int) []Row {
	var rows []Row
	for _, e := range s.walk() {
		if e.count >= s.offset {
			rows = append(rows, Row{&e.item, e.count + s.offset})
		}
	}
	slices.SortStableFunc(rows, func(a, b Row) int { return compare64(b.Count, a.Count) })
	if s.nulls > 0 {
		i := slices.IndexFunc(rows, func(r Row) bool { return r.Count < s.nulls })
		if i < 0 {
			i = len(rows)
		}
		rows = slices.Insert(rows, i, Row{nil, s.nulls})
	}
	return rows[:min(k, len(rows))]
}

func compare64(a, b int64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Bytes are the sketch with the count of NULLs behind it; join makes the
// items' bytes one.
func (s *Frequent) Bytes(join func([]Item) []byte) []byte {
	le := binary.LittleEndian
	b := []byte{4, 1, 10, byte(s.lgMost), byte(bits.TrailingZeros(uint(len(s.table)))), 0, 0, 0}
	if s.active == 0 {
		b[0], b[5] = 1, 5
	} else {
		b = le.AppendUint64(b, uint64(s.active))
		b = le.AppendUint64(b, uint64(s.weight))
		b = le.AppendUint64(b, uint64(s.offset))
		for _, e := range s.table {
			if e.drift > 0 {
				b = le.AppendUint64(b, uint64(e.count))
			}
		}
		items := make([]Item, 0, s.active)
		for _, e := range s.table {
			if e.drift > 0 {
				items = append(items, e.item)
			}
		}
		b = append(b, join(items)...)
	}
	return binary.BigEndian.AppendUint64(b, uint64(s.nulls))
}

// ReadFrequent reads a sketch; cut takes n items off the front of the bytes.
func ReadFrequent(b []byte, cut func(b []byte, n int) ([]Item, bool)) (*Frequent, error) {
	bad := fmt.Errorf("frequent items: %w", ErrFormat)
	if len(b) < 16 || b[1] != 1 || b[2] != 10 || b[3] > 30 || b[4] > b[3] {
		return nil, bad
	}
	s := &Frequent{lgMost: max(lgLeastTable, int(b[3])), table: make([]slot, 1<<lgLeastTable)}
	s.nulls = int64(binary.BigEndian.Uint64(b[len(b)-8:]))
	b = b[:len(b)-8]
	switch {
	case b[0] == 1 && b[5]&5 != 0:
		return s, nil
	case b[0] != 4 || b[5]&5 != 0 || len(b) < 32:
		return nil, bad
	}
	le := binary.LittleEndian
	n, weight, offset := int(le.Uint32(b[8:])), int64(le.Uint64(b[16:])), int64(le.Uint64(b[24:]))
	b, lg := b[32:], int(b[4])
	if n < 0 || len(b)/8 < n || 1<<lg > max(1<<14, 8*(n+1)) {
		return nil, bad
	}
	items, ok := cut(b[8*n:], n)
	if !ok {
		return nil, bad
	}
	s.table = make([]slot, 1<<max(lg, lgLeastTable))
	for i, it := range items {
		count := int64(le.Uint64(b[8*i:]))
		if count <= 0 {
			return nil, bad
		}
		s.Add(it, count)
	}
	s.weight, s.offset = weight, s.offset+offset
	return s, nil
}
