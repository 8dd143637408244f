// Sparkfuzz asks real Spark and this engine the same random statements and
// says where they differ: in values, types, names or the class of an error.
//
//	sparkfuzz -seed 7 -exprs 10000 -queries 1000
//
// Which error a statement reports is not defined where several rows have
// different ones: such a statement is asked again, one row at a time. Spark
// interprets the statements, which is faster for thousands of small ones; those
// that differ are asked again in other ways, and count as equal if an answer is.
//
// The statements come from package gen, Spark's answers from
// interop/spark_record in one process, the comparison is that of package
// corpus. What differs is made smaller, as long as it differs in the same way,
// and written to the folder -out: differences.txt for people, sorted by how
// many statements share a shape, and differences.jsonl, whose lines can go
// into testdata/recorded. The last line is `N equal, M different`.
package main
