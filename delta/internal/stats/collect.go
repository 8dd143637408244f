package stats

import (
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/marisma/marisma/delta/internal/schema"
)

// DefaultColumns is how many leaf columns have statistics unless the table says otherwise.
const DefaultColumns = 32

// Select says which columns have statistics.
type Select struct {
	// First counts leaf columns in schema order; negative for all.
	First int
	// Names, if not nil, lists columns (nested ones with dots) instead.
	Names []string
}

// FromProperties reads the table properties that choose the columns of a
// table's schema; m names them in the files.
func FromProperties(sc *arrow.Schema, m schema.Mapping, p map[string]string) Select {
	s := Select{First: DefaultColumns}
	if n, err := strconv.Atoi(p["delta.dataSkippingNumIndexedCols"]); err == nil {
		s.First = n
	}
	list, ok := p["delta.dataSkippingStatsColumns"]
	if !ok {
		return s
	}
	s.Names = []string{}
	for n := range strings.SplitSeq(list, ",") {
		fields, err := resolve(sc, strings.ReplaceAll(strings.TrimSpace(n), "`", ""))
		if err != nil {
			continue // a column that was dropped since
		}
		path := make([]string, len(fields))
		for i, f := range fields {
			path[i] = m.Name(f)
		}
		s.Names = append(s.Names, strings.Join(path, "."))
	}
	return s
}

func (s Select) has(path string, index int) bool {
	if s.Names == nil {
		return s.First < 0 || index < s.First
	}
	for _, n := range s.Names {
		if strings.EqualFold(n, path) || len(path) > len(n) && path[len(n)] == '.' && strings.EqualFold(n, path[:len(n)]) {
			return true
		}
	}
	return false
}

// bounds gathers a column's least and greatest value. invalid, if not nil,
// marks rows that are null because a parent is.
type bounds interface {
	add(a arrow.Array, invalid []bool)
	// text gives JSON texts; ok is false where there is nothing to say.
	text() (lo, hi string, ok bool)
}

type node struct {
	name     string
	children []*node
	leaf     bool
	on       bool
	nulls    int64
	bounds   bounds
}

// Collector gathers the statistics of one file. It is for one goroutine.
type Collector struct {
	rows  int64
	roots []*node
}

// New makes a collector for batches of a schema.
func New(s *arrow.Schema, sel Select) *Collector {
	c := &Collector{}
	index := 0
	for _, f := range s.Fields() {
		c.roots = append(c.roots, newNode(f, f.Name, sel, &index))
	}
	return c
}

func newNode(f arrow.Field, path string, sel Select, index *int) *node {
	n := &node{name: f.Name}
	if st, ok := f.Type.(*arrow.StructType); ok {
		for _, c := range st.Fields() {
			k := newNode(c, path+"."+c.Name, sel, index)
			n.on = n.on || k.on
			n.children = append(n.children, k)
		}
		return n
	}
	n.leaf = true
	n.on = sel.has(path, *index)
	*index++
	if n.on {
		n.bounds = boundsOf(f.Type)
	}
	return n
}

// Rows is how many rows were added.
func (c *Collector) Rows() int64 { return c.rows }

// Add takes a batch of the collector's schema in.
func (c *Collector) Add(rec arrow.RecordBatch) {
	c.rows += rec.NumRows()
	for i, n := range c.roots {
		n.add(rec.Column(i), nil)
	}
}

func (n *node) add(a arrow.Array, invalid []bool) {
	if !n.on {
		return
	}
	if n.leaf {
		if invalid == nil {
			n.nulls += int64(a.NullN())
		} else {
			for i := range a.Len() {
				if invalid[i] || a.IsNull(i) {
					n.nulls++
				}
			}
		}
		if n.bounds != nil {
			n.bounds.add(a, invalid)
		}
		return
	}
	st, ok := a.(*array.Struct)
	if !ok {
		return
	}
	if st.NullN() > 0 {
		mask := make([]bool, st.Len())
		for i := range mask {
			mask[i] = st.IsNull(i) || invalid != nil && invalid[i]
		}
		invalid = mask
	}
	for i, k := range n.children {
		k.add(st.Field(i), invalid)
	}
}

// JSON is the statistics' text as it stands in an add action.
func (c *Collector) JSON() string {
	b := []byte(`{"numRecords":`)
	b = strconv.AppendInt(b, c.rows, 10)
	type pair struct{ lo, hi string }
	texts := map[*node]pair{}
	var walk func(n *node)
	walk = func(n *node) {
		if n.bounds != nil {
			if lo, hi, ok := n.bounds.text(); ok {
				texts[n] = pair{lo, hi}
			}
		}
		for _, k := range n.children {
			walk(k)
		}
	}
	for _, n := range c.roots {
		walk(n)
	}
	if c.rows > 0 {
		b = part(b, "minValues", c.roots, func(n *node) string { return texts[n].lo })
		b = part(b, "maxValues", c.roots, func(n *node) string { return texts[n].hi })
	}
	b = part(b, "nullCount", c.roots, func(n *node) string { return strconv.FormatInt(n.nulls, 10) })
	return string(append(b, '}'))
}

func part(b []byte, name string, roots []*node, text func(*node) string) []byte {
	b = append(b, ',')
	b = appendString(b, name)
	b = append(b, ':')
	return members(b, roots, text)
}

func members(b []byte, nodes []*node, text func(*node) string) []byte {
	b = append(b, '{')
	first := true
	for _, n := range nodes {
		if !n.on || !says(n, text) {
			continue
		}
		if !first {
			b = append(b, ',')
		}
		first = false
		b = appendString(b, n.name)
		b = append(b, ':')
		if n.leaf {
			b = append(b, text(n)...)
		} else {
			b = members(b, n.children, text)
		}
	}
	return append(b, '}')
}

// says tells whether text has something to say below n.
func says(n *node, text func(*node) string) bool {
	if n.leaf {
		return n.on && text(n) != ""
	}
	for _, k := range n.children {
		if says(k, text) {
			return true
		}
	}
	return false
}
