package delta

import "github.com/marisma/marisma/objstore"

// Store is where the table lies.
func (t *Table) Store() objstore.Store { return t.store }

// Store is where the snapshot's table lies; Locate's keys are its.
func (s *Snapshot) Store() objstore.Store { return s.table.store }

// Table is the table whose snapshot it is.
func (s *Snapshot) Table() *Table { return s.table }
