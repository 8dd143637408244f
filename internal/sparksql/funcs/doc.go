// Package funcs is the registry of functions and operators: their arity, the
// types and nullability of their results, the casts that Spark would insert,
// constant arguments worked out, and the text that Spark prints for an
// expression without alias. It makes typed expressions (plan.Expr); package
// lower says how each of them runs.
//
// Operators are entries too, by their sign: "+", "-", "*", "/", "div", "%",
// "u-", "u+", "&", "|", "^", "~", "<<", ">>", ">>>", "=", "<=>", "<>", "<",
// "<=", ">", ">=", "and", "or", "not", "is null", "is not null", "is true",
// "is false", "in", "between", "like", "ilike", "rlike", "like any",
// "like all", "||", "[]".
//
// The registry is read-only after it is built at first use; everything here
// is safe for concurrent use. Every error is a *sparksql.Error.
package funcs
