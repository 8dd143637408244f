package query

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/jsonarrow/variant"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/types"
	"github.com/marisma/marisma/internal/worker"
)

// relation is the query over the statement's files.
func (c *copier) relation(ctx context.Context, src *copySource) (*ast.Query, error) {
	if len(src.files) == 0 {
		return nil, c.noSchema()
	}
	src.columns = []types.Field{{Name: "value", Type: types.String, Nullable: true}}
	var sql string
	var err error
	switch c.ast.Format {
	case "TEXT":
		src.text = &worker.Text{Whole: c.on("wholetext"), Empty: true}
		sql = "SELECT value FROM " + types.Quote(copySourceName)
	case "JSON":
		sql, err = c.json(ctx, src)
	case "CSV":
		sql, err = c.csv(ctx, src)
	default:
		sql, err = "SELECT * FROM "+types.Quote(copySourceName), c.parquet(src)
	}
	if err != nil {
		return nil, err
	}
	st, err := parse.Statement("", "SELECT * FROM ("+sql+")")
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

func (c *copier) noSchema() error {
	return c.copyFault("COPY_INTO_SOURCE_SCHEMA_INFERENCE_FAILED", "42KD9", "the files at "+c.ast.Path+" hold no data of the format "+c.ast.Format+".", "")
}

// columnsDDL are columns as a schema's text.
func columnsDDL(cols []types.Field) string {
	out := make([]string, len(cols))
	for i, f := range cols {
		out[i] = types.Quote(f.Name) + " " + f.Type.SQL()
	}
	return strings.Join(out, ", ")
}

// ofReaders are the options that say which text is read, and not what it means.
var ofReaders = []string{
	"charset", "encoding", "enforceschema", "header", "ignorecorruptfiles", "ignoremissingfiles", "inferschema", "mergeschema", "multiline",
	"pathglobfilter", "recursivefilelookup", "samplingratio", "wholetext",
}

// optionMap are the options of from_json and from_csv.
func (c *copier) optionMap() string {
	var out []string
	for _, o := range c.ast.FormatOptions {
		if !slices.Contains(ofReaders, strings.ToLower(o.Key)) {
			out = append(out, types.QuoteText(o.Key), types.QuoteText(o.Value))
		}
	}
	if out == nil {
		return ""
	}
	return ", map(" + strings.Join(out, ", ") + ")"
}

// parquet gives the source the columns of its files: the first one's, or with
// mergeSchema of all.
func (c *copier) parquet(src *copySource) error {
	var fields []arrow.Field
	files := src.files
	if !c.on("mergeschema") && !c.evolve {
		files = files[:1]
	}
	for _, f := range files {
		s, err := delta.FileSchema(f.local)
		if err != nil {
			return c.copyFault("FAILED_READ_FILE.NO_HINT", "KD001", "the Parquet file "+f.address+" cannot be read: "+err.Error()+".", "FORMAT_OPTIONS ('ignoreCorruptFiles' = 'true') leaves such files out.")
		}
		for _, g := range s.Fields() {
			if !slices.ContainsFunc(fields, func(h arrow.Field) bool { return strings.EqualFold(g.Name, h.Name) }) {
				fields = append(fields, arrow.Field{Name: g.Name, Type: g.Type, Nullable: true})
			}
		}
	}
	cols, err := types.FromArrowFields(fields)
	if err != nil {
		return c.copyFault("UNSUPPORTED_DATATYPE", "0A000", "a Parquet file has a type that Spark lacks: "+err.Error()+".", "")
	}
	src.columns = cols
	return nil
}

// Bounds of what is looked at to find a schema.
const (
	inferFiles = 1000
	inferLines = 10_000
)

var errEnough = errors.New("query: enough lines")

// json finds the columns of JSON files.
func (c *copier) json(ctx context.Context, src *copySource) (string, error) {
	multi := c.on("multiline")
	src.text = &worker.Text{Whole: multi}
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
			return "", err
		}
	}
	ddl := all.Columns()
	if ddl == "" {
		return "", c.noSchema()
	}
	if multi {
		return "SELECT r.* FROM (SELECT explode(from_json(value, " + types.QuoteText("ARRAY<STRUCT<"+ddl+">>") + c.optionMap() + ")) AS r FROM " + types.Quote(copySourceName) + ")", nil
	}
	return "SELECT r.* FROM (SELECT from_json(value, " + types.QuoteText(ddl) + c.optionMap() + ") AS r FROM " + types.Quote(copySourceName) + ")", nil
}

// one is the first byte of an option's value, def without the option.
func (c *copier) one(key string, def byte) byte {
	v, ok := c.opts[key]
	switch {
	case !ok:
		return def
	case v == "" || v == `\0`:
		return 0
	}
	return v[0]
}

// csv finds the columns of CSV files: text, or with inferSchema what all values
// are.
func (c *copier) csv(ctx context.Context, src *copySource) (string, error) {
	header := c.on("header")
	src.text = &worker.Text{Header: header}
	if c.on("multiline") {
		src.text.Quote, src.text.Escape = c.one("quote", '"'), c.one("escape", '\\')
	}
	first, err := c.firstRecord(ctx, src)
	if err != nil {
		return "", err
	}
	got, err := c.texts(ctx, "SELECT schema_of_csv("+types.QuoteText(first)+c.optionMap()+")", src)
	if err != nil {
		return "", err
	}
	guess, err := parse.DataType(got[0][0])
	if err != nil {
		return "", err
	}
	shape, ok := guess.(types.Struct)
	if !ok {
		return "", c.noSchema()
	}
	cols := slices.Clone(shape.Fields)
	for i := range cols {
		cols[i].Type = types.String
	}
	if header {
		names, err := c.texts(ctx, "SELECT r.* FROM (SELECT from_csv("+types.QuoteText(first)+", "+types.QuoteText(columnsDDL(cols))+c.optionMap()+") AS r)", src)
		if err != nil {
			return "", err
		}
		for i, n := range names[0] {
			if n = strings.TrimSpace(n); n != "" {
				cols[i].Name = n
			}
		}
	}
	read := func() string {
		return "SELECT r.* FROM (SELECT from_csv(value, " + types.QuoteText(columnsDDL(cols)) + c.optionMap() + ") AS r FROM " + types.Quote(copySourceName) + ")"
	}
	if c.on("inferschema") {
		if err := c.inferCSV(ctx, src, cols, read()); err != nil {
			return "", err
		}
	}
	return read(), nil
}

// firstRecord is the first record of the files that are not empty.
func (c *copier) firstRecord(ctx context.Context, src *copySource) (string, error) {
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
	return "", c.noSchema()
}

// csvTypes are tried in this order on a column's values.
var csvTypes = []types.Type{types.Int, types.BigInt, types.Double, types.Boolean, types.Date, types.Timestamp}

// inferCSV gives columns the first type that all their values can be cast to.
func (c *copier) inferCSV(ctx context.Context, src *copySource, cols []types.Field, read string) error {
	var tests []string
	for _, f := range cols {
		name := types.Quote(f.Name)
		tests = append(tests, "count("+name+")")
		for _, t := range csvTypes {
			tests = append(tests, "coalesce(bool_and(try_cast("+name+" AS "+t.SQL()+") IS NOT NULL OR "+name+" IS NULL), true)")
		}
	}
	got, err := c.texts(ctx, "SELECT "+strings.Join(tests, ", ")+" FROM ("+read+")", src)
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
