package parse

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// specialForm parses the arguments of a function with a grammar of its own,
// or answers false, having taken nothing, where the plain grammar applies. The
// name t and its parenthesis are taken.
func (p *parser) specialForm(t token) (ast.Expr, bool, error) {
	switch t.up {
	case "CAST", "TRY_CAST":
		if p.wordInside("AS") {
			return castForm(p, t)
		}
	case "EXTRACT":
		return extractForm(p, t)
	case "SUBSTRING", "SUBSTR":
		if p.wordInside("FROM") {
			return substringForm(p, t)
		}
	case "TRIM":
		if !p.endsAt(1) && p.wordInside("FROM") {
			return trimForm(p, t)
		}
	case "POSITION":
		if p.wordInside("IN") {
			return positionForm(p, t)
		}
	case "OVERLAY":
		if p.wordInside("PLACING") {
			return overlayForm(p, t)
		}
	case "TIMESTAMPADD", "DATEADD", "DATE_ADD", "TIMESTAMPDIFF", "DATEDIFF", "DATE_DIFF", "TIMEDIFF":
		return unitForm(p, t)
	case "STRUCT":
		return structForm(p, t)
	}
	return nil, false, nil
}

// wordInside looks ahead for a word in the first argument of a call, outside
// of inner parentheses.
func (p *parser) wordInside(word string) bool {
	depth := 0
	for n := 0; ; n++ {
		t := p.peek(n)
		switch {
		case t.kind == tEOF:
			return false
		case t.kind == tIdent && depth == 0 && t.up == word:
			return true
		case t.kind != tOp:
		case t.text == "(" || t.text == "[":
			depth++
		case t.text == ")" || t.text == "]":
			if depth--; depth < 0 {
				return false
			}
		case t.text == "," && depth == 0:
			return false
		}
	}
}

func call(p *parser, t token, name, syntax string, args ...ast.Expr) (ast.Expr, bool, error) {
	at := ast.At{P: p.at(t)}
	c := &ast.Call{At: at, Name: ast.Name{{At: at, Name: name}}, Args: args, Syntax: syntax}
	return c, true, p.needOp(")")
}

func castForm(p *parser, t token) (ast.Expr, bool, error) {
	x, err := p.expr()
	if err != nil {
		return nil, false, err
	}
	if err := p.need("AS"); err != nil {
		return nil, false, err
	}
	typ, err := p.dataType()
	if err != nil {
		return nil, false, err
	}
	return &ast.Cast{At: ast.At{P: p.at(t)}, X: x, Type: typ, Try: t.up == "TRY_CAST"}, true, p.needOp(")")
}

func extractForm(p *parser, t token) (ast.Expr, bool, error) {
	if !p.wordAt(1, "FROM") || p.cur().kind != tIdent && p.cur().kind != tString {
		return nil, false, nil
	}
	f := p.next()
	p.i++
	x, err := p.value(0)
	if err != nil {
		return nil, false, err
	}
	return call(p, t, "extract", "extract", stringLiteral(p.at(f), f.text), x)
}

func substringForm(p *parser, t token) (ast.Expr, bool, error) {
	x, err := p.expr()
	if err != nil {
		return nil, false, err
	}
	if !p.accept("FROM") {
		return nil, false, p.expected("FROM")
	}
	from, err := p.value(0)
	if err != nil {
		return nil, false, err
	}
	args := []ast.Expr{x, from}
	if p.accept("FOR") {
		n, err := p.value(0)
		if err != nil {
			return nil, false, err
		}
		args = append(args, n)
	}
	return call(p, t, "substring", "substring", args...)
}

func trimForm(p *parser, t token) (ast.Expr, bool, error) {
	name := "trim"
	if p.isWord("BOTH", "LEADING", "TRAILING") && !p.endsAt(1) {
		name = map[string]string{"BOTH": "trim", "LEADING": "ltrim", "TRAILING": "rtrim"}[p.next().up]
		if p.accept("FROM") {
			x, err := p.value(0)
			if err != nil {
				return nil, false, err
			}
			return call(p, t, name, "trim", x)
		}
	}
	chars, err := p.value(0)
	if err != nil {
		return nil, false, err
	}
	if !p.accept("FROM") {
		return nil, false, p.expected("FROM")
	}
	x, err := p.value(0)
	if err != nil {
		return nil, false, err
	}
	return call(p, t, name, "trim", chars, x)
}

func positionForm(p *parser, t token) (ast.Expr, bool, error) {
	sub, err := p.value(0)
	if err != nil {
		return nil, false, err
	}
	if !p.accept("IN") {
		return nil, false, p.expected("IN")
	}
	x, err := p.value(0)
	if err != nil {
		return nil, false, err
	}
	return call(p, t, "locate", "position", sub, x)
}

func overlayForm(p *parser, t token) (ast.Expr, bool, error) {
	x, err := p.value(0)
	if err != nil {
		return nil, false, err
	}
	args := []ast.Expr{x}
	for _, w := range []string{"PLACING", "FROM", "FOR"} {
		if !p.accept(w) {
			if w != "FOR" {
				return nil, false, p.expected(w)
			}
			break
		}
		v, err := p.value(0)
		if err != nil {
			return nil, false, err
		}
		args = append(args, v)
	}
	return call(p, t, "overlay", "overlay", args...)
}

var timestampUnits = map[string]bool{
	"YEAR": true, "QUARTER": true, "MONTH": true, "WEEK": true, "DAY": true, "DAYOFYEAR": true, "HOUR": true,
	"MINUTE": true, "SECOND": true, "MILLISECOND": true, "MICROSECOND": true,
}

// unitForm parses TIMESTAMPADD(unit, n, x) and TIMESTAMPDIFF(unit, a, b) and
// their synonyms; the unit travels as a string.
func unitForm(p *parser, t token) (ast.Expr, bool, error) {
	u := p.cur()
	name := "timestampdiff"
	if strings.HasSuffix(t.up, "ADD") {
		name = "timestampadd"
	}
	if u.kind == tString && p.threeArgs() {
		return nil, false, p.fail(u, "INVALID_PARAMETER_VALUE.DATETIME_UNIT", "22023", "%s expects a unit without quotes as its first argument, found the string '%s'", strings.ToLower(t.text), u.text)
	}
	if u.kind != tIdent || !timestampUnits[u.up] || !p.peekOp(1, ",") {
		return nil, false, nil
	}
	if !p.threeArgs() {
		return nil, false, nil
	}
	p.i += 2
	args := []ast.Expr{&ast.Literal{At: ast.At{P: p.at(u)}, Value: u.text, Type: types.String}}
	for i := range 2 {
		x, err := p.value(0)
		if err != nil {
			return nil, false, err
		}
		args = append(args, x)
		if i == 0 {
			if err := p.needOp(","); err != nil {
				return nil, false, err
			}
		}
	}
	return call(p, t, name, strings.ToLower(t.text), args...)
}

// threeArgs looks ahead for two commas on this level.
func (p *parser) threeArgs() bool {
	depth, commas := 0, 0
	for n := 0; ; n++ {
		t := p.peek(n)
		if t.kind == tEOF {
			return false
		}
		if t.kind != tOp {
			continue
		}
		switch t.text {
		case "(", "[":
			depth++
		case ")", "]":
			depth--
			if depth < 0 {
				return commas == 2
			}
		case ",":
			if depth == 0 {
				commas++
			}
		}
	}
}

// structForm parses STRUCT(a AS x, ...).
func structForm(p *parser, t token) (ast.Expr, bool, error) {
	if p.isOp(")") {
		return nil, false, nil
	}
	args, err := list(p, p.namedExpr)
	if err != nil {
		return nil, false, err
	}
	return call(p, t, t.text, "struct", args...)
}
