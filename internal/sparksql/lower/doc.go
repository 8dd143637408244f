// Package lower turns a typed plan into DuckDB 1.5 SQL. The final SELECT
// yields columns c0..cn by position whose types equal DuckType of the plan's.
// Where DuckDB's function differs from Spark's, the text calls a kernel (see
// internal/duck/kernel) that the caller registers from Result.Kernels.
//
// Operations that can raise stand where DuckDB cannot move them ahead of their
// guard: kernels give NULL and the text raises with error() inside a CASE;
// AND, OR and FILTER become CASE where their right side can raise. Spark's
// error class travels in the error text behind the marker "MARISMA:"; what
// DuckDB raises by itself (overflow, native casts) is told by RuntimeError.
//
// Lowering keeps no state and is safe for concurrent use.
package lower
