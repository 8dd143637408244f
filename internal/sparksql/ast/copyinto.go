package ast

// CopyInto is COPY INTO t FROM 'path' FILEFORMAT = ..., a statement of
// Databricks.
type CopyInto struct {
	Stmt
	Target     Target
	Columns    []Ident
	ByPosition bool
	// Items are those of (SELECT ... FROM 'path'), nil for all columns.
	Items    []SelectItem
	Path     string
	PathAt   At
	Format   string // in capitals
	Validate bool
	// Rows is how many rows VALIDATE n ROWS looks at, 0 for all.
	Rows          int64
	Files         []string
	Pattern       string
	FormatOptions []Property
	CopyOptions   []Property
}
