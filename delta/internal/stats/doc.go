// Package stats makes the statistics that Delta keeps of each data file from
// the Arrow batches that go into it, and answers from them which files a
// predicate may match.
//
// Minima are rounded down and maxima up wherever the text form loses
// something: strings are cut at 32 characters and the maximum gets a tie
// breaker, timestamps keep milliseconds. NaN is greater than any number, as in
// Spark.
package stats
