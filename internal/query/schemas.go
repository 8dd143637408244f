package query

import (
	"context"
	"errors"
	"maps"
	"strings"

	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/query/dml"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// onePart refuses schema names of more parts than catalog and schema.
func onePart(sess *Session, c *plan.Command) error {
	if len(c.Name) > 2 || len(c.Name) == 2 && c.Verb == "create schema" && !strings.EqualFold(c.Name[0], sess.Catalog) && sess.Catalog == sparkCatalog {
		return fault(c.Pos, "REQUIRES_SINGLE_PART_NAMESPACE", "42K05", "a schema is named by catalog and schema, not "+strings.Join(c.Name, ".")+".", "")
	}
	return nil
}

// sparkCatalog is the name of Spark's own catalog, the only one that it makes
// schemas in; other catalogs come into being with their first schema.
const sparkCatalog = "spark_catalog"

// schema finds the schema that a command names.
func (e *Engine) schema(ctx context.Context, sess *Session, c *plan.Command) (catalog.Schema, error) {
	cat, name := schemaName(sess, c.Name)
	s, err := e.cfg.Catalog.Schema(ctx, cat, name)
	if errors.Is(err, catalog.ErrNotFound) || errors.Is(err, catalog.ErrInvalid) {
		return s, noSchema(c.Pos, cat, name)
	}
	return s, err
}

// prefixed are the arguments behind a prefix.
func prefixed(args map[string]string, prefix string) map[string]string {
	out := map[string]string{}
	for k, v := range args {
		if key, ok := strings.CutPrefix(k, prefix); ok {
			out[key] = v
		}
	}
	return out
}

func (e *Engine) createSchema(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	if err := onePart(sess, c); err != nil {
		return nil, err
	}
	cat, name := schemaName(sess, c.Name)
	if analyze.QuoteOdd(name) != name {
		return nil, fault(c.Pos, "INVALID_SCHEMA_OR_RELATION_NAME", "42602", name+" is no valid name of a schema: it takes letters, digits and _.", "")
	}
	err := e.cfg.Catalog.CreateSchema(ctx, catalog.Schema{
		Catalog: cat, Name: name, Owner: sess.Principal.Name, Comment: c.Args["comment"], Location: c.Args["location"], Properties: prefixed(c.Args, "property."),
	})
	if errors.Is(err, catalog.ErrExists) {
		if c.Args["if not exists"] == "true" {
			return &Result{}, nil
		}
		return nil, fault(c.Pos, "SCHEMA_ALREADY_EXISTS", "42P06", "there is a schema "+name+" already.", "CREATE SCHEMA IF NOT EXISTS takes that.")
	}
	return &Result{}, err
}

func (e *Engine) alterSchema(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	s, err := e.schema(ctx, sess, c)
	if err != nil {
		return nil, err
	}
	maps.Copy(s.Properties, prefixed(c.Args, "property."))
	for k := range prefixed(c.Args, "unset.") {
		delete(s.Properties, k)
	}
	if l, ok := c.Args["location"]; ok {
		s.Location = l
	}
	return &Result{}, e.cfg.Catalog.ChangeSchema(ctx, s)
}

func (e *Engine) commentOnSchema(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	s, err := e.schema(ctx, sess, c)
	if err != nil {
		return nil, err
	}
	s.Comment = c.Args["comment"]
	return &Result{}, e.cfg.Catalog.ChangeSchema(ctx, s)
}

// commentOnTable keeps a comment in the catalog.
func (e *Engine) commentOnTable(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	t, err := e.table(ctx, sess, c)
	if err != nil {
		return nil, err
	}
	if t.Type == catalog.View {
		return nil, fault(c.Pos, "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE", "42809", "COMMENT ON TABLE takes a table, and "+t.FullName()+" is a view.", "")
	}
	text := c.Args["comment"]
	if ofStatements(t) && !ofFiles(t) {
		d, err := e.cfg.Tables.Open(ctx, t)
		if err == nil {
			err = dml.Describe(ctx, d, text)
		}
		if err != nil {
			return nil, err
		}
	}
	if !inCatalog(t) {
		return &Result{}, nil
	}
	return &Result{}, e.cfg.Catalog.SetColumns(ctx, t.ID, t.Columns, text)
}

func (e *Engine) dropSchema(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	cat, name := schemaName(sess, c.Name)
	if strings.EqualFold(name, "default") {
		return nil, fault(c.Pos, "UNSUPPORTED_FEATURE.DROP_DATABASE", "0A000", "the default schema cannot be dropped.", "")
	}
	s, err := e.schema(ctx, sess, c)
	if err != nil {
		if c.Args["if exists"] == "true" {
			return &Result{}, nil
		}
		return nil, err
	}
	cascade := c.Args["cascade"] == "true"
	if cascade {
		if err := e.onlyViews(ctx, c, s); err != nil {
			return nil, err
		}
	}
	ids, err := e.cfg.Catalog.DropSchema(ctx, cat, name, cascade)
	if errors.Is(err, catalog.ErrNotEmpty) {
		return nil, fault(c.Pos, "SCHEMA_NOT_EMPTY", "2BP01", "the schema "+s.Name+" holds tables, views or functions.", "DROP SCHEMA ... CASCADE drops them too.")
	}
	for _, id := range ids {
		e.erase(catalog.Table{ID: id, Catalog: s.Catalog, Schema: s.Name, Name: id})
	}
	return &Result{}, err
}

// onlyViews refuses to drop a schema with the tables of pipelines.
func (e *Engine) onlyViews(ctx context.Context, c *plan.Command, s catalog.Schema) error {
	all, err := e.cfg.Catalog.Tables(ctx, s.Catalog, s.Name)
	if err != nil {
		return err
	}
	for _, t := range all {
		if t.Type == catalog.StreamingTable || t.Type == catalog.MaterializedView {
			return fault(c.Pos, "SCHEMA_NOT_EMPTY", "2BP01", t.FullName()+" belongs to a pipeline.", "Take it out of the pipeline first.")
		}
	}
	return nil
}

// use is USE [SCHEMA] name: a schema of the current catalog, or
// catalog.schema, or a catalog.
func (e *Engine) use(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	cat, schema := schemaName(sess, c.Name)
	_, err := e.cfg.Catalog.Schema(ctx, cat, schema)
	if err == nil {
		sess.Catalog, sess.Schema = cat, schema
		return &Result{}, nil
	}
	if !errors.Is(err, catalog.ErrNotFound) && !errors.Is(err, catalog.ErrInvalid) {
		return nil, err
	}
	if len(c.Name) == 1 {
		if strings.EqualFold(c.Name[0], sess.Catalog) {
			return &Result{}, nil
		}
		if ok, err := e.catalogExists(ctx, c.Name[0]); ok || err != nil {
			if err == nil {
				sess.Catalog, sess.Schema = c.Name[0], "default"
			}
			return &Result{}, err
		}
	}
	return nil, noSchema(c.Pos, cat, schema)
}

func (e *Engine) catalogExists(ctx context.Context, name string) (bool, error) {
	all, err := e.cfg.Catalog.Schemas(ctx, name)
	return len(all) > 0, err
}

func (e *Engine) setCatalog(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	ok, err := e.catalogExists(ctx, c.Name[0])
	if err != nil {
		return nil, err
	}
	if !ok || len(c.Name) > 1 {
		return nil, noCatalog(c)
	}
	if !strings.EqualFold(sess.Catalog, c.Name[0]) {
		sess.Catalog, sess.Schema = c.Name[0], "default"
	}
	return &Result{}, nil
}
