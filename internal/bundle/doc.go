// Package bundle reads a project folder: databricks.yml with its includes, the
// overlay of a target and the variables, as Databricks reads it; marisma.yml,
// which is Marisma's own; and the texts of the pipelines' SQL files. All that
// is wrong with a project is told at once, each thing with file, line, column
// and what was expected. What Databricks knows and this version does not run
// is a warning. Init writes a small project that runs as it is.
//
// It reads files and keeps nothing.
package bundle
