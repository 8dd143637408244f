package parse

import (
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/collation"
	"github.com/marisma/marisma/internal/sparksql/types"
	"github.com/marisma/marisma/internal/spatial"
)

var simpleTypes = map[string]types.Type{
	"BOOLEAN": types.Boolean, "TINYINT": types.TinyInt, "BYTE": types.TinyInt, "SMALLINT": types.SmallInt,
	"SHORT": types.SmallInt, "INT": types.Int, "INTEGER": types.Int, "BIGINT": types.BigInt, "LONG": types.BigInt,
	"FLOAT": types.Float, "REAL": types.Float, "DOUBLE": types.Double, "DATE": types.Date,
	"TIMESTAMP": types.Timestamp, "TIMESTAMP_LTZ": types.Timestamp, "TIMESTAMP_NTZ": types.TimestampNTZ,
	"STRING": types.String, "BINARY": types.Binary, "VOID": types.Void, "VARIANT": types.Variant,
}

// dataType parses a type.
func (p *parser) dataType() (types.Type, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	t := p.cur()
	if t.kind != tIdent && t.kind != tQuoted {
		return nil, p.expected("a data type")
	}
	p.i++
	up := strings.ToUpper(t.text)
	if s, ok := simpleTypes[up]; ok {
		if s == types.String && p.accept("COLLATE") {
			return p.collated(t)
		}
		if s == types.Timestamp && p.isWord("WITHOUT", "WITH") && p.wordAt(1, "LOCAL", "TIME") {
			return p.timestampZone()
		}
		if p.isOp("(") {
			return p.unsupportedType(t, "")
		}
		return s, nil
	}
	switch up {
	case "DECIMAL", "DEC", "NUMERIC":
		return p.decimalType(t)
	case "CHAR", "CHARACTER", "VARCHAR":
		args, err := p.typeArgs(1)
		if err != nil {
			return nil, err
		}
		if len(args) == 0 {
			return nil, p.fail(t, "DATATYPE_MISSING_SIZE", "42K01", "data type %s needs a length, as in %s(10)", up, up)
		}
		return types.Char{Length: args[0], Var: up == "VARCHAR"}, nil
	case "ARRAY", "MAP", "STRUCT":
		return p.nestedType(t, up)
	case "GEOMETRY", "GEOGRAPHY":
		return p.spatialType(t, up)
	case "INTERVAL":
		return p.intervalType(t)
	case "TIME":
		args, err := p.typeArgs(1)
		if err != nil {
			return nil, err
		}
		out := types.Time{Precision: 6}
		if len(args) > 0 {
			out.Precision = args[0]
		}
		if out.Precision < 0 || out.Precision > 6 {
			return nil, p.fail(t, "UNSUPPORTED_TIME_PRECISION", "0A001", "the precision of TIME is 0 to 6, not %d", out.Precision)
		}
		return out, nil
	}
	args := ""
	if p.isOp("(") {
		start := p.i
		if _, err := p.typeArgs(2); err != nil {
			return nil, err
		}
		args = p.textFrom(start)
	}
	return p.unsupportedType(t, args)
}

// spatialType parses the spatial reference system of a GEOMETRY or GEOGRAPHY.
func (p *parser) spatialType(t token, up string) (types.Type, error) {
	open := p.cur()
	if !p.acceptOp("(") {
		return p.unsupportedType(t, "")
	}
	out := types.Spatial{Geography: up == "GEOGRAPHY", SRID: types.AnySRID}
	if !p.accept("ANY") {
		p.i--
		start := p.i
		args, err := p.typeArgs(2)
		if err != nil || len(args) == 0 {
			return nil, p.fail(open, "PARSE_SYNTAX_ERROR", "42601", "%s takes the number of a spatial reference system, or ANY, as in %s(4326)", up, up)
		}
		if len(args) > 1 {
			return p.unsupportedType(t, p.textFrom(start))
		}
		out.SRID = args[0]
		if !spatial.Known(out.Geography, out.SRID) {
			return nil, p.fail(t, "ST_INVALID_SRID_VALUE", "22023", "%s knows no spatial reference system %d", up, out.SRID)
		}
		return out, nil
	}
	return out, p.needOp(")")
}

func (p *parser) unsupportedType(t token, args string) (types.Type, error) {
	return types.Void, p.putOff(p.typeError(t, args))
}

func (p *parser) typeError(t token, args string) error {
	return p.fail(t, "UNSUPPORTED_DATATYPE", "0A000", "unsupported data type %q; expected a type of Spark SQL such as INT, STRING or DECIMAL(10,2)", strings.ToUpper(t.text)+args)
}

// putOff is err, or nil where it is to wait.
func (p *parser) putOff(err error) error {
	if !p.lenient {
		return err
	}
	if p.late == nil {
		p.late = err
	}
	return nil
}

func (p *parser) timestampZone() (types.Type, error) {
	local := p.accept("WITH", "LOCAL")
	if !local && !p.accept("WITHOUT") {
		return nil, p.expected("WITH LOCAL TIME ZONE or WITHOUT TIME ZONE")
	}
	if err := p.need("TIME", "ZONE"); err != nil {
		return nil, err
	}
	if local {
		return types.Timestamp, nil
	}
	return types.TimestampNTZ, nil
}

// typeArgs parses up to n integers in parentheses, if there are any.
func (p *parser) typeArgs(n int) ([]int, error) {
	if !p.acceptOp("(") {
		return nil, nil
	}
	var out []int
	for {
		t := p.cur()
		neg := p.acceptOp("-")
		v, err := strconv.Atoi(p.cur().text)
		if p.cur().kind != tNumber || err != nil || neg {
			return nil, p.expected("an integer")
		}
		p.i++
		out = append(out, v)
		if len(out) > n {
			return nil, p.typeError(t, "")
		}
		if p.acceptOp(")") {
			return out, nil
		}
		if err := p.needOp(","); err != nil {
			return nil, err
		}
	}
}

func (p *parser) decimalType(t token) (types.Type, error) {
	args, err := p.typeArgs(2)
	if err != nil {
		return nil, err
	}
	d := types.Decimal{Precision: 10}
	if len(args) > 0 {
		d.Precision = args[0]
	}
	if len(args) > 1 {
		d.Scale = args[1]
	}
	switch {
	case d.Precision > types.MaxPrecision:
		return nil, p.fail(t, "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "22003", "decimal precision %d exceeds the maximum of %d", d.Precision, types.MaxPrecision)
	case d.Scale > d.Precision:
		return nil, p.fail(t, "_LEGACY_ERROR_TEMP_1228", "", "decimal scale (%d) cannot be greater than precision (%d)", d.Scale, d.Precision)
	}
	return d, nil
}

func (p *parser) nestedType(t token, up string) (types.Type, error) {
	if up == "STRUCT" && p.acceptOp("<>") {
		return types.Struct{}, nil
	}
	if p.isOp("<>") || p.isOp("=") {
		return nil, p.expected("<")
	}
	if !p.isOp("<") {
		return nil, p.fail(t, "INCOMPLETE_TYPE_DEFINITION."+up, "42K01", "%s needs its elements, as in %s", up, map[string]string{
			"ARRAY": "ARRAY<INT>", "MAP": "MAP<STRING, INT>", "STRUCT": "STRUCT<a: INT>"}[up])
	}
	p.i++
	var out types.Type
	switch up {
	case "ARRAY":
		e, err := p.dataType()
		if err != nil {
			return nil, err
		}
		out = types.Array{Elem: e, ContainsNull: true}
	case "MAP":
		k, err := p.dataType()
		if err != nil {
			return nil, err
		}
		if err := p.needOp(","); err != nil {
			return nil, err
		}
		v, err := p.dataType()
		if err != nil {
			return nil, err
		}
		out = types.Map{Key: k, Value: v, ValueContainsNull: true}
	default:
		fields, err := p.structFields(">")
		if err != nil {
			return nil, err
		}
		out = types.Struct{Fields: fields}
	}
	return out, p.needOp(">")
}

// structFields parses "a INT, b: STRING NOT NULL COMMENT 'x'"; it stops before
// the operator end.
func (p *parser) structFields(end string) ([]types.Field, error) {
	if end != "" && p.isOp(end) {
		return nil, nil
	}
	return list(p, func() (types.Field, error) {
		id, err := p.ident("a field name")
		if err != nil {
			return types.Field{}, err
		}
		if end != "" { // a list of columns has none
			p.acceptOp(":")
		}
		t, err := p.dataType()
		if err != nil {
			return types.Field{}, err
		}
		f := types.Field{Name: id.Name, Type: t, Nullable: true}
		for {
			switch {
			case p.accept("NOT", "NULL"):
				f.Nullable = false
			case p.accept("COMMENT"):
				if f.Comment, err = p.str("the comment's text"); err != nil {
					return f, err
				}
			default:
				return f, nil
			}
		}
	})
}

var typeUnits = map[string]types.Unit{"YEAR": types.Year, "MONTH": types.Month, "DAY": types.Day, "HOUR": types.Hour, "MINUTE": types.Minute, "SECOND": types.Second}

func (p *parser) intervalType(t token) (types.Type, error) {
	from, ok := typeUnits[p.cur().up]
	if !ok {
		return types.Calendar, nil
	}
	p.i++
	to, ranged := from, p.accept("TO")
	if ranged {
		if to, ok = typeUnits[p.cur().up]; !ok || to == types.Year || to == types.Day {
			return nil, p.expected("an interval unit")
		}
		p.i++
	}
	switch {
	case to < from || ranged && to == from || from <= types.Month && to > types.Month || from == types.Month && to == types.Year:
		return nil, p.fail(t, "INVALID_INTERVAL_FORMAT.UNSUPPORTED_FROM_TO_EXPRESSION", "22006", "no interval goes from %s to %s", from, to)
	case from <= types.Month:
		return types.YearMonth{From: from, To: to}, nil
	}
	return types.DayTime{From: from, To: to}, nil
}

// collated is the type of STRING COLLATE name.
func (p *parser) collated(t token) (types.Type, error) {
	name, err := p.name("a collation")
	if err != nil {
		return nil, err
	}
	c, err := collation.Parse(name[len(name)-1].Name)
	switch {
	case err != nil:
		return nil, p.fail(t, "COLLATION_INVALID_NAME", "42704", "%v", err)
	case c.Binary():
		return types.String, nil
	}
	return types.Collated{Name: c.Name}, nil
}
