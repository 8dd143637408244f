package jsonarrow

import (
	"fmt"
	"reflect"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// Logical is a type of Spark's that Arrow has not: an interval, a TIME, a
// VARIANT. Its values are those of the storage type: months, microseconds, the
// bytes of package variant. It stands in schemas only; arrays are Physical.
type Logical struct {
	arrow.ExtensionBase
	Spark string // "interval day to second", "time(6)", "variant"
}

// ArrayType is that of any extension; none is made.
func (l *Logical) ArrayType() reflect.Type { return reflect.TypeFor[array.ExtensionArrayBase]() }

// ExtensionName is Spark's name.
func (l *Logical) ExtensionName() string { return l.Spark }

// ExtensionEquals compares the names.
func (l *Logical) ExtensionEquals(o arrow.ExtensionType) bool { return o.ExtensionName() == l.Spark }

// Serialize is the name.
func (l *Logical) Serialize() string { return l.Spark }

// Deserialize reads the name back.
func (l *Logical) Deserialize(_ arrow.DataType, data string) (arrow.ExtensionType, error) {
	t, ok := logical(data)
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrType, data)
	}
	return t, nil
}

// logical is the type of a name.
func logical(name string) (*Logical, bool) {
	storage := arrow.DataType(arrow.PrimitiveTypes.Int64)
	switch i, ok := cast.ParseIntervalType(name); {
	case name == "variant":
		storage = arrow.BinaryTypes.Binary
	case ok && i.Months():
		storage = arrow.PrimitiveTypes.Int32
	case !ok && !strings.HasPrefix(name, "time("):
		return nil, false
	}
	return &Logical{ExtensionBase: arrow.ExtensionBase{Storage: storage}, Spark: name}, true
}

// Physical is a type with the storage of its logical types in their place.
func Physical(t arrow.DataType) arrow.DataType {
	switch t := t.(type) {
	case *Logical:
		return t.Storage
	case *arrow.ListType:
		f := t.ElemField()
		f.Type = Physical(f.Type)
		return arrow.ListOfField(f)
	case *arrow.MapType:
		return arrow.MapOf(Physical(t.KeyType()), Physical(t.ItemType()))
	case *arrow.StructType:
		fs := make([]arrow.Field, t.NumFields())
		for i, f := range t.Fields() {
			f.Type = Physical(f.Type)
			fs[i] = f
		}
		return arrow.StructOf(fs...)
	}
	return t
}

// putLogical reads an interval or a TIME.
func (p *Parser) putLogical(c *column, k kind, depth int) status {
	if k == kString {
		t, ok := p.str()
		if !ok {
			return broken
		}
		if strings.HasPrefix(c.logical, "time(") {
			us, ok := p.readClock(t)
			if !ok {
				c.putNull()
				return wrong
			}
			c.put64(uint64(us))
			return good
		}
		if v, ok := c.interval.Parse(t); ok {
			if c.id == arrow.INT32 {
				c.put32(uint32(int32(v)))
			} else {
				c.put64(uint64(v))
			}
			return good
		}
		c.putNull()
		return wrong
	}
	if k != kTrue && k != kFalse && k != kNaN && !p.skipKind(k, depth) {
		return broken
	}
	c.putNull()
	return wrong
}

// readClock reads a time of day in microseconds.
func (p *Parser) readClock(t []byte) (int64, bool) {
	if p.clock == nil {
		return cast.ClockTime(t)
	}
	_, local, ok := p.clock.Parse(t, cast.UTC(), &p.zones)
	const day = 86_400_000_000
	return (local%day + day) % day, ok
}

func (p *Parser) putVariant(c *column, k kind, w []byte, depth int) status {
	b, start := w, p.i
	switch k {
	case kTrue, kFalse, kNull:
	case kNaN:
		b = append(append([]byte{'"'}, w...), '"')
	default:
		if !p.skipKind(k, depth) {
			return broken
		}
		b = p.b[start:p.i]
	}
	if p.opt.Variant != nil {
		if v, ok := p.opt.Variant(b); ok {
			c.putText(v)
			return good
		}
	}
	c.putNull()
	return wrong
}
