package parse

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
)

// fromInsert parses FROM ... INSERT INTO t SELECT ..., perhaps several INSERTs
// behind one FROM.
func (p *parser) fromInsert(base ast.Stmt, pre ast.Prelude) (ast.Statement, error) {
	start := p.i
	s := &ast.Select{At: p.here()}
	if err := p.from(s); err != nil {
		return nil, err
	}
	first, err := p.insertFrom(base, pre, s)
	if err != nil || !p.isWord("INSERT") {
		return first, err
	}
	all := &ast.Inserts{Stmt: base, List: []*ast.Insert{first}}
	for p.isWord("INSERT") {
		behind := p.i
		p.i = start // each has a FROM of its own
		s := &ast.Select{At: p.here()}
		if err := p.from(s); err != nil {
			return nil, err
		}
		p.i = behind
		ins, err := p.insertFrom(base, pre, s)
		if err != nil {
			return nil, err
		}
		all.List = append(all.List, ins)
	}
	return all, nil
}

// insertFrom parses INSERT INTO t SELECT ... behind the FROM of s.
func (p *parser) insertFrom(base ast.Stmt, pre ast.Prelude, s *ast.Select) (*ast.Insert, error) {
	ins := &ast.Insert{Stmt: base, Prelude: pre}
	if err := p.need("INSERT"); err != nil {
		return nil, err
	}
	if err := p.insertHead(ins); err != nil {
		return nil, err
	}
	if !p.isWord("SELECT") {
		return nil, p.expected("SELECT")
	}
	q := &ast.Query{At: p.here()}
	var err error
	if q.Body, err = p.selectRest(s); err != nil {
		return nil, err
	}
	ins.Query = q
	return ins, p.organize(q)
}

// insertHead parses everything of INSERT before its query.
func (p *parser) insertHead(ins *ast.Insert) error {
	if p.accept("WITH", "SCHEMA", "EVOLUTION") {
		ins.Evolve = true
	}
	switch {
	case p.accept("INTO"):
	case p.accept("OVERWRITE"):
		ins.Overwrite = true
	default:
		return p.expected("INTO or OVERWRITE")
	}
	if p.isWord("TABLE") && !p.peekOp(1, ".") {
		p.i++
	}
	if p.isWord("VALUES") && p.peekOp(1, "(") {
		return p.expected("a table")
	}
	var err error
	if ins.Target, err = p.target("a table"); err != nil {
		return err
	}
	if p.isWord("PARTITION") && p.peekOp(1, "(") {
		p.i++
		if ins.Partition, err = p.partitionSpec(); err != nil {
			return err
		}
		if p.accept("IF", "NOT", "EXISTS") {
			ins.IfNotExists = true
		}
	}
	switch {
	case p.accept("BY", "NAME"):
		ins.ByName = true
		if p.isOp("(") && !p.queryAt(1) {
			return p.expected("a query")
		}
		if p.isWord("REPLACE") && !ins.Overwrite {
			p.i++
			return p.insertReplace(ins)
		}
	case p.isOp("(") && !p.queryAt(1):
		if ins.Columns, err = p.idents(); err != nil {
			return err
		}
	case p.isWord("REPLACE") && !ins.Overwrite:
		p.i++
		return p.insertReplace(ins)
	}
	return nil
}

// insertReplace parses WHERE cond, USING (a, b) and ON cond behind REPLACE.
func (p *parser) insertReplace(ins *ast.Insert) error {
	switch {
	case p.isWord("USING", "ON"):
		ins.Replace = strings.ToLower(p.next().text)
		return nil
	case p.accept("WHERE"):
		ins.Replace = "where"
		start := p.i
		var err error
		ins.ReplaceCond, err = p.expr()
		ins.ReplaceText = p.textFrom(start)
		return err
	}
	return p.expected("WHERE, USING or ON")
}

// partitionSpec parses (p = 'a', q).
func (p *parser) partitionSpec() ([]ast.PartitionValue, error) {
	seen := map[string]bool{}
	return parens(p, func() ([]ast.PartitionValue, error) {
		return list(p, func() (ast.PartitionValue, error) {
			var v ast.PartitionValue
			var err error
			if v.Name, err = p.ident("a partition column"); err != nil {
				return v, err
			}
			if low := strings.ToLower(v.Name.Name); seen[low] {
				return v, p.fail(p.cur(), "DUPLICATE_KEY", "23505", "the partition column %s stands twice", v.Name.Name)
			}
			seen[strings.ToLower(v.Name.Name)] = true
			if p.acceptOp("=") {
				v.Value, err = p.constant()
			}
			return v, err
		})
	})
}

// constant parses a literal, or a parameter that stands for one.
func (p *parser) constant() (ast.Expr, error) {
	t := p.cur()
	if p.isWord("DEFAULT") {
		return nil, p.fail(t, "REF_DEFAULT_VALUE_IS_NOT_ALLOWED_IN_PARTITION", "42601", "DEFAULT cannot stand in PARTITION")
	}
	if p.isOp("(") {
		return nil, p.expected("a constant")
	}
	x, err := p.expr()
	if err != nil {
		return nil, err
	}
	inner := x
	if u, ok := x.(*ast.Unary); ok && u.Op == "-" {
		inner = u.X
	}
	switch inner.(type) {
	case *ast.Literal, *ast.TypedLiteral, *ast.Interval, *ast.Param:
		return x, nil
	}
	return nil, p.fail(t, "PARSE_SYNTAX_ERROR", "42601", "a constant is expected, not an expression")
}
