// Package filetable keeps tables that are folders of files: no log says which
// files are a table's, its folder does.
//
// A write puts its files below a hidden folder of the table first. A change
// file, which is put in one step, then says which of them come to stand in the
// table and which files go; only after that the files are moved and deleted. So
// a statement happens as a whole: a crash before the change file leaves nothing
// but hidden files, and one after it is finished by whoever lists the table
// next. Within one process a listing and the carrying out of a change exclude
// each other, and files that a reader still holds are deleted when the last
// reader of that time is done. Other programs that read the folder see whole
// files only, but may see some of a change before the rest of it.
//
// Names of files and folders that begin with _ or . are hidden, as they are to
// Spark. All of it is safe for concurrent use.
package filetable
