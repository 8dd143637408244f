// Package format prints Spark SQL again in one stable layout: clauses on lines
// of their own, lists on one line where they are short and one item a line
// where not, keywords in capitals, two spaces of indentation.
//
// The syntax tree says what stands where, the tokens of the source say how it
// was written: names, literals and the choice between two spellings stay, and
// so do all comments, parentheses and ${parameters}. Only white space, the
// case of keywords, AS before aliases and the last semicolon are changed. A
// statement whose tokens are not what its tree says, since the parser passes
// over some of them, is left exactly as it is; so formatting is always safe to
// apply, and applying it twice changes nothing.
//
// All functions are pure and safe for concurrent use.
package format
