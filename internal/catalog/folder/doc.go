// Package folder owns a data folder: one process at a time holds its lock, and
// a stamp tells which format it has. The stamp is durable before anything else
// is written; a crash loses nothing of it, and the lock goes with the process.
//
//	lock           locked by the owner, holds its process id
//	marisma.json   format, id and date of the folder
package folder
