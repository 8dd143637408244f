package kernel

import (
	"errors"
	"fmt"
	"unsafe"

	"github.com/apache/arrow-go/v18/arrow/decimal128"
	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// fromText makes a kernel of a conversion from text to a fixed-width value.
func fromText[T any](conv func([]byte) (T, bool)) run {
	return func(c *call) error {
		in, out := c.strs(0), vector.Data[T](&c.out, c.n)
		for i := range in {
			if c.null(i) {
				continue
			}
			v, ok := conv(in[i].Bytes())
			if !ok {
				c.out.SetNull(i)
				continue
			}
			out[i] = v
		}
		return nil
	}
}

func stringToBoolean(g *sig) (kernel, error) {
	return kernel{run: fromText(cast.Bool)}, g.want(duckdb.TypeBoolean, duckdb.TypeVarchar)
}

func stringToInt[T int8 | int16 | int32 | int64](g *sig) (kernel, error) {
	var p struct{ Legacy bool }
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	bits := uint(unsafe.Sizeof(T(0))) * 8
	id := map[uint]vector.ID{8: duckdb.TypeTinyInt, 16: duckdb.TypeSmallInt, 32: duckdb.TypeInteger, 64: duckdb.TypeBigInt}[bits]
	return kernel{run: fromText(func(b []byte) (T, bool) {
		v, ok := cast.Int(b, bits, p.Legacy)
		return T(v), ok
	})}, g.want(id, duckdb.TypeVarchar)
}

func stringToFloat(g *sig) (kernel, error) {
	return kernel{run: fromText(func(b []byte) (float32, bool) {
		v, ok := cast.Float(b, 32)
		return float32(v), ok
	})}, g.want(duckdb.TypeFloat, duckdb.TypeVarchar)
}

func stringToDouble(g *sig) (kernel, error) {
	return kernel{run: fromText(func(b []byte) (float64, bool) { return cast.Float(b, 64) })},
		g.want(duckdb.TypeDouble, duckdb.TypeVarchar)
}

// stringToDecimal reads what CAST reads or, with the parameter locale, what
// documents hold.
func stringToDecimal(g *sig) (kernel, error) {
	p, s := int(g.ret.Precision), int(g.ret.Scale)
	var param struct{ Locale *string }
	if err := g.param(&param); err != nil {
		return kernel{}, err
	}
	read := func(b []byte) (decimal128.Num, bool) { return cast.Decimal(b, p, s, false) }
	if param.Locale != nil {
		read = func(b []byte) (decimal128.Num, bool) { return cast.LocalDecimal(b, p, s, *param.Locale) }
	}
	return kernel{run: func(c *call) error {
		in, out := c.strs(0), newDecimals(&c.out, &g.ret, c.n)
		for i := range in {
			if c.null(i) {
				continue
			}
			v, ok := read(in[i].Bytes())
			out.put(i, v, ok)
		}
		return nil
	}}, g.want(duckdb.TypeDecimal, duckdb.TypeVarchar)
}

func stringToDate(g *sig) (kernel, error) {
	return kernel{run: fromText(cast.Date)}, g.want(duckdb.TypeDate, duckdb.TypeVarchar)
}

// stringToTime reads a time of day in microseconds.
func stringToTime(g *sig) (kernel, error) {
	return kernel{run: fromText(cast.ClockTime)}, g.want(duckdb.TypeBigInt, duckdb.TypeVarchar)
}

// zoneParam is the parameter of kernels that know a zone.
type zoneParam struct{ Zone string }

func (p zoneParam) load() (*cast.Zone, error) {
	if p.Zone == "" {
		return cast.UTC(), nil
	}
	return cast.LoadZone(p.Zone)
}

func stringToTimestamp(g *sig) (kernel, error) {
	var p zoneParam
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	zone, err := p.load()
	if err != nil {
		return kernel{}, err
	}
	var pool cast.ZonePool
	return kernel{run: func(c *call) error {
		z, zones := zone.Clone(), pool.Get()
		defer pool.Put(zones)
		return fromText(func(b []byte) (int64, bool) {
			if us, ok := cast.Timestamp(b, z, zones); ok {
				return us, true
			}
			return cast.Today(b, z, zones)
		})(c)
	}}, g.want(duckdb.TypeTimestampTZ, duckdb.TypeVarchar)
}

func stringToTimestampNTZ(g *sig) (kernel, error) {
	var pool cast.ZonePool
	return kernel{run: func(c *call) error {
		zones := pool.Get()
		defer pool.Put(zones)
		return fromText(func(b []byte) (int64, bool) { return cast.TimestampNTZ(b, true, zones) })(c)
	}}, g.want(duckdb.TypeTimestamp, duckdb.TypeVarchar)
}

// toText makes a kernel of a conversion from a fixed-width value to text.
func toText[T any](conv func([]byte, T) []byte) run {
	return func(c *call) error {
		in, out := vector.Data[T](&c.args[0], c.n), newTexts(&c.out, c.n)
		defer out.close()
		for i := range in {
			if c.null(i) {
				out.skip(i)
				continue
			}
			start := len(out.buf)
			out.buf = conv(out.buf, in[i])
			out.end(i, start)
		}
		return nil
	}
}

func doubleToString(g *sig) (kernel, error) {
	return kernel{run: toText(cast.AppendDouble)}, g.want(duckdb.TypeVarchar, duckdb.TypeDouble)
}

func floatToString(g *sig) (kernel, error) {
	return kernel{run: toText(cast.AppendFloat)}, g.want(duckdb.TypeVarchar, duckdb.TypeFloat)
}

func timestampToString(g *sig) (kernel, error) {
	var p zoneParam
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	zone, err := p.load()
	if err != nil {
		return kernel{}, err
	}
	return kernel{run: func(c *call) error {
		z := zone.Clone()
		return toText(func(b []byte, us int64) []byte { return cast.AppendTimestamp(b, z.Local(us)) })(c)
	}}, g.want(duckdb.TypeVarchar, duckdb.TypeTimestampTZ)
}

func dateToString(g *sig) (kernel, error) {
	return kernel{run: toText(cast.AppendDate)}, g.want(duckdb.TypeVarchar, duckdb.TypeDate)
}

func timestampNTZToString(g *sig) (kernel, error) {
	return kernel{run: toText(cast.AppendTimestamp)}, g.want(duckdb.TypeVarchar, duckdb.TypeTimestamp)
}

// zoneShift turns wall times into instants, or instants into wall times.
func zoneShift(toInstant bool) maker {
	return func(g *sig) (kernel, error) {
		var p zoneParam
		if err := g.param(&p); err != nil {
			return kernel{}, err
		}
		from, to := vector.ID(duckdb.TypeTimestamp), vector.ID(duckdb.TypeTimestampTZ)
		if !toInstant {
			from, to = to, from
		}
		if len(g.args) == 2 {
			return kernel{run: shiftBy(toInstant)}, g.want(to, from, duckdb.TypeVarchar)
		}
		zone, err := p.load()
		if err != nil {
			return kernel{}, err
		}
		return kernel{run: func(c *call) error {
			z := zone.Clone()
			in, out := vector.Data[int64](&c.args[0], c.n), vector.Data[int64](&c.out, c.n)
			for i := range in {
				if !c.null(i) {
					out[i] = shift(z, in[i], toInstant)
				}
			}
			return nil
		}}, g.want(to, from)
	}
}

func shift(z *cast.Zone, us int64, toInstant bool) int64 {
	if toInstant {
		return z.Instant(us)
	}
	return z.Local(us)
}

// shiftBy takes the zone from the second argument.
func shiftBy(toInstant bool) run {
	var pool cast.ZonePool
	return func(c *call) error {
		zones := pool.Get()
		defer pool.Put(zones)
		in, id, out := vector.Data[int64](&c.args[0], c.n), c.strs(1), vector.Data[int64](&c.out, c.n)
		for i := range in {
			if c.null(i) {
				continue
			}
			z := zones.Load(id[i].Bytes())
			if z == nil {
				c.out.SetNull(i)
				continue
			}
			out[i] = shift(z, in[i], toInstant)
		}
		return nil
	}
}

// patternParam is the parameter of the date kernels.
type patternParam struct {
	Pattern *string
	Zone    string
	Legacy  bool // by the rules of SimpleDateFormat
	Locale  string
	NTZ     bool // for a TIMESTAMP_NTZ
	Option  bool // of a document's reader
}

func (p *patternParam) compile(text string, parsing bool) (*cast.Pattern, error) {
	if p.Legacy {
		return cast.CompileLegacyPattern(text)
	}
	var x *cast.Pattern
	var err error
	if p.Option {
		x, err = cast.CompileReading(text)
	} else {
		x, err = cast.CompilePattern(text, parsing)
	}
	if err != nil {
		return nil, err
	}
	return x.In(p.Locale)
}

func (g *sig) pattern(parsing bool) (p patternParam, pat *cast.Pattern, zone *cast.Zone, err error) {
	if err = g.param(&p); err != nil {
		return
	}
	if zone, err = (zoneParam{p.Zone}).load(); err != nil {
		return
	}
	if p.Pattern == nil {
		if len(g.args) != 2 {
			err = fmt.Errorf("neither a pattern nor an argument for one")
		}
		return
	}
	pat, err = p.compile(*p.Pattern, parsing)
	if p.NTZ && errors.Is(err, cast.ErrPatternChanged) { // Spark does not look at older versions there
		err = fmt.Errorf("%w: pattern '%s'", cast.ErrPattern, *p.Pattern)
	}
	return
}

// patternError tells what is wrong with a pattern for dates and times, NULL for
// nothing.
func patternError(g *sig) (kernel, error) {
	var p struct{ Parsing bool }
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	return kernel{run: rowText(func(b []byte, c *call, i int) ([]byte, bool) {
		text := string(str(c, 0, i))
		_, err := cast.CompilePattern(text, p.Parsing)
		for _, k := range []struct {
			err   error
			state string
		}{{cast.ErrPattern, "22007"}, {cast.ErrPatternLetter, "22007"}, {cast.ErrPatternChanged, "42K0B"}, {cast.ErrPatternWeekBase, "42K0B"}} {
			if errors.Is(err, k.err) {
				return append(b, "["+k.err.Error()+"] '"+text+"' is no pattern for dates and times. SQLSTATE: "+k.state...), true
			}
		}
		return b, false
	})}, g.want(duckdb.TypeVarchar, duckdb.TypeVarchar)
}

// patterns compiles the patterns of an argument; nil for a bad one.
type patterns struct {
	m       map[string]*cast.Pattern
	by      patternParam
	parsing bool
}

// maxPatterns bounds what a column of patterns makes a chunk keep.
const maxPatterns = 256

func (p *patterns) get(s *vector.Str) *cast.Pattern {
	if x, ok := p.m[s.String()]; ok {
		return x
	}
	if p.m == nil || len(p.m) >= maxPatterns {
		p.m = map[string]*cast.Pattern{}
	}
	text := string(s.Bytes())
	x, err := p.by.compile(text, p.parsing)
	if err != nil {
		x = nil
	}
	p.m[text] = x
	return x
}

func dateFormat(g *sig) (kernel, error) {
	by, pat, zone, err := g.pattern(false)
	if err != nil {
		return kernel{}, err
	}
	if len(g.args) == 1 {
		return kernel{run: func(c *call) error {
			z := zone.Clone()
			return toText(func(b []byte, us int64) []byte { return pat.Append(b, us, z) })(c)
		}}, g.want(duckdb.TypeVarchar, duckdb.TypeTimestampTZ)
	}
	return kernel{run: func(c *call) error {
		z, ps := zone.Clone(), patterns{by: by}
		in, text, out := vector.Data[int64](&c.args[0], c.n), c.strs(1), newTexts(&c.out, c.n)
		defer out.close()
		for i := range in {
			if c.null(i) {
				out.skip(i)
				continue
			}
			p := ps.get(&text[i])
			if p == nil {
				out.null(i)
				continue
			}
			start := len(out.buf)
			out.buf = p.Append(out.buf, in[i], z)
			out.end(i, start)
		}
		return nil
	}}, g.want(duckdb.TypeVarchar, duckdb.TypeTimestampTZ, duckdb.TypeVarchar)
}

func parseTimestamp(g *sig) (kernel, error) {
	by, pat, zone, err := g.pattern(true)
	ntz := g.ret.ID == duckdb.TypeTimestamp
	if err != nil {
		return kernel{}, err
	}
	if !ntz && g.ret.ID != duckdb.TypeTimestampTZ {
		return kernel{}, fmt.Errorf("result is %s", g.ret)
	}
	args := []vector.ID{duckdb.TypeVarchar, duckdb.TypeVarchar}[:len(g.args)]
	var pool cast.ZonePool
	return kernel{run: func(c *call) error {
		z, zones, ps := zone.Clone(), pool.Get(), patterns{by: by, parsing: true}
		defer pool.Put(zones)
		in, out := c.strs(0), vector.Data[int64](&c.out, c.n)
		for i := range in {
			if c.null(i) {
				continue
			}
			p := pat
			if len(c.args) == 2 {
				p = ps.get(&c.strs(1)[i])
			}
			if p == nil {
				c.out.SetNull(i)
				continue
			}
			us, local, ok := p.Parse(in[i].Bytes(), z, zones)
			if !ok {
				c.out.SetNull(i)
			} else if ntz {
				out[i] = local
			} else {
				out[i] = us
			}
		}
		return nil
	}}, g.want(0, args...)
}

// decimals writes a DECIMAL vector of any width.
type decimals struct {
	vec *vector.Vec
	p   uint8
	i16 []int16
	i32 []int32
	i64 []int64
	big []decimal128.Num
}

func newDecimals(v *vector.Vec, t *vector.Type, n int) decimals {
	d := decimals{vec: v, p: t.Precision}
	switch {
	case d.p <= 4:
		d.i16 = vector.Data[int16](v, n)
	case d.p <= 9:
		d.i32 = vector.Data[int32](v, n)
	case d.p <= 18:
		d.i64 = vector.Data[int64](v, n)
	default:
		d.big = vector.Data[decimal128.Num](v, n)
	}
	return d
}

func (d *decimals) get(i int) decimal128.Num {
	switch {
	case d.p <= 4:
		return decimal128.FromI64(int64(d.i16[i]))
	case d.p <= 9:
		return decimal128.FromI64(int64(d.i32[i]))
	case d.p <= 18:
		return decimal128.FromI64(d.i64[i])
	}
	return d.big[i]
}

// put writes v, which fits the type, or NULL.
func (d *decimals) put(i int, v decimal128.Num, ok bool) {
	switch {
	case !ok:
		d.vec.SetNull(i)
	case d.p <= 4:
		d.i16[i] = int16(v.LowBits())
	case d.p <= 9:
		d.i32[i] = int32(v.LowBits())
	case d.p <= 18:
		d.i64[i] = int64(v.LowBits())
	default:
		d.big[i] = v
	}
}
