// Package script walks the control flow of SQL scripts: compound statements,
// conditions, loops, jumps and handlers. What is no control flow it gives to a
// Runner, which keeps the variables and the result: the interpreter itself
// knows neither SQL values nor the engine, and holds no state but the walk's.
//
// A script ends with its context; nothing else bounds a loop. Run is for one
// goroutine.
package script
