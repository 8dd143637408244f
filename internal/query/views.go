package query

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"
	"sync"

	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/lineage"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// globalSchema is the schema of global temporary views.
const globalSchema = "global_temp"

// globals are the temporary views of all sessions of an engine. It is safe for
// concurrent use.
type globals struct {
	mu    sync.Mutex
	views map[string]*analyze.View // by lower-case name
}

// find gives the view name where schema is the one of global views, else nil.
func (g *globals) find(schema, name string) *analyze.View {
	if g == nil || !strings.EqualFold(schema, globalSchema) {
		return nil
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.views[strings.ToLower(name)]
}

// put keeps a view; old tells whether there was one, which stays unless
// replace is set. full tells that there are too many.
func (g *globals) put(name string, v *analyze.View, replace bool) (old, full bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, old = g.views[strings.ToLower(name)]
	if !old && len(g.views) >= maxViews {
		return false, true
	}
	if !old || replace {
		put(&g.views, name, v)
	}
	return old, false
}

// drop forgets a view and tells whether there was one.
func (g *globals) drop(name string) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	_, ok := g.views[strings.ToLower(name)]
	delete(g.views, strings.ToLower(name))
	return ok
}

// list gives all views by name.
func (g *globals) list() map[string]*analyze.View {
	g.mu.Lock()
	defer g.mu.Unlock()
	return maps.Clone(g.views)
}

// storedView is a catalog's view as the analyzer reads it. Views of earlier
// versions hold no names of the query's columns: theirs stand in the text.
func storedView(t catalog.Table) (*analyze.View, error) {
	v := &analyze.View{Text: t.ViewText, Name: []string{t.Catalog, t.Schema, t.Name}, CatalogName: t.ViewCatalog, Schema: t.ViewSchema, Mode: t.ViewMode, Query: t.ViewColumns}
	if len(t.ViewColumns) != len(t.Columns) {
		return v, nil
	}
	for _, c := range t.Columns {
		typ, err := parse.DataType(c.Type)
		if err != nil {
			return nil, fmt.Errorf("view %s: column %s: %w", t.FullName(), c.Name, err)
		}
		v.Columns = append(v.Columns, types.Field{Name: c.Name, Type: typ, Nullable: c.Nullable, Comment: c.Comment})
	}
	return v, nil
}

// createView keeps a view: in the catalog, in the session, or for all.
func (e *Engine) createView(ctx context.Context, sess *Session, v *plan.CreateView) (*Result, error) {
	if v.Temporary {
		return &Result{}, e.temporaryView(sess, v)
	}
	r := NewResolver(e.cfg.Catalog, e.cfg.Tables, sess.Catalog, sess.Schema)
	cat, schema, name, ok := r.full(v.Name)
	if !ok {
		return nil, errors.New("query: CREATE VIEW without a name")
	}
	t := viewTable(sess, v)
	t.Catalog, t.Schema, t.Name = cat, schema, name
	there := fault(v.Pos, "TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", t.FullName()+" is there already.", "Use CREATE OR REPLACE VIEW, or another name.")
	old, err := e.cfg.Catalog.Table(ctx, cat, schema, name)
	switch {
	case err == nil && v.IfNotExists:
		return &Result{}, nil
	case err == nil && !v.Replace:
		return nil, there
	case err == nil && old.Type != catalog.View:
		return nil, notView(v.Pos, t.FullName(), "CREATE OR REPLACE VIEW")
	case err != nil && !errors.Is(err, catalog.ErrNotFound):
		return nil, err
	}
	err = e.keepView(ctx, t, v)
	switch {
	case errors.Is(err, catalog.ErrExists):
		return nil, there
	case errors.Is(err, catalog.ErrNotFound):
		return nil, noSchema(v.Pos, cat, schema)
	}
	return &Result{}, err
}

// keepView enters a view into the catalog, with where its columns come from.
func (e *Engine) keepView(ctx context.Context, t catalog.Table, v *plan.CreateView) error {
	t, err := e.cfg.Catalog.CreateView(ctx, t)
	if err != nil {
		return err
	}
	l, _ := lineage.Statement(v) // a view has a query
	return e.cfg.Catalog.SetLineage(ctx, t.ID, "view of "+t.Owner, l)
}

func noSchema(pos sparksql.Pos, cat, schema string) error {
	return fault(pos, "SCHEMA_NOT_FOUND", "42704", fmt.Sprintf("there is no schema %s.%s.", cat, schema), "`SHOW SCHEMAS` lists what there is.")
}

func notView(pos sparksql.Pos, name, what string) error {
	return fault(pos, "EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE", "42809", fmt.Sprintf("%s is a table, and %s takes a view.", name, what), "")
}

// viewTable is what the catalog keeps of a view, but for its name.
func viewTable(sess *Session, v *plan.CreateView) catalog.Table {
	t := catalog.Table{
		Type: catalog.View, Owner: sess.Principal.Name, Comment: v.Comment, Properties: v.Properties,
		ViewText: v.Text, ViewCatalog: sess.Catalog, ViewSchema: sess.Schema, ViewColumns: v.Query, ViewMode: v.SchemaMode,
	}
	if t.ViewMode == "" {
		t.ViewMode = "COMPENSATION"
	}
	for _, f := range v.Columns {
		t.Columns = append(t.Columns, catalog.Column{Name: f.Name, Type: f.Type.String(), Nullable: f.Nullable, Comment: f.Comment})
	}
	return t
}

// temporaryView keeps a view in the session, or for all sessions.
func (e *Engine) temporaryView(sess *Session, v *plan.CreateView) error {
	name := v.Name[len(v.Name)-1]
	tv := &analyze.View{Text: v.Text, Name: []string{name}, Columns: v.Columns, Query: v.Query, CatalogName: sess.Catalog, Schema: sess.Schema, Temporary: true}
	there := fault(v.Pos, "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", "there is a temporary view "+name+" already.", "CREATE OR REPLACE TEMPORARY VIEW takes its place.")
	many := fault(v.Pos, "UNSUPPORTED_FEATURE.VIEW_COUNT", "54000", fmt.Sprintf("there are %d temporary views already.", maxViews), "DROP VIEW makes room.")
	if v.Global {
		tv.Name = []string{globalSchema, name}
		old, full := e.globals.put(name, tv, v.Replace)
		switch {
		case full:
			return many
		case old && !v.Replace:
			return there
		}
		return nil
	}
	st := &sess.state
	switch {
	case st.View(name) != nil && !v.Replace:
		return there
	case st.View(name) == nil && len(st.views) >= maxViews:
		return many
	}
	put(&st.views, name, tv)
	return nil
}

// alterView runs ALTER VIEW.
func (e *Engine) alterView(ctx context.Context, sess *Session, v *plan.AlterView) (*Result, error) {
	name := temporary(v.Name)
	if tv := sess.state.View(name); name != "" && tv != nil {
		return &Result{}, e.alterTemporary(sess, v, name, tv)
	}
	if len(v.Name) > 1 && e.globals.find(v.Name[len(v.Name)-2], v.Name[len(v.Name)-1]) != nil && v.View != nil {
		v.View.Global, v.View.Temporary = true, true
		return &Result{}, e.temporaryView(sess, v.View)
	}
	t, err := e.table(ctx, sess, &plan.Command{Verb: "alter view", Name: v.Name, Pos: v.Pos})
	if err != nil {
		return nil, err
	}
	if t.Type != catalog.View {
		switch v.Change {
		case plan.ViewRename:
			return nil, fault(v.Pos, "_LEGACY_ERROR_TEMP_1123", "", t.FullName()+" is a table.", "ALTER TABLE renames tables.")
		case plan.ViewSet, plan.ViewUnset:
			return nil, fault(v.Pos, "EXPECT_VIEW_NOT_TABLE.USE_ALTER_TABLE", "42809", t.FullName()+" is a table.", "ALTER TABLE sets the properties of tables.")
		}
		return nil, notView(v.Pos, t.FullName(), "ALTER VIEW")
	}
	switch v.Change {
	case plan.ViewAs:
		n := viewTable(sess, v.View)
		n.Catalog, n.Schema, n.Name, n.Owner, n.Comment, n.Properties = t.Catalog, t.Schema, t.Name, t.Owner, t.Comment, t.Properties
		if t.ViewMode != "" {
			n.ViewMode = t.ViewMode
		}
		err = e.keepView(ctx, n, v.View)
	case plan.ViewRename:
		err = e.renameView(ctx, sess, v, t)
	case plan.ViewSet:
		props := maps.Clone(t.Properties)
		maps.Copy(props, v.Properties)
		err = e.cfg.Catalog.SetProperties(ctx, t.ID, props)
	case plan.ViewUnset:
		props := maps.Clone(t.Properties)
		for k := range v.Properties {
			delete(props, k)
		}
		err = e.cfg.Catalog.SetProperties(ctx, t.ID, props)
	case plan.ViewSchemaMode:
		t.ViewMode = v.SchemaMode
		_, err = e.cfg.Catalog.CreateView(ctx, t)
	}
	return &Result{}, err
}

// renameView gives a view another name in its catalog.
func (e *Engine) renameView(ctx context.Context, sess *Session, v *plan.AlterView, t catalog.Table) error {
	r := NewResolver(e.cfg.Catalog, e.cfg.Tables, sess.Catalog, sess.Schema)
	cat, schema, name, ok := r.full(v.To)
	if !ok {
		return fault(v.Pos, "REQUIRES_SINGLE_PART_NAMESPACE", "42K05", "a view is named by catalog, schema and name.", "")
	}
	err := e.cfg.Catalog.RenameTable(ctx, t.ID, cat, schema, name)
	switch {
	case errors.Is(err, catalog.ErrExists):
		return fault(v.Pos, "TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", strings.Join(v.To, ".")+" is there already.", "")
	case errors.Is(err, catalog.ErrNotFound):
		return noSchema(v.Pos, cat, schema)
	}
	return err
}

// alterTemporary changes a session's view.
func (e *Engine) alterTemporary(sess *Session, v *plan.AlterView, name string, tv *analyze.View) error {
	st := &sess.state
	switch v.Change {
	case plan.ViewAs:
		return e.temporaryView(sess, v.View)
	case plan.ViewRename:
		to := v.To[len(v.To)-1]
		if st.View(to) != nil {
			return fault(v.Pos, "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS", "42P07", "there is a temporary view "+to+" already.", "")
		}
		c := *tv
		c.Name = []string{to}
		delete(st.views, strings.ToLower(name))
		put(&st.views, to, &c)
		return nil
	}
	return fault(v.Pos, "EXPECT_PERMANENT_VIEW_NOT_TEMP", "42809", "ALTER VIEW ... SET takes no temporary view, and "+name+" is one.", "")
}
