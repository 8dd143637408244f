package parse

import (
	"github.com/marisma/marisma/internal/sparksql/ast"
)

// createFunction parses what follows CREATE [OR REPLACE] [TEMPORARY] FUNCTION.
func (p *parser) createFunction(f *ast.CreateFunction) (ast.Statement, error) {
	p.i++
	if p.accept("IF", "NOT", "EXISTS") {
		f.IfNotExists = true
	}
	switch {
	case f.IfNotExists && f.Replace:
		return nil, parseError("INVALID_SQL_SYNTAX.CREATE_ROUTINE_WITH_IF_NOT_EXISTS_AND_REPLACE", "42000", f.Pos(), "CREATE FUNCTION takes OR REPLACE or IF NOT EXISTS, not both")
	case f.IfNotExists && f.Temporary:
		return nil, parseError("INVALID_SQL_SYNTAX.CREATE_TEMP_FUNC_WITH_IF_NOT_EXISTS", "42000", f.Pos(), "a temporary function takes no IF NOT EXISTS")
	}
	var err error
	if f.Name, err = p.name("the function's name"); err != nil {
		return nil, err
	}
	if f.Temporary && !temporaryName(f.Name) {
		return nil, p.temporaryQualifier(f.At, "FUNCTION", f.Name)
	}
	if p.isWord("AS") {
		return p.unsupported(f.Stmt, "CREATE FUNCTION ... AS 'class'")
	}
	if err := p.needOp("("); err != nil {
		return nil, err
	}
	if !p.acceptOp(")") {
		if f.Params, err = list(p, p.parameter); err != nil {
			return nil, err
		}
		if err := p.needOp(")"); err != nil {
			return nil, err
		}
	}
	if p.accept("RETURNS") {
		if err := p.returns(f); err != nil {
			return nil, err
		}
	}
	if err := p.traits(f); err != nil {
		return nil, err
	}
	if err := p.need("RETURN"); err != nil {
		return nil, err
	}
	start := p.i
	switch {
	case p.queryAt(0) && (f.Table || !p.isOp("(")):
		f.Query, err = p.query()
	default:
		f.Expr, err = p.expr()
	}
	f.BodyText = p.textFrom(start)
	return f, err
}

// temporaryName tells whether a name can be that of a temporary object: one
// part, or with SESSION or SYSTEM.SESSION before it.
func temporaryName(n ast.Name) bool {
	s := n.Strings()
	switch len(s) {
	case 1:
		return true
	case 2:
		return equal(s[:1], "session")
	case 3:
		return equal(s[:2], "system", "session")
	}
	return false
}

func (p *parser) temporaryQualifier(at ast.At, what string, n ast.Name) error {
	return parseError("INVALID_TEMP_OBJ_QUALIFIER", "42602", at.P, "the temporary %s %s can only be qualified with SESSION or SYSTEM.SESSION", what, n[len(n)-1].Name)
}

// parameter parses name type [NOT NULL] [DEFAULT x] [COMMENT 'text'].
func (p *parser) parameter() (ast.Parameter, error) {
	d := ast.Parameter{At: p.here()}
	var err error
	if d.Name, err = p.ident("a parameter"); err != nil {
		return d, err
	}
	if d.Type, err = p.dataType(); err != nil {
		return d, err
	}
	for err == nil {
		switch {
		case p.accept("NOT", "NULL"):
			d.NotNull = true
		case p.accept("DEFAULT"):
			start := p.i
			d.Default, err = p.expr()
			d.DefaultText = p.textFrom(start)
		case p.accept("COMMENT"):
			d.Comment, err = p.str("the comment's text")
		default:
			return d, nil
		}
	}
	return d, err
}

// returns parses what follows RETURNS.
func (p *parser) returns(f *ast.CreateFunction) error {
	var err error
	if !p.isWord("TABLE") {
		f.Returns, err = p.dataType()
		return err
	}
	p.i++
	f.Table = true
	if !p.isOp("(") {
		return nil
	}
	f.Columns, err = parens(p, func() ([]ast.ColumnDef, error) {
		return list(p, func() (ast.ColumnDef, error) {
			d := ast.ColumnDef{At: p.here()}
			id, err := p.ident("a column")
			if err != nil {
				return d, err
			}
			d.Name = id.Name
			if d.Type, err = p.dataType(); err != nil {
				return d, err
			}
			d.NotNull = p.accept("NOT", "NULL")
			if p.accept("COMMENT") {
				d.Comment, err = p.str("the comment's text")
			}
			return d, err
		})
	})
	return err
}

// traits parses LANGUAGE, DETERMINISTIC, COMMENT and the like.
func (p *parser) traits(f *ast.CreateFunction) error {
	seen := map[string]bool{}
	for {
		at := p.here()
		var err error
		clause := ""
		yes, no := true, false
		switch {
		case p.accept("LANGUAGE"):
			clause = "LANGUAGE"
			var id ast.Ident
			if id, err = p.ident("SQL"); err == nil && !equal([]string{id.Name}, "sql") {
				return parseError("_LEGACY_ERROR_TEMP_0035", "", at.P, "functions are written in SQL here, not in %s", id.Name)
			}
		case p.accept("DETERMINISTIC"):
			clause, f.Deterministic = "DETERMINISTIC", &yes
		case p.accept("NOT", "DETERMINISTIC"):
			clause, f.Deterministic = "DETERMINISTIC", &no
		case p.accept("COMMENT"):
			clause = "COMMENT"
			f.Comment, err = p.str("the comment's text")
		case p.accept("CONTAINS", "SQL"):
			clause, f.DataAccess = "SQL DATA ACCESS", "CONTAINS SQL"
		case p.accept("READS", "SQL", "DATA"):
			clause, f.DataAccess = "SQL DATA ACCESS", "READS SQL DATA"
		case p.accept("MODIFIES", "SQL", "DATA"):
			return parseError("_LEGACY_ERROR_TEMP_0035", "", at.P, "a function cannot modify data")
		case p.accept("SQL", "SECURITY"):
			clause = "SQL SECURITY"
			if !p.accept("DEFINER") && !p.accept("INVOKER") {
				return p.expected("DEFINER or INVOKER")
			}
		default:
			return nil
		}
		if err != nil {
			return err
		}
		if seen[clause] {
			return parseError("DUPLICATE_CLAUSES", "42614", at.P, "the clause %s stands twice", clause)
		}
		seen[clause] = true
	}
}
