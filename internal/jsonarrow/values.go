package jsonarrow

import (
	"encoding/base64"
	"encoding/binary"
	"math"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/decimal128"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

func (c *column) putFloat(f float64) {
	if c.id == arrow.FLOAT32 {
		c.put32(math.Float32bits(float32(f)))
		return
	}
	c.put64(math.Float64bits(f))
}

func (p *Parser) putNumber(c *column, n *number) status {
	switch c.id {
	case arrow.FLOAT64:
		c.put64(math.Float64bits(n.float()))
		return good
	case arrow.FLOAT32:
		f, ok := cast.Float(n.text, 32)
		if !ok {
			return wrong
		}
		c.put32(math.Float32bits(float32(f)))
		return good
	case arrow.DECIMAL128:
		if n.word {
			return wrong
		}
		d, ok := cast.Decimal(n.text, c.prec, c.scale, false)
		return putDecimal(c, d, ok)
	}
	v, ok := n.int()
	if !ok {
		return wrong
	}
	switch c.id {
	case arrow.INT64:
		c.put64(uint64(v))
	case arrow.INT32:
		if v != int64(int32(v)) {
			return wrong
		}
		c.put32(uint32(v))
	case arrow.INT16:
		if v != int64(int16(v)) {
			return wrong
		}
		b := c.vals.grow(2)
		b[0], b[1] = byte(v), byte(v>>8)
		c.end(true)
	case arrow.INT8:
		if v < -128 || v > 255 { // up to 255 it wraps, as Jackson reads bytes
			return wrong
		}
		c.vals.grow(1)[0] = byte(v)
		c.end(true)
	case arrow.TIMESTAMP: // seconds
		if c.typ.(*arrow.TimestampType).TimeZone == "" || v > math.MaxInt64/1_000_000 || v < math.MinInt64/1_000_000 {
			return wrong
		}
		c.put64(uint64(v * 1_000_000))
	default:
		return wrong
	}
	return good
}

func (c *column) putCalendar(v cast.Calendar) {
	b := c.vals.grow(c.width)
	binary.LittleEndian.PutUint32(b, uint32(v.Months))
	binary.LittleEndian.PutUint32(b[4:], uint32(v.Days))
	binary.LittleEndian.PutUint64(b[8:], uint64(v.Micros*1000))
	c.end(true)
}

func putDecimal(c *column, d decimal128.Num, ok bool) status {
	if !ok {
		return wrong
	}
	c.put64(d.LowBits())
	c.n-- // one value in two halves
	hi := uint64(d.HighBits())
	b := c.vals.grow(8)
	for i := range b {
		b[i] = byte(hi >> (8 * i))
	}
	c.n++
	return good
}

func (p *Parser) putString(c *column, t []byte) status {
	switch c.id {
	case arrow.INTERVAL_MONTH_DAY_NANO:
		if v, ok := cast.ParseCalendar(t); ok {
			c.putCalendar(v)
		} else { // a malformed one is NULL in every mode
			c.putNull()
		}
	case arrow.BINARY:
		return putBase64(c, t)
	case arrow.FLOAT64, arrow.FLOAT32:
		if p.syn.NoNonNumeric {
			return wrong
		}
		switch string(t) {
		case "NaN":
			c.putFloat(math.NaN())
		case "+INF", "+Infinity", "Infinity":
			c.putFloat(math.Inf(1))
		case "-INF", "-Infinity":
			c.putFloat(math.Inf(-1))
		default:
			return wrong
		}
	case arrow.DECIMAL128:
		d, ok := cast.LocalDecimal(t, c.prec, c.scale, p.opt.Locale)
		return putDecimal(c, d, ok)
	case arrow.DATE32:
		d, ok := p.readDate(t)
		if !ok {
			return wrong
		}
		c.put32(uint32(d))
	case arrow.TIMESTAMP:
		us, ok := p.readStamp(t, c.typ.(*arrow.TimestampType).TimeZone != "")
		if !ok {
			return wrong
		}
		c.put64(uint64(us))
	default:
		return wrong
	}
	return good
}

func putBase64(c *column, t []byte) status {
	at := c.text.n
	n, err := base64.StdEncoding.Decode(c.text.grow(base64.StdEncoding.DecodedLen(len(t))), t)
	if err != nil {
		c.text.n = at
		return wrong
	}
	c.text.n = at + n
	c.putOffset(c.text.n, true)
	return good
}

// readDate reads by the format alone where one is given; without one, digits
// are days since 1970.
func (p *Parser) readDate(t []byte) (int32, bool) {
	if p.date != nil {
		_, local, ok := p.date.Parse(t, p.zone, &p.zones)
		return int32(math.Floor(float64(local) / 86_400_000_000)), ok
	}
	if d, ok := cast.Date(t); ok {
		return d, true
	}
	d, ok := cast.Int(t, 32, false)
	return int32(d), ok
}

func (p *Parser) readStamp(t []byte, zoned bool) (int64, bool) {
	f := p.stamp
	if !zoned {
		f = p.stampNTZ
	}
	if f != nil {
		us, local, ok := f.Parse(t, p.zone, &p.zones)
		if zoned {
			return us, ok
		}
		return local, ok
	}
	if zoned {
		if us, ok := cast.Timestamp(t, p.zone, &p.zones); ok {
			return us, true
		}
		return cast.Today(t, p.zone, &p.zones)
	}
	return cast.TimestampNTZ(t, false, &p.zones)
}
