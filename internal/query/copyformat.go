package query

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/jsonarrow/variant"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
	"github.com/marisma/marisma/internal/worker"
)

// fileReader finds out what files of a format hold, and says how they are read.
type fileReader struct {
	*step
	format  string            // csv, json, parquet or text
	options map[string]string // as written
	merge   bool              // Parquet: the columns of all files
	// fault makes an error about the files; empty is the one where they hold
	// nothing to take columns from.
	fault func(class, state, message, hint string) error
	empty func() error
}

// option is an option by its name in lower case.
func (r *fileReader) option(key string) (string, bool) {
	for k, v := range r.options {
		if strings.EqualFold(k, key) {
			return v, true
		}
	}
	return "", false
}

// on tells whether an option of the format is true.
func (r *fileReader) on(key string) bool {
	v, _ := r.option(key)
	return strings.EqualFold(v, "true")
}

// one is the first byte of an option's value, def without the option.
func (r *fileReader) one(key string, def byte) byte {
	v, ok := r.option(key)
	switch {
	case !ok:
		return def
	case v == "" || v == `\0`:
		return 0
	}
	return v[0]
}

// text says how the files are cut into lines, nil for Parquet.
func (r *fileReader) text() *worker.Text {
	switch r.format {
	case "csv":
		t := &worker.Text{Header: r.on("header")}
		if r.on("multiline") {
			t.Quote, t.Escape = r.one("quote", '"'), r.one("escape", '\\')
		}
		return t
	case "json":
		return &worker.Text{Whole: r.on("multiline")}
	case "text":
		return &worker.Text{Whole: r.on("wholetext"), Empty: true}
	}
	return nil
}

// lineColumn is the column of files of text.
var lineColumn = types.Field{Name: "value", Type: types.String, Nullable: true}

// optionMap are the options of from_json and from_csv.
func (r *fileReader) optionMap() string {
	var out []string
	for _, k := range slices.Sorted(maps.Keys(r.options)) {
		if plan.ParserOption(k) {
			out = append(out, types.QuoteText(k), types.QuoteText(r.options[k]))
		}
	}
	if out == nil {
		return ""
	}
	return ", map(" + strings.Join(out, ", ") + ")"
}

// query is the text of the query that makes rows of columns of the lines that
// from names; more are further columns of it.
func (r *fileReader) query(cols []types.Field, from string, more ...string) string {
	const row = "`marisma row`"
	quoted := []string{""}
	for _, m := range more {
		quoted = append(quoted, types.Quote(m))
	}
	list := strings.Join(quoted, ", ")
	decoded := func(x string) string {
		return "SELECT " + row + ".*" + list + " FROM (SELECT " + x + " AS " + row + list + " FROM " + types.Quote(from) + ")"
	}
	ddl := columnsDDL(cols)
	switch {
	case r.format == "text":
		return "SELECT value AS " + types.Quote(cols[0].Name) + list + " FROM " + types.Quote(from)
	case r.format == "csv":
		return decoded("from_csv(value, " + types.QuoteText(ddl) + r.optionMap() + ")")
	case r.format == "json" && r.on("multiline"):
		return decoded("explode(from_json(value, " + types.QuoteText("ARRAY<STRUCT<"+ddl+">>") + r.optionMap() + "))")
	case r.format == "json":
		return decoded("from_json(value, " + types.QuoteText(ddl) + r.optionMap() + ")")
	}
	return "SELECT * FROM " + types.Quote(from)
}

// columnsDDL are columns as a schema's text.
func columnsDDL(cols []types.Field) string {
	out := make([]string, len(cols))
	for i, f := range cols {
		out[i] = types.Quote(f.Name) + " " + f.Type.SQL()
	}
	return strings.Join(out, ", ")
}

// infer finds the columns of the source's files, and makes the source one of
// their lines, or of their rows for Parquet.
func (r *fileReader) infer(ctx context.Context, src *copySource) ([]types.Field, error) {
	if len(src.files) == 0 {
		return nil, r.empty()
	}
	if r.format == "parquet" {
		return r.parquet(src)
	}
	src.text, src.columns = r.text(), []types.Field{lineColumn}
	switch r.format {
	case "json":
		return r.json(ctx, src)
	case "csv":
		return r.csv(ctx, src)
	}
	return src.columns, nil
}

// parquet gives the source the columns of its files: the first one's, or with
// mergeSchema of all.
func (r *fileReader) parquet(src *copySource) ([]types.Field, error) {
	var fields []arrow.Field
	files := src.files
	if !r.merge && !r.on("mergeschema") {
		files = files[:1]
	}
	for _, f := range files {
		s, err := delta.FileSchema(f.local)
		if err != nil {
			return nil, r.fault("FAILED_READ_FILE.NO_HINT", "KD001", "the Parquet file "+f.address+" cannot be read: "+err.Error()+".", "FORMAT_OPTIONS ('ignoreCorruptFiles' = 'true') leaves such files out.")
		}
		for _, g := range s.Fields() {
			if !slices.ContainsFunc(fields, func(h arrow.Field) bool { return strings.EqualFold(g.Name, h.Name) }) {
				fields = append(fields, arrow.Field{Name: g.Name, Type: g.Type, Nullable: true})
			}
		}
	}
	cols, err := types.FromArrowFields(fields)
	if err != nil {
		return nil, r.fault("UNSUPPORTED_DATATYPE", "0A000", "a Parquet file has a type that Spark lacks: "+err.Error()+".", "")
	}
	src.columns = cols
	return cols, nil
}

// Bounds of what is looked at to find a schema.
const (
	inferFiles = 1000
	inferLines = 10_000
)

var errEnough = errors.New("query: enough lines")

// json finds the columns of JSON files.
func (r *fileReader) json(ctx context.Context, src *copySource) ([]types.Field, error) {
	var all *variant.Schema
	for _, f := range src.files[:min(len(src.files), inferFiles)] {
		n := 0
		err := src.text.Lines(ctx, f.local, func(line []byte) error {
			v, err := variant.ParseJSON(line)
			if err != nil {
				return nil //nolint:nilerr // malformed records are the parser's matter
			}
			values := []variant.Value{v}
			if list, ok := v.([]variant.Value); ok {
				values = list
			}
			for _, v := range values {
				if _, ok := v.(*variant.Object); ok {
					all = all.Merge(variant.SchemaOf(v))
				}
			}
			if n++; n == inferLines {
				return errEnough
			}
			return nil
		})
		if err != nil && !errors.Is(err, errEnough) {
			return nil, err
		}
	}
	ddl := all.Columns()
	if ddl == "" {
		return nil, r.empty()
	}
	return parse.Schema(ddl)
}

// csv finds the columns of CSV files: text, or with inferSchema what all values
// are.
func (r *fileReader) csv(ctx context.Context, src *copySource) ([]types.Field, error) {
	first, err := r.firstRecord(ctx, src)
	if err != nil {
		return nil, err
	}
	got, err := r.texts(ctx, "SELECT schema_of_csv("+types.QuoteText(first)+r.optionMap()+")", src)
	if err != nil {
		return nil, err
	}
	guess, err := parse.DataType(got[0][0])
	if err != nil {
		return nil, err
	}
	shape, ok := guess.(types.Struct)
	if !ok {
		return nil, r.empty()
	}
	cols := slices.Clone(shape.Fields)
	for i := range cols {
		cols[i].Type = types.String
	}
	if src.text.Header {
		names, err := r.texts(ctx, "SELECT r.* FROM (SELECT from_csv("+types.QuoteText(first)+", "+types.QuoteText(columnsDDL(cols))+r.optionMap()+") AS r)", src)
		if err != nil {
			return nil, err
		}
		for i, n := range names[0] {
			if n = strings.TrimSpace(n); n != "" {
				cols[i].Name = n
			}
		}
	}
	if r.on("inferschema") {
		err = r.inferCSV(ctx, src, cols)
	}
	return cols, err
}

// firstRecord is the first record of the files that are not empty.
func (r *fileReader) firstRecord(ctx context.Context, src *copySource) (string, error) {
	all := *src.text
	all.Header = false
	for _, f := range src.files {
		first := ""
		err := all.Lines(ctx, f.local, func(line []byte) error {
			first = string(line)
			return errEnough
		})
		switch {
		case errors.Is(err, errEnough):
			return first, nil
		case err != nil:
			return "", err
		}
	}
	return "", r.empty()
}

// csvTypes are tried in this order on a column's values.
var csvTypes = []types.Type{types.Int, types.BigInt, types.Double, types.Boolean, types.Date, types.Timestamp}

// inferCSV gives columns the first type that all their values can be cast to.
func (r *fileReader) inferCSV(ctx context.Context, src *copySource, cols []types.Field) error {
	var tests []string
	for _, f := range cols {
		name := types.Quote(f.Name)
		tests = append(tests, "count("+name+")")
		for _, t := range csvTypes {
			tests = append(tests, "coalesce(bool_and(try_cast("+name+" AS "+t.SQL()+") IS NOT NULL OR "+name+" IS NULL), true)")
		}
	}
	got, err := r.texts(ctx, "SELECT "+strings.Join(tests, ", ")+" FROM ("+r.query(cols, copySourceName)+")", src)
	if err != nil {
		return err
	}
	for i := range cols {
		row := got[0][i*(len(csvTypes)+1):]
		if row[0] == "0" {
			continue // nothing but NULL
		}
		for j, t := range csvTypes {
			if row[1+j] == "true" {
				cols[i].Type = t
				break
			}
		}
	}
	return nil
}

// texts are the rows of a query over the source, as text.
func (r *fileReader) texts(ctx context.Context, sql string, src *copySource) ([][]string, error) {
	env := r.env
	env.Resolver = copyResolver{env.Resolver, src}
	q, err := analyze.Query(ctx, sql, env)
	if err != nil {
		return nil, err
	}
	res, err := r.e.query(ctx, r.sess, q.Plan, r.opt, true)
	if err != nil {
		return nil, err
	}
	defer res.Close()
	var out [][]string
	for {
		rec, err := res.Next(ctx)
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		for i := range int(rec.NumRows()) {
			row := make([]string, rec.NumCols())
			for j, col := range rec.Columns() {
				if col.IsValid(i) {
					row[j] = strings.Clone(col.ValueStr(i))
				}
			}
			out = append(out, row)
		}
		rec.Release()
	}
}

// relation is the query over the statement's files.
func (c *copier) relation(ctx context.Context, src *copySource) (*ast.Query, error) {
	cols, err := c.infer(ctx, src)
	if err != nil {
		return nil, err
	}
	st, err := parse.Statement("", "SELECT * FROM ("+c.query(cols, copySourceName)+")")
	if err != nil {
		return nil, err
	}
	q, ok := st.(*ast.QueryStatement)
	if !ok {
		return nil, fmt.Errorf("query: the source of COPY INTO is %T", st)
	}
	if sel, ok := q.Query.Body.(*ast.Select); ok && c.ast.Items != nil {
		sel.Items = c.ast.Items
	}
	return q.Query, nil
}
