package query

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/query/dml"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/funcs"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// copier runs one COPY INTO. What a table has loaded stands in its log, one
// transaction a file (loadedID), so that the rows and the memory of them are one
// commit, which two statements that load the same file cannot both make.
type copier struct {
	*fileReader
	ast    *ast.CopyInto
	force  bool
	evolve bool
	table  *Handle
	target *plan.Source
}

// copyInto runs COPY INTO.
func (s *step) copyInto(ctx context.Context, st *ast.CopyInto) (*Result, error) {
	c := &copier{ast: st, fileReader: &fileReader{step: s, format: strings.ToLower(st.Format), options: map[string]string{}}}
	c.fault = c.copyFault
	c.empty = func() error {
		return c.copyFault("COPY_INTO_SOURCE_SCHEMA_INFERENCE_FAILED", "42KD9", "the files at "+st.Path+" hold no data of the format "+st.Format+".", "")
	}
	if err := c.settings(); err != nil {
		return nil, err
	}
	if err := c.into(ctx); err != nil {
		return nil, err
	}
	files, err := c.list(ctx)
	if err != nil {
		return nil, err
	}
	if files, err = c.fresh(files); err != nil {
		return nil, err
	}
	if len(files) == 0 && !st.Validate {
		return copied(0, 0), nil
	}
	src := &copySource{}
	defer src.close()
	skipped, err := src.fetch(ctx, s.e.cfg.Tables, files, c.on("ignorecorruptfiles") && c.ast.Format == "PARQUET")
	if err != nil {
		return nil, err
	}
	q, err := c.relation(ctx, src)
	if err != nil {
		return nil, err
	}
	s.env.Resolver = copyResolver{s.env.Resolver, src}
	ins, err := c.insert(ctx, q)
	if err != nil {
		return nil, err
	}
	if st.Validate {
		return c.validate(ctx, ins, q)
	}
	var rows int64
	_, err = s.e.tended(ctx, ins.Target, func() (*Result, error) {
		var err error
		rows, err = c.load(ctx, ins, src.files)
		return nil, err
	})
	if err != nil {
		return nil, err
	}
	return asText(copied(rows, int64(skipped)), nil, s.asText)
}

// copied is the row that COPY INTO answers.
func copied(rows, skipped int64) *Result {
	return counts([]string{"num_affected_rows", "num_inserted_rows", "num_skipped_corrupt_files"}, rows, rows, skipped)
}

// settings checks the format and what COPY_OPTIONS and FORMAT_OPTIONS say.
func (c *copier) settings() error {
	pos := c.ast.Pos()
	switch c.ast.Format {
	case "CSV", "JSON", "PARQUET", "TEXT":
	case "AVRO", "ORC", "BINARYFILE":
		return fault(pos, "UNSUPPORTED_FEATURE.COPY_INTO_FORMAT", "0A000", "files of the format "+c.ast.Format+" are not read here.", "CSV, JSON, PARQUET and TEXT are.")
	default:
		return fault(pos, "COPY_INTO_SOURCE_FILE_FORMAT_NOT_SUPPORTED", "0A000", "COPY INTO reads no files of the format "+c.ast.Format+".", "The formats are CSV, JSON, PARQUET and TEXT.")
	}
	for _, o := range c.ast.CopyOptions {
		v := strings.ToLower(o.Value)
		if v != "true" && v != "false" {
			return fault(o.P, "INVALID_PARAMETER_VALUE", "22023", "the option "+o.Key+" is true or false, not "+o.Value+".", "")
		}
		switch strings.ToLower(o.Key) {
		case "force":
			c.force = v == "true"
		case "mergeschema":
			c.evolve = v == "true"
		default:
			return fault(o.P, "UNSUPPORTED_OPTION", "0A000", "COPY_OPTIONS has no option "+o.Key+".", "There are force and mergeSchema.")
		}
	}
	for _, o := range c.ast.FormatOptions {
		c.options[o.Key] = o.Value
	}
	c.merge = c.evolve
	encoding, _ := c.option("encoding")
	charset, _ := c.option("charset")
	if e := strings.ToLower(encoding + charset); e != "" && e != "utf-8" && e != "utf8" {
		return fault(pos, "UNSUPPORTED_OPTION", "0A000", "files are read as UTF-8, not "+e+".", "")
	}
	return nil
}

// into finds the table.
func (c *copier) into(ctx context.Context) error {
	t := c.ast.Target
	if t.NameExpr != nil {
		return fault(t.P, "UNSUPPORTED_FEATURE.COPY_INTO_IDENTIFIER", "0A000", "COPY INTO takes the name of a table.", "")
	}
	at := ast.At{P: t.P}
	q := &ast.Query{At: at, Body: &ast.Select{At: at, Items: []ast.SelectItem{{X: &ast.Star{At: at}}}, From: []ast.TableRef{&ast.TableName{At: at, Name: t.Name}}}}
	ps, err := analyze.Statement(ctx, &ast.QueryStatement{Stmt: ast.Stmt{At: at}, Query: q}, c.env)
	if err != nil {
		return err
	}
	if query, ok := ps.(*plan.Query); ok {
		for _, s := range plan.Scans(query.Plan) {
			c.target = s.Source
		}
	}
	h, ok := handleOf(c.target)
	if !ok {
		return fault(t.P, "UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", strings.Join(t.Name.Strings(), ".")+" is no table that COPY INTO can fill.", "")
	}
	c.table = h
	return pipelineOwned(h.Table, t.P)
}

// loadedID is the transaction in a table's log that says that a file is loaded.
func loadedID(address string) string {
	sum := sha256.Sum256([]byte(address))
	return "copy-into:" + base64.RawURLEncoding.EncodeToString(sum[:15])
}

// fresh leaves out the files that the table has, and says how often it had the
// others.
func (c *copier) fresh(files []copyFile) ([]copyFile, error) {
	var out []copyFile
	for _, f := range files {
		n, have := c.table.Snapshot.Txn(loadedID(f.address))
		if have && !c.force && !c.ast.Validate {
			continue
		}
		if f.loads = 1; have {
			f.loads = n + 1
		}
		out = append(out, f)
	}
	return out, nil
}

// insert is the INSERT that the statement stands for.
func (c *copier) insert(ctx context.Context, q *ast.Query) (*plan.Insert, error) {
	if err := c.fits(ctx, q); err != nil {
		return nil, err
	}
	ins := &ast.Insert{Stmt: c.ast.Stmt, Target: c.ast.Target, Columns: c.ast.Columns, Query: q, Evolve: c.evolve}
	ins.ByName = len(c.ast.Columns) == 0 && !c.ast.ByPosition
	if c.ast.Validate && c.ast.Rows > 0 {
		all := *q
		all.Limit = &ast.Literal{At: q.At, Type: types.Int, Value: min(c.ast.Rows, math.MaxInt32)}
		ins.Query = &all
	}
	ps, err := analyze.Statement(ctx, ins, c.env)
	if err != nil {
		return nil, err
	}
	out, ok := ps.(*plan.Insert)
	if !ok {
		return nil, fmt.Errorf("query: COPY INTO is %T", ps)
	}
	return out, nil
}

// fits compares what the files give with the table's columns.
func (c *copier) fits(ctx context.Context, q *ast.Query) error {
	ps, err := analyze.Statement(ctx, &ast.QueryStatement{Stmt: c.ast.Stmt, Query: q}, c.env)
	if err != nil {
		return err
	}
	query, ok := ps.(*plan.Query)
	if !ok {
		return fmt.Errorf("query: the source of COPY INTO is %T", ps)
	}
	var diff []string
	columns, got := c.target.Columns, query.Plan.Output()
	for i, a := range got {
		at := slices.IndexFunc(columns, func(f types.Field) bool { return strings.EqualFold(f.Name, a.Name) })
		switch {
		case len(c.ast.Columns) > 0 && i < len(c.ast.Columns):
			at = slices.IndexFunc(columns, func(f types.Field) bool { return strings.EqualFold(f.Name, c.ast.Columns[i].Name) })
		case c.ast.ByPosition && i < len(columns):
			at = i
		}
		switch {
		case at < 0 && !c.evolve && len(c.ast.Columns) == 0:
			diff = append(diff, "the table has no column "+a.Name)
		case at >= 0 && !stores(a.Type, columns[at].Type):
			diff = append(diff, fmt.Sprintf("%s is %s, the column %s is %s", a.Name, a.Type.SQL(), columns[at].Name, columns[at].Type.SQL()))
		}
	}
	if want := max(len(c.ast.Columns), len(columns)*bit(c.ast.ByPosition)); want > 0 && want != len(got) {
		diff = append(diff, fmt.Sprintf("%d columns instead of %d", len(got), want))
	}
	if len(diff) == 0 {
		return nil
	}
	return fault(c.ast.Pos(), "COPY_INTO_SCHEMA_MISMATCH_WITH_TARGET_TABLE", "42KDG", "what the files hold does not fit the table "+strings.Join(c.target.Name, ".")+": "+strings.Join(diff, "; ")+".",
		"Name and cast the columns in (SELECT ... FROM 'path'), or have new ones added with COPY_OPTIONS ('mergeSchema' = 'true').")
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}

// stores tells whether Spark's ANSI store assignment takes values of from for to;
// fields of structs go by their names.
func stores(from, to types.Type) bool {
	switch t := to.(type) {
	case types.Struct:
		f, ok := from.(types.Struct)
		return ok && !slices.ContainsFunc(f.Fields, func(x types.Field) bool {
			i := slices.IndexFunc(t.Fields, func(y types.Field) bool { return strings.EqualFold(x.Name, y.Name) })
			return i >= 0 && !stores(x.Type, t.Fields[i].Type)
		})
	case types.Array:
		f, ok := from.(types.Array)
		return ok && stores(f.Elem, t.Elem)
	case types.Map:
		f, ok := from.(types.Map)
		return ok && stores(f.Key, t.Key) && stores(f.Value, t.Value)
	}
	return from == types.Void || to == types.Variant || funcs.StoreAssignable(from, to)
}

// load writes the rows and what it takes to know the files again.
func (c *copier) load(ctx context.Context, ins *plan.Insert, files []copyFile) (int64, error) {
	r := c.e.newRunner(c.opt)
	defer r.close()
	txns := make([]delta.Txn, len(files))
	for i, f := range files {
		txns[i] = delta.Txn{AppID: loadedID(f.address), Version: f.loads}
	}
	rows, err := dml.Copy(ctx, r, ins, txns)
	if done, ok := errors.AsType[*delta.AlreadyCommittedError](err); ok { // another COPY INTO was faster
		return 0, fmt.Errorf("%w: version %d loads a file of this statement", delta.ErrConflict, done.Version)
	}
	if err != nil {
		return 0, err
	}
	return rows, c.e.evolved(ctx, ins.Target, ins.Schema)
}

// previewRows are what VALIDATE shows at most.
const previewRows = 50

// validate checks rows without writing them to the table and shows the first.
func (c *copier) validate(ctx context.Context, ins *plan.Insert, q *ast.Query) (*Result, error) {
	r := c.e.newRunner(c.opt)
	defer r.close()
	if err := dml.Check(ctx, r, ins); err != nil {
		return nil, err
	}
	n := int64(previewRows)
	if c.ast.Rows > 0 {
		n = min(n, c.ast.Rows)
	}
	some := *q
	some.Limit = &ast.Literal{At: q.At, Type: types.Int, Value: n}
	ps, err := analyze.Statement(ctx, &ast.QueryStatement{Stmt: c.ast.Stmt, Query: &some}, c.env)
	if err != nil {
		return nil, err
	}
	query, ok := ps.(*plan.Query)
	if !ok {
		return nil, fmt.Errorf("query: the source of COPY INTO is %T", ps)
	}
	res, err := c.e.query(ctx, c.sess, query.Plan, c.opt, c.asText)
	if err != nil {
		return nil, err
	}
	defer res.Close()
	all, err := buffer(ctx, res.rows) // its files go with the statement
	if err != nil {
		return nil, err
	}
	return &Result{Columns: res.Columns, rows: all}, nil
}

// copySourceName names the statement's files in the queries over them.
const copySourceName = "marisma copy source"

// copyResolver knows the files of a COPY INTO besides all else.
type copyResolver struct {
	analyze.Resolver
	src *copySource
}

// Table finds the files, or a table.
func (r copyResolver) Table(ctx context.Context, name []string, at analyze.TimeTravel) (*plan.Source, *analyze.View, error) {
	if name[len(name)-1] == copySourceName {
		return &plan.Source{Kind: plan.SourceFiles, Name: []string{copySourceName}, Columns: r.src.columns, Handle: r.src}, nil, nil
	}
	return r.Resolver.Table(ctx, name, at)
}

// copyFault is an error about the path of the statement.
func (c *copier) copyFault(class, state, message, hint string) error {
	return &sparksql.Error{Class: class, SQLState: state, Phase: sparksql.PhaseAnalysis, Pos: c.ast.PathAt.P, Message: message, Hint: hint}
}
