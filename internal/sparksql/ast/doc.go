// Package ast holds the syntax tree of Spark SQL's query language and of the
// statements of Lakeflow pipelines, as written: names unresolved, positions
// kept. parse builds it and analyze reads it; nothing changes a tree after it
// is built, so trees are safe for concurrent use.
//
// Forms with a grammar of their own that mean a function call (EXTRACT, TRIM
// BOTH, POSITION, TIMESTAMPDIFF, ...) are Calls with the arguments in the
// function's order.
package ast
