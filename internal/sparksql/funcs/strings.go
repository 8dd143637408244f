package funcs

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

func stringDefs() []*Def {
	str, num := types.String, types.Int
	return []*Def{
		(&Def{Name: "concat", Min: 0, Max: -1, fit: fitConcat, typ: concatType}),
		(&Def{Name: "||", Min: 2, Max: 2, build: buildNamed("concat")}).operator(),
		(&Def{Name: "concat_ws", Min: 1, Max: -1, fit: fitConcatWs, typ: typeIs(str)}).withNull(func(c *call) bool { return c.args[0].Nullable() }),
		fn("upper", str, "upper($1)", wStr()), fn("lower", str, "lower($1)", wStr()), fn("initcap", str, "", wStr()),
		fn("length", num, "", wStrBin()), fn("octet_length", num, "", wStrBin()), fn("bit_length", num, "", wStrBin()),
		trimDef("trim", "BOTH"), trimDef("ltrim", "LEADING"), trimDef("rtrim", "TRAILING"),
		fn("btrim", str, "", wStr(), wStr()).optional(1),
		(&Def{Name: "lpad", Min: 2, Max: 3, fit: fitPad, typ: argType(0)}), (&Def{Name: "rpad", Min: 2, Max: 3, fit: fitPad, typ: argType(0)}),
		fnOf("substring", argType(0), "", wStrBin(), wInt(), wInt()).optional(1).defaults(litInt(maxInt)),
		fnOf("left", argType(0), "", wStrBin(), wInt()), fn("right", str, "", wStr(), wInt()),
		fn("substring_index", str, "", wStr(), wStr(), wInt()),
		fn("replace", str, "", wStr(), wStr(), wStr()).optional(1).defaults(litStr("")),
		fn("translate", str, "", wStr(), wStr(), wStr()), fn("reverse", str, "reverse($1)", wStr()).fitting(fitReverse).typed(argType(0)),
		fn("repeat", str, "", wStr(), wInt()), fn("space", str, "repeat(' ', $1)", wInt()),
		fn("instr", num, "CAST(instr($1, $2) AS INTEGER)", wStr(), wStr()),
		fn("locate", num, "", wStr(), wStr(), wInt()).optional(1).defaults(litInt(1)).withNull(func(c *call) bool { return c.args[0].Nullable() || c.args[1].Nullable() }),
		fn("ascii", num, "", wStr()), fn("chr", str, "", wBig()),
		fn("startswith", types.Boolean, "starts_with($1, $2)", wStr(), wStr()), fn("endswith", types.Boolean, "ends_with($1, $2)", wStr(), wStr()),
		fn("contains", types.Boolean, "contains($1, $2)", wStr(), wStr()),
		fn("split_part", str, "", wStr(), wStr(), wInt()).always(),
		(&Def{Name: "overlay", Min: 3, Max: 4, fit: fitOverlay, typ: argType(0)}),
		fn("levenshtein", num, "", wStr(), wStr(), wInt()).optional(1), fn("soundex", str, "", wTextOnly()),
		fn("format_number", str, "", kindOf(`"NUMERIC"`, types.IsNumeric, types.Double, nil), kindOf(`("INT" or "STRING")`, func(t types.Type) bool { return t == types.Int || types.IsString(t) }, types.Int, nil)).fitting(fitFormatNumber).nullable(),
		(&Def{Name: "format_string", Min: 1, Max: -1, fit: fitFormat, typ: typeIs(str)}).always(),
		fn("base64", str, "", wBin()), fn("unbase64", types.Binary, "", wStr()).always(),
		fn("md5", str, "md5($1)", wBin()), fn("sha1", str, "sha1($1)", wBin()), fn("sha2", str, "", wBin(), wInt()).nullable(),
		fn("crc32", types.BigInt, "", wBin()),
		(&Def{Name: "hash", Min: 1, Max: -1, typ: typeIs(num), fit: fitHash}).neverNull(), (&Def{Name: "xxhash64", Min: 1, Max: -1, typ: typeIs(types.BigInt), fit: fitHash}).neverNull(),
		fn("encode", types.Binary, "", wStr(), wStr()).always(), (&Def{Name: "decode", Min: 2, Max: -1, build: buildDecode}),
		(&Def{Name: "decode pairs", Min: 3, Max: -1, Operator: true, typ: argType(2)}).shown(showDecode),
		(&Def{Name: "elt", Min: 2, Max: -1, fit: fitElt, typ: argType(1)}).nullable().raising(),
		fn("find_in_set", num, "", wStr(), wStr()),
		fn("parse_url", str, "", wTextOnly(), wTextOnly(), wTextOnly()).optional(1).nullable().raising(), fn("url_encode", str, "", wStr()), fn("url_decode", str, "", wStr()).always(),
		(&Def{Name: "str_to_map", Min: 1, Max: 3, want: []want{wTextOnly(), wTextOnly(), wTextOnly()}, typ: typeIs(types.Map{Key: str, Value: str, ValueContainsNull: true}), check: dedup}).
			defaults(litStr(","), litStr(":")).always(),
		fn("to_binary", types.Binary, "", wStr(), wStr()).optional(1).nullable().checked(binaryFormat).always(),
	}
}

func (d *Def) typed(f func(c *call) types.Type) *Def { d.typ = f; return d }

// fitConcat: arrays concatenate to an array, binaries to a binary, all else is text.
func fitConcat(c *call) error {
	arrays, binaries := 0, 0
	for _, a := range c.args {
		if isArray(a.Type()) {
			arrays++
		}
		if a.Type() == types.Binary {
			binaries++
		}
	}
	switch {
	case arrays > 0 && arrays < len(c.args):
		ts := make([]types.Type, len(c.args))
		for i, a := range c.args {
			if ts[i] = a.Type(); isArray(ts[i]) {
				continue
			}
			if _, isMap := ts[i].(types.Map); isMap || isStruct(ts[i]) {
				return unexpected(c, i, `("STRING" or "BINARY" or "ARRAY")`)
			}
			ts[i] = types.String
		}
		return mismatch(c.ctx, "DATA_DIFF_TYPES", "Cannot resolve %q: its arguments have different types: %s.", c.text(), typeList(ts))
	case arrays > 0:
		return fitRange(c, 0, len(c.args), rule{ansi: c.ctx.ANSI, strings: true})
	case binaries == len(c.args) && binaries > 0:
		return nil
	}
	for i := range c.args {
		if err := c.fitOne(i, wStr()); err != nil {
			return err
		}
	}
	return nil
}

func concatType(c *call) types.Type {
	if len(c.args) == 0 {
		return types.String
	}
	t := c.args[0].Type()
	for _, a := range c.args[1:] {
		t = mergeNull(t, a.Type())
	}
	return t
}

func fitConcatWs(c *call) error {
	for i, a := range c.args {
		if arr, ok := a.Type().(types.Array); ok && i > 0 {
			if arr.Elem != types.Void && (!StoreAssignable(arr.Elem, types.String) || !textual(arr.Elem, c.ctx)) {
				return unexpected(c, i, `("ARRAY<STRING>" or "STRING")`)
			}
			c.args[i] = CastTo(a, types.Array{Elem: types.String, ContainsNull: true}, c.ctx)
			continue
		}
		if err := c.fitOne(i, wStr()); err != nil {
			return err
		}
	}
	return nil
}

// trimDef takes the characters first, as Spark does, or only the string.
func trimDef(name, where string) *Def {
	return fn(name, types.String, "", wStr(), wStr()).optional(1).shown(func(_ plan.Expr, a []string) string {
		if len(a) == 1 {
			return name + "(" + a[0] + ")"
		}
		return "TRIM(" + where + " " + a[0] + " FROM " + a[1] + ")"
	})
}

func fitPad(c *call) error {
	bin := c.args[0].Type() == types.Binary
	if len(c.args) == 2 {
		pad := litStr(" ")
		if bin {
			pad = &plan.Literal{Value: []byte{0}, Typ: types.Binary}
		}
		c.args = append(c.args, pad)
	}
	w := wStr()
	if bin && c.args[2].Type() == types.Binary {
		w = wBin()
	}
	for i, x := range []want{w, wInt(), w} {
		if err := c.fitOne(i, x); err != nil {
			return err
		}
	}
	return nil
}

func fitReverse(c *call) error {
	if t := c.args[0].Type(); isArray(t) || t == types.Binary {
		return nil
	}
	return c.fitOne(0, wStr())
}

// fitElt: binaries alone give a binary, all else is text.
func fitElt(c *call) error {
	w := wBin()
	for _, a := range c.args[1:] {
		if a.Type() != types.Binary {
			w = wStr()
		}
	}
	if err := c.fitOne(0, wInt()); err != nil {
		return err
	}
	for i := range c.args[1:] {
		if err := c.fitOne(i+1, w); err != nil {
			return err
		}
	}
	return nil
}

// fitOverlay: two binaries give a binary; a binary beside a text is refused.
func fitOverlay(c *call) error {
	if len(c.args) == 3 {
		c.args = append(c.args, litInt(-1))
	}
	w := wStr()
	if a, b := c.args[0].Type(), c.args[1].Type(); a == types.Binary || b == types.Binary {
		if w = wBin(); !atomic(a) && a != types.Void {
			return unexpected(c, 0, `("STRING" or "BINARY")`)
		}
		if a != b && b != types.Void {
			return mismatch(c.ctx, "DATA_DIFF_TYPES", "Cannot resolve %q: its arguments have different types: %s.", c.text(), typeList([]types.Type{a, b}))
		}
	}
	for i, w := range []want{w, w, wInt(), wInt()} {
		if err := c.fitOne(i, w); err != nil {
			return err
		}
	}
	return nil
}

func fitFormat(c *call) error {
	if err := c.fitOne(0, wStr()); err != nil {
		return err
	}
	if f, ok := constText(c.args[0]); ok && strings.Contains(f, "%0$") {
		return errf(c.ctx, "INVALID_PARAMETER_VALUE.ZERO_INDEX", "22023", "The arguments of %s count from 1: %%0$ is none.", quoteName(c.d.Name))
	}
	return nil
}

// binaryFormat checks the constant format of to_binary.
func binaryFormat(c *call) error {
	if len(c.args) < 2 {
		return nil
	}
	lit, ok := Eval(c.args[1])
	if !ok {
		return mismatch(c.ctx, "NON_FOLDABLE_INPUT", "Cannot resolve %q: the format must be a constant.", c.text())
	}
	f, text := lit.Value.(string)
	switch strings.ToLower(f) {
	case "base64", "hex", "utf-8", "utf8":
		return nil
	}
	if !text {
		return nil
	}
	return mismatch(c.ctx, "INVALID_ARG_VALUE", "Cannot resolve %q: the format is one of 'hex', 'utf-8', 'utf8' and 'base64', not '%s'.", c.text(), f)
}

func fitHash(c *call) error {
	for _, a := range c.args {
		if hasMap(a.Type()) {
			return mismatch(c.ctx, "HASH_MAP_TYPE", "Cannot resolve %q: a map cannot be hashed.", c.text())
		}
		if types.Contains(a.Type(), func(t types.Type) bool { return t == types.Variant }) {
			return mismatch(c.ctx, "HASH_VARIANT_TYPE", "Cannot resolve %q: a VARIANT cannot be hashed.", c.text())
		}
	}
	return nil
}

// buildDecode is a charset's decoding with two arguments, else a CASE.
func buildDecode(c *call) (plan.Expr, error) {
	if len(c.args) == 2 {
		if err := c.fitOne(0, wBin()); err != nil {
			return nil, err
		}
		if err := c.fitOne(1, wStr()); err != nil {
			return nil, err
		}
		n := c.finishAs("decode", types.String)
		n.Raises = true
		return n, nil
	}
	return decodePairs(c)
}

// decodePairs is decode(x, search, result, ..., default): the call "decode
// pairs" over (x, search as its common type with x, result, ..., default),
// where the first operand is repeated for each search.
func decodePairs(c *call) (plan.Expr, error) {
	out := &plan.Call{Fn: "decode pairs", Pos: c.ctx.Pos, Null: true}
	rest := c.args[1:]
	results := []types.Type{}
	for i := 1; i < len(rest); i += 2 {
		results = append(results, rest[i].Type())
	}
	var els plan.Expr = &plan.Literal{Typ: types.String} // Spark's NULL for no default is a STRING
	if len(rest)%2 == 1 {
		els = rest[len(rest)-1]
	}
	t, ok := Common(append(results, els.Type()), c.ctx.ANSI)
	if !ok {
		return nil, mismatch(c.ctx, "DATA_DIFF_TYPES", "The results of decode have no common type: %s.", typeList(results))
	}
	out.Typ = t
	for i := 0; i+1 < len(rest); i += 2 {
		cond, err := Resolve("<=>", []plan.Expr{c.args[0], rest[i]}, c.ctx)
		if err != nil {
			return nil, err
		}
		sides := cond.Children()
		out.Args = append(out.Args, sides[0], sides[1], CastTo(rest[i+1], t, c.ctx))
	}
	if len(rest)%2 == 1 {
		out.Args = append(out.Args, CastTo(els, t, c.ctx))
	}
	return out, nil
}

// showDecode prints the first operand once.
func showDecode(e plan.Expr, a []string) string {
	for i, x := range e.Children() {
		if i%3 == 1 && i+1 < len(a) {
			a[i] = plainName(x)
		}
	}
	out := a[:1:1]
	for len(a) >= 3 {
		out, a = append(out, a[1], a[2]), a[3:]
	}
	return "decode(" + strings.Join(append(out, a...), ", ") + ")"
}

func regexDefs() []*Def {
	str := types.String
	rlike := func(name string, op bool) *Def {
		d := fn(name, types.Boolean, "", wStr(), wStr()).always()
		d.Operator = op
		return d.upper()
	}
	like := func(name, word string) *Def {
		return fn(name, types.Boolean, "", wStr(), wStr(), wStr()).optional(1).always().checked(checkEscape).
			shown(func(_ plan.Expr, a []string) string { return showLike(name, word, a) })
	}
	many := func(name string) *Def {
		d := fn(name, types.Boolean, "", wStr()).many().operator().always()
		d.Min = 2
		return d.shown(func(_ plan.Expr, a []string) string {
			return strings.ReplaceAll(name, " ", "") + "(" + a[0] + ")" // Spark leaves the patterns out
		})
	}
	return []*Def{
		rlike("rlike", false), rlike("regexp", false), rlike("regexp_like", false),
		like("like", "LIKE"), like("ilike", "ILIKE"), many("like any"), many("like all"), many("not like any"), many("not like all"),
		fn("regexp_extract", str, "", wStr(), wStr(), wInt()).optional(1).defaults(litInt(1)).always(),
		fn("regexp_extract_all", types.Array{Elem: str, ContainsNull: true}, "", wStr(), wStr(), wInt()).optional(1).defaults(litInt(1)).always(),
		fn("regexp_replace", str, "", wStr(), wStr(), wStr(), wInt()).optional(1).defaults(litInt(1)).always().checked(func(c *call) error {
			if !IsFoldable(c.args[3]) {
				return mismatch(c.ctx, "NON_FOLDABLE_INPUT", "Cannot resolve %q: the position must be a constant.", c.text())
			}
			if n, ok := constInt(c.args[3]); ok && n < 1 {
				return mismatch(c.ctx, "VALUE_OUT_OF_RANGE", "Cannot resolve %q: the position starts at 1.", c.text())
			}
			return nil
		}),
		fn("regexp_count", types.Int, "", wStr(), wStr()).always(), fn("regexp_substr", str, "", wStr(), wStr()).nullable().always(),
		fn("regexp_instr", types.Int, "", wStr(), wStr(), wInt()).optional(1).defaults(litInt(0)).always(),
		fn("split", types.Array{Elem: str}, "", wStr(), wStr(), wInt()).optional(1).defaults(litInt(-1)).always(),
	}
}

func showLike(name, word string, a []string) string {
	if name == "ilike" {
		return "ilike(" + a[0] + ", " + a[1] + ")"
	}
	s := a[0] + " " + word + " " + a[1]
	if len(a) == 3 && a[2] != `\` {
		s += " ESCAPE '" + a[2] + "'"
	}
	return s
}

// fitFormatNumber takes decimals as an INT or a pattern as a text.
func fitFormatNumber(c *call) error {
	if err := c.fitOne(0, c.d.want[0]); err != nil {
		return err
	}
	return c.fitOne(1, c.d.want[1])
}

func checkEscape(c *call) error {
	if len(c.args) < 3 {
		return nil
	}
	l, ok := c.args[2].(*plan.Literal)
	if !ok {
		l = &plan.Literal{}
	}
	if s, _ := l.Value.(string); len([]rune(s)) != 1 {
		return errf(c.ctx, "INVALID_ESCAPE_CHAR", "42604", "The escape of LIKE must be a text of one character.")
	}
	return nil
}
