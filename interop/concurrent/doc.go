// Command concurrent writes to one Delta table beside other processes, and
// counts what became of it:
//
//	concurrent make ADDRESS
//	concurrent write ADDRESS -first 0 -writers 6 -commits 8 [-merges 8] [-optimize]
//	concurrent count ADDRESS
//
// Each writer appends rows of its own; a process that merges counts up the rows
// of a writer called "merged" in each round; one that optimizes compacts the
// table until its writers are done. write and count print one JSON object.
package main
