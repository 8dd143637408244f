package vfs

import (
	"io"
	"io/fs"
)

// FS is a file system. Names are slash-separated and relative to the root
// that the FS was made with, which "." names; absolute names and names that
// leave the root are fs.ErrInvalid. Errors wrap io/fs' sentinels (fs.ErrNotExist,
// fs.ErrExist) and carry the name.
type FS interface {
	// Open opens a file for reading.
	Open(name string) (File, error)
	// Create makes a file or empties the one that is there, for reading and writing.
	Create(name string) (File, error)
	// CreateNew makes a file; fs.ErrExist where there is one.
	CreateNew(name string) (File, error)
	// OpenRW opens a file for reading and writing, making it if need be; it keeps its content.
	OpenRW(name string) (File, error)
	// Remove removes a file or an empty folder.
	Remove(name string) error
	// RemoveAll removes a folder with all below; no error where there is none.
	RemoveAll(name string) error
	// Rename replaces newName atomically.
	Rename(oldName, newName string) error
	// Link gives a file a second name; fs.ErrExist where newName is taken.
	Link(oldName, newName string) error
	// MkdirAll makes a folder and its parents; they are durable when it returns.
	MkdirAll(name string) error
	// ReadDir lists a folder ordered by name.
	ReadDir(name string) ([]fs.DirEntry, error)
	// Stat describes a file.
	Stat(name string) (fs.FileInfo, error)
	// SyncDir makes a folder's names durable: those made, renamed and removed.
	SyncDir(name string) error
	// Path is the operating system's path of name, "" where there is none (Mem).
	Path(name string) string
}

// File is an open file.
type File interface {
	io.Reader
	io.ReaderAt
	io.Writer
	io.WriterAt
	io.Closer
	// Size is the length in bytes.
	Size() (int64, error)
	// Truncate sets the length.
	Truncate(size int64) error
	// Preallocate makes room for size bytes from the start without changing
	// what reads see before the current length; the length becomes at least
	// size. A full disk shows here as syscall.ENOSPC.
	Preallocate(size int64) error
	// Sync makes the data and length durable (fdatasync).
	Sync() error
}
