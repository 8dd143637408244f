// Package api is the shape of Marisma's own HTTP API under /api/v1: the types
// that the server (package web) writes and that the command line and the page
// read, and the client of the command line. Times are RFC 3339 in UTC,
// durations are seconds as numbers, names are full names (catalog.schema.table).
package api
