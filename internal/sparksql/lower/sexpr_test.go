package lower_test

import (
	"fmt"
	"math/big"
	"strconv"
	"strings"
	"time"

	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// reader reads expressions as lists: (fn arg ...), 'text', 12, 12L, 1.5 (a
// DECIMAL), 1.5d, true, null, d'date', ts'timestamp', ntz'..', x'hex',
// iv'n' (microseconds), ym'n' (months), a column's name, (\ x y body),
// (cast x TYPE).
type reader struct {
	text string
	at   int
	cols map[string]plan.Attr
	vars map[string]*plan.LambdaVar
	ctx  funcs.Context
}

func (r *reader) skip() {
	for r.at < len(r.text) && r.text[r.at] == ' ' {
		r.at++
	}
}

// word is the next token: a parenthesis, or up to a space or parenthesis,
// quoted parts kept whole.
func (r *reader) word() string {
	r.skip()
	start := r.at
	if r.at < len(r.text) && (r.text[r.at] == '(' || r.text[r.at] == ')') {
		r.at++
		return r.text[start:r.at]
	}
	for quoted := false; r.at < len(r.text); r.at++ {
		c := r.text[r.at]
		if c == '\'' {
			quoted = !quoted
		}
		if !quoted && (c == ' ' || c == '(' || c == ')') {
			break
		}
	}
	return r.text[start:r.at]
}

func (r *reader) expr() (plan.Expr, error) {
	w := r.word()
	if w != "(" {
		return r.atom(w)
	}
	name := r.word()
	var args []plan.Expr
	d := funcs.Lookup(name)
	if d == nil {
		name = strings.ReplaceAll(name, "_", " ") // is_null
		d = funcs.Lookup(name)
	}
	if d == nil && name != "cast" && name != "filter" {
		return nil, fmt.Errorf("no function %q", name)
	}
	for {
		r.skip()
		if r.at >= len(r.text) {
			return nil, fmt.Errorf("unbalanced %q", r.text)
		}
		if r.text[r.at] == ')' {
			r.at++
			return funcs.Resolve(name, args, r.ctx)
		}
		if strings.HasPrefix(r.text[r.at:], `(\`) {
			l, err := r.lambda(d, args)
			if err != nil {
				return nil, err
			}
			args = append(args, l)
			continue
		}
		x, err := r.expr()
		if err != nil {
			return nil, err
		}
		args = append(args, x)
	}
}

func (r *reader) lambda(d *funcs.Def, args []plan.Expr) (plan.Expr, error) {
	r.at += 2
	end := r.at + strings.Index(r.text[r.at:], ".")
	names := strings.Fields(r.text[r.at:end])
	r.at = end + 1
	vs, err := d.LambdaVars(len(args), args, len(names), r.ctx)
	if err != nil {
		return nil, err
	}
	l := &plan.Lambda{}
	for i, n := range names {
		v := vs[i]
		v.Name, v.ID = n, plan.NewID()
		r.vars[n] = &v
		l.Params = append(l.Params, &v)
	}
	l.Body, err = r.expr()
	r.word() // the closing parenthesis
	return l, err
}

func (r *reader) atom(w string) (plan.Expr, error) {
	lit := func(v any, t types.Type) (plan.Expr, error) { return &plan.Literal{Value: v, Typ: t}, nil }
	if v, ok := r.vars[w]; ok {
		return v, nil
	}
	if a, ok := r.cols[w]; ok {
		return &plan.Column{Attr: a}, nil
	}
	prefix, rest, quoted := strings.Cut(w, "'")
	rest = strings.TrimSuffix(rest, "'")
	switch {
	case w == "null":
		return lit(nil, types.Void)
	case w == "true" || w == "false":
		return lit(w == "true", types.Boolean)
	case quoted && prefix == "":
		return lit(rest, types.String)
	case quoted && prefix == "x":
		return lit([]byte(rest), types.Binary)
	case quoted && prefix == "iv":
		n, err := strconv.ParseInt(rest, 10, 64)
		return &plan.Literal{Value: n, Typ: types.DayTime{From: types.Day, To: types.Second}}, err
	case quoted && prefix == "day":
		n, err := strconv.ParseInt(rest, 10, 64)
		return &plan.Literal{Value: n * 86400e6, Typ: types.DayTime{From: types.Day, To: types.Day}}, err
	case quoted && prefix == "ym":
		n, err := strconv.ParseInt(rest, 10, 64)
		return &plan.Literal{Value: n, Typ: types.YearMonth{From: types.Year, To: types.Month}}, err
	case quoted && prefix == "d":
		t, err := time.Parse(time.DateOnly, rest)
		return &plan.Literal{Value: t.Unix() / 86400, Typ: types.Date}, err
	case quoted:
		t, err := time.Parse("2006-01-02 15:04:05", rest)
		return &plan.Literal{Value: t.UnixMicro(), Typ: map[string]types.Type{"ts": types.Timestamp, "ntz": types.TimestampNTZ}[prefix]}, err
	}
	return number(w)
}

func number(w string) (plan.Expr, error) {
	if s, ok := strings.CutSuffix(w, "L"); ok {
		n, err := strconv.ParseInt(s, 10, 64)
		return &plan.Literal{Value: n, Typ: types.BigInt}, err
	}
	if s, ok := strings.CutSuffix(w, "d"); ok {
		f, err := strconv.ParseFloat(s, 64)
		return &plan.Literal{Value: f, Typ: types.Double}, err
	}
	if whole, frac, ok := strings.Cut(w, "."); ok {
		v, ok := new(big.Int).SetString(whole+frac, 10)
		if !ok {
			return nil, fmt.Errorf("what is %q", w)
		}
		digits := len(strings.TrimLeft(whole, "-0")) + len(frac)
		return &plan.Literal{Value: v, Typ: types.Decimal{Precision: max(digits, 1), Scale: len(frac)}}, nil
	}
	n, err := strconv.ParseInt(w, 10, 64)
	return &plan.Literal{Value: n, Typ: types.Int}, err
}
