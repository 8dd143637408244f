package catalog

import (
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Families of errors; they are wrapped with the name.
var (
	ErrNotFound = errors.New("catalog: not found")
	ErrExists   = errors.New("catalog: exists already")
	ErrInvalid  = errors.New("catalog: invalid name")
	// ErrNewer: the database was written by a later version.
	ErrNewer = errors.New("catalog: written by a newer version of Marisma")
)

// Type is what a table is.
type Type string

// The types of tables.
const (
	StreamingTable   Type = "STREAMING_TABLE"
	MaterializedView Type = "MATERIALIZED_VIEW"
	Managed          Type = "MANAGED"
	External         Type = "EXTERNAL" // lies where its property "location" says
	View             Type = "VIEW"
)

// State is where a table is in its life.
type State string

// The states of a table.
const (
	Creating State = "CREATING" // its commit 0 may be missing
	Active   State = "ACTIVE"
)

// Table is a table or a view.
type Table struct {
	ID                    string // UUID, also the name of its folder
	Catalog, Schema, Name string
	Type                  Type
	State                 State
	Owner, Comment        string
	Columns               []Column
	Properties            map[string]string
	// ViewText is a view's query; names in it resolve in ViewCatalog.ViewSchema.
	ViewText, ViewCatalog, ViewSchema string
	// ViewColumns are the names that the query's columns had when the view was
	// made; ViewMode is what happens when they change.
	ViewColumns      []string
	ViewMode         string
	Created, Updated time.Time
}

// FullName is catalog.schema.name.
func (t Table) FullName() string { return t.Catalog + "." + t.Schema + "." + t.Name }

// Column is a column of a table; its position is its index.
type Column struct {
	Name     string
	Type     string // Spark's simpleString
	Nullable bool
	Comment  string
}

// Schema is a schema of a catalog. Location is "" for the place that the
// catalog itself chooses.
type Schema struct {
	Catalog, Name  string
	Owner, Comment string
	Properties     map[string]string
	Location       string
	Created        time.Time
}

// Function is an SQL function; Definition is the caller's text of it.
type Function struct {
	Catalog, Schema, Name string
	Owner, Comment        string
	Definition            string
	Created               time.Time
}

// FullName is catalog.schema.name.
func (f Function) FullName() string { return f.Catalog + "." + f.Schema + "." + f.Name }

// Info describes a catalog.
type Info struct {
	Name, Owner, Comment string
	Created              time.Time
}

// fold checks a name and gives it in lower case.
func fold(names ...*string) error {
	for _, n := range names {
		*n = strings.ToLower(*n)
		if *n == "" || len(*n) > 255 || strings.ContainsAny(*n, "./ ") || strings.ContainsFunc(*n, unicode.IsControl) {
			return fmt.Errorf("%w %q: it needs 1 to 255 characters without dot, slash, space and control characters", ErrInvalid, *n)
		}
	}
	return nil
}
