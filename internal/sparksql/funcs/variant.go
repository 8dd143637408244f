package funcs

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// VariantSpec is the Const of variant_get calls.
type VariantSpec struct {
	Type  types.Type // to cast the part to; VARIANT leaves it as it is
	Alias string     // the name that a path col:a.b gives, "" for a plain call
}

func wVariant() want {
	return kindOf(`"VARIANT"`, func(t types.Type) bool { return t == types.Variant }, types.Variant, nil)
}

func variantDefs() []*Def {
	get := func(name string) *Def {
		d := (&Def{Name: name, Min: 2, Max: 3, fit: fitVariantGet, typ: func(c *call) types.Type {
			spec, _ := c.konst.(VariantSpec)
			return spec.Type
		}}).nullable().shown(func(e plan.Expr, a []string) string {
			s := name + "(" + a[0] + ", " + a[1] + ")"
			if c, ok := e.(*plan.Call); ok {
				if spec, ok := c.Const.(VariantSpec); ok && spec.Alias != "" {
					s += " AS " + spec.Alias
				}
			}
			return s
		})
		return d
	}
	return []*Def{
		fn("parse_json", types.Variant, "", only(types.String)).always(), fn("try_parse_json", types.Variant, "", only(types.String)).nullable(),
		get("variant_get").always(), get("try_variant_get").raisingWhere(func(c *call) bool { return !IsFoldable(c.args[1]) }), // for a bad path
		fn("schema_of_variant", types.String, "", wVariant()), fn("is_variant_null", types.Boolean, "", wVariant()).neverNull(),
		fn("is_valid_variant", types.Boolean, "CASE WHEN $1 IS NOT NULL THEN true END", wVariant()),
		(&Def{Name: "to_variant_object", Min: 1, Max: 1, fit: fitVariantObject, typ: typeIs(types.Variant)}),
		agg("schema_of_variant_agg", typeIs(types.String), "", wVariant()),
		{Name: "variant_explode", Kind: Generator, Min: 1, Max: 1, want: []want{wVariant()}, typ: func(*call) types.Type {
			return types.Array{Elem: types.Struct{Fields: explodedVariant(nil)}}
		}, cols: explodedVariant, params: []string{"input"}},
	}
}

func explodedVariant(*plan.Call) []types.Field {
	return []types.Field{{Name: "pos", Type: types.Int}, {Name: "key", Type: types.String, Nullable: true}, {Name: "value", Type: types.Variant}}
}

func fitVariantGet(c *call) error {
	if err := c.fitOne(0, wVariant()); err != nil {
		return err
	}
	if err := c.fitOne(1, only(types.String)); err != nil {
		return err
	}
	spec, _ := c.konst.(VariantSpec)
	spec.Type = types.Variant
	if len(c.args) == 3 {
		text, ok := constText(c.args[2])
		if !ok && IsFoldable(c.args[2]) {
			return errf(c.ctx, "INVALID_SCHEMA.NON_STRING_LITERAL", "42K07", "The type of %s is a text, not %q.", quoteName(c.d.Name), SQLName(c.args[2]))
		}
		if !ok {
			return errf(c.ctx, "INVALID_SCHEMA.NON_STRING_LITERAL", "42K07", "The type of %s must be a constant text.", quoteName(c.d.Name))
		}
		if c.ctx.ParseType == nil {
			return errf(c.ctx, "INVALID_SCHEMA.PARSE_ERROR", "42K07", "Types cannot be parsed here.")
		}
		if strings.TrimSpace(text) == "" {
			return errf(c.ctx, "PARSE_EMPTY_STATEMENT", "42617", "The type of %s is empty.", quoteName(c.d.Name))
		}
		t, err := c.ctx.ParseType(text)
		if err != nil {
			return err
		}
		if types.Contains(t, isChar) {
			return errf(c.ctx, "UNSUPPORTED_CHAR_OR_VARCHAR_AS_STRING", "0A000", "The type %q of %s is a CHAR or VARCHAR: write STRING.", text, c.d.Name)
		}
		if t = nullableInside(t); !fromVariant(t) {
			return mismatch(c.ctx, "CAST_WITHOUT_SUGGESTION", "A VARIANT cannot be cast to %s.", quoteType(t))
		}
		spec.Type = t
	}
	c.args, c.konst = c.args[:2], spec
	return nil
}

func fitVariantObject(c *call) error {
	t := c.args[0].Type()
	if atomic(t) || t == types.Variant || !toVariantObject(t) {
		return mismatch(c.ctx, "CAST_WITHOUT_SUGGESTION", "%s cannot be cast to \"VARIANT\".", quoteType(t))
	}
	return nil
}

// toVariantObject: what to_variant_object takes, at any depth.
func toVariantObject(t types.Type) bool {
	switch t := t.(type) {
	case types.Array:
		return toVariantObject(t.Elem)
	case types.Map:
		return types.IsString(t.Key) && toVariantObject(t.Value)
	case types.Struct:
		for _, f := range t.Fields {
			if !toVariantObject(f.Type) {
				return false
			}
		}
		return true
	}
	return t == types.Variant || toVariant(t)
}

// toVariant: what CAST ... AS VARIANT takes.
func toVariant(t types.Type) bool {
	if a, ok := t.(types.Array); ok {
		return toVariant(a.Elem)
	}
	return t == types.Variant || atomic(t) && !hasTimes(t) && !types.IsSpatial(t)
}

// fromVariant: what a VARIANT can be cast to.
func fromVariant(t types.Type) bool {
	switch t := t.(type) {
	case types.Array:
		return fromVariant(t.Elem)
	case types.Map:
		return types.IsString(t.Key) && fromVariant(t.Value)
	case types.Struct:
		for _, f := range t.Fields {
			if !fromVariant(f.Type) {
				return false
			}
		}
		return true
	}
	return t == types.Variant || atomic(t) && !hasTimes(t)
}

// VariantPath is the path col:path: its JSON path and the name of its last
// field, "" without one.
func VariantPath(text string) (path, last string) {
	var b strings.Builder
	b.WriteByte('$')
	for text != "" {
		var name string
		switch text[0] {
		case '[':
			part, rest, _ := strings.Cut(text, "]")
			b.WriteString(part + "]")
			if len(part) > 2 && (part[1] == '\'' || part[1] == '"') {
				last = part[2 : len(part)-1]
			}
			text = rest
			continue
		case '.':
			text = text[1:]
			continue
		case '`':
			name, text, _ = strings.Cut(text[1:], "`")
		default:
			n := strings.IndexAny(text, ".[")
			if n < 0 {
				n = len(text)
			}
			name, text = strings.TrimSpace(text[:n]), text[n:]
		}
		last = name
		if strings.ContainsAny(name, ".[ '") {
			b.WriteString("['" + name + "']")
		} else {
			b.WriteString("." + name)
		}
	}
	return b.String(), last
}

// PathOf is col:path: variant_get of a VARIANT, get_json_object of a text.
func PathOf(x plan.Expr, path string, ctx Context) (plan.Expr, error) {
	p, last := VariantPath(path)
	if types.IsString(x.Type()) {
		return Resolve("get_json_object", []plan.Expr{x, litStr(p)}, ctx)
	}
	if x.Type() != types.Variant {
		// Spark means COLUMN_IS_NOT_VARIANT_TYPE, a class that its own list lacks.
		return nil, errf(ctx, "INTERNAL_ERROR", "XX000", "The path %s leads into a VARIANT or a text, but %s is %s.", p, SQLName(x), x.Type().SQL())
	}
	out, err := Resolve("variant_get", []plan.Expr{x, litStr(p)}, ctx)
	if c, ok := out.(*plan.Call); ok {
		c.Const = VariantSpec{Type: types.Variant, Alias: last}
	}
	return out, err
}
