package ast

import (
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Node is a part of a statement with its place in the text.
type Node interface{ Pos() sparksql.Pos }

// At is the place of a node; every node embeds it.
type At struct{ P sparksql.Pos }

// Pos is where the node starts (for a binary operator: its left operand).
func (a At) Pos() sparksql.Pos { return a.P }

// Ident is one part of a name, without its backticks. X is set for
// IDENTIFIER(x), whose constant text holds one part or more: Name is empty
// then, and the analyzer puts the parts in (Resolve).
type Ident struct {
	At
	Name   string
	Quoted bool
	X      Expr
}

// Name is a name of one or more parts.
type Name []Ident

// Strings are the parts' texts.
func (n Name) Strings() []string {
	out := make([]string, len(n))
	for i, p := range n {
		out[i] = p.Name
	}
	return out
}

// Expr is an expression.
type Expr interface {
	Node
	isExpr()
}

// Literal is a constant whose value needs no session: NULL, booleans, numbers,
// strings, binary. Value is as in plan.Literal. Text is the number as written.
type Literal struct {
	At
	Value any
	Type  types.Type
	Text  string
}

// TypedLiteral is DATE '...', TIMESTAMP '...' and the like; Type in lower case.
type TypedLiteral struct {
	At
	Type string
	Text string
}

// Interval is INTERVAL with one or more value-unit pairs, or one text with a
// range of units (INTERVAL '1-2' YEAR TO MONTH: To is set).
type Interval struct {
	At
	Parts []IntervalPart
	// To is the second unit of "YEAR TO MONTH", "" without.
	To string
}

// IntervalPart is one value of an interval; Unit is singular lower case, and
// "" where the whole interval is one text ('1 day 2 hours').
type IntervalPart struct {
	Value    Expr
	Negative bool
	Unit     string
}

// Column is a name in an expression: a column, perhaps with its table before
// it and fields behind it.
type Column struct {
	At
	Name Name
}

// Star is * or t.*, perhaps without some columns.
type Star struct {
	At
	Qualifier Name
	Except    []Name
}

// Field takes a field of an expression that is no plain name.
type Field struct {
	At
	X    Expr
	Name Ident
}

// Index is x[i].
type Index struct {
	At
	X, I Expr
}

// Path is x:path, the way into a VARIANT.
type Path struct {
	At
	X    Expr
	Path string
}

// Unary is "-", "+", "~" or "not".
type Unary struct {
	At
	Op string
	X  Expr
}

// Binary is an operator with two operands; Op in lower case, as written
// ("==" and "<>" stay), "is distinct from" and "is not distinct from" too.
type Binary struct {
	At
	Op   string
	L, R Expr
	// OpPos is the operator's own place.
	OpPos sparksql.Pos
}

// Is is x IS [NOT] NULL, TRUE, FALSE or UNKNOWN.
type Is struct {
	At
	X    Expr
	What string // "null", "true", "false", "unknown"
	Not  bool
}

// Between is x [NOT] BETWEEN lo AND hi.
type Between struct {
	At
	X, Lo, Hi Expr
	Not       bool
}

// In is x [NOT] IN (list) or (query); one of List and Query is set.
type In struct {
	At
	X     Expr
	List  []Expr
	Query *Query
	Not   bool
}

// Like is x [NOT] LIKE, ILIKE or RLIKE. Quantifier is "", "any" or "all" (then
// Patterns holds the list, else one pattern).
type Like struct {
	At
	Op         string // "like", "ilike", "rlike"
	X          Expr
	Patterns   []Expr
	Quantifier string
	Escape     Expr
	Not        bool
}

// When is one branch of Case.
type When struct{ Cond, Then Expr }

// Case is CASE [operand] WHEN ... ELSE ... END.
type Case struct {
	At
	Operand Expr
	When    []When
	Else    Expr
}

// Cast is CAST(x AS t), TRY_CAST(x AS t) or x::t.
type Cast struct {
	At
	X    Expr
	Type types.Type
	Try  bool
}

// Call is a function call with everything that may stand around one.
type Call struct {
	At
	Name Name
	// NameExpr is the constant that holds the name in IDENTIFIER(x)(...), nil
	// for a plain call.
	NameExpr    Expr
	Args        []Expr
	Distinct    bool
	Filter      Expr
	IgnoreNulls bool
	// RespectNulls is set where it was written.
	RespectNulls bool
	// Within is WITHIN GROUP (ORDER BY ...).
	Within []SortItem
	Over   *WindowSpec
	// Syntax names the special form that the call was written in: "extract",
	// "trim", "substring", "position", "overlay", "timestampadd",
	// "timestampdiff", "current" (no parentheses), "concat" (||), "struct"
	// (row constructor); "" for a plain call.
	Syntax string
}

// NamedArg is name => value in a call.
type NamedArg struct {
	At
	Name Ident
	X    Expr
}

// Alias is x AS name inside an argument list.
type Alias struct {
	At
	X    Expr
	Name Ident
}

// Lambda is x -> body or (x, y) -> body.
type Lambda struct {
	At
	Params []Ident
	Body   Expr
}

// Tuple is (a, b, ...).
type Tuple struct {
	At
	Items []Expr
}

// Subquery is a query as a value.
type Subquery struct {
	At
	Query *Query
}

// Exists is EXISTS (query).
type Exists struct {
	At
	Query *Query
}

// Param is :name or ?; Index counts the ? from 0 and is -1 for names.
type Param struct {
	At
	Name  string
	Index int
}

// Collate is x COLLATE name.
type Collate struct {
	At
	X    Expr
	Name Name
}

// TableArg is TABLE(query) or TABLE name as an argument of a table function.
type TableArg struct {
	At
	Query *Query
}

// SortItem is one ORDER BY term.
type SortItem struct {
	X          Expr
	Desc       bool
	NullsFirst *bool // nil where not written
}

// WindowSpec is what follows OVER: a name, or a definition.
type WindowSpec struct {
	At
	Ref       *Ident // OVER w, OVER (w)
	Partition []Expr
	Order     []SortItem
	Frame     *Frame
}

// BoundKind is the kind of a frame's end.
type BoundKind uint8

// Frame bounds.
const (
	UnboundedPreceding BoundKind = iota
	Preceding
	CurrentRow
	Following
	UnboundedFollowing
)

// Bound is one end of a frame.
type Bound struct {
	Kind BoundKind
	X    Expr
}

// Frame is a window frame.
type Frame struct {
	At
	Rows       bool // ROWS, else RANGE
	Start, End Bound
}

func (*Literal) isExpr()      {}
func (*TypedLiteral) isExpr() {}
func (*Interval) isExpr()     {}
func (*Column) isExpr()       {}
func (*Star) isExpr()         {}
func (*Field) isExpr()        {}
func (*Index) isExpr()        {}
func (*Path) isExpr()         {}
func (*Unary) isExpr()        {}
func (*Binary) isExpr()       {}
func (*Is) isExpr()           {}
func (*Between) isExpr()      {}
func (*In) isExpr()           {}
func (*Like) isExpr()         {}
func (*Case) isExpr()         {}
func (*Cast) isExpr()         {}
func (*Call) isExpr()         {}
func (*NamedArg) isExpr()     {}
func (*Alias) isExpr()        {}
func (*Lambda) isExpr()       {}
func (*Tuple) isExpr()        {}
func (*Subquery) isExpr()     {}
func (*Exists) isExpr()       {}
func (*Param) isExpr()        {}
func (*Collate) isExpr()      {}
func (*TableArg) isExpr()     {}

// ColumnEdit is all columns with some replaced (|> SET a = x) or left out
// (|> DROP a); it stands alone as a select item.
type ColumnEdit struct {
	At
	Set  []SelectItem
	Drop []Ident
}

func (*ColumnEdit) isExpr() {}
