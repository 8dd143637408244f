// Package vfs is the small file system that everything durable writes through:
// OS is the machine's, Mem keeps files in memory and can cut the power at any
// write and fail any operation, so that tests see what a crash leaves behind.
//
// What a crash can lose: bytes written but not Synced, and names made, renamed
// or removed whose folder was not SyncDir'ed. Mem models exactly that. An FS
// is safe for concurrent use; a File is safe for concurrent ReadAt, other
// calls need the caller's order.
package vfs
