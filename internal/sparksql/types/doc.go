// Package types holds Spark's data types with precision, scale and
// nullability of elements, their texts (simpleString, DDL, Delta's JSON is
// delta's own) and the mapping to Arrow that the whole project keeps:
//
//	BOOLEAN bool, TINYINT int8, SMALLINT int16, INT int32, BIGINT int64,
//	FLOAT float32, DOUBLE float64, DECIMAL(p,s) decimal128, STRING utf8,
//	BINARY binary, DATE date32, TIMESTAMP timestamp[us, UTC],
//	TIMESTAMP_NTZ timestamp[us], ARRAY list, MAP map, STRUCT struct,
//	INTERVAL YEAR TO MONTH int32 (months), INTERVAL DAY TO SECOND int64
//	(microseconds), VOID null.
//
// Values are immutable and safe for concurrent use.
package types
