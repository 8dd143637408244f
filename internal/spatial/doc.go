// Package spatial reads and writes geometries as well-known binary (WKB, of
// ISO 13249-3, with Z, M and ZM by the thousands of the type) and knows the
// numbers of spatial reference systems, both as Spark 4.2 has them.
//
// All functions are safe for concurrent use.
package spatial
