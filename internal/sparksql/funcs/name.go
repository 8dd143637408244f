package funcs

import (
	"encoding/hex"
	"fmt"
	"math/big"
	"strings"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// SQLName is the name that Spark gives to an output column without alias: the
// expression's text with implicit casts left out and strings bare.
func SQLName(e plan.Expr) string { return SQLNameIn(e, "UTC") }

// SQLNameIn is SQLName in a session zone, where TIMESTAMP literals print as
// that zone's wall time. An unknown zone counts as UTC, for only a name
// depends on it.
func SQLNameIn(e plan.Expr, zone string) string {
	z, err := cast.LoadZone(zone)
	if err != nil {
		z = cast.UTC()
	}
	return printer{zone: z}.name(e)
}

// printer prints expressions in a time zone. What a field of an array's
// elements is taken from prints raw: as Spark's plans show it.
type printer struct {
	zone *cast.Zone
	raw  bool
}

func (p printer) name(e plan.Expr) string {
	switch e := e.(type) {
	case *plan.Column:
		return e.Attr.Name
	case *plan.Outer:
		return "outer(" + e.Attr.Name + ")"
	case *plan.Parameter:
		return e.Attr.Name
	case *plan.Titled:
		if e.Variable {
			return "variablereference(" + e.Title + "=" + p.sql(e.X) + ")"
		}
		return e.Title
	case *plan.LambdaVar:
		return "namedlambdavariable()"
	case *plan.Lambda:
		return p.lambdaName(e)
	case *plan.Literal:
		return p.literalName(e)
	case *plan.Cast:
		return p.castName(e)
	case *plan.Case:
		return p.caseName(e)
	case *plan.Field:
		if c, ok := e.X.(*plan.Column); ok && strings.HasPrefix(c.Attr.Name, "lateralAliasReference(") {
			return "lateralAliasReference(" + e.Name + ")"
		}
		p.raw = false
		return p.name(e.X) + "." + e.Name
	case *plan.Call:
		return p.callName(e.Fn, e, e.Args)
	case *plan.AggCall:
		return p.aggName(e)
	case *plan.WindowExpr:
		return p.windowName(e)
	case *plan.Subquery:
		return p.subqueryName(e)
	}
	return ""
}

// part is the text of e inside of another expression: Spark takes an element of
// NULL for NULL under the name that it has.
func (p printer) part(e plan.Expr) string {
	s := p.name(e)
	if c, ok := e.(*plan.Call); ok && c.Fn == "[]" && c.Args[0].Type() == types.Void {
		return "NULL AS `" + s + "`"
	}
	return s
}

func (p printer) castName(e *plan.Cast) string {
	p.raw = p.raw && !e.Implicit
	x := p.part(e.X)
	if e.Implicit || !atomic(e.To) && e.To != types.Void && e.To != types.Variant {
		return x
	}
	verb := "CAST"
	if e.Mode == plan.CastTry {
		verb = "TRY_CAST"
	}
	if p.raw {
		return strings.ToLower(verb) + "(" + x + " as " + strings.ToLower(e.To.SQL()) + ")"
	}
	return verb + "(" + x + " AS " + e.To.SQL() + ")"
}

func (p printer) caseName(e *plan.Case) string {
	var b strings.Builder
	b.WriteString("CASE")
	for _, w := range e.When {
		b.WriteString(" WHEN " + p.part(w.Cond) + " THEN " + p.part(w.Then))
	}
	if !e.Open {
		b.WriteString(" ELSE " + p.part(e.Else))
	}
	return b.String() + " END"
}

func (p printer) lambdaName(e *plan.Lambda) string {
	vars := strings.TrimSuffix(strings.Repeat("namedlambdavariable(), ", len(e.Params)), ", ")
	return "lambdafunction(" + p.name(e.Body) + ", " + vars + ")"
}

func (p printer) callName(fn string, e plan.Expr, args []plan.Expr) string {
	if c, ok := e.(*plan.Call); ok && c.Shown != "" {
		fn = c.Shown
	}
	texts := make([]string, len(args))
	p.raw = p.raw || fn == "array field"
	for i, a := range args {
		texts[i] = p.part(a)
	}
	if c, ok := e.(*plan.Call); ok {
		if text, ok := rawText(c, texts); ok && p.raw {
			return text
		}
		if k, ok := c.Const.(spelling); ok && k.name != "" {
			return k.text(texts)
		}
	}
	if d := Lookup(fn); d != nil && d.show != nil {
		return d.show(e, texts)
	}
	return fn + "(" + strings.Join(texts, ", ") + ")"
}

// rawText is the text of a call that shows more where it prints raw: the names
// of the fields that it makes.
func rawText(c *plan.Call, args []string) (string, bool) {
	switch c.Fn {
	case "struct":
	case "arrays_zip":
		a, _ := c.Typ.(types.Array)
		s, _ := a.Elem.(types.Struct)
		for _, f := range s.Fields {
			args = append(args, f.Name)
		}
	default:
		return "", false
	}
	return c.Fn + "(" + strings.Join(args, ", ") + ")", true
}

func (p printer) aggName(e *plan.AggCall) string {
	s := p.callName(e.Fn, e, e.Args)
	if e.Distinct {
		s = strings.Replace(s, "(", "(DISTINCT ", 1)
	}
	if e.Filter != nil {
		s += " FILTER (WHERE " + p.name(e.Filter) + ")"
	}
	return s
}

func (p printer) windowName(e *plan.WindowExpr) string {
	var parts []string
	if len(e.Partition) > 0 {
		texts := make([]string, len(e.Partition))
		for i, x := range e.Partition {
			texts[i] = p.name(x)
		}
		parts = append(parts, "PARTITION BY "+strings.Join(texts, ", "))
	}
	if len(e.Order) > 0 {
		texts := make([]string, len(e.Order))
		for i, k := range e.Order {
			texts[i] = p.name(k.X) + orderWords(k)
		}
		parts = append(parts, "ORDER BY "+strings.Join(texts, ", "))
	}
	unit := "RANGE"
	if e.Frame.Unit == plan.FrameRows {
		unit = "ROWS"
	}
	parts = append(parts, unit+" BETWEEN "+p.boundName(e, e.Frame.Start)+" AND "+p.boundName(e, e.Frame.End))
	fn := p.name(e.Fn)
	if c, ok := e.Fn.(*plan.Call); ok && c.Fn == "nth_value" {
		if ignore, _ := c.Const.(IgnoreNulls); ignore {
			fn += " ignore nulls"
		}
	}
	return fn + " OVER (" + strings.Join(parts, " ") + ")"
}

func orderWords(k plan.SortKey) string {
	dir, nulls := " ASC", " NULLS LAST"
	if k.Desc {
		dir = " DESC"
	}
	if k.NullsFirst {
		nulls = " NULLS FIRST"
	}
	return dir + nulls
}

// boundName prints a bound. What is cast to the type of the order key is a
// negative number that follows, as Spark prints it.
func (p printer) boundName(w *plan.WindowExpr, b plan.Bound) string {
	switch b.Kind {
	case plan.UnboundedPreceding:
		return "UNBOUNDED PRECEDING"
	case plan.Preceding:
		if k, ok := b.X.(*plan.Cast); ok && k.Implicit && w.Frame.Unit == plan.FrameRange {
			return "(- " + p.name(b.X) + ") FOLLOWING"
		}
		if k, ok := b.X.(*plan.Literal); ok && k.Value == nil && w.Frame.Unit == plan.FrameRange {
			return "(- NULL) FOLLOWING"
		}
		return p.name(b.X) + " PRECEDING"
	case plan.CurrentRow:
		return "CURRENT ROW"
	case plan.Following:
		return p.name(b.X) + " FOLLOWING"
	}
	return "UNBOUNDED FOLLOWING"
}

func (p printer) subqueryName(e *plan.Subquery) string {
	switch e.Kind {
	case plan.ExistsSubquery:
		return "exists(" + outerNames(e.Plan) + ")"
	case plan.InSubquery:
		texts := make([]string, len(e.Left))
		for i, l := range e.Left {
			texts[i] = p.name(l)
			if len(e.Left) > 1 {
				texts[i] = "'" + p.memberName(l, i) + "', " + texts[i]
			}
		}
		left := strings.Join(texts, ", ")
		if len(texts) > 1 {
			left = "named_struct(" + left + ")"
		}
		return "(" + left + " IN (listquery(" + outerNames(e.Plan) + ")))"
	}
	return "scalarsubquery(" + outerNames(e.Plan) + ")"
}

// memberName is the name that the i-th of the values on the left of IN (query)
// has: a column's, a literal's text.
func (p printer) memberName(x plan.Expr, i int) string {
	switch x := x.(type) {
	case *plan.Column:
		return x.Attr.Name
	case *plan.Literal:
		return p.name(x)
	case *plan.Cast:
		if x.Implicit {
			return p.memberName(x.X, i)
		}
	}
	return "_" + itoa(i)
}

// outerNames lists the columns of the query around that a sub-query uses: all
// that its name shows.
func outerNames(n plan.Node) string {
	own := map[plan.ID]bool{}
	plan.VisitNodes(n, func(m plan.Node) {
		for _, a := range m.Output() {
			own[a.ID] = true
		}
	})
	var names []string
	visitOuterFirst(n, func(m plan.Node) {
		for _, e := range plan.Exprs(m) {
			plan.Walk(e, func(x plan.Expr) bool {
				if o, ok := x.(*plan.Outer); ok && !own[o.Attr.ID] {
					names = append(names, o.Attr.Name)
				}
				return true
			})
		}
	})
	return strings.Join(names, ", ")
}

func visitOuterFirst(n plan.Node, f func(plan.Node)) {
	f(n)
	for _, in := range n.Inputs() {
		visitOuterFirst(in, f)
	}
}

func (p printer) literalName(l *plan.Literal) string {
	if l.Value == nil {
		return "NULL"
	}
	switch v := l.Value.(type) {
	case bool:
		return fmt.Sprint(v)
	case string:
		if c, ok := l.Typ.(types.Collated); ok {
			return "'" + v + "' collate " + c.Name
		}
		return v
	case []byte:
		return "X'" + strings.ToUpper(hex.EncodeToString(v)) + "'"
	case float64:
		return JavaDouble(v)
	case float32:
		return JavaFloat(v)
	case *big.Int:
		if d, ok := l.Typ.(types.Decimal); ok {
			return decimalText(v, d.Scale)
		}
	case int64:
		return p.intName(v, l.Typ)
	case cast.Calendar:
		return "INTERVAL '" + v.String() + "'"
	}
	return fmt.Sprint(l.Value)
}

func (p printer) intName(v int64, t types.Type) string {
	switch t := t.(type) {
	case types.Time:
		return "TIME '" + TimeOfDayText(v) + "'"
	case types.YearMonth:
		return IntervalText(v, t)
	case types.DayTime:
		return IntervalText(v, t)
	}
	switch {
	case p.raw && t == types.Date:
		return string(cast.AppendDate(nil, int32(v)))
	case p.raw && t == types.Timestamp:
		return string(cast.AppendTimestamp(nil, p.zone.Local(v)))
	case p.raw && t == types.TimestampNTZ:
		return string(cast.AppendTimestamp(nil, v))
	}
	switch t {
	case types.Date:
		return "DATE '" + string(cast.AppendDate(nil, int32(v))) + "'"
	case types.Timestamp:
		return "TIMESTAMP '" + string(cast.AppendTimestamp(nil, p.zone.Local(v))) + "'"
	case types.TimestampNTZ:
		return "TIMESTAMP_NTZ '" + string(cast.AppendTimestamp(nil, v)) + "'"
	}
	return fmt.Sprint(v)
}

// TimeOfDayText is the text of microseconds since midnight.
func TimeOfDayText(us int64) string {
	return strings.TrimPrefix(string(cast.AppendTimestamp(nil, us)), "1970-01-01 ")
}

// decimalText is the text of v / 10^scale as Java's BigDecimal prints it: with
// an exponent below 1E-6.
func decimalText(v *big.Int, scale int) string {
	digits := new(big.Int).Abs(v).String()
	if exp := len(digits) - 1 - scale; exp < -6 {
		if len(digits) > 1 {
			digits = digits[:1] + "." + digits[1:]
		}
		digits += fmt.Sprintf("E%d", exp)
	} else if scale > 0 {
		if len(digits) <= scale {
			digits = strings.Repeat("0", scale-len(digits)+1) + digits
		}
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if v.Sign() < 0 {
		return "-" + digits
	}
	return digits
}
