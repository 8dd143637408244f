// Package checkpoint writes and reads classic (V1) checkpoints: one Parquet
// file, or several parts, with an action in each row. Both ways stream; memory
// is a row group, whatever the number of files in the table.
package checkpoint
