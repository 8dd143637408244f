package query

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql/explain"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// explain shows a statement's plan: one column, plan. Modes add to the tree:
// EXTENDED and FORMATTED the output's types, the lowered SQL and what is read
// of each table; CODEGEN is the lowered SQL alone; COST has sizes in the tree.
// What cannot be analysed gives its error's lines as rows, as in Spark.
func (e *Engine) explain(ctx context.Context, x *plan.Explain, opt Options) (*Result, error) {
	text, err := e.explained(ctx, x, opt)
	if err != nil {
		if ctx.Err() != nil {
			return nil, err
		}
		var rows [][]string
		for l := range strings.SplitSeq("Error occurred during query planning: \n"+err.Error(), "\n") {
			rows = append(rows, []string{l})
		}
		return explainResult(rows), nil
	}
	return explainResult([][]string{{text}}), nil
}

func explainResult(rows [][]string) *Result {
	r := textResult([]string{"plan"}, rows)
	r.Columns[0].Type = types.String
	return r
}

func (e *Engine) explained(ctx context.Context, x *plan.Explain, opt Options) (string, error) {
	if x.Err != nil {
		return "", x.Err
	}
	head, n := statementPlan(x.Of)
	if n == nil {
		return "== Plan ==\n" + head + "\n", nil
	}
	var b strings.Builder
	preds := Prune(n)
	switch x.Mode {
	case "codegen":
		return e.loweredText(ctx, n, opt)
	case "cost":
		b.WriteString("== Plan ==\n" + treeUnder(head, explain.Tree(n, sizes)))
		return b.String(), nil
	case "extended", "formatted":
		fmt.Fprintf(&b, "== Plan ==\n%s\n%s", explain.Schema(n), treeUnder(head, explain.Tree(n, nil)))
		sql, err := e.loweredText(ctx, n, opt)
		if err != nil {
			return "", err
		}
		b.WriteString("\n" + sql)
		scans, err := scansText(n, preds)
		if err != nil {
			return "", err
		}
		if scans != "" {
			b.WriteString("\n== Scans ==\n" + scans)
		}
		return b.String(), nil
	}
	b.WriteString("== Plan ==\n" + treeUnder(head, explain.Tree(n, nil)))
	return b.String(), nil
}

// statementPlan gives the line of a statement that is no query, and its plan,
// nil where it has none.
func statementPlan(st plan.Statement) (string, plan.Node) {
	switch st := st.(type) {
	case *plan.Query:
		return "", st.Plan
	case *plan.CreateView:
		return "CreateViewCommand " + strings.Join(st.Name, "."), st.Plan
	case *plan.CreateDataset:
		return "CreateDataset " + strings.Join(st.Name, "."), st.Plan
	case *plan.CreateTable:
		if st.Rows == nil {
			break
		}
		return "CreateTableAsSelect " + strings.Join(st.Name, "."), st.Rows.Plan
	case *plan.Insert:
		mode := [...]string{plan.WriteAppend: "Append", plan.WriteOverwrite: "Overwrite", plan.WriteDynamic: "OverwritePartitions", plan.WriteReplace: "ReplaceWhere"}[st.Mode]
		return mode + " " + strings.Join(st.Target.Name, "."), st.Rows.Plan
	case *plan.Change:
		name := [...]string{plan.ChangeUpdate: "Update ", plan.ChangeDelete: "Delete ", plan.ChangeMerge: "Merge "}[st.Kind] + strings.Join(st.Target.Name, ".")
		if st.Rewrite == nil {
			return name, st.Gone
		}
		return name, st.Rewrite.Plan
	case *plan.Command:
		return strings.TrimSpace("Command " + st.Verb + " " + strings.Join(st.Name, ".")), nil
	}
	return strings.TrimPrefix(fmt.Sprintf("%T", st), "*plan."), nil
}

// treeUnder hangs a tree below a line, if there is one.
func treeUnder(head, tree string) string {
	if head == "" {
		return tree
	}
	var b strings.Builder
	b.WriteString(head + "\n")
	lead := "+- "
	for l := range strings.Lines(tree) {
		b.WriteString(lead + l)
		lead = "   "
	}
	return b.String()
}

// loweredText is the SQL that DuckDB would be given; tables stand under their
// names, not as lists of files.
func (e *Engine) loweredText(ctx context.Context, n plan.Node, opt Options) (string, error) {
	if err := ctx.Err(); err != nil {
		return "", err
	}
	res, err := opt.lower(n, func(s *plan.Scan) (string, error) {
		return batchesSQL(s, ident(strings.Join(s.Source.Name, ".")))
	})
	if err != nil {
		return "", err
	}
	out := "== DuckDB SQL ==\n" + renumber(res.SQL) + "\n"
	var kernels []string
	for _, k := range res.Kernels {
		if !slices.Contains(kernels, k.Kind) {
			kernels = append(kernels, k.Kind)
		}
	}
	if len(kernels) > 0 {
		out += "Kernels: " + strings.Join(kernels, ", ") + "\n"
	}
	return out, nil
}

// renumber gives the internal columns of lowered SQL numbers in the order in
// which they come up, so that a statement always shows the same text.
func renumber(sql string) string {
	seen := map[string]string{}
	return column.ReplaceAllStringFunc(sql, func(m string) string {
		if m[0] == '\'' { // a string is the statement's
			return m
		}
		if seen[m] == "" {
			seen[m] = fmt.Sprintf("\"c%d\"", len(seen)+1)
		}
		return seen[m]
	})
}

// column matches strings, and internal column names.
var column = regexp.MustCompile(`'(?:[^']|'')*'|"c[0-9]+"`)

// sizes notes how large a table is.
func sizes(s *plan.Scan) string {
	h, ok := s.Source.Handle.(*Handle)
	if !ok {
		return ""
	}
	out := fmt.Sprintf("Statistics(sizeInBytes=%d, files=%d", h.Snapshot.Bytes(), h.Snapshot.NumFiles())
	if n, known := h.Snapshot.Rows(); known {
		out += fmt.Sprintf(", rowCount=%d", n)
	}
	return out + ")"
}

// scansText tells for each table which version is read, and how many of its
// files are left by which comparisons.
func scansText(n plan.Node, preds map[*plan.Scan][]delta.Predicate) (string, error) {
	var b strings.Builder
	for _, s := range plan.Scans(n) {
		name := strings.Join(s.Source.Name, ".")
		if _, ok := s.Source.Handle.(*fileHandle); ok {
			fmt.Fprintf(&b, "%s: a table of files\n", name)
			continue
		}
		h, ok := s.Source.Handle.(*Handle)
		if !ok {
			fmt.Fprintf(&b, "%s: no table\n", name)
			continue
		}
		files, _, err := h.Snapshot.Files(preds[s]...)
		if err != nil {
			return "", err
		}
		var bytes int64
		for _, f := range files {
			bytes += f.Size
		}
		cols := make([]string, len(s.Attrs))
		for i := range s.Attrs {
			cols[i] = scanColumn(s, i)
		}
		fmt.Fprintf(&b, "%s version %d: %d of %d files, %d bytes; columns %s", name, h.Snapshot.Version(), len(files), h.Snapshot.NumFiles(), bytes, strings.Join(cols, ", "))
		if text := predicateText(preds[s]); text != "" {
			b.WriteString("; pruned by " + text)
		}
		b.WriteByte('\n')
	}
	return b.String(), nil
}

func predicateText(preds []delta.Predicate) string {
	signs := map[delta.Op]string{delta.Eq: "=", delta.Lt: "<", delta.LtEq: "<=", delta.Gt: ">", delta.GtEq: ">="}
	out := make([]string, len(preds))
	for i, p := range preds {
		sign := signs[p.Op]
		if sign == "" {
			sign = "in"
		}
		out[i] = fmt.Sprintf("%s %s %v", p.Column, sign, p.Value)
	}
	return strings.Join(out, " AND ")
}
