package funcs

import (
	"cmp"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/collation"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// strength is how firmly an expression's collation holds against others.
type strength uint8

const (
	byDefault strength = iota // literals, and what is made of them
	implicit                  // columns, fields, casts
	explicit                  // COLLATE
)

// collated is a collation with its strength; name "" is UTF8_BINARY.
type collated struct {
	name     string
	strength strength
}

// meeting are functions whose texts must have one collation; others take the
// one of their first text.
var meeting = wordSet(`= < <= > >= <=> equal_null in array array_join concat greatest least coalesce nvl nvl2 if array_contains array_except
	concat_ws mask replace translate trim ltrim rtrim array_append array_prepend array_intersect array_position array_remove array_union
	arrays_overlap array_insert contains endswith startswith find_in_set instr locate to_number str_to_map levenshtein elt overlay lpad rpad
	split_part substring_index regexp_replace`)

// undecided are functions of those that give a text without a collation where
// theirs have none in common.
var undecided = wordSet("array concat coalesce nvl nvl2 if concat_ws elt")

// keeping are functions whose result has the collation of their texts, though
// their result type does not follow from their arguments' types.
var keeping = wordSet(`concat concat_ws upper lower initcap trim ltrim rtrim btrim lpad rpad substring left right substring_index replace
	translate reverse repeat elt overlay split_part format_string hex mask split regexp_replace regexp_extract regexp_extract_all
	regexp_substr str_to_map array_join listagg string_agg`)

// searching are functions that look for one text in another.
var searching = wordSet(`contains endswith startswith find_in_set instr locate replace split_part substring_index translate trim ltrim rtrim
	btrim str_to_map`)

// patterned are functions whose patterns know UTF8_BINARY and UTF8_LCASE only.
var patterned = wordSet(`like ilike rlike regexp regexp_like regexp_count regexp_extract regexp_extract_all regexp_instr regexp_replace
	regexp_substr split`, "like any", "like all", "not like any", "not like all")

func wordSet(words string, more ...string) map[string]bool {
	out := map[string]bool{}
	for _, w := range append(strings.Fields(words), more...) {
		out[w] = true
	}
	return out
}

// resolveCollated is Resolve over arguments of which some have a collation.
func (d *Def) resolveCollated(args []plan.Expr, ctx Context) (plan.Expr, error) {
	name := d.Name
	if d.Base != "" {
		name = d.Base
	}
	one, err := meet(name, args, ctx)
	if err != nil {
		return nil, err
	}
	args = slices.Clone(args)
	if meeting[name] {
		for i, a := range args {
			if hasString(a.Type()) {
				args[i] = CastTo(a, types.Collate(a.Type(), one.name), ctx)
			}
		}
	}
	if err := d.takes(name, one, args, ctx); err != nil {
		return nil, err
	}
	e, err := d.resolve(args, ctx)
	if err != nil || one.name == "" {
		return e, err
	}
	switch c := e.(type) {
	case *plan.Call:
		if searching[name] || patterned[name] {
			c.Collation = one.name
		}
		if keeping[name] {
			c.Typ = types.Collate(c.Typ, one.name)
		}
	case *plan.AggCall:
		if keeping[name] {
			c.Typ = types.Collate(c.Typ, one.name)
		}
	}
	return e, nil
}

// takes checks that a function knows the collation of its texts.
func (d *Def) takes(name string, one collated, args []plan.Expr, ctx Context) error {
	if one.name == "" || one.name == types.Indeterminate {
		return nil
	}
	c, err := collation.Parse(one.name)
	if err != nil {
		return collationName(err, ctx)
	}
	first := slices.IndexFunc(args, func(a plan.Expr) bool { return hasString(a.Type()) })
	call := &call{d: d, args: args, ctx: ctx}
	switch {
	case name == "collect_set":
		return mismatch(ctx, "UNSUPPORTED_INPUT_TYPE", "Cannot resolve %q: collect_set takes no texts with a collation.", call.text())
	case patterned[name] && c.Unicode(), searching[name] && c.AccentInsensitive && !c.CaseInsensitive:
		return unexpected(call, max(first, 0), `"STRING"`)
	}
	return nil
}

// meet is the collation that a function's texts have together.
func meet(name string, args []plan.Expr, ctx Context) (collated, error) {
	var all []collated
	for _, a := range args {
		if _, ok := a.(*plan.Lambda); ok || !hasString(a.Type()) && !types.HasCollation(a.Type()) {
			continue
		}
		c := collationOf(a)
		if !meeting[name] {
			if types.HasCollation(a.Type()) {
				return c, nil
			}
			continue
		}
		all = append(all, c)
	}
	return strongest(name, args, all, ctx)
}

func strongest(name string, args []plan.Expr, all []collated, ctx Context) (collated, error) {
	for s := explicit; s > byDefault; s-- {
		var names []string
		for _, c := range all {
			if c.strength == s && !slices.Contains(names, c.name) {
				names = append(names, c.name)
			}
		}
		switch {
		case len(names) == 0:
			continue
		case len(names) == 1 && names[0] != types.Indeterminate, len(names) == 1 && undecided[name]:
			return collated{names[0], s}, nil
		case s == explicit:
			for i, n := range names {
				names[i] = quoteType(types.Collated{Name: orBinary(n)})
			}
			return collated{}, errf(ctx, "COLLATION_MISMATCH.EXPLICIT", "42P21",
				"The texts have several explicit collations: %s. Keep one of them.", strings.Join(names, ", "))
		case !undecided[name]:
			return collated{}, errf(ctx, "INDETERMINATE_COLLATION_IN_EXPRESSION", "42P22",
				"The texts of %q have several collations. Write COLLATE behind one of them.", SQLName(&plan.Call{Fn: name, Args: args, Typ: types.Void}))
		}
		return collated{types.Indeterminate, s}, nil
	}
	for _, c := range all {
		if c.name != "" {
			return c, nil
		}
	}
	return collated{}, nil
}

func orBinary(name string) string {
	if name == "" {
		return collation.Binary
	}
	return name
}

// collationOf is the collation of an expression, and how firm it is.
func collationOf(e plan.Expr) collated {
	c := collated{nameOf(e.Type()), byDefault}
	switch e := e.(type) {
	case *plan.Literal:
		return c
	case *plan.Column, *plan.Outer, *plan.LambdaVar, *plan.Field, *plan.Subquery:
		c.strength = implicit
		return c
	case *plan.Cast:
		switch {
		case e.Implicit && hasString(e.X.Type()):
			return collated{c.name, collationOf(e.X).strength}
		case !e.Implicit && c.name != "":
			c.strength = implicit
		}
		return c
	case *plan.Call:
		if e.Fn == "collate" {
			c.strength = explicit
			return c
		}
	}
	for _, x := range e.Children() {
		if hasString(x.Type()) || types.HasCollation(x.Type()) {
			c.strength = max(c.strength, collationOf(x).strength)
		}
	}
	return c
}

// nameOf is the first collation inside of a type.
func nameOf(t types.Type) string {
	switch t := t.(type) {
	case types.Collated:
		return t.Name
	case types.Array:
		return nameOf(t.Elem)
	case types.Map:
		return cmp.Or(nameOf(t.Key), nameOf(t.Value))
	case types.Struct:
		for _, f := range t.Fields {
			if n := nameOf(f.Type); n != "" {
				return n
			}
		}
	}
	return ""
}

func anyCollated(args []plan.Expr) bool {
	return slices.ContainsFunc(args, func(a plan.Expr) bool {
		if _, ok := a.(*plan.Lambda); ok {
			return false
		}
		if c, ok := a.(*plan.Call); ok && c.Fn == "collate" {
			return true
		}
		return types.HasCollation(a.Type())
	})
}

// buildCollate is collate(x, name) and x COLLATE name.
func buildCollate(c *call) (plan.Expr, error) {
	if t := c.args[0].Type(); !types.IsString(t) && t != types.Void {
		return nil, unexpected(c, 0, `"STRING"`)
	}
	if !IsFoldable(c.args[1]) {
		return nil, errf(c.ctx, "NON_FOLDABLE_ARGUMENT", "42K08", "The name of the collation must be a constant, not %q.", SQLName(c.args[1]))
	}
	name, ok := constText(c.args[1])
	if !ok {
		return nil, errf(c.ctx, "UNEXPECTED_INPUT_TYPE", "42K09", "The name of the collation must be a STRING, not %s.", quoteType(c.args[1].Type()))
	}
	col, err := collation.Parse(name)
	if err != nil {
		return nil, collationName(err, c.ctx)
	}
	t := types.Type(types.Collated{Name: col.Name})
	if col.Binary() {
		t = types.String
	}
	return &plan.Call{Fn: "collate", Args: c.args, Typ: t, Null: c.args[0].Nullable(), Pos: c.ctx.Pos}, nil
}

func collationName(err error, ctx Context) error {
	return errf(ctx, "COLLATION_INVALID_NAME", "42704", "%v.", err)
}

// plainName prints an operand without the collation that a literal has taken
// from others.
func plainName(e plan.Expr) string {
	if c, ok := e.(*plan.Cast); ok && c.Implicit {
		return plainName(c.X)
	}
	if l, ok := e.(*plan.Literal); ok && types.HasCollation(l.Typ) {
		return SQLName(&plan.Literal{Value: l.Value, Typ: types.String})
	}
	return SQLName(e)
}
