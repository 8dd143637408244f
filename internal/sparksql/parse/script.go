package parse

import (
	"regexp"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
)

// scriptScope is a label, or the name of a FOR, with what stands around it.
type scriptScope struct {
	outer *scriptScope
	name  string // lower case, "" without a label
	loop  bool   // ITERATE may name it
	// conditions are those that the BEGIN ... END declares, in upper case.
	conditions map[string]bool
}

// declares tells whether a condition is declared here or around.
func (s *scriptScope) declares(condition string) bool {
	for ; s != nil; s = s.outer {
		if s.conditions[condition] {
			return true
		}
	}
	return false
}

func (s *scriptScope) find(name string) *scriptScope {
	for ; s != nil; s = s.outer {
		if strings.EqualFold(s.name, name) {
			return s
		}
	}
	return nil
}

// within parses f in the scope of label, which may be nil.
func (p *parser) within(label *ast.Ident, loop bool, f func() error) error {
	s := &scriptScope{outer: p.script, loop: loop}
	if label != nil {
		if p.script.find(label.Name) != nil {
			return parseError("LABEL_OR_FOR_VARIABLE_ALREADY_EXISTS", "42K0L", label.P, "the label or FOR variable %s exists already", label.Name)
		}
		s.name = strings.ToLower(label.Name)
	}
	p.script = s
	defer func() { p.script = s.outer }()
	return f()
}

// script parses a statement that is BEGIN ... END.
func (p *parser) compoundStatement(base ast.Stmt) (ast.Statement, error) {
	c := &ast.Compound{Stmt: base}
	return c, p.within(nil, false, func() error { return p.compound(c) })
}

// compound parses BEGIN [NOT ATOMIC] ... END.
func (p *parser) compound(c *ast.Compound) error {
	if err := p.enter(); err != nil {
		return err
	}
	defer p.leave()
	p.i++
	if p.accept("NOT") {
		if err := p.need("ATOMIC"); err != nil {
			return err
		}
	}
	d := declarations{c: c, conditions: map[string]bool{}, handled: map[string]bool{}}
	if p.script != nil {
		p.script.conditions = d.conditions
	}
	for !p.isWord("END") {
		if p.isWord("DECLARE") && p.peek(1).kind != tEOF {
			if err := p.declaration(&d); err != nil {
				return err
			}
		} else {
			st, err := p.scriptStatement()
			if err != nil {
				return err
			}
			d.statements = true
			c.Body = append(c.Body, st)
		}
		if err := p.needOp(";"); err != nil {
			return err
		}
	}
	p.i++
	return nil
}

// declarations tells which part of a compound's declarations is being read:
// variables and conditions, then handlers, then statements.
type declarations struct {
	c          *ast.Compound
	conditions map[string]bool // upper case
	handled    map[string]bool // what the handlers name
	statements bool
}

// handles checks one condition of a handler against the others.
func (d *declarations) handles(c ast.HandlerCondition, seen map[string]bool) error {
	key, kind := c.State+c.Name, "CONDITION"
	switch {
	case c.State != "":
		kind = "SQLSTATE"
	case c.Exception:
		key = "SQLEXCEPTION"
	case c.NotFound:
		key = "NOT FOUND"
	}
	switch {
	case seen[key]:
		return parseError("INVALID_HANDLER_DECLARATION.DUPLICATE_CONDITION_IN_HANDLER_DECLARATION", "42K0Q", c.P, "the handler names %s twice", key)
	case d.handled[key]:
		return parseError("DUPLICATE_EXCEPTION_HANDLER."+kind, "42734", c.P, "two handlers name %s", key)
	}
	seen[key] = true
	return nil
}

// declaration parses one DECLARE of a compound.
func (p *parser) declaration(d *declarations) error {
	at := p.here()
	switch {
	case p.wordAt(2, "HANDLER") && p.wordAt(1, "EXIT", "CONTINUE"):
		if p.wordAt(1, "CONTINUE") {
			return parseError("UNSUPPORTED_FEATURE.CONTINUE_EXCEPTION_HANDLER", "0A000", at.P, "handlers that CONTINUE are not supported; use EXIT HANDLER")
		}
		if d.statements {
			return parseError("INVALID_HANDLER_DECLARATION.WRONG_PLACE_OF_DECLARATION", "42K0Q", at.P, "handlers stand behind the other declarations and before the statements")
		}
		return p.handler(d)
	case p.wordAt(2, "CONDITION"):
		if d.statements || len(d.c.Handlers) > 0 {
			return parseError("INVALID_ERROR_CONDITION_DECLARATION.NOT_AT_START_OF_COMPOUND_STATEMENT", "42K0R", at.P,
				"the condition %s can only be declared at the start of BEGIN ... END", strings.ToUpper(p.peek(1).text))
		}
		return p.condition(d)
	}
	st, err := p.declareLocal()
	if err != nil {
		return err
	}
	if d.statements || len(d.c.Handlers) > 0 {
		return parseError("INVALID_VARIABLE_DECLARATION.ONLY_AT_BEGINNING", "42K0M", at.P, "the variable %s can only be declared at the beginning of BEGIN ... END",
			strings.Join(st.Names[0].Strings(), "."))
	}
	d.c.Body = append(d.c.Body, st)
	return nil
}

// declareLocal parses the declaration of a local variable.
func (p *parser) declareLocal() (*ast.DeclareVariable, error) {
	start := p.i
	st, err := p.declare(ast.Stmt{At: p.here()})
	if err != nil {
		return nil, err
	}
	v, ok := st.(*ast.DeclareVariable)
	if !ok {
		return nil, p.expected("a variable")
	}
	p.finish(v, start)
	return v, nil
}

var stateForm = regexp.MustCompile(`^[0-9A-Z]{5}$`)

// state parses SQLSTATE [VALUE] 'xxxxx' behind its first word.
func (p *parser) state() (string, error) {
	p.accept("VALUE")
	t := p.cur()
	s, err := p.str("a SQLSTATE in quotes")
	if err != nil {
		return "", err
	}
	s = strings.ToUpper(s)
	if !stateForm.MatchString(s) || strings.HasPrefix(s, "00") || strings.HasPrefix(s, "01") || strings.HasPrefix(s, "XX") {
		return "", p.fail(t, "INVALID_SQLSTATE", "428B3", "%q is no SQLSTATE: it has five characters of A-Z and 0-9 and does not start with 00, 01 or XX", s)
	}
	return s, nil
}

// condition parses DECLARE name CONDITION [FOR SQLSTATE 'xxxxx'].
func (p *parser) condition(d *declarations) error {
	p.i++
	c := ast.Condition{At: p.here(), State: "45000"}
	var err error
	if c.Name, err = p.ident("a condition"); err != nil {
		return err
	}
	p.i++
	name := strings.ToUpper(c.Name.Name)
	if d.conditions[name] {
		return parseError("DUPLICATE_CONDITION_IN_SCOPE", "42734", c.P, "the condition %s is declared twice", name)
	}
	d.conditions[name] = true
	if p.accept("FOR") {
		if err := p.need("SQLSTATE"); err != nil {
			return err
		}
		if c.State, err = p.state(); err != nil {
			return err
		}
	}
	d.c.Conditions = append(d.c.Conditions, c)
	return nil
}

// handler parses DECLARE EXIT HANDLER FOR conditions statement.
func (p *parser) handler(d *declarations) error {
	h := &ast.Handler{At: p.here()}
	p.i += 3
	if err := p.need("FOR"); err != nil {
		return err
	}
	seen := map[string]bool{}
	var err error
	h.Conditions, err = list(p, func() (ast.HandlerCondition, error) {
		c, err := p.handlerCondition()
		if err != nil {
			return c, err
		}
		return c, d.handles(c, seen)
	})
	if err != nil {
		return err
	}
	for key := range seen {
		d.handled[key] = true
	}
	if p.isWord("BEGIN") {
		c := &ast.Compound{Stmt: ast.Stmt{At: p.here()}}
		start := p.i
		if err := p.within(nil, false, func() error { return p.compound(c) }); err != nil {
			return err
		}
		p.finish(c, start)
		h.Body = c
	} else if h.Body, err = p.plainStatement(); err != nil {
		return err
	}
	d.c.Handlers = append(d.c.Handlers, h)
	return nil
}

func (p *parser) handlerCondition() (ast.HandlerCondition, error) {
	c := ast.HandlerCondition{At: p.here()}
	var err error
	switch {
	case p.accept("SQLEXCEPTION"):
		c.Exception = true
	case p.accept("NOT", "FOUND"):
		c.NotFound = true
	case p.isWord("SQLSTATE") && (p.peek(1).kind == tString || p.wordAt(1, "VALUE")):
		p.i++
		c.State, err = p.state()
	default:
		var n ast.Name
		if n, err = p.name("SQLEXCEPTION, NOT FOUND, SQLSTATE or a condition"); err == nil {
			c.Name = strings.ToUpper(strings.Join(n.Strings(), "."))
			// Spark's error classes are words joined by underscores; any
			// other name must be declared.
			if !strings.Contains(c.Name, "_") && !p.script.declares(c.Name) {
				err = parseError("INVALID_HANDLER_DECLARATION.CONDITION_NOT_FOUND", "42K0Q", c.P, "there is no condition %s", c.Name)
			}
		}
	}
	return c, err
}

// statements parses statements up to one of the words, at least one.
func (p *parser) statements(end ...string) ([]ast.Statement, error) {
	var out []ast.Statement
	for len(out) == 0 || !p.isWord(end...) {
		if p.isWord("DECLARE") {
			v, err := p.declareLocal()
			if err != nil {
				return nil, err
			}
			return nil, parseError("INVALID_VARIABLE_DECLARATION.NOT_ALLOWED_IN_SCOPE", "42K0M", v.Pos(), "the variable %s can only be declared in BEGIN ... END",
				strings.Join(v.Names[0].Strings(), "."))
		}
		st, err := p.scriptStatement()
		if err != nil {
			return nil, err
		}
		out = append(out, st)
		if err := p.needOp(";"); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// scriptStatement parses one statement of a script without its semicolon.
func (p *parser) scriptStatement() (ast.Statement, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	defer p.leave()
	start := p.i
	base := ast.Stmt{At: p.here()}
	var label *ast.Ident
	if p.isIdent() && p.peekOp(1, ":") {
		id, err := p.ident("a label")
		if err != nil {
			return nil, err
		}
		p.i++
		label = &id
		if !p.isWord("BEGIN", "LOOP", "WHILE", "REPEAT", "FOR") {
			return nil, p.expected("BEGIN, LOOP, WHILE, REPEAT or FOR behind a label")
		}
	}
	var st ast.Statement
	var err error
	switch {
	case p.isWord("BEGIN"):
		c := &ast.Compound{Stmt: base, Label: label}
		if err = p.within(label, false, func() error { return p.compound(c) }); err == nil {
			err = p.endLabel(label)
		}
		st = c
	case p.isWord("LOOP", "WHILE", "REPEAT"):
		st, err = p.loop(base, label)
	case p.isWord("FOR"):
		st, err = p.forLoop(base, label)
	case p.isWord("IF") && !p.endsAt(1):
		st, err = p.ifStatement(base)
	case p.isWord("CASE") && !p.endsAt(1):
		st, err = p.caseStatement(base)
	case p.isWord("LEAVE", "ITERATE"):
		st, err = p.jump(base)
	default:
		return p.plainStatement()
	}
	if err != nil {
		return nil, err
	}
	p.finish(st, start)
	return st, nil
}

// plainStatement parses a statement that is no control flow; SET assigns to
// variables here.
func (p *parser) plainStatement() (ast.Statement, error) {
	start := p.i
	base := ast.Stmt{At: p.here()}
	dynamic := p.dynamic
	p.dynamic = false
	defer func() { p.dynamic = dynamic }()
	var st ast.Statement
	var err error
	if p.accept("SET") {
		st, err = p.setVariable(&ast.SetVariable{Stmt: base, Local: true})
	} else {
		st, err = p.dispatch(base)
	}
	if err != nil {
		return nil, err
	}
	p.finish(st, start)
	return st, nil
}

// endLabel takes the label behind END, which must be the one before BEGIN.
func (p *parser) endLabel(label *ast.Ident) error {
	if !p.isIdent() {
		return nil
	}
	id, err := p.ident("a label")
	switch {
	case err != nil:
		return err
	case label == nil:
		return parseError("END_LABEL_WITHOUT_BEGIN_LABEL", "42K0L", id.P, "the label %s stands behind END but not before the block", id.Name)
	case !strings.EqualFold(label.Name, id.Name):
		return parseError("LABELS_MISMATCH", "42K0L", id.P, "the label before the block is %s, the one behind it %s", label.Name, id.Name)
	}
	return nil
}

// loopEnd takes the label behind a loop, after which a script goes on: where
// its text ends, a semicolon is missing, whatever the label.
func (p *parser) loopEnd(label *ast.Ident) error {
	if p.isIdent() && p.peek(1).kind == tEOF {
		p.i++
		return p.expected(";")
	}
	return p.endLabel(label)
}

// condText parses a condition and gives its text too.
func (p *parser) condText() (ast.Expr, string, error) {
	start := p.i
	x, err := p.expr()
	return x, p.textFrom(start), err
}

func (p *parser) loop(base ast.Stmt, label *ast.Ident) (ast.Statement, error) {
	l := &ast.Loop{Stmt: base, Label: label}
	word := p.next().up
	err := p.within(label, true, func() error {
		var err error
		switch word {
		case "WHILE":
			l.Kind = ast.LoopWhile
			if l.Cond, l.Text, err = p.condText(); err == nil {
				err = p.need("DO")
			}
		case "REPEAT":
			l.Kind = ast.LoopRepeat
		}
		if err != nil {
			return err
		}
		end := "END"
		if l.Kind == ast.LoopRepeat {
			end = "UNTIL"
		}
		if l.Body, err = p.statements(end); err != nil {
			return err
		}
		if p.accept("UNTIL") {
			if l.Cond, l.Text, err = p.condText(); err != nil {
				return err
			}
		}
		return p.need("END", word)
	})
	if err != nil {
		return nil, err
	}
	return l, p.loopEnd(label)
}

func (p *parser) forLoop(base ast.Stmt, label *ast.Ident) (ast.Statement, error) {
	f := &ast.For{Stmt: base, Label: label}
	p.i++
	if p.isIdent() && p.wordAt(1, "AS") {
		id, err := p.ident("a variable")
		if err != nil {
			return nil, err
		}
		p.i++
		f.Var = &id
	}
	if !p.queryAt(0) {
		return nil, p.expected("a query")
	}
	err := p.within(label, true, func() error {
		return p.within(f.Var, false, func() error {
			var err error
			if f.Query, err = p.query(); err != nil {
				return err
			}
			if err := p.need("DO"); err != nil {
				return err
			}
			if f.Body, err = p.statements("END"); err != nil {
				return err
			}
			return p.need("END", "FOR")
		})
	})
	if err != nil {
		return nil, err
	}
	return f, p.loopEnd(label)
}

func (p *parser) ifStatement(base ast.Stmt) (ast.Statement, error) {
	s := &ast.If{Stmt: base}
	for first := true; first || p.isWord("ELSEIF"); first = false {
		p.i++
		b, err := p.branch("ELSEIF", "ELSE", "END")
		if err != nil {
			return nil, err
		}
		s.Branches = append(s.Branches, b)
	}
	if p.accept("ELSE") {
		var err error
		if s.Else, err = p.statements("END"); err != nil {
			return nil, err
		}
	}
	return s, p.need("END", "IF")
}

// branch parses condition THEN statements.
func (p *parser) branch(end ...string) (ast.Branch, error) {
	var b ast.Branch
	var err error
	if b.Cond, b.Text, err = p.condText(); err != nil {
		return b, err
	}
	if err = p.need("THEN"); err != nil {
		return b, err
	}
	b.Body, err = p.statements(end...)
	return b, err
}

func (p *parser) caseStatement(base ast.Stmt) (ast.Statement, error) {
	s := &ast.CaseOf{Stmt: base}
	p.i++
	var err error
	if !p.isWord("WHEN") {
		if s.Operand, err = p.expr(); err != nil {
			return nil, err
		}
	}
	for p.accept("WHEN") {
		b, err := p.branch("WHEN", "ELSE", "END")
		if err != nil {
			return nil, err
		}
		s.Branches = append(s.Branches, b)
	}
	if len(s.Branches) == 0 {
		return nil, p.expected("WHEN")
	}
	if p.accept("ELSE") {
		if s.Else, err = p.statements("END"); err != nil {
			return nil, err
		}
	}
	return s, p.need("END", "CASE")
}

func (p *parser) jump(base ast.Stmt) (ast.Statement, error) {
	j := &ast.Jump{Stmt: base, Iterate: p.next().up == "ITERATE"}
	var err error
	if j.Label, err = p.ident("a label"); err != nil {
		return nil, err
	}
	word := "LEAVE"
	if j.Iterate {
		word = "ITERATE"
	}
	s := p.script.find(j.Label.Name)
	switch {
	case s == nil:
		return nil, parseError("INVALID_LABEL_USAGE.DOES_NOT_EXIST", "42K0L", j.Label.P, "%s names the label %s, which no block around it has", word, strings.ToUpper(j.Label.Name))
	case j.Iterate && !s.loop:
		return nil, parseError("INVALID_LABEL_USAGE.ITERATE_IN_COMPOUND", "42K0L", j.Label.P, "ITERATE cannot name %s, the label of a BEGIN ... END", strings.ToUpper(j.Label.Name))
	}
	return j, nil
}
