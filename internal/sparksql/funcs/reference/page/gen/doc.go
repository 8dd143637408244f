// Command gen writes docs/reference/functions.md (its first argument) and adds
// to the recorded cases (its second) the examples that have none yet, without
// an answer: `make spark-record` asks Spark for it.
package main
