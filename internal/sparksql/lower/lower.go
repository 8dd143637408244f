package lower

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Options say how leaves and the session's values are printed.
type Options struct {
	// Scan gives the FROM item of a scan; it must yield exactly the scan's
	// attributes, in columns named by Col.
	Scan     func(s *plan.Scan) (string, error)
	TimeZone string    // session zone, "" is UTC
	Now      time.Time // current_timestamp
	ANSI     bool
	// TimeParser is spark.sql.legacy.timeParserPolicy: CORRECTED where it is "".
	TimeParser string
	// Encoded gives VARIANTs in results as bytes of package variant, as tables
	// take them, instead of JSON text.
	Encoded bool
}

// Kernel is a scalar function that must be registered before the SQL runs.
// Name is unique for the rest of the specification.
type Kernel struct {
	Name   string
	Kind   string
	Args   []string // DuckDB types
	Return string
	Params json.RawMessage // nil without parameters
}

// Column is one column of the result.
type Column struct {
	Name     string
	Type     types.Type
	Nullable bool
	DuckType string
}

// Result is a lowered query.
type Result struct {
	SQL     string
	Kernels []Kernel
	Columns []Column
}

// lowerer lowers one query. The first error sticks.
type lowerer struct {
	opt     Options
	err     error
	names   map[string]bool // kernels by name
	kernels []Kernel
	vars    map[plan.ID]string // lambda parameters
	refs    map[plan.ID]int    // references to CTEs
	keys    map[string]string  // grouping keys of the node at hand, by their text
	inline  bool               // the expressions at hand are over rows that the statement itself holds
	n       int                // names handed out
}

// Query lowers a plan.
func Query(n plan.Node, opt Options) (Result, error) {
	l := newLowerer(opt)
	plan.VisitNodes(n, func(m plan.Node) {
		if r, ok := m.(*plan.CTERef); ok {
			l.refs[r.CTE.ID]++
		}
	})
	out := n.Output()
	body := l.node(n)
	res := Result{Columns: make([]Column, len(out))}
	items := make([]string, len(out))
	for i, a := range out {
		text, dt := l.present(Col(a), a.Type)
		res.Columns[i] = Column{Name: a.Name, Type: a.Type, Nullable: a.Nullable, DuckType: dt}
		items[i] = fmt.Sprintf("%s AS c%d", text, i)
	}
	if len(items) == 0 {
		items = []string{"1 AS c0"}
	}
	res.SQL = "SELECT " + strings.Join(items, ", ") + " FROM (" + body + ") AS q"
	res.Kernels = l.kernels
	if l.err != nil {
		return Result{}, l.err
	}
	return res, nil
}

// Expression lowers one expression over columns named by Col.
func Expression(e plan.Expr, opt Options) (text string, kernels []Kernel, err error) {
	l := newLowerer(opt)
	text = l.expr(e)
	return text, l.kernels, l.err
}

func newLowerer(opt Options) *lowerer {
	if opt.TimeZone == "" {
		opt.TimeZone = "UTC"
	}
	return &lowerer{opt: opt, names: map[string]bool{}, vars: map[plan.ID]string{}, refs: map[plan.ID]int{}}
}

// Col is the internal column name of an attribute.
func Col(a plan.Attr) string { return `"c` + strconv.FormatUint(uint64(a.ID), 10) + `"` }

func (l *lowerer) fail(err error) string {
	if l.err == nil {
		l.err = err
	}
	return "NULL"
}

// unsupported is the error of what lowering cannot express.
func (l *lowerer) unsupported(pos sparksql.Pos, format string, a ...any) string {
	return l.fail(&sparksql.Error{Class: "UNSUPPORTED_FEATURE", SQLState: "0A000", Phase: sparksql.PhaseAnalysis, Pos: pos,
		Message: fmt.Sprintf(format, a...)})
}

// fresh is a new name for a sub-query or lambda parameter.
func (l *lowerer) fresh(prefix string) string {
	l.n++
	return prefix + strconv.Itoa(l.n)
}

// longText is the length from which an operand that a rule needs twice is
// bound to a name instead.
const longText = 240

// let gives body a text for x that it may repeat.
func (l *lowerer) let(x string, body func(v string) string) string {
	if len(x) <= longText || strings.Contains(x, "SELECT ") {
		return body(x) // DuckDB takes no sub-query in a lambda
	}
	v := l.fresh("v")
	bound := body(v)
	if strings.Contains(bound, "SELECT ") {
		return body(x)
	}
	return "list_extract(list_transform([" + x + "], lambda " + v + ": " + bound + "), 1)"
}

// try is TRY over a text of the arguments; DuckDB refuses error() inside TRY,
// so arguments that may raise are bound outside.
func (l *lowerer) try(a []string, body func(a []string) string) string {
	for i, x := range a {
		if !strings.Contains(x, "error(") && !strings.Contains(x, "random") && !strings.Contains(x, "uuid(") {
			continue
		}
		v := l.fresh("v")
		b := append([]string(nil), a...)
		b[i] = v
		return "list_extract(list_transform([" + x + "], lambda " + v + ": " + l.try(b, body) + "), 1)"
	}
	return "TRY(" + body(a) + ")"
}

// tryOf is try that lets through all that the arguments raise, also where
// DuckDB raises it by itself.
func (l *lowerer) tryOf(args []plan.Expr, a []string, body func(a []string) string) string {
	b := append([]string(nil), a...)
	var bind func(i int) string
	bind = func(i int) string {
		switch {
		case i == len(a):
			return l.try(b, body)
		case !l.canRaise(args[i]):
			return bind(i + 1)
		}
		v := l.fresh("v")
		b[i] = v
		return "list_extract(list_transform([" + a[i] + "], lambda " + v + ": " + bind(i+1) + "), 1)"
	}
	return bind(0)
}

// tryDecode is the text of bytes in UTF-8, NULL where they are none.
func (l *lowerer) tryDecode(x string) string {
	return l.try([]string{x}, func(a []string) string { return "decode(" + a[0] + ")" })
}

func (l *lowerer) let2(x, y string, body func(v, w string) string) string {
	return l.let(x, func(v string) string { return l.let(y, func(w string) string { return body(v, w) }) })
}

// kernelPrefix begins the name of every kernel's function.
const kernelPrefix = "mk_"

// kernel is the name of a kernel's function, registered with the result.
func (l *lowerer) kernel(kind string, args []string, ret string, params any) string {
	var raw json.RawMessage
	if params != nil {
		var err error
		if raw, err = json.Marshal(params); err != nil {
			return l.fail(err)
		}
	}
	sum := sha256.Sum256([]byte(kind + "|" + strings.Join(args, ",") + "|" + ret + "|" + string(raw)))
	name := kernelPrefix + kind + "_" + hex.EncodeToString(sum[:6])
	if !l.names[name] {
		l.names[name] = true
		l.kernels = append(l.kernels, Kernel{Name: name, Kind: kind, Args: args, Return: ret, Params: raw})
	}
	return name
}

// call is a kernel over lowered arguments.
func (l *lowerer) call(kind string, args []string, argTypes []string, ret string, params any) string {
	return l.kernel(kind, argTypes, ret, params) + "(" + strings.Join(args, ", ") + ")"
}

// DuckType is the DuckDB type that carries t.
func DuckType(t types.Type) (string, error) {
	switch t := t.(type) {
	case types.Primitive:
		if s, ok := primitive(t); ok {
			return s, nil
		}
	case types.Decimal:
		return fmt.Sprintf("DECIMAL(%d,%d)", max(t.Precision, 1), t.Scale), nil // DECIMAL(0,0) holds 0
	case types.Char, types.Collated:
		return "VARCHAR", nil
	case types.Time:
		return "BIGINT", nil
	case types.YearMonth:
		return "INTEGER", nil
	case types.DayTime:
		return "BIGINT", nil
	case types.Spatial:
		return "BLOB", nil
	case types.Array:
		e, err := DuckType(t.Elem)
		return e + "[]", err
	case types.Map:
		k, err := DuckType(t.Key)
		if err != nil {
			return "", err
		}
		v, err := DuckType(t.Value)
		return "MAP(" + k + ", " + v + ")", err
	case types.Struct:
		return structType(t)
	}
	return "", &sparksql.Error{Class: "UNSUPPORTED_DATATYPE", SQLState: "0A000", Phase: sparksql.PhaseAnalysis,
		Message: fmt.Sprintf("The type %s cannot be executed.", t.SQL())}
}

// noField is the field, always NULL, of what stands for a STRUCT without fields
// (package duck/vector has it as NoField).
const noField = "#none"

func structType(t types.Struct) (string, error) {
	parts, names := make([]string, len(t.Fields)), fieldNames(t)
	for i, f := range t.Fields {
		d, err := DuckType(f.Type)
		if err != nil {
			return "", err
		}
		parts[i] = ident(names[i]) + " " + d
	}
	if len(parts) == 0 {
		parts = []string{ident(noField) + " BOOLEAN"}
	}
	return "STRUCT(" + strings.Join(parts, ", ") + ")", nil
}

func primitive(p types.Primitive) (string, bool) {
	switch p {
	case types.Void, types.Int:
		return "INTEGER", true
	case types.Boolean:
		return "BOOLEAN", true
	case types.TinyInt:
		return "TINYINT", true
	case types.SmallInt:
		return "SMALLINT", true
	case types.BigInt:
		return "BIGINT", true
	case types.Float:
		return "FLOAT", true
	case types.Double:
		return "DOUBLE", true
	case types.String:
		return "VARCHAR", true
	case types.Binary:
		return "BLOB", true
	case types.Date:
		return "DATE", true
	case types.Timestamp:
		return "TIMESTAMP WITH TIME ZONE", true
	case types.TimestampNTZ:
		return "TIMESTAMP", true
	case types.Variant:
		return variantBlob, true
	case types.Calendar:
		return "INTERVAL", true
	}
	return "", false
}

func (l *lowerer) duckType(t types.Type) string {
	s, err := DuckType(t)
	if err != nil {
		return l.fail(err)
	}
	return s
}

func ident(name string) string { return `"` + strings.ReplaceAll(name, `"`, `""`) + `"` }

// quote is a text as a SQL literal; a NUL character cannot stand in one.
func quote(s string) string {
	if !strings.Contains(s, "\x00") {
		return "'" + strings.ReplaceAll(s, "'", "''") + "'"
	}
	parts := strings.Split(s, "\x00")
	for i := range parts {
		parts[i] = quote(parts[i])
	}
	return "(" + strings.Join(parts, " || chr(0) || ") + ")"
}

func cast(x, t string) string { return "CAST(" + x + " AS " + t + ")" }

// constText is the text of a constant string argument.
func constText(e plan.Expr) (string, bool) {
	if k, ok := funcs.Eval(e); ok {
		s, ok := k.Value.(string)
		return s, ok
	}
	return "", false
}

// isNull tells whether e is a constant NULL.
func isNull(e plan.Expr) bool {
	k, ok := funcs.Eval(e)
	return ok && k.Value == nil
}

// constInt is a constant integer argument.
func constInt(e plan.Expr) (int64, bool) {
	if k, ok := funcs.Eval(e); ok {
		n, ok := k.Value.(int64)
		return n, ok
	}
	return 0, false
}
