package parse

import "github.com/marisma/marisma/internal/sparksql/ast"

// partitions parses what follows ADD and DROP: [IF [NOT] EXISTS] PARTITION (...)
// ... A partition with a LOCATION of its own has no Verb.
func (p *parser) partitions(at ast.At, verb string) (ast.AlterAction, error) {
	out := &ast.AlterOther{At: at, What: "partition", Verb: verb}
	if verb == "add" {
		out.Lenient = p.accept("IF", "NOT", "EXISTS")
	} else {
		out.Lenient = p.accept("IF", "EXISTS")
	}
	if err := p.need("PARTITION"); err != nil {
		return nil, err
	}
	for {
		spec, err := p.partitionSpec()
		if err != nil {
			return nil, err
		}
		out.Specs = append(out.Specs, spec)
		if p.accept("LOCATION") {
			out.What, out.Verb = "add partition ... location", ""
			if _, err := p.str("a path in quotes"); err != nil {
				return nil, err
			}
		}
		comma := p.acceptOp(",")
		if !p.accept("PARTITION") {
			if comma {
				return nil, p.expected("PARTITION")
			}
			break
		}
	}
	p.accept("PURGE")
	return out, nil
}

// repair parses [MSCK] REPAIR TABLE t [{ADD | DROP | SYNC} PARTITIONS].
func (p *parser) repair(base ast.Stmt) (ast.Statement, error) {
	st := &ast.AlterTable{Stmt: base}
	at := p.here()
	p.accept("MSCK")
	err := p.need("REPAIR", "TABLE")
	if err != nil {
		return nil, err
	}
	if st.Target, err = p.target("a table"); err != nil {
		return nil, err
	}
	for _, w := range []string{"ADD", "DROP", "SYNC"} {
		if p.accept(w, "PARTITIONS") {
			break
		}
	}
	st.Action = &ast.AlterOther{At: at, What: "msck repair table", Verb: "repair"}
	return st, nil
}
