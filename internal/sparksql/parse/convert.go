package parse

import (
	"github.com/marisma/marisma/internal/sparksql/ast"
)

// convert parses CONVERT TO DELTA table [NO STATISTICS] [PARTITIONED BY (...)].
func (p *parser) convert(base ast.Stmt) (ast.Statement, error) {
	c := &ast.Command{Stmt: base, Verb: "convert to delta", Args: map[string]string{}}
	p.i++
	if err := p.need("TO", "DELTA"); err != nil {
		return nil, err
	}
	var err error
	if c.Name, err = p.name("a table, or parquet.`path`"); err != nil {
		return nil, err
	}
	for {
		switch {
		case p.accept("NO", "STATISTICS"):
			c.Args["no statistics"] = "true"
		case p.accept("PARTITIONED", "BY"):
			if err := p.needOp("("); err != nil {
				return nil, err
			}
			start := p.i
			if _, err := list(p, func() (ast.TableColumn, error) { return p.tableColumn(nil) }); err != nil {
				return nil, err
			}
			c.Args["partition"] = p.textFrom(start)
			if err := p.needOp(")"); err != nil {
				return nil, err
			}
		default:
			return c, nil
		}
	}
}
