package analyze

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// place is where a query stands: what its names can see beside its own FROM.
type place struct {
	ctes            *cteScope
	outer           *scope // the query around, nil at the top
	catalog, schema string
	// files says that the query is one of FROM, whose rows bring along what is
	// known of them.
	files  bool
	params []column // of the SQL function whose body this is
}

// column is an attribute in a scope. Hidden ones are reached with their
// qualifier only and are not part of *; origin tells copies of one column from
// two columns of one name.
type column struct {
	plan.Attr
	hidden bool
	// metadata marks what a source knows of its rows: a name reaches it without
	// a qualifier, too, where no other column has it.
	metadata bool
	origin   plan.ID
}

// relation is a node with the columns that it shows, in order.
type relation struct {
	node plan.Node
	cols []column
}

func relationOf(n plan.Node) relation {
	r := relation{node: n}
	for _, at := range n.Output() {
		r.cols = append(r.cols, column{Attr: at, origin: at.ID})
	}
	return r
}

// copied marks columns that are copies of one another as from's visible ones
// are, which they stand for in order.
func copied(cols []column, from relation) []column {
	first := map[plan.ID]plan.ID{}
	for i, c := range from.visible() {
		if _, ok := first[c.origin]; !ok {
			first[c.origin] = cols[i].ID
		}
		cols[i].origin = first[c.origin]
	}
	return cols
}

// visible are the columns of *.
func (r relation) visible() []column {
	out := make([]column, 0, len(r.cols))
	for _, c := range r.cols {
		if !c.hidden {
			out = append(out, c)
		}
	}
	return out
}

// exact is r's node with exactly the visible columns as output.
func exact(r relation) plan.Node {
	vis, out := r.visible(), r.node.Output()
	same := len(vis) == len(out)
	for i := 0; same && i < len(vis); i++ {
		same = vis[i].ID == out[i].ID && vis[i].Name == out[i].Name
	}
	if same {
		return r.node
	}
	p := &plan.Project{Input: r.node}
	seen := map[plan.ID]bool{}
	for _, c := range vis {
		at := c.Attr
		if seen[at.ID] {
			at.ID = plan.NewID()
		}
		seen[at.ID] = true
		p.Exprs = append(p.Exprs, plan.NamedExpr{X: &plan.Column{Attr: c.Attr}, Attr: at})
	}
	return p
}

// scope is what the names of an expression can mean.
type scope struct {
	place
	cols []column
	// aliases are select-list names; aliasFirst prefers them to columns.
	aliases    []aliasDef
	aliasFirst bool
	inAgg      int // > 0 inside an aggregate's arguments, where aliases do not count
	lambdas    []*plan.LambdaVar
	windows    []ast.NamedWindow
	times      *timeWindows // nil where window(...) cannot stand
	// noRoutines names the clause, where SQL functions cannot stand in it.
	noRoutines string
	// refs collects the outer attributes that were used.
	refs *[]plan.Attr
}

// aliasDef is a select-list name; its attribute stands for x until the list is
// complete.
type aliasDef struct {
	name string
	attr plan.Attr
	x    plan.Expr
}

// match finds the columns that a name means, with the number of parts taken.
// A longer qualifier wins over a shorter one. Names are equal whatever their
// case, unless spark.sql.caseSensitive is on.
func (a *analyzer) match(cols []column, name []string) ([]column, int) {
	for q := min(3, len(name)-1); q >= 0; q-- {
		if found := a.qualified(cols, name, q, false); len(found) > 0 {
			return found, q + 1
		}
	}
	for q := min(3, len(name)-1); q >= 0; q-- {
		if found := a.qualified(cols, name, q, true); len(found) > 0 {
			return found, q + 1
		}
	}
	return nil, 0
}

// same compares names as the session does.
func (a *analyzer) same(x, y string) bool { return x == y || !a.exact && strings.EqualFold(x, y) }

// qualified finds the columns that a name with a qualifier of q parts means,
// among those of metadata or the others.
func (a *analyzer) qualified(cols []column, name []string, q int, metadata bool) []column {
	var found []column
	for _, c := range cols {
		if c.metadata != metadata || !a.same(c.Name, name[q]) || q == 0 && c.hidden && !metadata || !a.qualifies(c.Qualifier, name[:q]) {
			continue
		}
		dup := false
		for _, f := range found {
			dup = dup || f.ID == c.ID || f.origin == c.origin
		}
		if !dup {
			found = append(found, c)
		}
	}
	return found
}

// qualifies tells whether parts are the end of a qualifier.
func (a *analyzer) qualifies(qualifier, parts []string) bool {
	if len(parts) > len(qualifier) {
		return false
	}
	tail := qualifier[len(qualifier)-len(parts):]
	for i := range parts {
		if !a.same(tail[i], parts[i]) {
			return false
		}
	}
	return true
}

// column resolves a name in an expression; nil, nil where nothing has it.
func (a *analyzer) lookup(name []string, pos sparksql.Pos, s *scope) (plan.Expr, error) {
	for _, v := range slices.Backward(s.lambdas) {
		if strings.EqualFold(v.Name, name[0]) {
			return a.fields(v, name[1:], pos)
		}
	}
	if s.aliasFirst && s.inAgg == 0 {
		if x, err := a.alias(name, pos, s); x != nil || err != nil {
			return x, err
		}
	}
	found, n := a.match(s.cols, name)
	if len(found) > 0 && found[0].metadata && s.inAgg == 0 { // any other name comes first
		if x, err := a.alias(name, pos, s); x != nil || err != nil {
			return x, err
		}
	}
	switch {
	case len(found) > 1:
		return nil, a.ambiguous(name, found, pos)
	case len(found) == 1:
		at := found[0].Attr
		at.Name = name[n-1]
		return a.fields(&plan.Column{Attr: at}, name[n:], pos)
	}
	if !s.aliasFirst && s.inAgg == 0 {
		if x, err := a.alias(name, pos, s); x != nil || err != nil {
			return x, err
		}
	}
	if s.times != nil && len(s.times.list) > 0 && strings.EqualFold(name[0], s.times.list[0].Window.Name) {
		return a.fields(&plan.Column{Attr: s.times.list[0].Window}, name[1:], pos)
	}
	if s.outer != nil {
		found, n = a.match(s.outer.cols, name)
		switch {
		case len(found) > 1:
			return nil, a.ambiguous(name, found, pos)
		case len(found) == 1:
			at := found[0].Attr
			at.Name = name[n-1]
			if s.refs != nil {
				*s.refs = append(*s.refs, at)
			}
			return a.fields(&plan.Outer{Attr: at}, name[n:], pos)
		}
	}
	if found, n = a.match(s.params, name); len(found) == 1 {
		return a.fields(&plan.Parameter{Attr: found[0].Attr}, name[n:], pos)
	}
	return nil, nil
}

func (a *analyzer) alias(name []string, pos sparksql.Pos, s *scope) (plan.Expr, error) {
	var hit *aliasDef
	for i := range s.aliases {
		if !a.same(s.aliases[i].name, name[0]) {
			continue
		}
		if hit != nil {
			return nil, a.errorf(pos, "AMBIGUOUS_LATERAL_COLUMN_ALIAS", "42702", "The name %s means more than one column of the select list.", quote(name[0]))
		}
		hit = &s.aliases[i]
	}
	if hit == nil {
		return nil, nil
	}
	return a.fields(&plan.Column{Attr: hit.attr}, name[1:], pos)
}

func (a *analyzer) fields(x plan.Expr, names []string, pos sparksql.Pos) (plan.Expr, error) {
	for _, n := range names {
		f, err := funcs.FieldOf(x, n, a.fctx(pos))
		if err != nil {
			return nil, err
		}
		x = f
	}
	return x, nil
}

func (a *analyzer) ambiguous(name []string, found []column, pos sparksql.Pos) error {
	var opts []string
	for _, f := range found {
		opts = append(opts, quoteAll(append(append([]string{}, f.Qualifier...), f.Name)))
	}
	return a.errorf(pos, "AMBIGUOUS_REFERENCE", "42704", "The name %s means more than one column: %s.", quoteAll(name), strings.Join(opts, ", ")).
		hint("Put the table's alias before it.")
}

func (a *analyzer) unresolved(name []string, pos sparksql.Pos, cols []column) error {
	var names []string
	for _, c := range cols {
		if !c.hidden {
			names = append(names, c.Name)
		}
	}
	if len(names) == 0 {
		return a.errorf(pos, "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION", "42703", "There is no column or parameter %s.", quoteAll(name))
	}
	return a.errorf(pos, "UNRESOLVED_COLUMN.WITH_SUGGESTION", "42703", "There is no column or parameter %s.", quoteAll(name)).
		hint("Did you mean one of " + nearest(name[len(name)-1], names, 5) + "?")
}
