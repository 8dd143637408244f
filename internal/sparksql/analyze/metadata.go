package analyze

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// metadataColumn is the struct of what is known of rows besides their columns.
const metadataColumn = "_metadata"

// metadata lets names reach what a source knows of its rows, under a name that
// no column has.
func (a *analyzer) metadata(r *relation, s *plan.Scan) {
	if len(r.cols) == 0 || len(s.Source.Metadata) == 0 {
		return
	}
	name := metadataColumn
	for slices.ContainsFunc(r.cols, func(c column) bool { return strings.EqualFold(c.Name, name) }) {
		name = "_" + name
	}
	at := plan.Attr{ID: plan.NewID(), Name: name, Type: types.Struct{Fields: s.Source.Metadata}, Qualifier: r.cols[0].Qualifier}
	s.Attrs, s.Ordinals = append(s.Attrs, at), append(s.Ordinals, plan.MetadataOrdinal)
	r.cols = append(r.cols, column{Attr: at, origin: at.ID, hidden: true, metadata: true})
}

// metadataOf are the columns among cols that hold what sources know of rows.
func metadataOf(cols []column) []column {
	var out []column
	for _, c := range cols {
		if c.metadata {
			out = append(out, c)
		}
	}
	return out
}

// inputFile is input_file_name() and its kin over what FROM reads: a field of
// the one source of files that rows come from. It gives nil where there is none.
func (a *analyzer) inputFile(name string, pos sparksql.Pos, s *scope) (plan.Expr, error) {
	field, ok := map[string]string{"input_file_name": "file_path", "input_file_block_start": "file_block_start", "input_file_block_length": "file_block_length"}[name]
	if !ok {
		return nil, nil
	}
	switch found := metadataOf(s.cols); len(found) {
	case 0:
		return nil, nil
	case 1:
		x, err := funcs.FieldOf(&plan.Column{Attr: found[0].Attr}, field, a.fctx(pos))
		if err != nil {
			return nil, err
		}
		a.titled = true
		return &plan.Titled{X: x, Title: name + "()", Volatile: true}, nil
	}
	return nil, a.errorf(pos, "MULTI_SOURCES_UNSUPPORTED_FOR_EXPRESSION", "42K0E", "%s() does not say which of several sources of files is meant.", name).
		hint("Use t._metadata.file_path.")
}

// usedMetadata are the fields of each scan's metadata that a plan takes, by the
// attribute and their place in Source.Metadata; nil for all of them.
type usedMetadata map[plan.ID]map[int]bool

// metadataUse finds out what of the scans' metadata a plan takes.
func metadataUse(root plan.Node) usedMetadata {
	out := usedMetadata{}
	for _, s := range plan.Scans(root) {
		if i := slices.Index(s.Ordinals, plan.MetadataOrdinal); i >= 0 {
			out[s.Attrs[i].ID] = map[int]bool{}
		}
	}
	if len(out) == 0 {
		return out
	}
	out.outputs(root)
	plan.VisitNodes(root, func(n plan.Node) {
		p, ok := n.(*plan.Project)
		if !ok {
			for _, e := range plan.Exprs(n) {
				out.expr(e)
			}
		} else {
			for _, e := range p.Exprs {
				if c, ok := e.X.(*plan.Column); !ok || c.Attr.ID != e.Attr.ID {
					out.expr(e.X)
				}
			}
		}
		switch n := n.(type) {
		case *plan.SetOp, *plan.Recursion, *plan.Distinct:
			for _, in := range n.Inputs() {
				out.outputs(in)
			}
		case *plan.With:
			for _, c := range n.CTEs {
				out.outputs(c.Plan)
			}
		}
	})
	return out
}

// outputs notes that all of what n gives is taken.
func (u usedMetadata) outputs(n plan.Node) {
	for _, at := range n.Output() {
		u.whole(at.ID)
	}
}

func (u usedMetadata) whole(id plan.ID) {
	if _, ok := u[id]; ok {
		u[id] = nil
	}
}

func (u usedMetadata) expr(e plan.Expr) {
	plan.Walk(e, func(x plan.Expr) bool {
		switch x := x.(type) {
		case *plan.Field:
			id, ok := attrOf(x.X)
			fields, is := u[id]
			if !ok || !is {
				return true
			}
			if fields != nil {
				fields[x.Ordinal] = true
			}
			return false
		case *plan.Column:
			u.whole(x.Attr.ID)
		case *plan.Outer:
			u.whole(x.Attr.ID)
		case *plan.Subquery:
			u.outputs(x.Plan)
		}
		return true
	})
}

// attrOf is the attribute that an expression is.
func attrOf(x plan.Expr) (plan.ID, bool) {
	switch x := x.(type) {
	case *plan.Column:
		return x.Attr.ID, true
	case *plan.Outer:
		return x.Attr.ID, true
	}
	return 0, false
}

// narrowed is a scan whose metadata says which of its fields are taken.
func (u usedMetadata) narrowed(s *plan.Scan) {
	i := slices.Index(s.Ordinals, plan.MetadataOrdinal)
	if i < 0 || u[s.Attrs[i].ID] == nil {
		return
	}
	s.Metadata = []string{}
	for at, f := range s.Source.Metadata {
		if u[s.Attrs[i].ID][at] {
			s.Metadata = append(s.Metadata, f.Name)
		}
	}
}
