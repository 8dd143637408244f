package query

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// definition is a function as the catalog keeps it: types as text.
type definition struct {
	Params        []definedField `json:"params,omitempty"`
	Table         bool           `json:"table,omitempty"`
	Returns       string         `json:"returns,omitempty"`
	Columns       []definedField `json:"columns,omitempty"`
	Body          string         `json:"body"`
	Query         bool           `json:"query,omitempty"`
	Catalog       string         `json:"catalog"`
	Schema        string         `json:"schema"`
	Deterministic bool           `json:"deterministic,omitempty"`
	DataAccess    string         `json:"data_access,omitempty"`
}

// definedField is a parameter, or a column of a table function.
type definedField struct {
	Name    string `json:"name"`
	Type    string `json:"type"`
	Default string `json:"default,omitempty"`
	Comment string `json:"comment,omitempty"`
}

func define(r *plan.Routine) (string, error) {
	d := definition{Table: r.Table, Body: r.Body, Query: r.Query, Catalog: r.Catalog, Schema: r.Schema, Deterministic: r.Deterministic, DataAccess: r.DataAccess}
	if r.Returns != nil {
		d.Returns = r.Returns.String()
	}
	for _, p := range r.Params {
		d.Params = append(d.Params, definedField{p.Name, p.Type.String(), p.Default, p.Comment})
	}
	for _, c := range r.Columns {
		d.Columns = append(d.Columns, definedField{c.Name, c.Type.String(), "", c.Comment})
	}
	b, err := json.Marshal(d)
	return string(b), err
}

// defined reads what define wrote.
func defined(f catalog.Function) (*plan.Routine, error) {
	var d definition
	if err := json.Unmarshal([]byte(f.Definition), &d); err != nil {
		return nil, fmt.Errorf("function %s: %w", f.FullName(), err)
	}
	r := &plan.Routine{Name: []string{f.Catalog, f.Schema, f.Name}, Table: d.Table, Body: d.Body, Query: d.Query, Catalog: d.Catalog, Schema: d.Schema,
		Comment: f.Comment, Deterministic: d.Deterministic, DataAccess: d.DataAccess, Created: f.Created.UnixMilli()}
	var errs []error
	typ := func(text string) types.Type {
		t, err := parse.DataType(text)
		errs = append(errs, err)
		return t
	}
	if d.Returns != "" {
		r.Returns = typ(d.Returns)
	}
	for _, p := range d.Params {
		r.Params = append(r.Params, plan.RoutineParam{Name: p.Name, Type: typ(p.Type), Default: p.Default, Comment: p.Comment})
	}
	for _, c := range d.Columns {
		r.Columns = append(r.Columns, types.Field{Name: c.Name, Type: typ(c.Type), Nullable: true, Comment: c.Comment})
	}
	if err := errors.Join(errs...); err != nil {
		return nil, fmt.Errorf("function %s: %w", f.FullName(), err)
	}
	return r, nil
}

var _ analyze.Routines = (*Resolver)(nil)

// Routine finds a function of the catalog; nil, nil where there is none.
func (r *Resolver) Routine(ctx context.Context, name []string) (*plan.Routine, error) {
	cat, schema, fn, ok := r.full(name)
	if !ok {
		return nil, nil
	}
	f, err := r.catalog.Function(ctx, cat, schema, fn)
	if errors.Is(err, catalog.ErrNotFound) || errors.Is(err, catalog.ErrInvalid) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return defined(f)
}

// createFunction keeps a function in the session or in the catalog.
func (e *Engine) createFunction(ctx context.Context, sess *Session, c *plan.CreateFunction) (*Result, error) {
	r := c.Routine
	name := r.Name[len(r.Name)-1]
	there := fault(c.Pos, "ROUTINE_ALREADY_EXISTS", "42723", "there is a function "+strings.Join(r.Name, ".")+" already.", "CREATE OR REPLACE FUNCTION takes its place.")
	if r.Temporary() {
		st := &sess.state
		switch {
		case st.Routine(name) != nil && !c.Replace:
			return nil, there
		case st.Routine(name) == nil && len(st.routines) >= maxRoutines:
			return nil, fault(c.Pos, "UNSUPPORTED_FEATURE.FUNCTION_COUNT", "54000", fmt.Sprintf("a session holds at most %d functions.", maxRoutines), "")
		}
		put(&st.routines, name, r)
		return &Result{}, nil
	}
	text, err := define(r)
	if err != nil {
		return nil, err
	}
	f := catalog.Function{Catalog: r.Name[0], Schema: r.Name[1], Name: name, Owner: sess.Principal.Name, Comment: r.Comment, Definition: text}
	err = e.cfg.Catalog.CreateFunction(ctx, f, c.Replace)
	switch {
	case errors.Is(err, catalog.ErrExists) && c.IfNotExists:
		err = nil
	case errors.Is(err, catalog.ErrExists):
		err = there
	case errors.Is(err, catalog.ErrNotFound):
		err = noSchema(c.Pos, f.Catalog, f.Schema)
	}
	return &Result{}, err
}

// dropFunction is DROP [TEMPORARY] FUNCTION.
func (e *Engine) dropFunction(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	name := c.Name[len(c.Name)-1]
	ifExists := c.Args["if exists"] == "true"
	missing := fault(c.Pos, "ROUTINE_NOT_FOUND", "42883", "there is no function "+strings.Join(c.Name, ".")+".", "`SHOW USER FUNCTIONS` lists what there is.")
	builtin := funcs.Lookup(name) != nil && len(c.Name) == 1
	st := &sess.state
	if c.Args["temporary"] == "true" {
		switch {
		case st.Routine(name) != nil:
			delete(st.routines, strings.ToLower(name))
			return &Result{}, nil
		case builtin:
			return nil, fault(c.Pos, "FORBIDDEN_OPERATION", "42809", "the built-in function "+name+" cannot be dropped.", "")
		case ifExists:
			return &Result{}, nil
		}
		return nil, missing
	}
	switch {
	case builtin:
		return nil, fault(c.Pos, "FORBIDDEN_OPERATION", "42809", "the built-in function "+name+" cannot be dropped.", "")
	case temporary(c.Name) != "" && st.Routine(name) != nil:
		return nil, fault(c.Pos, "_LEGACY_ERROR_TEMP_1017", "", name+" is a temporary function.", "Use DROP TEMPORARY FUNCTION.")
	}
	r := NewResolver(e.cfg.Catalog, e.cfg.Tables, sess.Catalog, sess.Schema)
	cat, schema, fn, ok := r.full(c.Name)
	if !ok {
		return nil, fault(c.Pos, "REQUIRES_SINGLE_PART_NAMESPACE", "42K05", "a function is named by catalog, schema and name.", "")
	}
	err := e.cfg.Catalog.DropFunction(ctx, cat, schema, fn)
	if !errors.Is(err, catalog.ErrNotFound) && !errors.Is(err, catalog.ErrInvalid) {
		return &Result{}, err
	}
	if ifExists {
		return &Result{}, nil
	}
	if _, err := e.cfg.Catalog.Schema(ctx, cat, schema); err != nil {
		return nil, noSchema(c.Pos, cat, schema)
	}
	return nil, missing
}

// function finds the SQL function that a command names, nil for a built-in one.
func (e *Engine) function(ctx context.Context, sess *Session, c *plan.Command) (*plan.Routine, error) {
	name := temporary(c.Name)
	if name != "" && len(c.Name) == 1 && funcs.Lookup(name) != nil {
		return nil, nil
	}
	if r := sess.state.Routine(name); name != "" && r != nil {
		return r, nil
	}
	r, err := NewResolver(e.cfg.Catalog, e.cfg.Tables, sess.Catalog, sess.Schema).Routine(ctx, c.Name)
	if err != nil || r != nil {
		return r, err
	}
	return nil, fault(c.Pos, "UNRESOLVED_ROUTINE", "42883", "there is no function "+strings.Join(c.Name, ".")+".", "`SHOW FUNCTIONS` lists what there is.")
}

// describeFunction is DESCRIBE FUNCTION [EXTENDED].
func (e *Engine) describeFunction(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	r, err := e.function(ctx, sess, c)
	if err != nil {
		return nil, err
	}
	var rows [][]string
	add := func(line string) { rows = append(rows, []string{line}) }
	if r == nil {
		d := funcs.Lookup(c.Name[0])
		add("Function: " + d.Name)
		add("Usage: " + usage(d))
		return textResult([]string{"function_desc"}, rows), nil
	}
	width, extended := 10, c.Args["extended"] == "true"
	if extended {
		width = 15
	}
	item := func(key string, lines ...string) {
		for i, l := range lines {
			if i > 0 {
				key = ""
			}
			add(fmt.Sprintf("%-*s%s", width, key, l))
		}
	}
	kind, returns := "SCALAR", []string{""}
	if r.Returns != nil {
		returns = []string{r.Returns.SQL()}
	}
	if r.Table {
		kind, returns = "TABLE", fieldLines(r.Columns)
	}
	item("Function:", strings.ToLower(strings.Join(r.Name, ".")))
	item("Type:", kind)
	item("Input:", paramLines(r.Params, extended)...)
	item("Returns:", returns...)
	if extended {
		access := r.DataAccess
		if access == "" {
			access = "CONTAINS SQL"
			if r.Query {
				access = "READS SQL DATA"
			}
		}
		if r.Comment != "" {
			item("Comment:", r.Comment)
		}
		item("Deterministic:", fmt.Sprint(r.Deterministic))
		item("Data Access:", access)
		item("Create Time:", time.UnixMilli(r.Created).UTC().Format("Mon Jan 02 15:04:05 MST 2006"))
		item("Body:", r.Body)
	}
	return textResult([]string{"function_desc"}, rows), nil
}

// usage is a built-in function's name with its arguments.
func usage(d *funcs.Def) string {
	var args []string
	for i := range d.Min {
		args = append(args, "expr"+strconv.Itoa(i+1))
	}
	more := ""
	switch {
	case d.Max < 0:
		more = "[, ...]"
	case d.Max > d.Min:
		var b strings.Builder
		for i := d.Min; i < d.Max; i++ {
			b.WriteString("[, expr" + strconv.Itoa(i+1))
		}
		more = b.String() + strings.Repeat("]", d.Max-d.Min)
	}
	text := strings.Join(args, ", ") + more
	return d.Name + "(" + strings.TrimPrefix(text, "[, ") + ")"
}

// paramLines are name, type, default and comment of each parameter, aligned.
func paramLines(ps []plan.RoutineParam, extended bool) []string {
	if len(ps) == 0 {
		return []string{"()"}
	}
	fields := make([]types.Field, len(ps))
	for i, p := range ps {
		fields[i] = types.Field{Name: p.Name, Type: p.Type, Comment: p.Comment}
		if !extended {
			fields[i].Comment = ""
		}
	}
	lines := fieldLines(fields)
	for i, p := range ps {
		if extended && p.Default != "" {
			lines[i] += " DEFAULT " + p.Default
		}
	}
	return lines
}

func fieldLines(fields []types.Field) []string {
	name, typ := 0, 0
	for _, f := range fields {
		name, typ = max(name, len(f.Name)), max(typ, len(f.Type.SQL()))
	}
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = fmt.Sprintf("%-*s %-*s", name, f.Name, typ, f.Type.SQL())
		if f.Comment != "" {
			out[i] += " '" + f.Comment + "'"
		}
	}
	return out
}

// showFunctions is SHOW [USER|SYSTEM|ALL] FUNCTIONS.
func (e *Engine) showFunctions(ctx context.Context, sess *Session, c *plan.Command) (*Result, error) {
	cat, schema := schemaName(sess, c.Name)
	if _, err := e.cfg.Catalog.Schema(ctx, cat, schema); err != nil {
		return nil, noSchema(c.Pos, cat, schema)
	}
	var names []string
	add := func(name, full string) {
		if like(c.Args["pattern"], name) {
			names = append(names, full)
		}
	}
	if c.Args["scope"] != "user" {
		for _, n := range funcs.Names() {
			add(n, n)
		}
	}
	if c.Args["scope"] != "system" {
		for n := range sess.state.routines {
			add(n, n)
		}
		all, err := e.cfg.Catalog.Functions(ctx, cat, schema)
		if err != nil {
			return nil, err
		}
		for _, f := range all {
			add(f.Name, f.FullName())
		}
	}
	slices.Sort(names)
	var rows [][]string
	for _, n := range slices.Compact(names) {
		rows = append(rows, []string{n})
	}
	return textResult([]string{"function"}, rows), nil
}
