// Command crash kills a loaded server with SIGKILL at random moments, many
// times, some of them while it recovers, and then has every reading counted
// by check.py, a program of its own that reads the tables with another reader.
//
// Devices send bodies that no other message has and note, in sent.jsonl, how
// often each was sent and whether it was acknowledged. The exit code is 0 only
// if the checker finds nothing lost and nothing doubled.
package main
