package kernel

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
	"github.com/marisma/marisma/internal/jsonarrow"
	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// jsonParam is the parameter of from_json and to_json.
type jsonParam struct {
	Schema  json.RawMessage
	Mode    string
	Corrupt string
	Zone    string
	Options map[string]string // lower-case keys
	// HexBinary writes bytes as [61 62], as Spark's XML has them.
	HexBinary bool
}

// fromJSON makes the kernel over jsonarrow: one parser a thread.
func fromJSON(g *sig) (kernel, error) {
	var p jsonParam
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	t, err := jsonarrow.SparkType(p.Schema)
	if err != nil {
		return kernel{}, err
	}
	if d, err := vector.FromArrow(t); err != nil || !sameShape(&d, &g.ret) {
		return kernel{}, fmt.Errorf("schema %s does not make %s", t, g.ret)
	}
	opt, err := p.fromOptions()
	if err != nil {
		return kernel{}, err
	}
	opt.Memory, opt.Variant = vector.Allocator{}, encodeVariant
	if _, err := jsonarrow.NewType(t, opt); err != nil {
		return kernel{}, err
	}
	var pool sync.Pool
	return kernel{nulls: true, run: func(c *call) error {
		ps, _ := pool.Get().(*jsonarrow.Parser)
		if ps == nil {
			var err error
			if ps, err = jsonarrow.NewType(t, opt); err != nil {
				return err
			}
		}
		in := c.strs(0)
		for i := range in {
			if c.args[0].Null(i) {
				ps.AppendNull()
			} else {
				ps.Append(in[i].Bytes())
			}
		}
		a := ps.Finish()
		defer a.Release()
		pool.Put(ps)
		return vector.Write(&c.out, &g.ret, a, 0, c.n)
	}}, g.want(0, duckdb.TypeVarchar)
}

// sameShape compares types but for the names of fields.
func sameShape(a, b *vector.Type) bool {
	if a.ID != b.ID || a.Precision != b.Precision || a.Scale != b.Scale || len(a.Fields) != len(b.Fields) {
		return false
	}
	if a.Elem != nil && !sameShape(a.Elem, b.Elem) || a.Key != nil && !sameShape(a.Key, b.Key) {
		return false
	}
	for i := range a.Fields {
		if !sameShape(&a.Fields[i].Type, &b.Fields[i].Type) {
			return false
		}
	}
	return true
}

func (p *jsonParam) fromOptions() (jsonarrow.Options, error) {
	o := jsonarrow.Options{FailFast: strings.EqualFold(p.Mode, "FAILFAST"), Corrupt: p.Corrupt}
	zone := p.Zone
	s := &o.Syntax
	for k, v := range p.Options {
		on := strings.EqualFold(v, "true")
		switch k {
		case "mode":
			o.FailFast = strings.EqualFold(v, "FAILFAST")
		case "columnnameofcorruptrecord":
			o.Corrupt = v
		case "timezone":
			zone = v
		case "partialresults":
			o.WholeValues = strings.EqualFold(v, "false")
		case "dateformat":
			o.DateFormat = v
		case "timestampformat":
			o.TimestampFormat = v
		case "timeformat":
			o.TimeFormat = v
		case "timestampntzformat":
			o.TimestampNTZFormat = v
		case "allowsinglequotes":
			s.NoSingleQuotes = !on
		case "allownonnumericnumbers":
			s.NoNonNumeric = !on
		case "allowunquotedfieldnames":
			s.UnquotedNames = on
		case "allownumericleadingzeros":
			s.LeadingZeros = on
		case "allowbackslashescapinganycharacter":
			s.AnyEscape = on
		case "allowcomments":
			s.Comments = on
		case "allowunquotedcontrolchars":
			s.ControlCharacter = on
		case "locale":
			o.Locale = v
		case "enabledatetimeparsingfallback":
			return o, fmt.Errorf("option %s is not supported", k)
		}
		// Others say nothing to from_json: Spark does not look at them either.
	}
	z, err := zoneParam{zone}.load()
	o.Zone = z
	return o, err
}

// paths finds the path of each row.
type paths struct {
	fixed *jsonarrow.Path
	text  []vector.Str
	last  string
	path  *jsonarrow.Path
}

func (p *paths) get(i int) *jsonarrow.Path {
	if p.text == nil {
		return p.fixed
	}
	if s := p.text[i].String(); p.path == nil || s != p.last {
		p.last = strings.Clone(s)
		p.path, _ = jsonarrow.ParsePath(p.last)
	}
	return p.path
}

func getJSONObject(g *sig) (kernel, error) {
	var p struct{ Path *string }
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	args := oneText()
	var fixed *jsonarrow.Path
	if p.Path != nil {
		fixed, _ = jsonarrow.ParsePath(*p.Path) // what is no path finds nothing
	} else {
		args = append(args, duckdb.TypeVarchar)
	}
	return kernel{run: func(c *call) error {
		ps := paths{fixed: fixed}
		if len(args) == 2 {
			ps.text = c.strs(1)
		}
		in, out := c.strs(0), newTexts(&c.out, c.n)
		defer out.close()
		for i := range in {
			if c.null(i) {
				out.skip(i)
				continue
			}
			start, ok := len(out.buf), false
			if path := ps.get(i); path != nil {
				out.buf, ok = path.Get(out.buf, in[i].Bytes())
			}
			if ok {
				out.end(i, start)
			} else {
				out.null(i)
			}
		}
		return nil
	}}, g.want(duckdb.TypeVarchar, args...)
}

// jsonMember is a field of json_tuple.
func jsonMember(g *sig) (kernel, error) {
	return kernel{run: rowText(func(b []byte, c *call, i int) ([]byte, bool) {
		return jsonarrow.Member(b, str(c, 0, i), string(str(c, 1, i)))
	})}, g.want(duckdb.TypeVarchar, duckdb.TypeVarchar, duckdb.TypeVarchar)
}

// toJSON writes nested values as Spark does.
func toJSON(g *sig) (kernel, error) {
	if err := g.want(duckdb.TypeVarchar, 0); err != nil {
		return kernel{}, err
	}
	var p jsonParam
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	w := jsonWriter{dropNulls: true, hexBinary: p.HexBinary}
	if err := p.toOptions(&w); err != nil {
		return kernel{}, err
	}
	typ := g.args[0]
	var spark arrow.DataType
	if len(p.Schema) > 0 {
		t, err := jsonarrow.SparkType(p.Schema)
		if err != nil {
			return kernel{}, err
		}
		d, err := vector.FromArrow(t)
		if err != nil || !sameShape(&d, &typ) {
			return kernel{}, fmt.Errorf("schema %s is not that of %s", t, typ)
		}
		typ, spark = d, t // for its names and logical types
	}
	return kernel{run: func(c *call) error {
		w := w
		w.zone = w.zone.Clone()
		flat := c.args[0].Flat(&g.args[0], c.n)
		defer flat.Destroy()
		root := openTree(flat, &typ)
		root.mark(spark)
		out := newTexts(&c.out, c.n)
		defer out.close()
		for i := range c.n {
			if c.null(i) {
				out.skip(i)
				continue
			}
			start := len(out.buf)
			if out.buf = w.value(out.buf, &root, i); w.pretty {
				out.buf = jsonarrow.Indent(out.buf, start)
			}
			if w.ascii {
				out.buf = jsonarrow.EscapeNonASCII(out.buf, start)
			}
			out.end(i, start)
		}
		return nil
	}}, nil
}

// pattern compiles a pattern of the options for writing.
func (p *jsonParam) pattern(text string) (*cast.Pattern, error) {
	x, err := cast.CompilePattern(text, false)
	if err != nil {
		return nil, err
	}
	return x.In(p.Options["locale"])
}

func (p *jsonParam) toOptions(w *jsonWriter) error {
	zone := p.Zone
	for k, v := range p.Options {
		var err error
		switch k {
		case "ignorenullfields":
			w.dropNulls = strings.EqualFold(v, "true")
		case "timezone":
			zone = v
		case "dateformat":
			w.date, err = p.pattern(v)
		case "timestampformat":
			w.stamp, err = p.pattern(v)
		case "timestampntzformat":
			w.stampNTZ, err = p.pattern(v)
		case "sortkeys":
			w.sorted = strings.EqualFold(v, "true")
		case "pretty":
			w.pretty = strings.EqualFold(v, "true")
		case "timeformat":
			w.clock, err = p.pattern(v)
		case "writenonasciicharacterascodepoint":
			w.ascii = strings.EqualFold(v, "true")
		}
		// Others say nothing to to_json: Spark does not look at them either.
		if err != nil {
			return err
		}
	}
	var err error
	w.zone, err = zoneParam{zone}.load()
	return err
}
