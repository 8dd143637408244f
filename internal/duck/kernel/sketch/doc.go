// Package sketch has the summaries that Spark's sketch functions keep, in the
// bytes that Spark gives and takes: HLL, Theta, Tuple, KLL and frequent items
// in the forms of Apache DataSketches, count-min in Spark's own, and the
// registers behind approx_count_distinct.
//
// A sketch is a value of one goroutine. Its size is bounded by its parameters,
// not by what was added. Bytes from outside are checked before they are used:
// what is no sketch is an error of the family ErrFormat, never a panic, and no
// length in it makes more memory than the bytes themselves warrant.
//
// Formats and constants come from Apache DataSketches (datasketches-java), the
// tables' sources stand in tables/.
package sketch
