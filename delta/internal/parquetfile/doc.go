// Package parquetfile writes and reads the Parquet files of a table's data.
package parquetfile
