// Package schema turns a Delta table's schema text, which is Spark's JSON, into
// an Arrow schema and back, keeping names, order, nullability and comments.
package schema
