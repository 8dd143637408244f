package parse

import (
	"encoding/hex"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func stringLiteral(pos sparksql.Pos, s string) *ast.Literal {
	return &ast.Literal{At: ast.At{P: pos}, Value: s, Type: types.String}
}

// strings parses adjacent strings, which are one.
func (p *parser) stringLiteral() ast.Expr {
	at := p.pos()
	var b strings.Builder
	for p.cur().kind == tString {
		b.WriteString(p.next().text)
	}
	return stringLiteral(at, b.String())
}

// numberLiteral parses a number, perhaps with a minus before it.
func (p *parser) numberLiteral() (ast.Expr, error) {
	start := p.cur()
	text := ""
	if p.acceptOp("-") {
		text = "-"
	}
	text += p.next().text
	lit := &ast.Literal{At: ast.At{P: p.at(start)}, Text: text}
	up := strings.ToUpper(text)
	body := func(n int) string { return up[:len(up)-n] }
	var err error
	switch {
	case strings.HasSuffix(up, "BD"):
		err = p.decimalLiteral(start, lit, body(2))
	case strings.HasSuffix(up, "L"):
		err = p.intLiteral(start, lit, body(1), types.BigInt, math.MinInt64, math.MaxInt64)
	case strings.HasSuffix(up, "S"):
		err = p.intLiteral(start, lit, body(1), types.SmallInt, math.MinInt16, math.MaxInt16)
	case strings.HasSuffix(up, "Y"):
		err = p.intLiteral(start, lit, body(1), types.TinyInt, math.MinInt8, math.MaxInt8)
	case strings.HasSuffix(up, "F"):
		err = p.floatLiteral(start, lit, body(1), types.Float)
	case strings.HasSuffix(up, "D"):
		err = p.floatLiteral(start, lit, body(1), types.Double)
	case strings.Contains(up, "E"):
		err = p.floatLiteral(start, lit, up, types.Double)
	case strings.Contains(up, "."):
		err = p.decimalLiteral(start, lit, up)
	default:
		err = p.integerLiteral(start, lit, up)
	}
	return lit, err
}

func (p *parser) integerLiteral(t token, lit *ast.Literal, text string) error {
	v, err := strconv.ParseInt(text, 10, 64)
	switch {
	case err != nil:
		return p.decimalLiteral(t, lit, text)
	case v >= math.MinInt32 && v <= math.MaxInt32:
		lit.Type = types.Int
	default:
		lit.Type = types.BigInt
	}
	lit.Value = v
	return nil
}

func (p *parser) rangeError(t token, text string, typ types.Type) error {
	return p.fail(t, "INVALID_NUMERIC_LITERAL_RANGE", "22003", "the number %s is outside the range of %s", text, typ)
}

func (p *parser) intLiteral(t token, lit *ast.Literal, text string, typ types.Type, lo, hi int64) error {
	v, err := strconv.ParseInt(text, 10, 64)
	if err != nil || v < lo || v > hi {
		return p.rangeError(t, text, typ)
	}
	lit.Value, lit.Type = v, typ
	return nil
}

func (p *parser) floatLiteral(t token, lit *ast.Literal, text string, typ types.Type) error {
	lit.Type = typ
	limit := math.MaxFloat64
	if typ == types.Float {
		limit = math.MaxFloat32
	}
	f, err := strconv.ParseFloat(text, 64)
	if err != nil || math.Abs(f) >= limit { // near the limit the text decides
		x, _, perr := big.ParseFloat(text, 10, 2000, big.ToNearestEven)
		if perr != nil || x.Abs(x).Cmp(big.NewFloat(limit)) > 0 {
			return p.rangeError(t, text, typ)
		}
	}
	if typ == types.Float {
		g, _ := strconv.ParseFloat(text, 32)
		lit.Value = float32(g)
		return nil
	}
	lit.Value = f
	return nil
}

// decimalLiteral takes exactly the digits that are written.
func (p *parser) decimalLiteral(t token, lit *ast.Literal, text string) error {
	mant, exp := text, 0
	if before, after, ok := strings.Cut(text, "E"); ok {
		e, err := strconv.Atoi(strings.TrimPrefix(after, "+"))
		if err != nil || e > 10000 || e < -10000 {
			return p.rangeError(t, text, types.Decimal{Precision: 38})
		}
		mant, exp = before, e
	}
	scale := 0
	if i := strings.IndexByte(mant, '.'); i >= 0 {
		scale = len(mant) - i - 1
		mant = mant[:i] + mant[i+1:]
	}
	unscaled, ok := new(big.Int).SetString(mant, 10)
	if !ok {
		return p.fail(t, "PARSE_SYNTAX_ERROR", "42601", "%s is no number", text)
	}
	scale -= exp
	if scale < 0 {
		unscaled.Mul(unscaled, new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(-scale)), nil))
		scale = 0
	}
	precision := max(len(new(big.Int).Abs(unscaled).String()), scale)
	if precision > types.MaxPrecision {
		return p.fail(t, "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "22003", "the number %s has %d digits, a DECIMAL holds %d", text, precision, types.MaxPrecision)
	}
	lit.Value, lit.Type = unscaled, types.Decimal{Precision: max(precision, 1), Scale: scale}
	return nil
}

var typedLiterals = map[string]bool{"DATE": true, "TIMESTAMP": true, "TIMESTAMP_NTZ": true, "TIMESTAMP_LTZ": true, "TIME": true, "INTERVAL": true, "X": true}

// typedLiteral parses a word and the string behind it.
func (p *parser) typedLiteral() (ast.Expr, error) {
	t := p.next()
	s := p.next()
	up := strings.ToUpper(t.text)
	switch {
	case !typedLiterals[up] || t.kind == tQuoted:
		return &ast.Literal{At: ast.At{P: p.at(t)}, Type: types.Void},
			p.putOff(p.fail(t, "UNSUPPORTED_TYPED_LITERAL", "0A000", "literals of the type %q are not supported; expected DATE, TIMESTAMP, TIMESTAMP_NTZ, INTERVAL or X", up))
	case up == "INTERVAL":
		return &ast.Interval{At: ast.At{P: p.at(t)}, Parts: []ast.IntervalPart{{Value: stringLiteral(p.at(s), s.text)}}}, nil
	case up == "X":
		text := s.text
		if len(text)%2 == 1 {
			text = "0" + text
		}
		b, err := hex.DecodeString(text)
		if err != nil {
			return nil, p.fail(s, "INVALID_TYPED_LITERAL", "42604", "the binary literal X'%s' may hold hexadecimal digits only", s.text)
		}
		return &ast.Literal{At: ast.At{P: p.at(t)}, Value: b, Type: types.Binary}, nil
	}
	return &ast.TypedLiteral{At: ast.At{P: p.at(t)}, Type: strings.ToLower(up), Text: s.text}, nil
}

var intervalUnits = map[string]string{
	"YEAR": "year", "YEARS": "year", "MONTH": "month", "MONTHS": "month", "WEEK": "week", "WEEKS": "week",
	"DAY": "day", "DAYS": "day", "HOUR": "hour", "HOURS": "hour", "MINUTE": "minute", "MINUTES": "minute",
	"SECOND": "second", "SECONDS": "second", "MILLISECOND": "millisecond", "MILLISECONDS": "millisecond",
	"MICROSECOND": "microsecond", "MICROSECONDS": "microsecond", "NANOSECOND": "nanosecond", "NANOSECONDS": "nanosecond",
}

// intervalStarts tells whether the word INTERVAL begins an interval here.
func (p *parser) intervalStarts() bool {
	n := 1
	if p.peekOp(n, "-") || p.peekOp(n, "+") {
		n++
	}
	t := p.peek(n)
	if t.kind == tString {
		return true
	}
	return plainNumber(t) && (!p.endsAt(n+1) || n == 1)
}

// plainNumber is a number that an interval can hold: digits and a point.
func plainNumber(t token) bool { return t.kind == tNumber && strings.Trim(t.text, "0123456789.") == "" }

// interval parses INTERVAL value unit {value unit} or INTERVAL 'x' unit TO unit.
func (p *parser) interval() (ast.Expr, error) {
	out := &ast.Interval{At: p.here()}
	p.i++
	for first := true; ; first = false {
		save := p.i
		part := ast.IntervalPart{}
		if p.isOp("-") || p.isOp("+") {
			part.Negative = p.next().text == "-"
		}
		t := p.cur()
		if t.kind != tString && !plainNumber(t) {
			p.i = save
			break
		}
		p.i++
		unit, ok := intervalUnits[p.cur().up]
		if !ok || p.cur().kind != tIdent {
			if first {
				return nil, p.expected("an interval unit such as DAY, HOUR or MINUTE")
			}
			p.i = save
			break
		}
		p.i++
		part.Unit = unit
		value := stringLiteral(p.at(t), t.text)
		if t.kind == tNumber {
			value.Text = t.text
		}
		part.Value = value
		out.Parts = append(out.Parts, part)
		if _, ok = typeUnits[p.peek(1).up]; first && ok && p.isWord("TO") {
			out.To = intervalUnits[p.peek(1).up]
			p.i += 2
			return out, nil
		}
	}
	if len(out.Parts) == 0 {
		return nil, p.expected("a value after INTERVAL")
	}
	return out, nil
}
