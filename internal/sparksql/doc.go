// Package sparksql is Spark SQL without Spark: text is parsed to an AST
// (ast, parse), analysed to one typed plan (analyze, plan, funcs) and lowered
// to DuckDB SQL (lower). DuckDB never sees a user's text.
//
// This root package holds what all of them share: positions and the error
// that each of them returns. It keeps no state; everything below it is safe
// for concurrent use unless it says otherwise.
package sparksql
