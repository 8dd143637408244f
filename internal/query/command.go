package query

import (
	"context"
	"errors"
	"io"
	"regexp"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// textRows is a small result made here, of values as CAST to STRING writes
// them; nil is NULL.
type textRows struct {
	cols []Column
	rows [][]*string
	// typed gives numbers, booleans and times in their own types, which a
	// client that shows text does not want.
	typed bool
	done  bool
}

// typedColumn tells of those whose values are more than text to a client.
func typedColumn(t types.Type) bool {
	switch t {
	case types.Boolean, types.TinyInt, types.SmallInt, types.Int, types.BigInt, types.Float, types.Double, types.Date, types.Timestamp, types.TimestampNTZ:
		return true
	}
	return false
}

// Next gives all rows at once.
func (t *textRows) Next(context.Context) (arrow.RecordBatch, error) {
	if t.done {
		return nil, io.EOF
	}
	t.done = true
	fields := make([]arrow.Field, len(t.cols))
	for i, c := range t.cols {
		fields[i] = arrow.Field{Name: c.Name, Type: arrow.BinaryTypes.String, Nullable: true}
		if t.typed && typedColumn(c.Type) {
			at, err := types.ToArrow(c.Type)
			if err != nil {
				return nil, err
			}
			fields[i].Type = at
		}
	}
	b := array.NewRecordBuilder(memory.DefaultAllocator, arrow.NewSchema(fields, nil))
	defer b.Release()
	for _, r := range t.rows {
		for i, v := range r {
			f := b.Field(i)
			if v == nil {
				f.AppendNull()
			} else if err := f.AppendValueFromString(*v); err != nil {
				return nil, err
			}
		}
	}
	return b.NewRecordBatch(), nil
}

// Close has nothing to free.
func (t *textRows) Close() {}

func textResult(names []string, rows [][]string) *Result {
	t := &textRows{}
	for _, n := range names {
		t.cols = append(t.cols, Column{n, types.String, true})
	}
	for _, r := range rows {
		vals := make([]*string, len(r))
		for i := range r {
			vals[i] = &r[i]
		}
		t.rows = append(t.rows, vals)
	}
	return &Result{Columns: t.cols, rows: t}
}

// command runs a statement that has no plan.
func (e *Engine) command(ctx context.Context, sess *Session, c *plan.Command, text bool) (*Result, error) {
	if f := commands[c.Verb]; f != nil {
		res, err := f(e, ctx, sess, c)
		if err == nil && res.rows != nil {
			if rows, ok := res.rows.(*textRows); ok {
				rows.typed = !text
			}
		}
		return asText(res, err, text)
	}
	return nil, fault(c.Pos, "UNSUPPORTED_FEATURE.COMMAND", "0A000", strings.ToUpper(c.Verb)+" is not run by this version.", "")
}

// commands run the statements that have no plan, by verb.
var commands = map[string]func(*Engine, context.Context, *Session, *plan.Command) (*Result, error){
	"alter schema":        (*Engine).alterSchema,
	"analyze table":       (*Engine).upkeep,
	"analyze tables":      (*Engine).upkeep,
	"cache table":         (*Engine).cacheTable,
	"clear cache":         (*Engine).nothing,
	"comment on schema":   (*Engine).commentOnSchema,
	"comment on table":    (*Engine).commentOnTable,
	"convert to delta":    (*Engine).convert,
	"create index":        (*Engine).index,
	"create schema":       (*Engine).createSchema,
	"describe catalog":    (*Engine).describeCatalog,
	"describe detail":     (*Engine).detail,
	"describe function":   (*Engine).describeFunction,
	"describe history":    (*Engine).history,
	"describe query":      (*Engine).describeQuery,
	"describe schema":     (*Engine).describeSchema,
	"describe table":      (*Engine).describe,
	"drop function":       (*Engine).dropFunction,
	"drop index":          (*Engine).index,
	"drop schema":         (*Engine).dropSchema,
	"drop view":           (*Engine).dropView,
	"generate":            (*Engine).generate,
	"refresh function":    (*Engine).refreshFunction,
	"refresh path":        (*Engine).nothing,
	"refresh table":       (*Engine).upkeep,
	"reset":               (*Engine).reset,
	"set":                 (*Engine).setting,
	"set catalog":         (*Engine).setCatalog,
	"set time zone":       (*Engine).setTimeZone,
	"show catalogs":       (*Engine).showCatalogs,
	"show collations":     (*Engine).showCollations,
	"show columns":        (*Engine).showColumns,
	"show create table":   (*Engine).showCreate,
	"show current schema": (*Engine).showCurrent,
	"show functions":      (*Engine).showFunctions,
	"show partitions":     (*Engine).showPartitions,
	"show schemas":        (*Engine).showSchemas,
	"show table extended": (*Engine).showExtended,
	"show tables":         (*Engine).showTables,
	"show tblproperties":  (*Engine).showProperties,
	"show views":          (*Engine).showTables,
	"uncache table":       (*Engine).upkeep,
	"use":                 (*Engine).use,
	"use schema":          (*Engine).use,
}

func schemaName(sess *Session, name []string) (cat, schema string) {
	switch len(name) {
	case 0:
		return sess.Catalog, sess.Schema
	case 1:
		return sess.Catalog, name[0]
	}
	return name[0], strings.Join(name[1:], ".")
}

// table finds the table or view of the catalog that a command names.
func (e *Engine) table(ctx context.Context, sess *Session, c *plan.Command) (catalog.Table, error) {
	r := NewResolver(e.cfg.Catalog, e.cfg.Tables, sess.Catalog, sess.Schema)
	cat, schema, name, ok := r.full(c.Name)
	if ok && strings.EqualFold(schema, "delta") && isPath(name) {
		t, d, err := r.byPath(ctx, name)
		if err == nil && !inCatalog(t) {
			t.Columns, err = columnsIn(ctx, d)
		}
		switch {
		case (errors.Is(err, delta.ErrNotATable) || sparksql.ClassOf(err) == "PATH_NOT_FOUND") && c.Verb == "describe history":
			return t, fault(c.Pos, "DELTA_TABLE_ONLY_OPERATION", "0AKDD", "there is no Delta table at "+name+".", "Paths may lie in: "+e.cfg.Tables.rootNames()+".")
		case errors.Is(err, delta.ErrNotATable) || sparksql.ClassOf(err) == "PATH_NOT_FOUND":
			return t, fault(c.Pos, "DELTA_MISSING_DELTA_TABLE", "42P01", "there is no Delta table at "+name+".", "Paths may lie in: "+e.cfg.Tables.rootNames()+".")
		}
		return t, err
	}
	if !ok {
		return catalog.Table{}, fault(c.Pos, "REQUIRES_SINGLE_PART_NAMESPACE", "42K05", "a table is named by catalog, schema and name, not "+strings.Join(c.Name, ".")+".", "")
	}
	t, err := e.cfg.Catalog.Table(ctx, cat, schema, name)
	if err == nil && t.Type == catalog.External && !ofFiles(t) { // others may have changed it
		d, err := e.cfg.Tables.Open(ctx, t)
		if err == nil {
			t.Columns, err = columnsIn(ctx, d)
		}
		return t, err
	}
	return t, notFound(c, err)
}

func notFound(c *plan.Command, err error) error {
	if !errors.Is(err, catalog.ErrNotFound) && !errors.Is(err, catalog.ErrInvalid) {
		return err
	}
	return fault(c.Pos, "TABLE_OR_VIEW_NOT_FOUND", "42P01", err.Error()+".", "`SHOW TABLES` lists what there is.")
}

// temporaryNamed finds the temporary view that a command names, nil where the
// name is another object's.
func (e *Engine) temporaryNamed(sess *Session, name []string) *analyze.View {
	if n := temporary(name); n != "" {
		if v := sess.state.View(n); v != nil {
			return v
		}
	}
	if len(name) == 2 {
		return e.globals.find(name[0], name[1])
	}
	return nil
}

// like matches the patterns of SHOW as Spark does: * is any text, | separates
// alternatives, the rest is a regular expression over the whole name. Case
// does not count, and an empty pattern matches all.
func like(pattern, name string) bool {
	if pattern == "" {
		return true
	}
	for alt := range strings.SplitSeq(pattern, "|") {
		re, err := regexp.Compile("(?i)^(?:" + strings.ReplaceAll(alt, "*", ".*") + ")$")
		if err == nil && re.MatchString(name) {
			return true
		}
	}
	return false
}
