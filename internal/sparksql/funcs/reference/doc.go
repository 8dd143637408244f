// Package reference holds what a person wants to know of each function: its
// signatures, what it does, and an example. A text file a family lies beside
// the code:
//
//	# Title of the family
//
//	name(arg TYPE[, optional TYPE]) → RESULT
//	  What it does, in one line.
//	  an expression or a SELECT as example
//
// The example's answer is Spark's and stands under the id "fn <name>" in
// internal/query/corpus/testdata/recorded/functions.jsonl, so that it is run
// with the other recorded answers. docs/reference/functions.md is made of all
// of it by `make gen`. Aliases need no entry: the registry names what they
// stand for.
//
// The entries are read once and never change; everything is safe for
// concurrent use.
package reference
