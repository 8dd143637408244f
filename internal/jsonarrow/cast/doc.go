// Package cast has Spark's conversions between text and values: what CAST,
// from_json, to_json, date_format and to_timestamp do, on bytes and without
// allocation where a result allows it. A conversion that fails says so with a
// false; which error that becomes is the caller's matter.
//
// Timestamps are microseconds since 1970-01-01 UTC, dates days since then.
package cast

import _ "time/tzdata" // zones must be known on machines without a zone database
