// Package deletion reads and writes deletion vectors: the positions of a data
// file's deleted rows as a 64-bit Roaring bitmap, inline in the log or in a
// file beside the data (PROTOCOL.md, "Deletion Vectors").
package deletion
