// Package logfile names and lists the files of a table's _delta_log folder.
package logfile
