package funcs

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// schemaConst is the schema that a schema_of_... call has worked out already.
func schemaConst(s *plan.Call) (string, bool) {
	text, ok := s.Const.(string)
	return text, ok
}

// schema reads the schema of from_json, from_csv or from_xml at argument 1: a
// constant text, or the schema_of_... of one, which inferred gives.
func (c *call) schema(inferred func(*plan.Call) (string, bool)) (types.Type, error) {
	arg := c.args[1]
	text, ok := constText(arg)
	if s, isCall := arg.(*plan.Call); !ok && isCall && s.Fn == "schema_of_"+strings.TrimPrefix(c.d.Name, "from_") {
		text, ok = inferred(s)
	}
	switch {
	case !ok:
		return nil, errf(c.ctx, "INVALID_SCHEMA.NON_STRING_LITERAL", "42K07", "The schema of %s must be a constant string or its schema_of_ function over one, not %q.", c.d.Name, SQLName(arg))
	case c.ctx.ParseType == nil:
		return nil, errf(c.ctx, "INVALID_SCHEMA.PARSE_ERROR", "42K07", "Schemas cannot be parsed here.")
	case strings.TrimSpace(text) == "":
		return nil, errf(c.ctx, "PARSE_EMPTY_STATEMENT", "42617", "The schema of %s is empty.", c.d.Name)
	}
	t, err := c.ctx.ParseType(text)
	if err != nil && strings.HasPrefix(strings.TrimSpace(text), "{") {
		if j, jerr := jsonSchema([]byte(text), c.ctx.ParseType); jerr == nil {
			t, err = j, nil
		}
	}
	if err != nil {
		class, state := sparksql.ClassOf(err), "0A000"
		if class != "UNSUPPORTED_DATATYPE" {
			class, state = "PARSE_SYNTAX_ERROR", "42601"
		}
		return nil, errf(c.ctx, class, state, "The schema %q of %s does not parse: %v.", text, c.d.Name, err)
	}
	if types.Contains(t, isChar) {
		return nil, errf(c.ctx, "UNSUPPORTED_CHAR_OR_VARCHAR_AS_STRING", "0A000", "The schema %q of %s has a CHAR or VARCHAR: write STRING.", text, c.d.Name)
	}
	return t, nil
}

func isChar(t types.Type) bool { _, ok := t.(types.Char); return ok }
