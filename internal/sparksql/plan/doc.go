// Package plan is the one typed plan that every dialect is analysed into:
// names resolved to attributes, Spark types with precision and nullability,
// implicit casts explicit, operations that can raise marked. analyze builds
// it, query applies security to it, lower prints it for DuckDB and lineage is
// read off it.
//
// Nodes and expressions are built once and never changed afterwards, so they
// are safe for concurrent use; a rewrite makes new ones.
package plan
