package funcs

import (
	"errors"
	"strings"
	"unicode"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
	"github.com/marisma/marisma/internal/xmltree"
)

func xmlDefs() []*Def {
	first := func(name string) func(plan.Expr, []string) string {
		return func(_ plan.Expr, a []string) string { return name + "(" + a[0] + ")" }
	}
	out := []*Def{
		(&Def{Name: "from_xml", Min: 2, Max: 3, fit: fitFromXML, typ: func(c *call) types.Type {
			spec, _ := c.konst.(JSONSpec)
			return spec.Type
		}, raises: func(c *call) bool {
			spec, _ := c.konst.(JSONSpec)
			return spec.Mode() == "FAILFAST"
		}}).nullable().shown(first("from_xml")),
		(&Def{Name: "to_xml", Min: 1, Max: 2, fit: fitToXML, typ: typeIs(types.String)}).nullable().shown(first("to_xml")),
		(&Def{Name: "schema_of_xml", Min: 1, Max: 2, fit: fitSchemaOfXML, typ: typeIs(types.String)}).neverNull().shown(first("schema_of_xml")),
	}
	for name, t := range map[string]types.Type{
		"xpath": types.Array{Elem: types.String, ContainsNull: true}, "xpath_boolean": types.Boolean, "xpath_double": types.Double,
		"xpath_float": types.Float, "xpath_int": types.Int, "xpath_long": types.BigInt, "xpath_short": types.SmallInt, "xpath_string": types.String,
	} {
		out = append(out, fn(name, t, "", wText(), wText()).nullable().always().checked(func(c *call) error {
			if !IsFoldable(c.args[1]) {
				return mismatch(c.ctx, "NON_FOLDABLE_INPUT", "Cannot resolve %q: the path must be a constant, but %q is none.", c.text(), SQLName(c.args[1]))
			}
			return nil
		}))
	}
	return out
}

func fitFromXML(c *call) error {
	if err := c.fitOne(0, wText()); err != nil {
		return err
	}
	t, err := c.schema(schemaConst)
	if err != nil {
		return err
	}
	opts, err := c.options(2)
	if err != nil {
		return err
	}
	if err := checkTags(c, opts, "rowTag", "valueTag"); err != nil {
		return err
	}
	spec := JSONSpec{Type: nullableInside(t), Options: opts}
	if spec.Mode() == "DROPMALFORMED" {
		return errf(c.ctx, "PARSE_MODE_UNSUPPORTED", "42601", "from_xml knows the modes PERMISSIVE and FAILFAST, not DROPMALFORMED.")
	}
	if !isStruct(t) && t != types.Variant {
		return mismatch(c.ctx, "INVALID_XML_SCHEMA", "The schema of from_xml must be a STRUCT or VARIANT, not %s.", quoteType(t))
	}
	if err := spec.checkCorrupt(c); err != nil {
		return err
	}
	c.args, c.konst = c.args[:1], spec
	return nil
}

func fitToXML(c *call) error {
	if t := c.args[0].Type(); !isStruct(t) && t != types.Variant && t != types.Void {
		return unexpected(c, 0, `"STRUCT"`)
	}
	opts, err := c.options(1)
	if err != nil {
		return err
	}
	if err := checkTags(c, opts, "rowTag", "valueTag", "attributePrefix"); err != nil {
		return err
	}
	if tag, ok := opts["rowtag"]; ok && !xmlName(tag) {
		return errf(c.ctx, "INVALID_PARAMETER_VALUE", "22023", "%q is no name of an XML element.", tag)
	}
	if name, ok := badXMLName(c.args[0].Type()); ok {
		return errf(c.ctx, "INVALID_PARAMETER_VALUE", "22023", "%q is no name of an XML element.", name)
	}
	c.args, c.konst = c.args[:1], JSONSpec{Options: opts}
	return nil
}

// badXMLName finds a field, at any depth, whose name no element can have.
func badXMLName(t types.Type) (string, bool) {
	switch t := t.(type) {
	case types.Array:
		return badXMLName(t.Elem)
	case types.Map:
		return badXMLName(t.Value)
	case types.Struct:
		for _, f := range t.Fields {
			if !xmlName(f.Name) {
				return f.Name, true
			}
			if name, ok := badXMLName(f.Type); ok {
				return name, true
			}
		}
	}
	return "", false
}

// xmlName tells whether an element can have the name.
func xmlName(s string) bool {
	for i, r := range s {
		letter := r == '_' || r == ':' || unicode.IsLetter(r)
		if !letter && (i == 0 || r != '-' && r != '.' && !unicode.IsDigit(r) && !unicode.IsMark(r)) {
			return false
		}
	}
	return s != ""
}

// checkTags refuses options that name something and are empty.
func checkTags(c *call, opts map[string]string, names ...string) error {
	for _, name := range names {
		if v, ok := opts[strings.ToLower(name)]; ok && strings.TrimSpace(v) == "" {
			return errf(c.ctx, "INVALID_PARAMETER_VALUE", "22023", "The option %s of %s must not be empty.", name, quoteName(c.d.Name))
		}
	}
	return nil
}

func fitSchemaOfXML(c *call) error {
	if t := c.args[0].Type(); !types.IsString(t) && t != types.Void {
		return unexpected(c, 0, `"STRING"`)
	}
	l, ok := Eval(c.args[0])
	switch {
	case !ok:
		return mismatch(c.ctx, "NON_FOLDABLE_INPUT", "The text of schema_of_xml must be a constant, not %q.", SQLName(c.args[0]))
	case l.Value == nil:
		return mismatch(c.ctx, "UNEXPECTED_NULL", "The text of schema_of_xml must not be NULL.")
	}
	text, _ := l.Value.(string)
	opts, err := c.options(1)
	if err != nil {
		return err
	}
	c.args, c.konst = c.args[:1], schemaOfXML(text, opts)
	return nil
}

// schemaOfXML is the type text of the record in a document.
func schemaOfXML(text string, opts map[string]string) string {
	names := xmltree.NamesOf(opts)
	doc, err := xmltree.Parse(text, true)
	if errors.Is(err, xmltree.ErrMalformed) {
		return types.Struct{Fields: []types.Field{{Name: (JSONSpec{Options: opts}).CorruptColumn(), Type: types.String, Nullable: true}}}.SQL()
	}
	return voidToString(inferElement(doc.Root(), &names, opts, true)).SQL()
}

// inferElement is the type of an element: a scalar, or a STRUCT of its members,
// where those of one name make an ARRAY.
func inferElement(n *xmltree.Node, names *xmltree.Names, opts map[string]string, root bool) types.Type {
	if s, ok := n.Scalar(names); ok && (!root || s != "") {
		t := inferText(s, opts)
		if root {
			return structOf(map[string]types.Type{names.ValueTag: t})
		}
		return t
	}
	byName, count := map[string]types.Type{}, map[string]int{}
	for _, f := range n.Fields(names) {
		t := inferText(f.Text, opts)
		if f.Node != nil {
			t = inferElement(f.Node, names, opts, false)
		}
		if old, ok := byName[f.Name]; ok {
			t = mergeJSON(old, t)
		}
		byName[f.Name] = t
		count[f.Name]++
	}
	for name, k := range count {
		if k > 1 && name != names.ValueTag {
			byName[name] = types.Array{Elem: byName[name], ContainsNull: true}
		}
	}
	return structOf(byName)
}

func inferText(s string, opts map[string]string) types.Type {
	class := xmltree.Classify(strings.TrimSpace(s))
	if class == xmltree.Empty {
		return types.Void
	}
	if strings.EqualFold(opts["inferschema"], "false") {
		return types.String
	}
	switch class {
	case xmltree.Whole:
		return types.BigInt
	case xmltree.Real:
		if t := inferNumber(s, opts); t != types.BigInt && strings.EqualFold(opts["prefersdecimal"], "true") {
			return t
		}
		return types.Double
	case xmltree.Flag:
		return types.Boolean
	case xmltree.Day:
		return types.Date
	case xmltree.Moment:
		return types.Timestamp
	}
	return types.String
}

// voidToString is a type with STRING in the place of VOID.
func voidToString(t types.Type) types.Type {
	switch t := t.(type) {
	case types.Array:
		return types.Array{Elem: voidToString(t.Elem), ContainsNull: true}
	case types.Struct:
		out := types.Struct{Fields: make([]types.Field, len(t.Fields))}
		for i, f := range t.Fields {
			out.Fields[i] = types.Field{Name: f.Name, Type: voidToString(f.Type), Nullable: true}
		}
		return out
	}
	if t == types.Void {
		return types.String
	}
	return t
}
