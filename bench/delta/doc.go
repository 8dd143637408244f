// Command delta runs the library's work beside deltalake (delta-rs, Python):
// the same task on copies of the same table, each time in a process of its
// own, the two sides in turn. It prints medians of wall time, CPU time and the
// processes' peak memory, and the ratios beside their targets.
package main
