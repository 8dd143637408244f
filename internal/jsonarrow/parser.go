package jsonarrow

import (
	"errors"
	"fmt"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// Options says how documents are read. The zero value is Spark's default.
type Options struct {
	// FailFast makes every document that is not wholly right a NULL row; the
	// caller raises. Without it a malformed document is a row of NULL fields
	// and a value of the wrong type a NULL field.
	FailFast bool
	// Corrupt names the STRING field that gets the document where it is not
	// wholly right. "" or a name not in the schema: none.
	Corrupt string
	Zone    *cast.Zone // of times without one; nil is UTC
	// Patterns of Java's form; "" reads what CAST reads.
	DateFormat, TimestampFormat, TimestampNTZFormat, TimeFormat string
	// Locale is the language of names in these patterns; "" is English.
	Locale string
	Syntax Syntax
	Memory memory.Allocator // nil is Go's heap
	// WholeValues gives up a document at its first nested value of a wrong type.
	WholeValues bool
	// Variant encodes a JSON value for a VARIANT column; false: it is NULL.
	Variant func(json []byte) ([]byte, bool)
}

// Outcome is what became of a document.
type Outcome uint8

// Outcomes.
const (
	OK        Outcome = iota
	Partial           // values of a wrong type are NULL
	Malformed         // nothing of it was read
	Empty             // no value at all: the row is NULL
)

// Parser collects documents as rows of a column of the root type.
type Parser struct {
	scanner
	opt     Options
	root    *column
	corrupt int // field of the root, -1: none
	zone    *cast.Zone
	zones   cast.Zones
	// wrongField tells that the document had a field of a wrong type below its
	// own fields.
	wrongField bool

	date, stamp, stampNTZ, clock *cast.Pattern
}

// New makes a parser whose documents are objects with the fields of schema.
func New(schema *arrow.Schema, opt Options) (*Parser, error) {
	return NewType(arrow.StructOf(schema.Fields()...), opt)
}

// NewType makes a parser for documents of a STRUCT, LIST or MAP. A LIST of
// STRUCT takes a single object as a list of one.
func NewType(t arrow.DataType, opt Options) (*Parser, error) {
	switch t.ID() {
	case arrow.STRUCT, arrow.LIST, arrow.MAP:
	default:
		return nil, fmt.Errorf("%w: a document cannot be %s", ErrType, t)
	}
	if opt.Memory == nil {
		opt.Memory = memory.DefaultAllocator
	}
	p := &Parser{opt: opt, corrupt: -1, zone: cast.UTC()}
	p.syn = opt.Syntax
	if opt.Zone != nil {
		p.zone = opt.Zone.Clone()
	}
	var err error
	if p.root, err = newColumn(t, opt.Memory); err != nil {
		return nil, err
	}
	if i, ok := p.root.index[opt.Corrupt]; ok && opt.Corrupt != "" {
		if p.root.kids[i].id != arrow.STRING {
			return nil, fmt.Errorf("%w: column %s of corrupt documents must be a string", ErrType, opt.Corrupt)
		}
		p.corrupt = i
		delete(p.root.index, opt.Corrupt)
		p.root.names[i] = "\x00" // no document's field has it: it is not JSON text
	}
	for _, f := range []struct {
		dst  **cast.Pattern
		text string
	}{{&p.date, opt.DateFormat}, {&p.stamp, opt.TimestampFormat}, {&p.stampNTZ, opt.TimestampNTZFormat}, {&p.clock, opt.TimeFormat}} {
		if f.text == "" {
			continue
		}
		if *f.dst, err = cast.CompileReading(f.text); err != nil {
			return nil, err
		}
		if *f.dst, err = (*f.dst).In(opt.Locale); err != nil {
			return nil, err
		}
	}
	return p, nil
}

// Len is the number of rows.
func (p *Parser) Len() int { return p.root.n }

// Bytes is about the memory of the rows.
func (p *Parser) Bytes() int { return p.root.bytes() }

// AppendNull adds a NULL row.
func (p *Parser) AppendNull() { p.root.putNull() }

// Append reads one document as a row. What follows the document's first value
// is not looked at. doc may be changed once Append has returned.
func (p *Parser) Append(doc []byte) Outcome {
	p.b, p.i = doc, 0
	row := p.root.n
	if p.peek() == 0 && p.i >= len(p.b) {
		p.root.putNull()
		return Empty
	}
	st := p.document()
	out := Malformed
	switch st {
	case good:
		if p.corrupt >= 0 {
			p.root.kids[p.corrupt].putNull()
			p.closeRow()
		}
		return OK
	case partial:
		out = Partial
	default:
		p.root.cut(row)
	}
	if p.opt.FailFast || out == Malformed && p.root.id != arrow.STRUCT {
		p.root.cut(row)
		p.root.putNull()
		return out
	}
	if out == Malformed {
		for i, k := range p.root.kids {
			if i != p.corrupt {
				k.putNull()
			}
		}
		if p.corrupt < 0 {
			p.root.end(true)
		}
	}
	if p.corrupt >= 0 {
		p.root.kids[p.corrupt].putText(cast.AppendUTF8(nil, doc))
		p.closeRow()
	}
	return out
}

// closeRow ends a root row whose corrupt column has just been written.
func (p *Parser) closeRow() { p.root.end(true) }

// status is how reading a value went. In all but broken the value has been
// passed, and the column has a row more.
type status uint8

const (
	good    status = iota
	partial        // a NULL stands inside for a value of a wrong type
	wrong          // the value is of a wrong type: the row is NULL
	broken         // not JSON
)

func (p *Parser) document() status {
	k, _ := p.begin()
	c := p.root
	p.wrongField = false
	switch {
	case c.id == arrow.STRUCT && k == kObject:
		return p.object(c, 0, p.corrupt)
	case c.id == arrow.LIST && k == kArray, c.id == arrow.MAP && k == kObject:
		if st := p.value(c, k, nil, 0); st == good || st == partial && !p.opt.WholeValues {
			return st
		}
	case c.id == arrow.LIST && k == kObject && c.kids[0].id == arrow.STRUCT:
		st := p.object(c.kids[0], 0, -1)
		if st == broken || st == partial && p.opt.WholeValues {
			return broken
		}
		c.putOffset(c.kids[0].n, true)
		return st
	}
	return broken
}

// object reads an object into a struct column. The field leave is not touched,
// and with it the row is not ended.
func (p *Parser) object(c *column, depth, leave int) status {
	row, st, last := c.n, good, false
	if !p.empty('}') {
		for {
			name, ok := p.name()
			if !ok {
				return broken
			}
			f := c.field(name)
			if !p.colon() {
				return broken
			}
			if f < 0 {
				if !p.skip(depth + 1) {
					return broken
				}
			} else {
				k := c.kids[f]
				if k.n > row { // the last of several values wins
					k.cut(row)
				}
				kind, w := p.begin()
				switch s := p.value(k, kind, w, depth+1); {
				case s == broken:
					return broken
				case s == partial && p.opt.WholeValues && depth == 0:
					k.cut(row)
					k.putNull()
					st, last = partial, p.wrongField
				case s == wrong && depth > 0:
					st, p.wrongField = partial, true
				case s != good:
					st = partial
				}
			}
			if last {
				break // Spark takes the end of the value's object for that of the document's
			}
			more, ok := p.next('}')
			if !ok {
				return broken
			}
			if !more {
				break
			}
		}
	}
	for i, k := range c.kids {
		if k.n == row && i != leave {
			k.putNull()
		}
	}
	if leave < 0 {
		c.end(true)
	}
	return st
}

// field finds the field of a name; documents of one kind have one order.
func (c *column) field(name []byte) int {
	if h := c.hint; h < len(c.names) && c.names[h] == str(name) {
		c.hint++
		return h
	}
	i, ok := c.index[str(name)]
	if !ok {
		if c.hint >= len(c.names) {
			c.hint = 0
		}
		return -1
	}
	c.hint = i + 1
	return i
}

// value reads the value that begin has found into c.
func (p *Parser) value(c *column, k kind, w []byte, depth int) status {
	if depth > maxDepth || k == kBad {
		return broken
	}
	if c.logical == "variant" {
		return p.putVariant(c, k, w, depth)
	}
	if k == kNull {
		c.putNull()
		return good
	}
	if c.id == arrow.NULL { // takes any value
		if k != kTrue && k != kFalse && k != kNaN && !p.skipKind(k, depth) {
			return broken
		}
		c.putNull()
		return good
	}
	if c.logical != "" {
		return p.putLogical(c, k, depth)
	}
	row := c.n
	st := wrong
	switch c.id {
	case arrow.STRING:
		return p.text(c, k, w, depth)
	case arrow.STRUCT:
		if k == kObject {
			st = p.object(c, depth, -1)
		}
	case arrow.LIST:
		if k == kArray {
			st = p.array(c, depth)
		}
	case arrow.MAP:
		if k == kObject {
			st = p.entries(c, depth)
		}
	default:
		switch k {
		case kNumber:
			var n number
			if !p.number(&n) {
				return broken
			}
			st = p.putNumber(c, &n)
		case kString:
			t, ok := p.str()
			if !ok {
				return broken
			}
			st = p.putString(c, t)
		case kTrue, kFalse:
			if c.id == arrow.BOOL {
				c.putBool(k == kTrue)
				return good
			}
		case kNaN:
			if f := math.NaN(); c.id == arrow.FLOAT64 || c.id == arrow.FLOAT32 {
				if w[0] == 'I' {
					f = math.Inf(1)
				}
				c.putFloat(f)
				return good
			}
		case kObject, kArray:
			if !p.skipKind(k, depth) {
				return broken
			}
		}
		if st == wrong {
			c.putNull()
		}
		return st
	}
	if st == wrong && c.n == row {
		// Not passed yet: nested columns pass the value only when it fits.
		if !p.skipKind(k, depth) {
			return broken
		}
		c.putNull()
	}
	return st
}

// text reads any value into a STRING column.
func (p *Parser) text(c *column, k kind, w []byte, depth int) status {
	switch k {
	case kString:
		t, ok := p.str()
		if !ok {
			return broken
		}
		c.putText(t)
	case kTrue, kFalse:
		c.putText(w)
	default:
		b, ok := p.copyKind(p.text0(), k, w, depth)
		if !ok {
			return broken
		}
		c.putText(b)
	}
	return good
}

// text0 is room for a copied value; copies are rare.
func (p *Parser) text0() []byte { return make([]byte, 0, 64) }

// array reads the elements; one of a wrong type makes the whole array wrong.
func (p *Parser) array(c *column, depth int) status {
	elem, st := c.kids[0], good
	if !p.empty(']') {
		for {
			k, w := p.begin()
			switch s := p.value(elem, k, w, depth+1); s {
			case broken:
				return broken
			case good:
			default:
				st = max(st, s)
			}
			more, ok := p.next(']')
			if !ok {
				return broken
			}
			if !more {
				break
			}
		}
	}
	return c.close(elem, st)
}

// close ends the row of a list or map whose elements have been read.
func (c *column) close(elem *column, st status) status {
	if st != wrong {
		c.putOffset(elem.n, true)
		return st
	}
	row := c.n
	c.putOffset(elem.n, false)
	c.cut(row) // takes the elements back
	c.putNull()
	return wrong
}

// entries reads an object into a MAP column; doubles stay.
func (p *Parser) entries(c *column, depth int) status {
	elem, st := c.kids[0], good
	key, val := elem.kids[0], elem.kids[1]
	if !p.empty('}') {
		for {
			name, ok := p.name()
			if !ok {
				return broken
			}
			key.putText(name)
			if !p.colon() {
				return broken
			}
			k, w := p.begin()
			switch s := p.value(val, k, w, depth+1); s {
			case broken:
				return broken
			case good:
			default:
				st = max(st, s)
			}
			elem.end(true)
			more, ok := p.next('}')
			if !ok {
				return broken
			}
			if !more {
				break
			}
		}
	}
	return c.close(elem, st)
}

// Finish gives the rows as an array of the root type, the caller's to
// Release, and starts anew.
func (p *Parser) Finish() arrow.Array {
	d := p.root.finish()
	defer d.Release()
	return array.MakeFromData(d)
}

// NewRecordBatch gives the rows as columns, for a STRUCT root: the fields of a
// NULL row are NULL. It starts anew.
func (p *Parser) NewRecordBatch() (arrow.RecordBatch, error) {
	if p.root.id != arrow.STRUCT {
		return nil, errors.New("jsonarrow: the root is not a struct")
	}
	a := p.Finish().(*array.Struct)
	defer a.Release()
	cols := make([]arrow.Array, a.NumField())
	for i := range cols {
		cols[i] = a.Field(i)
	}
	schema := arrow.NewSchema(a.DataType().(*arrow.StructType).Fields(), nil)
	return array.NewRecordBatch(schema, cols, int64(a.Len())), nil
}

// Reset drops the rows.
func (p *Parser) Reset() { p.root.cut(0) }
