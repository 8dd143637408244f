package ast

// Compound is BEGIN ... END: declarations, then statements. DeclareVariable
// statements stand first in Body.
type Compound struct {
	Stmt
	Label      *Ident // nil without
	Conditions []Condition
	Handlers   []*Handler
	Body       []Statement
}

// Condition is DECLARE name CONDITION [FOR SQLSTATE 'xxxxx'].
type Condition struct {
	At
	Name  Ident
	State string // "45000" without FOR
}

// HandlerCondition is what a handler waits for: one of the fields is set.
type HandlerCondition struct {
	At
	State     string // SQLSTATE 'xxxxx'
	Name      string // an error class, in upper case
	Exception bool   // SQLEXCEPTION
	NotFound  bool   // NOT FOUND
}

// Handler is DECLARE EXIT HANDLER FOR conditions statement.
type Handler struct {
	At
	Conditions []HandlerCondition
	Body       Statement
}

// Branch is a condition with the statements behind THEN.
type Branch struct {
	Cond Expr
	Text string // the condition as written
	Body []Statement
}

// If is IF ... THEN ... ELSEIF ... ELSE ... END IF.
type If struct {
	Stmt
	Branches []Branch
	Else     []Statement // nil without
}

// CaseOf is the CASE statement; each branch's Cond is a condition, or, where
// Operand is set, a value to compare it with.
type CaseOf struct {
	Stmt
	Operand  Expr
	Branches []Branch
	Else     []Statement // nil without
}

// LoopKind tells the loops apart.
type LoopKind uint8

// Loops.
const (
	LoopForever LoopKind = iota // LOOP ... END LOOP
	LoopWhile                   // WHILE cond DO ... END WHILE
	LoopRepeat                  // REPEAT ... UNTIL cond END REPEAT
)

// Loop is LOOP, WHILE or REPEAT.
type Loop struct {
	Stmt
	Kind  LoopKind
	Label *Ident
	Cond  Expr   // nil for LoopForever
	Text  string // the condition as written
	Body  []Statement
}

// For is FOR [name AS] query DO ... END FOR.
type For struct {
	Stmt
	Label *Ident
	Var   *Ident // nil without
	Query *Query
	Body  []Statement
}

// Jump is LEAVE label or, where Iterate is set, ITERATE label.
type Jump struct {
	Stmt
	Iterate bool
	Label   Ident
}
