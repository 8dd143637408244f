// Package page makes docs/reference/functions.md of the registry, of the
// entries of package reference and of Spark's recorded answers. gen is the
// program that `make gen` runs.
package page

//go:generate go run ./gen ../../../../../docs/reference/functions.md ../../../../query/corpus/testdata/recorded/functions.jsonl
