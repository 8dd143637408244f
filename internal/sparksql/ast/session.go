package ast

import "github.com/marisma/marisma/internal/sparksql/types"

// DeclareVariable is DECLARE [OR REPLACE] [VARIABLE] a, b [type] [DEFAULT x].
// It makes session variables, and local ones inside of a Compound.
type DeclareVariable struct {
	Stmt
	Names       []Name
	Type        types.Type // nil: that of Default
	Default     Expr       // nil: NULL
	DefaultText string     // Default as written
	Replace     bool       // OR REPLACE
}

// SetVariable is SET VAR a = x, b = y (Values, one for each target), or
// SET VAR (a, b) = (query). Inside of a Compound the word VAR is not written.
type SetVariable struct {
	Stmt
	Targets []Name
	Values  []Expr
	Query   *Query // instead of Values
	Local   bool   // written without VAR, inside of a Compound
}

// DropVariable is DROP TEMPORARY VARIABLE.
type DropVariable struct {
	Stmt
	Name     Name
	IfExists bool
}

// ExecuteImmediate is EXECUTE IMMEDIATE text [INTO a, b] [USING x, y AS p]. An
// argument with a name is an *Alias.
type ExecuteImmediate struct {
	Stmt
	Query Expr
	Into  []Name
	Using []Expr
}

// Parameter is one parameter of an SQL function.
type Parameter struct {
	At
	Name        Ident
	Type        types.Type
	NotNull     bool
	Default     Expr   // nil without
	DefaultText string // Default as written
	Comment     string
}

// CreateFunction is CREATE [OR REPLACE] [TEMPORARY] FUNCTION ... RETURN body.
// The body is Expr or Query; a query in parentheses is an expression.
type CreateFunction struct {
	Stmt
	Name        Name
	Replace     bool
	Temporary   bool
	IfNotExists bool
	Params      []Parameter
	Table       bool        // RETURNS TABLE
	Returns     types.Type  // of a scalar function; nil: the body's
	Columns     []ColumnDef // RETURNS TABLE (a INT, ...); nil: the body's
	Comment     string
	// Deterministic is nil where neither DETERMINISTIC nor NOT DETERMINISTIC
	// is written; DataAccess is "", "CONTAINS SQL" or "READS SQL DATA".
	Deterministic *bool
	DataAccess    string
	Expr          Expr
	Query         *Query
	BodyText      string // the body as written
}

// ViewChange is what ALTER VIEW does.
type ViewChange uint8

// Changes of a view.
const (
	ViewAs         ViewChange = iota // AS query
	ViewRename                       // RENAME TO name
	ViewSet                          // SET TBLPROPERTIES (...)
	ViewUnset                        // UNSET TBLPROPERTIES [IF EXISTS] (...)
	ViewSchemaMode                   // WITH SCHEMA mode
)

// AlterView is ALTER VIEW name ...; Query, To, Properties and SchemaMode
// belong to the changes above, in that order.
type AlterView struct {
	Stmt
	Name       Name
	Change     ViewChange
	Query      *Query
	To         Name
	Properties []Property // keys alone for ViewUnset
	IfExists   bool
	SchemaMode string // "BINDING", "COMPENSATION", "TYPE EVOLUTION" or "EVOLUTION"
}
