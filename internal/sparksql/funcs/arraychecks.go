package funcs

import "github.com/marisma/marisma/internal/sparksql/types"

// nullArray refuses NULL in place of the array, each function in its own way.
func nullArray(c *call) error {
	switch t := c.args[0].Type(); {
	case t != types.Void && !isArray(t) && (c.d.Name == "array_remove" || c.d.Name == "array_insert"):
		return mismatch(c.ctx, "ARRAY_FUNCTION_DIFF_TYPES", "Cannot resolve %q: its first argument is no array.", c.text())
	case t != types.Void:
		return nil
	}
	switch c.d.Name {
	case "array_contains", "array_position":
		return mismatch(c.ctx, "NULL_TYPE", "Cannot resolve %q: its arguments must not be of the type VOID.", c.text())
	case "array_remove", "array_insert":
		return mismatch(c.ctx, "ARRAY_FUNCTION_DIFF_TYPES", "Cannot resolve %q: its first argument is no array.", c.text())
	case "array_append", "array_prepend":
		return unexpected(c, 0, `"ARRAY"`)
	}
	return nil
}

// orderedElements refuses arrays whose elements have no order.
func orderedElements(c *call) error {
	if t := elemOf(c, 0); len(c.args) < 2 && !Orderable(t) || !Orderable(t) && c.d.Name != "array_sort" {
		return mismatch(c.ctx, "INVALID_ORDERING_TYPE", "Cannot resolve %q: %s has no order.", c.text(), quoteType(t))
	}
	return nil
}
