// Package variant holds Spark's VARIANT values: what parse_json reads, what
// the casts to and from VARIANT make, how a path finds a part and how a value
// prints. A value travels between kernels as bytes (Encode, Decode): one tag,
// then the content; the objects' keys are sorted. That form is private to a
// running query and may change; nothing durable holds it. Files hold values as
// Parquet's VARIANT (Parquet, FromParquet); Encoded and Stored turn Arrow columns
// of the one form into those of the other.
//
// All functions are pure and safe for concurrent use.
package variant
