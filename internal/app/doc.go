// Package app joins the parts: it opens the data folder, starts the hub, the
// pipelines, the query engine and the doors of one project, and stops them in
// the order fronts, engines, stores. The parts know each other only through
// the small interfaces that they declare; the adapters between them are here.
//
// An App runs once. Nothing in this package is durable by itself.
package app
