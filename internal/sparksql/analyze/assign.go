package analyze

import (
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Error classes of values that do not fit the column.
const (
	insertOverflow = "CAST_OVERFLOW_IN_TABLE_INSERT"
	writeOverflow  = "DELTA_CAST_OVERFLOW_IN_TABLE_WRITE"
)

// assigner casts values to the columns that they are written to.
type assigner struct {
	a     *analyzer
	store string // class of an overflow
	// byName matches the fields of structs by name, else by position.
	byName bool
	// evolve fills fields that a struct lacks with NULL, or with what old has.
	evolve bool
	old    plan.Expr
}

// assign casts x to type t of the column.
func (s assigner) assign(x plan.Expr, t types.Type, column string, pos sparksql.Pos) (plan.Expr, error) {
	t = stored(t)
	from := x.Type()
	if types.Equal(from, t) {
		return x, nil
	}
	if t == types.Void {
		if s.store == insertOverflow {
			return nil, s.a.errorf(pos, "DELTA_METADATA_MISMATCH", "42KDG", "The column %s is VOID and takes NULL only, not %s.", quote(column), from.SQL()).
				hint("Drop the column, or make the table again with a type for it.")
		}
		return nil, s.a.errorf(pos, "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "42K09", "The column %s is VOID and takes NULL only, not %s.", quote(column), from.SQL())
	}
	if to, ok := t.(types.Struct); ok {
		if f, ok := from.(types.Struct); ok {
			return s.structure(x, f, to, column, pos)
		}
	}
	s.old = nil
	if y, err := s.elements(x, from, t, column, pos); y != nil || err != nil {
		return y, err
	}
	ctx := s.a.fctx(pos)
	ctx.ANSI = true
	mode := plan.CastANSI
	switch strings.ToUpper(s.a.env.Conf["spark.sql.storeAssignmentPolicy"]) {
	case "LEGACY":
		mode = plan.CastLegacy
	case "STRICT":
		if !upCast(from, t) {
			return nil, s.a.errorf(pos, "CANNOT_UP_CAST_DATATYPE", "42846", "%s cannot be written to the column %s of type %s without a cast that may lose something.", from.SQL(), quote(column), t.SQL())
		}
	}
	y, err := funcs.ExplicitCast(x, t, mode, ctx)
	if err != nil {
		return nil, err
	}
	if c, ok := y.(*plan.Cast); ok && mode == plan.CastANSI {
		d := *c
		d.Implicit = true
		if numeric(from) && types.IsNumeric(t) || from == types.Timestamp && types.IsNumeric(t) {
			d.Store = s.store
		}
		return &d, nil
	}
	return y, nil
}

// numeric tells whether a cast from t to a number is arithmetic.
func numeric(t types.Type) bool {
	switch t.(type) {
	case types.YearMonth, types.DayTime:
		return true
	}
	return types.IsNumeric(t)
}

// stored is t as files hold it: CHAR is STRING, nested values may be NULL.
func stored(t types.Type) types.Type {
	switch t := t.(type) {
	case types.Char:
		return types.String
	case types.Array:
		return types.Array{Elem: stored(t.Elem), ContainsNull: true}
	case types.Map:
		return types.Map{Key: stored(t.Key), Value: stored(t.Value), ValueContainsNull: true}
	case types.Struct:
		out := types.Struct{Fields: make([]types.Field, len(t.Fields))}
		for i, f := range t.Fields {
			out.Fields[i] = types.Field{Name: f.Name, Type: stored(f.Type), Nullable: true, Comment: f.Comment}
		}
		return out
	}
	return t
}

func fieldAt(fields []types.Field, name string) int {
	for i, f := range fields {
		if strings.EqualFold(f.Name, name) {
			return i
		}
	}
	return -1
}

// upCast tells whether Spark takes every value of from as one of to.
func upCast(from, to types.Type) bool {
	switch {
	case types.Equal(from, to), from == types.Void:
		return true
	case types.IsString(to):
		_, plain := from.(types.Primitive)
		_, dec := from.(types.Decimal)
		return plain && from != types.Variant || dec
	case from == types.Date:
		return to == types.Timestamp || to == types.TimestampNTZ
	case from == types.Timestamp || from == types.TimestampNTZ:
		return to == types.Timestamp || to == types.TimestampNTZ
	case !types.IsNumeric(from) || !types.IsNumeric(to):
		return false
	}
	df, okf := from.(types.Decimal)
	dt, okt := to.(types.Decimal)
	digits := map[types.Type]int{types.TinyInt: 3, types.SmallInt: 5, types.Int: 10, types.BigInt: 20}
	switch {
	case okf && okt:
		return dt.Precision-dt.Scale >= df.Precision-df.Scale && dt.Scale >= df.Scale
	case okt:
		return types.IsIntegral(from) && dt.Precision-dt.Scale >= digits[from]
	case okf:
		return df.Scale == 0 && types.IsIntegral(to) && df.Precision < digits[to]
	}
	return from.(types.Primitive) <= to.(types.Primitive)
}

// defaultOf is what a column is without a value: nil where it is generated.
func (a *analyzer) defaultOf(src *plan.Source, i int, s assigner, pos sparksql.Pos) (plan.Expr, error) {
	f := src.Columns[i]
	text := ""
	if src.Rules != nil {
		r := src.Rules.Columns[i]
		if r.Generated != "" {
			return nil, nil
		}
		text = r.Default
	}
	if text == "" {
		return &plan.Literal{Typ: stored(f.Type)}, nil
	}
	x, err := a.text(text, nil)
	if err != nil {
		return nil, err
	}
	return s.assign(x, f.Type, f.Name, pos)
}

// text analyses the text of an expression that a table keeps.
func (a *analyzer) text(text string, cols []column) (plan.Expr, error) {
	e, err := parse.Expression(text)
	if err != nil {
		return nil, err
	}
	x, err := a.expr(e, &scope{place: a.here(), cols: cols})
	if err != nil {
		return nil, err
	}
	plan.Place(x, sparksql.Pos{}) // the statement does not hold the text
	return x, nil
}

// alone is an analyzer that knows no tables: a constraint cannot read any.
func (a *analyzer) alone() *analyzer {
	b := *a
	b.env.Resolver = noTables{}
	return &b
}

// here is where the statement's names are looked up.
func (a *analyzer) here() place { return place{catalog: a.env.Catalog, schema: a.env.Schema} }

// rowBuilder makes the rows that are written to a table.
type rowBuilder struct {
	a      *analyzer
	target *plan.Source
	schema []types.Field // of the table afterwards
	s      assigner
	pos    sparksql.Pos
	ctes   []*plan.CTE // of the statement's WITH
	// action is the row's action over in, nil where all rows are new; new tells
	// the rows that the rules are for.
	action plan.Expr
	// place is where a row lies, nil for a table without deletion vectors; before
	// are the columns before the change, nil for one without a change feed; tracked
	// is what row tracking knows of a row.
	place, before, tracked []plan.Expr
	carried                []plan.Attr // the action and what follows it
	// kept, if not nil, makes rows of a plan.Patch.
	kept []bool
	// replace is a condition on new rows over the columns, nil without.
	replace func(cols []column) (plan.Expr, error)
}

// build puts the columns, checks and action over in. vals has a value for each
// column of the schema, nil for a generated one that shall be computed; old its
// value in rows that are copied.
func (b *rowBuilder) build(in plan.Node, vals, old []plan.Expr) (*plan.Rows, error) {
	base := &plan.Project{Input: in}
	attrs := make([]plan.Attr, len(b.schema))
	for i, f := range b.schema {
		attrs[i] = plan.Attr{ID: plan.NewID(), Name: f.Name, Type: stored(f.Type), Nullable: true}
		x := vals[i]
		if x == nil {
			x = &plan.Literal{Typ: attrs[i].Type}
			if old != nil && old[i] != nil {
				x = old[i]
			}
		}
		attrs[i].Type = x.Type()
		base.Exprs = append(base.Exprs, plan.NamedExpr{X: x, Attr: attrs[i]})
	}
	var act plan.Attr
	if b.action != nil {
		for _, x := range slices.Concat([]plan.Expr{b.action}, b.place, b.before, b.tracked) {
			at := newAttr("carried", x.Type())
			if len(b.carried) == 0 {
				at.Name = "action"
			}
			b.carried = append(b.carried, at)
			base.Exprs = append(base.Exprs, plan.NamedExpr{X: x, Attr: at})
		}
		act = b.carried[0]
	}
	whole, err := b.pad(base, attrs, vals)
	if err != nil {
		return nil, err
	}
	top, cols, err := b.generate(whole, attrs, act, vals)
	if err != nil {
		return nil, err
	}
	return b.check(top, cols, act, vals)
}

func (b *rowBuilder) rule(i int) plan.ColumnRule {
	if b.target.Rules == nil || i >= len(b.target.Rules.Columns) {
		return plan.ColumnRule{}
	}
	return b.target.Rules.Columns[i]
}

// pad gives the values of CHAR columns that a statement brings their blanks;
// attrs become the columns of the node that it gives.
func (b *rowBuilder) pad(in *plan.Project, attrs []plan.Attr, vals []plan.Expr) (plan.Node, error) {
	p := &plan.Project{Input: in}
	cols := make([]column, len(attrs))
	for i, at := range attrs {
		cols[i] = column{Attr: at, origin: at.ID}
	}
	for i, at := range attrs {
		out := passOn(at)
		if t := b.rule(i).Declared; vals[i] != nil && b.a.padsChars() && hasChar(t, false) {
			var err error
			if out.X, err = b.a.text(paddedText(quote(at.Name), t, 0), cols); err != nil {
				return nil, err
			}
			out.Attr.ID, out.Attr.Type = plan.NewID(), out.X.Type()
			attrs[i] = out.Attr
		}
		p.Exprs = append(p.Exprs, out)
	}
	if !slices.ContainsFunc(p.Exprs, func(e plan.NamedExpr) bool { _, ok := e.X.(*plan.Column); return !ok }) {
		return in, nil
	}
	for _, at := range b.carried {
		p.Exprs = append(p.Exprs, passOn(at))
	}
	return p, nil
}

// isNew is the condition of rows that the rules are for.
func (b *rowBuilder) isNew(act plan.Attr) (plan.Expr, error) {
	if b.action == nil {
		return &plan.Literal{Value: true, Typ: types.Boolean}, nil
	}
	ctx := b.a.fctx(b.pos)
	return funcs.Resolve("in", []plan.Expr{
		&plan.Column{Attr: act}, &plan.Literal{Value: plan.RowUpdated, Typ: types.Int}, &plan.Literal{Value: plan.RowInserted, Typ: types.Int},
	}, ctx)
}

// generate computes the columns without a value from the others.
func (b *rowBuilder) generate(in plan.Node, attrs []plan.Attr, act plan.Attr, vals []plan.Expr) (plan.Node, []column, error) {
	cols := make([]column, len(attrs))
	for i, at := range attrs {
		cols[i] = column{Attr: at, origin: at.ID}
	}
	need := false
	for i := range attrs {
		need = need || vals[i] == nil && b.rule(i).Generated != ""
	}
	if !need {
		return in, cols, nil
	}
	p := &plan.Project{Input: in}
	for i, at := range attrs {
		out := plan.NamedExpr{X: &plan.Column{Attr: at}, Attr: at}
		if gen := b.rule(i).Generated; vals[i] == nil && gen != "" {
			x, err := b.a.text(gen, cols)
			if err == nil {
				x, err = b.s.assign(x, b.schema[i].Type, b.schema[i].Name, b.pos)
			}
			if err != nil {
				return nil, nil, err
			}
			if b.action != nil {
				fresh, err := b.isNew(act)
				if err != nil {
					return nil, nil, err
				}
				x = &plan.Case{When: []plan.When{{Cond: fresh, Then: x}}, Else: &plan.Column{Attr: at}, Typ: x.Type()}
			}
			out.Attr.ID, out.X = plan.NewID(), x
			cols[i] = column{Attr: out.Attr, origin: out.Attr.ID}
		}
		p.Exprs = append(p.Exprs, out)
	}
	for _, at := range b.carried {
		p.Exprs = append(p.Exprs, passOn(at))
	}
	return p, cols, nil
}

// check appends the conditions on new rows.
func (b *rowBuilder) check(in plan.Node, cols []column, act plan.Attr, vals []plan.Expr) (*plan.Rows, error) {
	out := &plan.Rows{OptimizeWrite: b.a.optimizeWrite()}
	p := &plan.Project{Input: in}
	for _, c := range cols {
		p.Exprs = append(p.Exprs, plan.NamedExpr{X: &plan.Column{Attr: c.Attr}, Attr: c.Attr})
	}
	add := func(k plan.Check, x plan.Expr) error {
		if b.action != nil { // what is copied was checked when it came
			fresh, err := b.isNew(act)
			if err != nil {
				return err
			}
			x = &plan.Case{When: []plan.When{{Cond: fresh, Then: x}}, Else: &plan.Literal{Value: true, Typ: types.Boolean}, Typ: types.Boolean}
		}
		out.Checks = append(out.Checks, k)
		p.Exprs = append(p.Exprs, plan.NamedExpr{X: x, Attr: plan.Attr{ID: plan.NewID(), Name: k.Name, Type: types.Boolean, Nullable: true}})
		return nil
	}
	if b.replace != nil {
		x, err := b.replace(cols)
		if err != nil {
			return nil, err
		}
		if err := add(plan.Check{Kind: plan.CheckReplace}, x); err != nil {
			return nil, err
		}
	}
	if err := b.columnChecks(cols, vals, add); err != nil {
		return nil, err
	}
	if b.target.Rules != nil {
		for _, c := range b.target.Rules.Constraints {
			x, err := b.a.alone().text(c.Text, cols)
			if err != nil {
				return nil, err
			}
			if err := add(plan.Check{Name: c.Name, Text: c.Text}, x); err != nil {
				return nil, err
			}
		}
	}
	for _, at := range b.carried {
		p.Exprs = append(p.Exprs, passOn(at))
	}
	out.Placed, out.Before, out.Tracked = len(b.place) > 0, len(b.before) > 0, len(b.tracked) > 0
	if b.kept != nil {
		n, err := b.inPlace(p, act)
		if err != nil {
			return nil, err
		}
		out.Plan = b.a.plan(b.ctes, n)
		return out, nil
	}
	out.Plan = b.a.plan(b.ctes, p)
	return out, nil
}

// columnChecks are those of single columns: lengths, invariants, the values
// given for generated columns.
func (b *rowBuilder) columnChecks(cols []column, vals []plan.Expr, add func(plan.Check, plan.Expr) error) error {
	ctx := b.a.fctx(b.pos)
	for i, c := range cols {
		r := b.rule(i)
		ref := &plan.Column{Attr: c.Attr}
		if hasChar(r.Declared, true) {
			x, err := b.a.text(fitsText(quote(c.Name), r.Declared, 0), cols)
			if err != nil {
				return err
			}
			if err := add(plan.Check{Kind: plan.CheckLength, Name: c.Name, Text: r.Declared.String()}, x); err != nil {
				return err
			}
		}
		if r.Invariant != "" {
			x, err := b.a.text(r.Invariant, cols)
			if err != nil {
				return err
			}
			if err := add(plan.Check{Name: c.Name, Text: r.Invariant}, x); err != nil {
				return err
			}
		}
		if r.Generated == "" || vals[i] == nil {
			continue
		}
		x, err := b.a.text(r.Generated, cols)
		if err == nil {
			x, err = b.s.assign(x, b.schema[i].Type, b.schema[i].Name, b.pos)
		}
		if err == nil {
			x, err = funcs.Resolve("<=>", []plan.Expr{ref, x}, ctx)
		}
		if err != nil {
			return err
		}
		if err := add(plan.Check{Name: "Generated Column", Text: quote(c.Name) + " <=> (" + r.Generated + ")"}, x); err != nil {
			return err
		}
	}
	return nil
}
