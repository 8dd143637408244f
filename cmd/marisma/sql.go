package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/web/api"
)

func (c *cli) sqlCmd() *cobra.Command {
	var expr, file string
	var limit int
	var asCSV bool
	cmd := &cobra.Command{
		Use:   "sql",
		Short: "Run Spark SQL: a statement (-e), a file (-f) or a shell",
		Example: `  marisma sql -e "SELECT device_id, count(*) FROM silver_readings GROUP BY ALL"
  marisma sql -f report.sql -o json
  marisma sql --csv -e "SELECT * FROM gold_machine_5min" > gold.csv`,
		Args: args(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, p, err := c.client()
			if err != nil {
				return err
			}
			cat, schema := p.DefaultSchema()
			run := &sqlRun{cli: c, client: cl, limit: limit, csv: asCSV, catalog: cat, schema: schema, session: rand.Text()}
			switch {
			case expr != "" && file != "":
				return usageError{errors.New("-e and -f exclude each other")}
			case expr != "":
				return run.script(cmd.Context(), "", expr)
			case file != "":
				text, err := os.ReadFile(file)
				if err != nil {
					return err
				}
				return run.script(cmd.Context(), file, string(text))
			}
			return run.shell(cmd.Context())
		},
	}
	cmd.Flags().StringVarP(&expr, "execute", "e", "", "statements to run")
	cmd.Flags().StringVarP(&file, "file", "f", "", "file of statements to run")
	cmd.Flags().IntVar(&limit, "limit", 0, "print at most this many rows of each result (0: all; a terminal gets 1000)")
	cmd.Flags().BoolVar(&asCSV, "csv", false, "print results as CSV")
	return cmd
}

// sqlRun sends statements and prints their results.
type sqlRun struct {
	*cli
	client          *api.Client
	catalog, schema string
	session         string // all statements belong to it
	limit           int
	csv             bool
}

// terminalRows bounds what a result prints on a terminal.
const terminalRows = 1000

func (r *sqlRun) script(ctx context.Context, name, text string) error {
	stmts, err := parse.Split(name, text)
	if err != nil {
		return err
	}
	at := place{file: name, line: 1, col: 1}
	for _, s := range stmts {
		before, after, _ := strings.Cut(text, s)
		at.pass(before)
		if err := r.one(ctx, s); err != nil {
			return r.explain(at.of(err))
		}
		at.pass(s)
		text = after
	}
	return nil
}

// place is where a statement begins in its script; the server knows the
// statement alone.
type place struct {
	file      string
	line, col int
}

// pass moves the place behind text.
func (p *place) pass(text string) {
	if i := strings.LastIndexByte(text, '\n'); i >= 0 {
		p.line += strings.Count(text, "\n")
		p.col = 1
		text = text[i+1:]
	}
	p.col += utf8.RuneCountInString(text)
}

// of gives the error of a statement its place in the script.
func (p *place) of(err error) error {
	e, ok := errors.AsType[*api.Error](err)
	if !ok || e.Line == 0 {
		return err
	}
	moved := *e
	if moved.Line == 1 {
		moved.Col += p.col - 1
	}
	moved.Line += p.line - 1
	if p.file != "" {
		return fmt.Errorf("%s:%w", p.file, &moved)
	}
	return &moved
}

func (r *sqlRun) one(ctx context.Context, stmt string) error {
	limit := r.limit
	if f, ok := r.out.(*os.File); ok && limit == 0 && term.IsTerminal(int(f.Fd())) {
		limit = terminalRows
	}
	req := api.SQLRequest{Statement: stmt, Catalog: r.catalog, Schema: r.schema, Session: r.session, Limit: limit}
	var p resultPrinter
	switch {
	case r.csv:
		p = &csvPrinter{w: csv.NewWriter(r.out)}
	case r.format == "json":
		p = &jsonPrinter{w: bufio.NewWriter(r.out)}
	default:
		p = &textPrinter{w: r.out}
	}
	show := printed(p)
	return r.client.SQL(ctx, req, func(l api.SQLLine) error {
		if l.Done != nil && l.Done.Catalog != "" {
			r.catalog, r.schema = l.Done.Catalog, l.Done.Schema
		}
		return show(l)
	})
}

func (r *sqlRun) shell(ctx context.Context) error {
	sc := bufio.NewScanner(r.in)
	sc.Buffer(nil, 16<<20)
	f, ok := r.in.(*os.File)
	tty := ok && term.IsTerminal(int(f.Fd()))
	if tty {
		return r.terminal(ctx, f)
	}
	var b strings.Builder
	for sc.Scan() {
		b.WriteString(sc.Text() + "\n")
	}
	if err := sc.Err(); err != nil {
		return err
	}
	return r.script(ctx, "", b.String())
}

// terminal is the interactive shell: a statement ends with a semicolon.
func (r *sqlRun) terminal(ctx context.Context, f *os.File) error {
	state, err := term.MakeRaw(int(f.Fd()))
	if err != nil {
		return err
	}
	defer func() { _ = term.Restore(int(f.Fd()), state) }()
	t := term.NewTerminal(struct {
		io.Reader
		io.Writer
	}{f, r.out}, "marisma> ")
	fmt.Fprintf(t, "Spark SQL on %s.%s; end a statement with ';', leave with Ctrl-D.\n", r.catalog, r.schema)
	raw := *r
	c := *r.cli
	c.out = t
	raw.cli = &c
	if raw.limit == 0 {
		raw.limit = terminalRows
	}
	var b strings.Builder
	for {
		line, err := t.ReadLine()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		b.WriteString(line + "\n")
		if !strings.HasSuffix(strings.TrimSpace(line), ";") || openScript(b.String()) {
			t.SetPrompt("      -> ")
			continue
		}
		if err := raw.script(ctx, "", b.String()); err != nil {
			fmt.Fprintln(t, "error:", err)
		}
		b.Reset()
		t.SetPrompt("marisma> ")
	}
}

// openScript tells whether a text ends inside of BEGIN ... END: more lines may
// follow then. An empty line ends it too.
func openScript(text string) bool {
	if strings.HasSuffix(text, "\n\n") {
		return false
	}
	_, err := parse.Split("", text)
	e, ok := errors.AsType[*sparksql.Error](err)
	return ok && e.Class == "PARSE_SYNTAX_ERROR" && strings.Contains(e.Message, "end of input")
}

// resultPrinter prints one result.
type resultPrinter interface {
	columns([]api.Column) error
	rows([][]*string) error
	done(api.SQLDone) error
}

// printed hands the lines of a result to its printer.
func printed(p resultPrinter) func(api.SQLLine) error {
	return func(l api.SQLLine) error {
		switch {
		case l.Columns != nil:
			return p.columns(l.Columns)
		case l.Done != nil:
			return p.done(*l.Done)
		}
		return p.rows(l.Rows)
	}
}

// textPrinter collects up to a screen's worth, then prints aligned.
type textPrinter struct {
	w io.Writer
	t table
	n int
}

func (p *textPrinter) columns(cols []api.Column) error {
	for _, c := range cols {
		p.t.head = append(p.t.head, c.Name)
		p.t.right = append(p.t.right, isNumber(c.Type))
	}
	return nil
}

func (p *textPrinter) rows(rows [][]*string) error {
	for _, r := range rows {
		cells := make([]string, len(r))
		for i, v := range r {
			cells[i] = "NULL"
			if v != nil {
				cells[i] = *v
			}
		}
		p.t.add(cells...)
	}
	p.n += len(rows)
	if len(p.t.rows) < terminalRows {
		return nil
	}
	return p.flush()
}

func (p *textPrinter) flush() error {
	if len(p.t.head) == 0 {
		return nil
	}
	if len(p.t.head) == 1 && slices.ContainsFunc(p.t.rows, func(r []string) bool { return strings.Contains(r[0], "\n") }) {
		return p.paragraphs()
	}
	err := p.t.print(p.w)
	p.t.rows = nil
	return err
}

// paragraphs prints texts of many lines, as EXPLAIN gives, as they are.
func (p *textPrinter) paragraphs() error {
	for _, r := range p.t.rows {
		if _, err := fmt.Fprintln(p.w, strings.TrimRight(r[0], "\n")); err != nil {
			return err
		}
	}
	p.t.rows = nil
	return nil
}

func (p *textPrinter) done(d api.SQLDone) error {
	if len(p.t.rows) > 0 || p.n == 0 {
		if err := p.flush(); err != nil {
			return err
		}
	}
	more := ""
	if d.Truncated {
		more = ", more cut off by --limit"
	}
	_, err := fmt.Fprintf(p.w, "%s rows, %.3f s%s\n", count(d.Rows), d.Seconds, more)
	return err
}

// csvPrinter prints RFC 4180 with a header; NULL is an empty field.
type csvPrinter struct {
	w *csv.Writer
}

func (p *csvPrinter) columns(cols []api.Column) error {
	head := make([]string, len(cols))
	for i, c := range cols {
		head[i] = c.Name
	}
	return p.w.Write(head)
}

func (p *csvPrinter) rows(rows [][]*string) error {
	for _, r := range rows {
		rec := make([]string, len(r))
		for i, v := range r {
			if v != nil {
				rec[i] = *v
			}
		}
		if err := p.w.Write(rec); err != nil {
			return err
		}
	}
	return nil
}

func (p *csvPrinter) done(api.SQLDone) error {
	p.w.Flush()
	return p.w.Error()
}

// jsonPrinter prints a JSON array with one object a row; numbers and booleans
// unquoted. BIGINT and DECIMAL keep all their digits.
type jsonPrinter struct {
	w    *bufio.Writer
	cols []api.Column
	n    int
}

func (p *jsonPrinter) columns(cols []api.Column) error {
	p.cols = cols
	_, err := p.w.WriteString("[")
	return err
}

func (p *jsonPrinter) rows(rows [][]*string) error {
	for _, r := range rows {
		b := []byte(",\n {")
		if p.n == 0 {
			b = []byte("\n {")
		}
		p.n++
		for i, v := range r {
			if i > 0 {
				b = append(b, ", "...)
			}
			name, err := json.Marshal(p.cols[i].Name)
			if err != nil {
				return err
			}
			b = append(append(b, name...), ": "...)
			b = append(b, jsonValue(p.cols[i].Type, v)...)
		}
		if _, err := p.w.Write(append(b, '}')); err != nil {
			return err
		}
	}
	return nil
}

func (p *jsonPrinter) done(api.SQLDone) error {
	if _, err := p.w.WriteString("\n]\n"); err != nil {
		return err
	}
	return p.w.Flush()
}

func jsonValue(typ string, v *string) []byte {
	switch {
	case v == nil:
		return []byte("null")
	case (isNumber(typ) || typ == "boolean") && json.Valid([]byte(*v)):
		return []byte(*v)
	}
	b, err := json.Marshal(*v)
	if err != nil { // a string always marshals
		return []byte("null")
	}
	return b
}

func isNumber(typ string) bool {
	switch typ {
	case "tinyint", "smallint", "int", "bigint", "float", "double":
		return true
	}
	return strings.HasPrefix(typ, "decimal(")
}
