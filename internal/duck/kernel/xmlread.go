package kernel

import (
	"errors"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/internal/jsonarrow"
	"github.com/marisma/marisma/internal/jsonarrow/cast"
	"github.com/marisma/marisma/internal/jsonarrow/variant"
	"github.com/marisma/marisma/internal/xmltree"
)

// errXML: a text of an element does not fit its type. As in Spark, what stands
// behind it is not read.
var errXML = errors.New("a text does not fit its type")

// xmlReader writes the members of an element as the JSON document that a
// jsonarrow parser of the same type reads without loss.
type xmlReader struct {
	xmltree.Names
	zone                  *cast.Zone
	zones                 cast.Zones
	date, stamp, stampNTZ *cast.Pattern
	locale                string // of decimals
}

// record writes an element as an object with the fields of t.
func (r *xmlReader) record(b []byte, n *xmltree.Node, t *arrow.StructType) ([]byte, error) {
	values := make([][]byte, t.NumFields())
	lists := map[int][][]byte{}
	var failed error
	for _, f := range n.Fields(&r.Names) {
		i := fieldOf(t, f.Name)
		if i < 0 {
			continue
		}
		typ := t.Field(i).Type
		list, isList := typ.(*arrow.ListType)
		if isList {
			typ = list.Elem()
		}
		v, err := r.member(nil, f, typ)
		if v != nil {
			if isList {
				lists[i] = append(lists[i], v)
			} else {
				values[i] = v
			}
		}
		if err != nil {
			failed = err
			break
		}
	}
	b = append(b, '{')
	for i := range values {
		if list, ok := lists[i]; ok {
			values[i] = append(append([]byte{'['}, join(list)...), ']')
		}
		if values[i] == nil {
			continue
		}
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(jsonarrow.AppendString(b, []byte(t.Field(i).Name)), ':')
		b = append(b, values[i]...)
	}
	return append(b, '}'), failed
}

func join(list [][]byte) (out []byte) {
	for i, v := range list {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, v...)
	}
	return out
}

func fieldOf(t *arrow.StructType, name string) int {
	if i, ok := t.FieldIdx(name); ok {
		return i
	}
	for i, f := range t.Fields() {
		if strings.EqualFold(f.Name, name) {
			return i
		}
	}
	return -1
}

// member writes one member; nil without an error is none.
func (r *xmlReader) member(b []byte, f xmltree.Field, t arrow.DataType) ([]byte, error) {
	if f.Node == nil {
		return r.scalar(b, f.Text, t)
	}
	n := f.Node
	switch t := t.(type) {
	case *arrow.StructType:
		if t.NumFields() > 0 {
			return r.record(b, n, t)
		}
	case *arrow.MapType:
		return r.entries(b, n, t.ItemType())
	case *arrow.ListType:
		v, err := r.member(nil, f, t.Elem())
		if v == nil {
			return nil, err
		}
		return append(append(append(b, '['), v...), ']'), err
	case *arrow.StringType:
		for _, c := range n.Children {
			if c.Kind == xmltree.Element {
				return jsonarrow.AppendString(b, []byte(r.inner(n))), nil
			}
		}
	case *jsonarrow.Logical:
		if t.Spark == "variant" {
			return r.guess(b, n), nil
		}
	}
	text := n.Value()
	if !r.KeepSpaces {
		text = strings.TrimSpace(text)
	}
	return r.scalar(b, text, t)
}

func (r *xmlReader) inner(n *xmltree.Node) string {
	if r.KeepSpaces {
		return n.Inner
	}
	return strings.TrimSpace(n.Inner)
}

func (r *xmlReader) entries(b []byte, n *xmltree.Node, item arrow.DataType) ([]byte, error) {
	b = append(b, '{')
	for _, f := range n.Fields(&r.Names) {
		v, err := r.member(nil, f, item)
		if err != nil {
			return nil, err
		}
		if v == nil {
			v = []byte("null")
		}
		if b[len(b)-1] != '{' {
			b = append(b, ',')
		}
		b = append(append(jsonarrow.AppendString(b, []byte(f.Name)), ':'), v...)
	}
	return append(b, '}'), nil
}

// scalar writes a text as a value of type t.
func (r *xmlReader) scalar(b []byte, s string, t arrow.DataType) ([]byte, error) {
	if r.NullValue != nil && s == *r.NullValue {
		return append(b, "null"...), nil
	}
	text := []byte(s)
	if t.ID() == arrow.STRING {
		return jsonarrow.AppendString(b, text), nil
	}
	if s == "" {
		return append(b, "null"...), nil
	}
	ok := false
	switch t := t.(type) {
	case *arrow.BooleanType:
		switch strings.ToLower(s) {
		case "true", "1":
			return append(b, "true"...), nil
		case "false", "0":
			return append(b, "false"...), nil
		}
	case *arrow.Int8Type, *arrow.Int16Type, *arrow.Int32Type, *arrow.Int64Type:
		var v int64
		if v, ok = cast.Int(text, uint(t.(arrow.FixedWidthDataType).BitWidth()), false); ok {
			return strconv.AppendInt(b, v, 10), nil
		}
	case *arrow.Float32Type, *arrow.Float64Type:
		return r.float(b, s, t)
	case *arrow.Decimal128Type:
		if v, ok := cast.LocalDecimal(text, int(t.Precision), int(t.Scale), r.locale); ok {
			return cast.AppendDecimal(b, v, int(t.Scale)), nil
		}
	case *arrow.Date32Type, *arrow.TimestampType:
		return r.time(b, text, t)
	case *arrow.BinaryType:
		return jsonarrow.AppendString(b, text), nil
	case *jsonarrow.Logical:
		if t.Spark == "variant" {
			return r.guessText(b, s), nil
		}
	}
	return nil, errXML
}

func (r *xmlReader) float(b []byte, s string, t arrow.DataType) ([]byte, error) {
	bits := t.(arrow.FixedWidthDataType).BitWidth()
	switch s {
	case "NaN":
		return append(b, `"NaN"`...), nil
	case "Inf":
		return append(b, `"Infinity"`...), nil
	case "-Inf":
		return append(b, `"-Infinity"`...), nil
	}
	if v, ok := cast.Float([]byte(s), bits); ok && v-v == 0 {
		return strconv.AppendFloat(b, v, 'g', -1, bits), nil
	}
	return nil, errXML
}

func (r *xmlReader) time(b, text []byte, t arrow.DataType) ([]byte, error) {
	var us, local int64
	var ok bool
	b = append(b, '"')
	ts, isStamp := t.(*arrow.TimestampType)
	switch {
	case !isStamp && r.date != nil:
		if _, local, ok = r.date.Parse(text, r.zone, &r.zones); ok {
			b = cast.AppendDate(b, int32(local/86_400_000_000))
		}
	case !isStamp:
		var d int32
		if d, ok = cast.Date(text); ok {
			b = cast.AppendDate(b, d)
		}
	case ts.TimeZone != "":
		if r.stamp != nil {
			us, _, ok = r.stamp.Parse(text, r.zone, &r.zones)
		} else {
			us, ok = cast.Timestamp(text, r.zone, &r.zones)
		}
		b = append(cast.AppendTimestamp(b, us), 'Z')
	default:
		if r.stampNTZ != nil {
			_, us, ok = r.stampNTZ.Parse(text, r.zone, &r.zones)
		} else {
			us, ok = cast.TimestampNTZ(text, false, &r.zones)
		}
		b = cast.AppendTimestamp(b, us)
	}
	if !ok {
		return nil, errXML
	}
	return append(b, '"'), nil
}

// guess writes an element for a VARIANT: texts as what they look like,
// members of one name as a list.
func (r *xmlReader) guess(b []byte, n *xmltree.Node) []byte {
	if s, ok := n.Scalar(&r.Names); ok {
		return r.guessText(b, s)
	}
	var names []string
	byName := map[string][][]byte{}
	for _, f := range n.Fields(&r.Names) {
		if _, ok := byName[f.Name]; !ok {
			names = append(names, f.Name)
		}
		v := []byte(nil)
		if f.Node != nil {
			v = r.guess(v, f.Node)
		} else {
			v = r.guessText(v, f.Text)
		}
		byName[f.Name] = append(byName[f.Name], v)
	}
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(jsonarrow.AppendString(b, []byte(name)), ':')
		if vs := byName[name]; len(vs) > 1 {
			b = append(append(append(b, '['), join(vs)...), ']')
		} else {
			b = append(b, vs[0]...)
		}
	}
	return append(b, '}')
}

func (r *xmlReader) guessText(b []byte, s string) []byte {
	switch xmltree.Classify(s) {
	case xmltree.Empty:
		return append(b, "null"...)
	case xmltree.Flag:
		return append(b, strings.ToLower(s)...)
	case xmltree.Whole, xmltree.Real:
		if _, err := variant.ParseJSON([]byte(s)); err == nil {
			return append(b, s...)
		}
		return append(b, strings.TrimLeft(s, "+0")...)
	}
	return jsonarrow.AppendString(b, []byte(s))
}
