package plan

import (
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
)

// FileTable says what a table is that is a folder of files. Its partition
// columns are its last ones, and stand in the names of its folders.
type FileTable struct {
	Format      string            // csv, json, parquet or text
	Options     map[string]string // as written
	PartitionBy []string
	// Columns has one entry for each of the table's columns.
	Columns []ColumnRule
	// Query reads the table's rows from Raw, whose name in it is RawFiles, where
	// the files are text; "" for Parquet.
	Query string
	Raw   *Source
}

// RawFiles names the lines of a table's files in FileTable.Query.
const RawFiles = "marisma files"

// Option is an option by its name in any case, "" without.
func (f *FileTable) Option(name string) string {
	for k, v := range f.Options {
		if strings.EqualFold(k, name) {
			return v
		}
	}
	return ""
}

// Partition is ALTER TABLE ... ADD | DROP | RENAME PARTITION, MSCK REPAIR TABLE
// and RECOVER PARTITIONS over a table of files. Specs are the partitions, as
// STRING by column; an action without any changes nothing.
type Partition struct {
	Target *Source
	Action string // "add", "drop", "truncate" or "repair"
	Specs  []map[string]Expr
	// Lenient is IF [NOT] EXISTS.
	Lenient bool
	Pos     sparksql.Pos
}

func (*Partition) isStatement() {}

// ofReaders are the options of CSV, JSON and text that say which files and lines
// are read or how they are written, and not what a line means.
var ofReaders = map[string]bool{
	"charset": true, "compression": true, "encoding": true, "enforceschema": true, "header": true, "ignorecorruptfiles": true, "ignoremissingfiles": true,
	"inferschema": true, "linesep": true, "mergeschema": true, "multiline": true, "path": true, "pathglobfilter": true, "recursivefilelookup": true,
	"samplingratio": true, "wholetext": true,
}

// ParserOption tells whether an option of CSV or JSON files is one of from_csv,
// from_json and their opposites.
func ParserOption(name string) bool { return !ofReaders[strings.ToLower(name)] }
