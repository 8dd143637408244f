package plan

import (
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Titled is X under a name that its own text would not give: a variable, or
// the body of an SQL function that was called. It stands only while names are
// worked out; a finished plan has X in its place.
type Titled struct {
	X Expr
	// Title is the text of a call, or the full name of a variable.
	Title    string
	Variable bool
	// Volatile: Spark counts X among what is not the same for equal input.
	Volatile bool
}

// Type of X.
func (t *Titled) Type() types.Type { return t.X.Type() }

// Nullable as X is.
func (t *Titled) Nullable() bool { return t.X.Nullable() }

// Children is X.
func (t *Titled) Children() []Expr { return []Expr{t.X} }

// WithChildren replaces X.
func (t *Titled) WithChildren(x []Expr) Expr {
	return &Titled{X: x[0], Title: t.Title, Variable: t.Variable, Volatile: t.Volatile}
}

// Parameter refers to a parameter of the SQL function whose body is being
// analysed; the call puts its argument there.
type Parameter struct{ Attr Attr }

// Type of the parameter.
func (p *Parameter) Type() types.Type { return p.Attr.Type }

// Nullable is true: NULL is an argument like any other.
func (p *Parameter) Nullable() bool { return true }

// Children is empty.
func (p *Parameter) Children() []Expr { return nil }

// WithChildren is p itself.
func (p *Parameter) WithChildren([]Expr) Expr { return p }

// DeclareVariables makes variables of one type and one default. Default gives
// one row with one column of Type.
type DeclareVariables struct {
	Names       [][]string // as written
	Type        types.Type
	Default     Node
	DefaultText string // "NULL" without
	Replace     bool
	Pos         sparksql.Pos
}

// SetVariables assigns the columns of Plan's row to variables, in order. A
// query of more than one row is an error, of none gives NULLs.
type SetVariables struct {
	Names [][]string // as written; the session finds them again
	Plan  Node
	Pos   sparksql.Pos
}

// DropVariable is DROP TEMPORARY VARIABLE.
type DropVariable struct {
	Name     []string
	IfExists bool
	Pos      sparksql.Pos
}

// ExecuteImmediate runs the text that Text gives, a plan of one value.
type ExecuteImmediate struct {
	Text Node
	Name string // what the text is called: a variable's name, or the expression
	Into [][]string
	Args []Argument
	Pos  sparksql.Pos
}

// Argument is one of USING; Name is "" without AS.
type Argument struct {
	Name  string
	Title string // the value as written
	Value Expr
}

// RoutineParam is a parameter of an SQL function. Default is the text of an
// expression, "" without one.
type RoutineParam struct {
	Name    string
	Type    types.Type
	Default string
	Comment string
}

// Routine is an SQL function. Names in its body resolve in Catalog.Schema.
type Routine struct {
	Name          []string // catalog, schema, name; a temporary one has its name alone
	Params        []RoutineParam
	Table         bool
	Returns       types.Type    // of a scalar function
	Columns       []types.Field // of a table function
	Body          string
	Query         bool // the body is a query
	Catalog       string
	Schema        string
	Comment       string
	Deterministic bool
	DataAccess    string
	Created       int64 // milliseconds since the epoch
}

// Temporary tells whether the function belongs to a session.
func (r *Routine) Temporary() bool { return len(r.Name) == 1 }

// CreateFunction is CREATE FUNCTION.
type CreateFunction struct {
	Routine     *Routine
	Replace     bool
	IfNotExists bool
	Pos         sparksql.Pos
}

// ViewChange is what AlterView does.
type ViewChange uint8

// Changes of a view.
const (
	ViewAs ViewChange = iota
	ViewRename
	ViewSet
	ViewUnset
	ViewSchemaMode
)

// AlterView is ALTER VIEW.
type AlterView struct {
	Name       []string
	Change     ViewChange
	View       *CreateView // of ViewAs
	To         []string    // of ViewRename
	Properties map[string]string
	SchemaMode string
	Pos        sparksql.Pos
}

func (*AlterView) isStatement()        {}
func (*CreateFunction) isStatement()   {}
func (*DeclareVariables) isStatement() {}
func (*DropVariable) isStatement()     {}
func (*ExecuteImmediate) isStatement() {}
func (*SetVariables) isStatement()     {}
