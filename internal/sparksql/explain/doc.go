// Package explain prints typed plans as trees in the manner of Spark's
// EXPLAIN: one operator a line with its expressions, inputs indented below,
// attributes numbered in the order in which they come up, so that the same
// statement always prints the same text.
//
// All functions are pure and safe for concurrent use.
package explain
