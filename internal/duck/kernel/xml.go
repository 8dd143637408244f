package kernel

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
	"github.com/marisma/marisma/internal/jsonarrow"
	"github.com/marisma/marisma/internal/jsonarrow/cast"
	"github.com/marisma/marisma/internal/xmltree"
)

// ErrXPath says that a text is no XPath expression.
var ErrXPath = errors.New("malformed XPath")

// fromXML reads documents into a STRUCT. The reader turns a document into JSON
// of the right types, which the parser of from_json makes columns of.
func fromXML(g *sig) (kernel, error) {
	var p jsonParam
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	t, err := jsonarrow.SparkType(p.Schema)
	if err != nil {
		return kernel{}, err
	}
	st, ok := t.(*arrow.StructType)
	if d, err := vector.FromArrow(t); !ok || err != nil || !sameShape(&d, &g.ret) {
		return kernel{}, fmt.Errorf("schema %s does not make %s", t, g.ret)
	}
	proto, err := p.xmlReader()
	if err != nil {
		return kernel{}, err
	}
	opt := jsonarrow.Options{Memory: vector.Allocator{}, Variant: encodeVariant}
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
		r := proto
		r.zone, r.zones = r.zone.Clone(), cast.Zones{}
		in := c.strs(0)
		var b []byte
		for i := range in {
			if c.args[0].Null(i) {
				ps.AppendNull()
				continue
			}
			var ok bool
			if b, ok = r.document(b[:0], in[i].String(), st, &p); ok {
				ps.Append(b)
			} else {
				ps.AppendNull()
			}
		}
		a := ps.Finish()
		defer a.Release()
		pool.Put(ps)
		return vector.Write(&c.out, &g.ret, a, 0, c.n)
	}}, g.want(0, duckdb.TypeVarchar)
}

// document writes one text; false is a NULL row, for FAILFAST.
func (r *xmlReader) document(b []byte, text string, t *arrow.StructType, p *jsonParam) ([]byte, bool) {
	doc, err := xmltree.Parse(text, true)
	if err == nil {
		b, err = r.record(b, doc.Root(), t)
	} else {
		b = append(b, '{', '}')
	}
	if err == nil {
		return b, true
	}
	if strings.EqualFold(p.Mode, "FAILFAST") {
		return b, false
	}
	i, ok := t.FieldIdx(p.Corrupt)
	if !ok || t.Field(i).Type.ID() != arrow.STRING {
		return b, true
	}
	if b = b[:len(b)-1]; len(b) > 1 {
		b = append(b, ',')
	}
	b = append(jsonarrow.AppendString(b, []byte(p.Corrupt)), ':')
	return append(jsonarrow.AppendString(b, []byte(text)), '}'), true
}

func (p *jsonParam) xmlReader() (xmlReader, error) {
	r := xmlReader{Names: xmltree.NamesOf(p.Options)}
	var err error
	for _, f := range []struct {
		dst **cast.Pattern
		key string
	}{{&r.date, "dateformat"}, {&r.stamp, "timestampformat"}, {&r.stampNTZ, "timestampntzformat"}} {
		if v, ok := p.Options[f.key]; ok {
			if *f.dst, err = cast.CompileReading(v); err != nil {
				return r, err
			}
		}
	}
	r.locale = p.Options["locale"]
	zone := p.Zone
	if z, ok := p.Options["timezone"]; ok {
		zone = z
	}
	r.zone, err = zoneParam{zone}.load()
	return r, err
}

// toXML writes the JSON text of a record as an element, over lines that are
// indented by four blanks.
func toXML(g *sig) (kernel, error) {
	var p struct {
		Options map[string]string
		Variant bool
	}
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	w := xmlWriter{Names: xmltree.NamesOf(p.Options), row: "ROW", item: "item", indent: "    ", variant: p.Variant}
	for key, dst := range map[string]*string{"rowtag": &w.row, "arrayelementname": &w.item, "indent": &w.indent} {
		if v, ok := p.Options[key]; ok {
			*dst = v
		}
	}
	return kernel{run: rowText(func(b []byte, c *call, i int) ([]byte, bool) {
		d := json.NewDecoder(strings.NewReader(string(str(c, 0, i))))
		d.UseNumber()
		v, err := readMembers(d)
		if err != nil {
			return b, false
		}
		start := len(b)
		if list, ok := v.([]any); ok && p.Variant { // its elements have nothing between them
			for _, e := range list {
				name, of := w.row, []any{e}
				if inner, ok := e.([]any); ok {
					name, of = w.item, inner
				}
				for _, x := range of {
					if b = w.element(b, name, x, 0); w.indent != "" {
						b = b[:len(b)-1]
					}
				}
			}
			return b, true
		}
		b = w.element(b, w.row, v, 0)
		if len(b) == start { // JSON's null
			return append(b, "<"+w.row+"/>"...), true
		}
		if w.indent != "" {
			return b[:len(b)-1], len(b) > start // no line end behind the last
		}
		return append(b, '\n'), true
	})}, g.want(duckdb.TypeVarchar, duckdb.TypeVarchar)
}

// xpathKernel evaluates a constant path; mode says what is made of the result.
// A text that is no XML and a path that gives no such result are an error of
// the statement: NULL here, which the caller tells apart by xpath_ok.
func xpathKernel(g *sig) (kernel, error) {
	var p struct{ Path string }
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	if _, err := xmltree.CompilePath(p.Path); err != nil {
		return kernel{}, fmt.Errorf("%w: %w", ErrXPath, err)
	}
	var pool sync.Pool // a path is of one goroutine
	eval := func(text []byte) (xmltree.Result, bool) {
		path, _ := pool.Get().(*xmltree.Path)
		if path == nil {
			var err error
			if path, err = xmltree.CompilePath(p.Path); err != nil {
				return xmltree.Result{}, false
			}
		}
		defer pool.Put(path)
		doc, err := xmltree.Parse(string(text), false)
		if err != nil {
			return xmltree.Result{}, false
		}
		r, err := path.Eval(doc)
		return r, err == nil
	}
	switch g.ret.ID {
	case duckdb.TypeVarchar:
		return kernel{run: rowText(func(b []byte, c *call, i int) ([]byte, bool) {
			r, ok := eval(str(c, 0, i))
			return append(b, r.String()...), ok
		})}, g.want(0, duckdb.TypeVarchar)
	case duckdb.TypeDouble:
		return kernel{run: fromText(func(b []byte) (float64, bool) {
			r, ok := eval(b)
			return r.Number(), ok
		})}, g.want(0, duckdb.TypeVarchar)
	case duckdb.TypeBoolean:
		return kernel{run: fromText(func(b []byte) (bool, bool) {
			r, ok := eval(b)
			return r.Bool(), ok
		})}, g.want(0, duckdb.TypeVarchar)
	}
	return xpathList(g, eval)
}

// xpathList gives the texts of nodes, with the mark of csv_split before each:
// an element has none.
func xpathList(g *sig, eval func([]byte) (xmltree.Result, bool)) (kernel, error) {
	if err := wantTexts(g); err != nil {
		return kernel{}, err
	}
	return kernel{run: func(c *call) error {
		out := newList(&c.out, c.n)
		clear(out.rows)
		for i, s := range c.strs(0) {
			if c.null(i) {
				continue
			}
			r, ok := eval(s.Bytes())
			if !ok || r.Value != nil {
				c.out.SetNull(i)
				continue
			}
			first := len(out.ends)
			for _, n := range r.Nodes {
				if n.Leaf {
					out.add([]byte("+" + n.Text))
				} else {
					out.add([]byte("-"))
				}
			}
			out.end(i, first)
		}
		return out.close()
	}}, g.want(duckdb.TypeList, duckdb.TypeVarchar)
}

// saturate turns a number into an integer as Java does: towards zero, NaN is 0.
func saturate(f float64, bits uint) int64 {
	limit := math.Ldexp(1, int(bits)-1)
	switch {
	case f != f:
		return 0
	case f >= limit:
		return 1<<(bits-1) - 1
	case f < -limit:
		return -1 << (bits - 1)
	}
	return int64(f)
}

// javaInteger is a DOUBLE as INT or BIGINT by Java's rules.
func javaInteger(g *sig) (kernel, error) {
	if err := g.want(0, duckdb.TypeDouble); err != nil {
		return kernel{}, err
	}
	return kernel{run: func(c *call) error {
		in := vector.Data[float64](&c.args[0], c.n)
		if g.ret.ID == duckdb.TypeBigInt {
			for i, o := 0, vector.Data[int64](&c.out, c.n); i < c.n; i++ {
				o[i] = saturate(in[i], 64)
			}
			return nil
		}
		for i, o := 0, vector.Data[int32](&c.out, c.n); i < c.n; i++ {
			o[i] = int32(saturate(in[i], 32))
		}
		return nil
	}}, nil
}

// xmlToVariant reads a document into a VARIANT; NULL for what is no XML.
func xmlToVariant(g *sig) (kernel, error) {
	var p struct{ Options map[string]string }
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	r := xmlReader{Names: xmltree.NamesOf(p.Options)}
	return kernel{run: rowText(func(b []byte, c *call, i int) ([]byte, bool) {
		doc, err := xmltree.Parse(string(str(c, 0, i)), true)
		if err != nil {
			return b, false
		}
		v, ok := encodeVariant(r.guess(nil, doc.Root()))
		return append(b, v...), ok
	})}, g.want(duckdb.TypeBlob, duckdb.TypeVarchar)
}
