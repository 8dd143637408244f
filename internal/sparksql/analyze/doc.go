// Package analyze turns syntax trees into the typed plan: it resolves names,
// expands stars, views and common table expressions, works out types through
// package funcs, makes implicit casts explicit and names the output columns as
// Spark names them.
//
// What stands behind a table's name comes from a Resolver. Errors are
// *sparksql.Error with Spark's class, SQLSTATE and place, and the nearest name
// as hint. An analysis keeps no state beyond its call; everything here is safe
// for concurrent use as far as the Resolver is.
package analyze
