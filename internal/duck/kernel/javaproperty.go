package kernel

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
	"unicode"
)

// tables is the union of Unicode's tables.
func tables(ts ...*unicode.RangeTable) runeSet {
	var s runeSet
	for _, t := range ts {
		s = append(s, tableSet(t)...)
	}
	return s.normal()
}

// posix are Java's ASCII classes.
func posix(name string) (runeSet, bool) {
	lower, upper := span{'a', 'z'}, span{'A', 'Z'}
	switch name {
	case "Lower":
		return setOf(lower), true
	case "Upper":
		return setOf(upper), true
	case "ASCII":
		return setOf(span{0, 0x7f}), true
	case "Alpha":
		return setOf(lower, upper), true
	case "Digit":
		return digitSet, true
	case "Alnum":
		return setOf(lower, upper, digitSet[0]), true
	case "Punct":
		return setOf(span{'!', '/'}, span{':', '@'}, span{'[', '`'}, span{'{', '~'}), true
	case "Graph":
		return setOf(span{'!', '~'}), true
	case "Print":
		return setOf(span{' ', '~'}), true
	case "Blank":
		return setOf(span{' ', ' '}, span{'\t', '\t'}), true
	case "Cntrl":
		return setOf(span{0, 0x1f}, span{0x7f, 0x7f}), true
	case "XDigit":
		return setOf(digitSet[0], span{'a', 'f'}, span{'A', 'F'}), true
	case "Space":
		return spaceSet, true
	}
	return nil, false
}

// posixUnicode are these classes under the flag U.
func posixUnicode(name string) (runeSet, bool) {
	switch name = strings.ToUpper(name); name {
	case "ALPHA":
		name = "ALPHABETIC"
	case "LOWER", "UPPER":
		name += "CASE"
	case "SPACE":
		name = "WHITE_SPACE"
	case "PUNCT":
		name = "PUNCTUATION"
	case "CNTRL":
		name = "CONTROL"
	case "XDIGIT":
		return tables(unicode.Nd, unicode.Hex_Digit), true
	case "DIGIT", "ALNUM", "BLANK", "GRAPH", "PRINT":
	default:
		return nil, false
	}
	return binaryProperty(name)
}

// binaryProperty are the properties that \p{Is...} names, in upper case.
func binaryProperty(name string) (runeSet, bool) {
	alphabetic := func() runeSet { return tables(unicode.L, unicode.Nl, unicode.Other_Alphabetic) }
	graph := func() runeSet {
		return tables(unicode.White_Space, unicode.Cc, unicode.Cs, unicode.Categories["Cn"]).not()
	}
	blank := func() runeSet { return tables(unicode.Zs).union(setOf(span{'\t', '\t'})) }
	switch name {
	case "ALPHABETIC":
		return alphabetic(), true
	case "LETTER":
		return tables(unicode.L), true
	case "IDEOGRAPHIC":
		return tables(unicode.Ideographic), true
	case "LOWERCASE":
		return tables(unicode.Ll, unicode.Other_Lowercase), true
	case "UPPERCASE":
		return tables(unicode.Lu, unicode.Other_Uppercase), true
	case "TITLECASE":
		return tables(unicode.Lt), true
	case "WHITE_SPACE", "WHITESPACE":
		return tables(unicode.White_Space), true
	case "CONTROL":
		return tables(unicode.Cc), true
	case "PUNCTUATION":
		return tables(unicode.P), true
	case "HEX_DIGIT", "HEXDIGIT":
		return tables(unicode.Nd, unicode.Hex_Digit), true
	case "ASSIGNED":
		return tables(unicode.Categories["Cn"]).not(), true
	case "NONCHARACTER_CODE_POINT", "NONCHARACTERCODEPOINT":
		return tables(unicode.Noncharacter_Code_Point), true
	case "DIGIT":
		return tables(unicode.Nd), true
	case "ALNUM":
		return alphabetic().union(tables(unicode.Nd)), true
	case "BLANK":
		return blank(), true
	case "GRAPH":
		return graph(), true
	case "PRINT":
		return graph().union(blank()).and(tables(unicode.Cc).not()), true
	case "JOIN_CONTROL", "JOINCONTROL":
		return tables(unicode.Join_Control), true
	case "WORD":
		return alphabetic().union(tables(unicode.M, unicode.Nd, unicode.Pc, unicode.Join_Control)), true
	}
	return nil, false
}

// characterMethod are the classes named after methods of Java's Character:
// javaLowerCase is Character.isLowerCase.
func characterMethod(name string) (runeSet, bool) {
	ignorable := func() runeSet {
		return tables(unicode.Cf).union(setOf(span{0, 8}, span{0xe, 0x1b}, span{0x7f, 0x9f}))
	}
	switch name {
	case "LowerCase", "UpperCase", "TitleCase", "Alphabetic", "Ideographic", "Digit", "Letter":
		return binaryProperty(strings.ToUpper(name))
	case "Defined":
		return binaryProperty("ASSIGNED")
	case "LetterOrDigit":
		return tables(unicode.L, unicode.Nd), true
	case "JavaIdentifierStart":
		return tables(unicode.L, unicode.Nl, unicode.Sc, unicode.Pc), true
	case "JavaIdentifierPart":
		return tables(unicode.L, unicode.Nl, unicode.Sc, unicode.Pc, unicode.Nd, unicode.Mc, unicode.Mn).union(ignorable()), true
	case "UnicodeIdentifierStart":
		return tables(unicode.L, unicode.Nl, unicode.Other_ID_Start), true
	case "UnicodeIdentifierPart":
		return tables(unicode.L, unicode.Nl, unicode.Other_ID_Start, unicode.Pc, unicode.Nd, unicode.Mc, unicode.Mn,
			unicode.Other_ID_Continue).union(ignorable()), true
	case "IdentifierIgnorable":
		return ignorable(), true
	case "SpaceChar":
		return tables(unicode.Z), true
	case "Whitespace":
		fixed := setOf(span{0xa0, 0xa0}, span{0x2007, 0x2007}, span{0x202f, 0x202f})
		return tables(unicode.Z).and(fixed.not()).union(setOf(span{9, 0xd}, span{0x1c, 0x1f})), true
	case "ISOControl":
		return tables(unicode.Cc), true
	}
	return nil, false
}

// anyCase gives the class that stands for this one where case does not count.
func anyCase(name string) string {
	switch name {
	case "Lu", "Ll", "Lt":
		return "LC"
	case "Lower", "Upper":
		return "Alpha"
	}
	return name
}

// cased tells the properties that stand for each other where case does not
// count: lower, upper and title case.
func cased(name string) bool {
	switch strings.ToUpper(name) {
	case "LOWERCASE", "UPPERCASE", "TITLECASE":
		return true
	}
	return false
}

func allCases() runeSet {
	return tables(unicode.LC, unicode.Other_Lowercase, unicode.Other_Uppercase)
}

// category is a general category or one of the classes that Java names as such.
func category(name string, fl flags) (runeSet, bool) {
	if method, ok := strings.CutPrefix(name, "java"); ok {
		if fl.i && cased(method) {
			return allCases(), true
		}
		return characterMethod(method)
	}
	if fl.i {
		name = anyCase(name)
	}
	if s, ok := posix(name); ok {
		return s, true
	}
	switch name {
	case "LD":
		return tables(unicode.L, unicode.Nd), true
	case "L1":
		return setOf(span{0, 0xff}), true
	case "all":
		return allSet, true
	}
	if t, ok := unicode.Categories[name]; ok && len(name) <= 2 {
		return tableSet(t), true
	}
	return nil, false
}

// scriptCodes are the four letters of the scripts that patterns name so.
const scriptCodes = "Arab Arabic Armn Armenian Beng Bengali Cyrl Cyrillic Deva Devanagari Ethi Ethiopic Geor Georgian Grek Greek " +
	"Gujr Gujarati Guru Gurmukhi Hang Hangul Hani Han Hebr Hebrew Hira Hiragana Kana Katakana Khmr Khmer Knda Kannada Laoo Lao " +
	"Latn Latin Mlym Malayalam Mong Mongolian Mymr Myanmar Sinh Sinhala Taml Tamil Telu Telugu Thai Thai Tibt Tibetan Zinh Inherited Zyyy Common"

func script(name string) (runeSet, bool) {
	codes := strings.Fields(scriptCodes)
	for i := 0; i < len(codes); i += 2 {
		if strings.EqualFold(codes[i], name) {
			name = codes[i+1]
		}
	}
	for n, t := range unicode.Scripts {
		if strings.EqualFold(n, name) {
			return tableSet(t), true
		}
	}
	return nil, false
}

//go:embed blocks.txt
var blockLines string

// blocks are Unicode's blocks by their names in capitals, without spaces and
// hyphens.
var blocks = sync.OnceValue(func() map[string]span {
	out := map[string]span{}
	for line := range strings.Lines(blockLines) {
		f := strings.Fields(line)
		lo, _ := strconv.ParseInt(f[1], 16, 32)
		hi, _ := strconv.ParseInt(f[2], 16, 32)
		out[f[0]] = span{rune(lo), rune(hi)}
	}
	return out
})

func block(name string) (runeSet, bool) {
	key := strings.ToUpper(strings.NewReplacer(" ", "", "_", "", "-", "").Replace(name))
	if key == "GREEKANDCOPTIC" {
		key = "GREEK"
	}
	s, ok := blocks()[key]
	return setOf(s), ok
}

// property is what \p{name} stands for.
func property(name string, fl flags) (runeSet, bool) {
	if key, value, ok := strings.Cut(name, "="); ok {
		switch strings.ToLower(key) {
		case "sc", "script":
			return script(value)
		case "blk", "block":
			return block(value)
		case "gc", "general_category":
			return category(value, fl)
		}
		return nil, false
	}
	if b, ok := strings.CutPrefix(name, "In"); ok {
		return block(b)
	}
	if p, ok := strings.CutPrefix(name, "Is"); ok {
		if fl.i && cased(p) {
			return allCases(), true
		}
		if s, ok := binaryProperty(strings.ToUpper(p)); ok {
			return s, true
		}
		if s, ok := category(p, fl); ok {
			return s, true
		}
		return script(p)
	}
	if fl.w {
		if fl.i && cased(name+"case") {
			return allCases(), true
		}
		if s, ok := posixUnicode(name); ok {
			return s, true
		}
	}
	return category(name, fl)
}
