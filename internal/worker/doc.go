// Package worker runs ad-hoc SQL in processes of its own: the same binary,
// started as `marisma worker`, with a memory limit and the explicit list of
// files that its statement may read. A query that dies takes no reading with
// it, and a cancelled one is ended by ending its process.
//
// Requests and results travel over the worker's standard input and output as
// frames: one byte of kind, four bytes of length (big endian), the payload. A
// result is an Arrow IPC stream cut into frames, then one frame that says
// done or what went wrong. A worker serves one statement at a time.
//
// A Pool is safe for concurrent use; a Rows is for one goroutine. Nothing here
// is durable.
package worker
