// Package gen makes random statements for comparing two engines: typed
// expressions over every function of the registry, and queries over a few
// small tables (testdata/recorded/setup.sql of package corpus).
//
// The types that a function takes are not written down here: they are found
// by asking the registry (funcs.Def.Resolve) with columns of each type. Only
// what types do not tell stands in tables: arguments that are words (formats,
// units, paths), sizes that must stay small, and functions that have no single
// answer.
//
// The same seed and number make the same statement. A Generator is read-only
// after New and safe for concurrent use.
package gen
