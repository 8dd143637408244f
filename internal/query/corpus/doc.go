// Package corpus compares the engine with what Spark answered. It reads a
// folder of objects, one JSON object per line (a statement, or steps of a
// session, with names, types and rows or an error class), runs each through
// query.Engine against Delta tables made from the folder's own Parquet files,
// and says what differs.
//
// Lab makes the tables and the engine; Load reads the objects; Run runs one;
// Report counts and keeps the failures. The comparison has no leniency but
// what an object asks for: its tolerance for floats, columns to keep, rows to
// leave out, errors of any class. Objects run one by one, each with a time
// limit and under a watch over the memory of the process, for one statement
// may ask for gigabytes. A Lab is for one goroutine.
package corpus
