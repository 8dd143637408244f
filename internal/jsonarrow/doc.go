// Package jsonarrow reads JSON documents straight into Arrow columns, directed
// by a schema, with the rules and the answers of Spark's from_json.
//
// No value tree is built: a scanner walks the bytes once, hands each value to
// the column of its field, and skips what the schema does not name. A document
// that turns out malformed halfway is taken back: columns can be cut to a row.
//
// A Parser is for one goroutine. Documents are read only during Append.
package jsonarrow
