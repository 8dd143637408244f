package ast

import "github.com/marisma/marisma/internal/sparksql/types"

// Query is a query with everything around its body.
type Query struct {
	At
	With      []CTE
	Recursive bool
	Body      Body
	Order     []SortItem
	OrderAll  *SortItem // ORDER BY ALL; X is nil
	// Sort, Distribute and Cluster are SORT BY, DISTRIBUTE BY and CLUSTER BY.
	Sort       []SortItem
	Distribute []Expr
	Cluster    []Expr
	Windows    []NamedWindow // WINDOW after the body
	Limit      Expr          // nil without, and for LIMIT ALL
	Offset     Expr
	// Idle counts the |> behind the query that have no operator.
	Idle int
	// Text is the query as written.
	Text string
}

// CTE is one common table expression.
type CTE struct {
	Name    Ident
	Columns []Ident
	// MaxLevel is MAX RECURSION LEVEL n, nil without.
	MaxLevel Expr
	Query    *Query
}

// NamedWindow is WINDOW name AS (spec).
type NamedWindow struct {
	Name Ident
	Spec *WindowSpec
}

// Body is what a query computes: *Select, *SetOp, *Values, *Table or *Paren.
type Body interface {
	Node
	isBody()
}

// SetKind is UNION, INTERSECT or EXCEPT.
type SetKind uint8

// Set operations.
const (
	Union SetKind = iota
	Intersect
	Except
)

// SetOp combines two bodies.
type SetOp struct {
	At
	Kind        SetKind
	All         bool
	Left, Right Body
}

// Values is an inline table.
type Values struct {
	At
	Rows  []Expr // a Tuple for a row of several columns
	Alias TableAlias
}

// Table is TABLE name as a body.
type Table struct {
	At
	Name Name
}

// Paren is a query in parentheses as a body.
type Paren struct {
	At
	Query *Query
}

// Select is SELECT ... or FROM ... SELECT.
type Select struct {
	At
	Distinct bool
	Items    []SelectItem
	From     []TableRef
	Views    []LateralView
	Where    Expr
	Group    *GroupBy
	Having   Expr
	Qualify  Expr
	Windows  []NamedWindow
	// Pipe is EXTEND or AGGREGATE where such an operator of |> stands for the
	// query; its own items come after the first Kept of Items.
	Pipe string
	Kept int
	// Hints stand behind the word SELECT.
	Hints []Hint
}

// Hint is one of /*+ name(argument, ...) */.
type Hint struct {
	At
	Name Ident
	Args []Expr
}

// SelectItem is one output; Aliases holds several for generators.
type SelectItem struct {
	X       Expr
	Aliases []Ident
	List    bool // the aliases stand in parentheses
	// Text is the expression as written.
	Text string
}

// GroupKind tells the terms of GROUP BY apart.
type GroupKind uint8

// Terms of GROUP BY.
const (
	GroupExpr GroupKind = iota
	GroupRollup
	GroupCube
	GroupSets
)

// GroupBy is GROUP BY. A plain term has one set of one expression.
type GroupBy struct {
	At
	All   bool
	Items []GroupItem
}

// GroupItem is one term: Sets of expressions; a set of ROLLUP and CUBE is one
// level; a term of GROUPING SETS may nest others.
type GroupItem struct {
	Kind   GroupKind
	Sets   [][]Expr
	Nested []GroupItem // of GROUPING SETS; Sets is nil then
}

// TableAlias is [AS] t [(a, b)].
type TableAlias struct {
	Name    *Ident
	Columns []Ident
}

// TableRef is an item of FROM.
type TableRef interface {
	Node
	isTableRef()
}

// TableName is a table or view by name.
type TableName struct {
	At
	Name Name
	// Version and Timestamp are VERSION AS OF and TIMESTAMP AS OF.
	Version, Timestamp Expr
	Options            []Property // WITH (...)
	Stream             bool       // STREAM t, STREAM(t)
	Watermark          *Watermark
	Sample             *Sample
	Alias              TableAlias
}

// TableFunc is a table function in FROM.
type TableFunc struct {
	At
	Call      *Call
	Stream    bool
	Lateral   bool
	Watermark *Watermark
	Alias     TableAlias
}

// SubqueryRef is a query in FROM.
type SubqueryRef struct {
	At
	Query     *Query
	Lateral   bool
	Pipe      bool // what stands before |>: its qualifiers stay
	Watermark *Watermark
	Sample    *Sample
	Alias     TableAlias
}

// ValuesRef is VALUES in FROM.
type ValuesRef struct {
	At
	Values *Values
}

// ParenRef is a FROM item in parentheses, perhaps with an alias.
type ParenRef struct {
	At
	Ref   TableRef
	Alias TableAlias
}

// JoinKind is the kind of a join.
type JoinKind uint8

// Joins.
const (
	InnerJoin JoinKind = iota
	CrossJoin
	LeftJoin
	RightJoin
	FullJoin
	SemiJoin
	AntiJoin
)

// Join is a join of two FROM items.
type Join struct {
	At
	Kind        JoinKind
	Natural     bool
	Left, Right TableRef
	On          Expr
	Using       []Ident
}

// Pivot is PIVOT (aggs FOR columns IN (values)) over a FROM item.
type Pivot struct {
	At
	Input  TableRef
	Aggs   []SelectItem
	For    []Expr
	Values []SelectItem
	Alias  TableAlias
}

// Unpivot is UNPIVOT over a FROM item. Values holds the names of the value
// columns; each of Columns is one group of as many input columns.
type Unpivot struct {
	At
	Input        TableRef
	IncludeNulls bool
	Values       []Ident
	Name         Ident
	Columns      []UnpivotColumn
	Alias        TableAlias
}

// UnpivotColumn is one group of input columns with its label.
type UnpivotColumn struct {
	Names []Name
	Alias *Ident
}

// LateralView is LATERAL VIEW [OUTER] gen(...) [t] [AS a, b].
type LateralView struct {
	At
	Outer   bool
	Call    *Call
	Table   *Ident
	Columns []Ident
}

// Watermark is WATERMARK expr [AS name] DELAY OF interval.
type Watermark struct {
	At
	X     Expr
	Alias *Ident
	Delay Expr
}

// Sample is TABLESAMPLE (...) as written.
type Sample struct {
	At
	Kind string // "percent", "rows", "bucket", "bytes"
	Args []Expr
	Seed Expr
}

// Property is key = value in TBLPROPERTIES, OPTIONS or WITH.
type Property struct {
	At
	Key   string
	Value string
}

// ColumnDef is a declared column; Type is nil where only a name was given.
type ColumnDef struct {
	At
	Name    string
	Type    types.Type
	NotNull bool
	Comment string
}

func (*Select) isBody() {}
func (*SetOp) isBody()  {}
func (*Values) isBody() {}
func (*Table) isBody()  {}
func (*Paren) isBody()  {}

func (*TableName) isTableRef()   {}
func (*TableFunc) isTableRef()   {}
func (*SubqueryRef) isTableRef() {}
func (*ValuesRef) isTableRef()   {}
func (*ParenRef) isTableRef()    {}
func (*Join) isTableRef()        {}
func (*Pivot) isTableRef()       {}
func (*Unpivot) isTableRef()     {}
