// Command commits drives five tables with many small commits as fast as
// possible, with the upkeep that a pipeline does beside them, and prints what
// stays bounded: live files, files of the log, the time to open a snapshot,
// memory. It stands for a table that is committed to every second for a day.
package main
