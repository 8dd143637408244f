package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/marisma/marisma/internal/query/corpus"
	"github.com/marisma/marisma/internal/query/corpus/gen"
)

// Statements that Spark answers in one request, and that are made smaller in one.
const (
	chunk       = 200
	maxTries    = 12 // smaller forms of one expression in one round
	maxRounds   = 6
	rowsOfCells = 7
	allCells    = "FROM cells"
	otherError  = "another error class" // as package corpus tells it
)

func oneCell(id int) string { return allCells + " WHERE id = " + strconv.Itoa(id) }

// rig has both engines.
type rig struct {
	cfg   config
	lab   *corpus.Lab
	spark *kept
}

// difference is a statement that the engines answer differently.
type difference struct {
	st   gen.Statement
	fail *corpus.Failure
}

func (r *rig) run(ctx context.Context) error {
	list := r.cfg.statements()
	diffs, err := r.compare(ctx, list)
	if err = errors.Join(err, r.write(diffs)); err != nil { // a run that was stopped leaves what it found
		return err
	}
	if diffs, err = r.byRow(ctx, diffs); err != nil {
		return err
	}
	once := len(diffs)
	for _, conf := range otherWays {
		if diffs, err = r.again(ctx, diffs, conf); err != nil {
			return err
		}
	}
	report, err := count(list, diffs)
	if err != nil {
		return err
	}
	if err = errors.Join(r.shrink(ctx, diffs), r.write(diffs)); err != nil {
		return err
	}
	table := strings.TrimSuffix(report.Table(), "\n")
	table = table[:strings.LastIndex(table, "\n")+1]
	fmt.Print(table)
	fmt.Printf("%d are equal only where Spark was asked another way; differences are in %s, seed %d\n%d equal, %d different\n",
		once-len(diffs), r.cfg.out, r.cfg.seed, report.Passed(), report.Failed())
	return nil
}

// answers is a chunk on its way from Spark.
type answers struct {
	cases []corpus.Case
	err   error
}

// count reports the statements by group.
func count(list []gen.Statement, diffs []*difference) (*corpus.Report, error) {
	failed := make(map[string]*corpus.Failure, len(diffs))
	for _, d := range diffs {
		failed[d.st.ID] = d.fail
	}
	report := corpus.NewReport(io.Discard)
	for _, st := range list {
		if err := report.Add(corpus.Case{ID: st.ID, Group: st.Group}, failed[st.ID]); err != nil {
			return nil, err
		}
	}
	return report, nil
}

// byRow leaves those differences out that are none when the rows are asked one
// at a time: which error a statement reports is not defined where several rows
// have different ones.
func (r *rig) byRow(ctx context.Context, diffs []*difference) ([]*difference, error) {
	var rows []gen.Statement
	asked := map[string]bool{}
	for _, d := range diffs {
		if kind(d.fail) != otherError || d.st.Expr == nil || d.st.From != allCells || d.st.Batch != "" {
			continue
		}
		asked[d.st.ID] = true
		for id := range rowsOfCells {
			s := d.st.With(d.st.Expr, oneCell(id+1))
			s.ID = d.st.ID + "/" + strconv.Itoa(id+1)
			rows = append(rows, s)
		}
	}
	found, err := r.compare(ctx, rows)
	if err != nil {
		return nil, err
	}
	for _, d := range found {
		id, _, _ := strings.Cut(d.st.ID, "/")
		delete(asked, id)
	}
	return slices.DeleteFunc(diffs, func(d *difference) bool { return asked[d.st.ID] }), nil
}

// otherWays are settings of Spark's that change how it evaluates a statement: not
// beforehand over the rows of a view of VALUES, which here are a table's, and then
// compiled, as it does outside of this rig. Which error comes first and what the
// try_ functions take depends on that.
var otherWays = []map[string]string{
	{excluded: convertToLocal},
	{excluded: convertToLocal, "spark.sql.codegen.wholeStage": "true", "spark.sql.codegen.factoryMode": "FALLBACK"},
}

const (
	excluded       = "spark.sql.optimizer.excludedRules"
	convertToLocal = "org.apache.spark.sql.catalyst.optimizer.ConvertToLocalRelation"
	leastIndex     = "-2147483648" // of an array: compiled code reads far beyond it, and ends the process
)

// again leaves those differences out that are none when Spark is asked another
// way.
func (r *rig) again(ctx context.Context, diffs []*difference, conf map[string]string) ([]*difference, error) {
	var list []gen.Statement
	stay := map[string]bool{}
	for _, d := range diffs {
		if strings.Contains(d.st.Text, leastIndex) {
			stay[d.st.ID] = true
			continue
		}
		st := d.st
		st.Conf = maps.Clone(conf)
		maps.Copy(st.Conf, d.st.Conf)
		list = append(list, st)
	}
	found, err := r.compare(ctx, list)
	if err != nil {
		return nil, err
	}
	for _, d := range found {
		stay[d.st.ID] = true
	}
	return slices.DeleteFunc(diffs, func(d *difference) bool { return !stay[d.st.ID] }), nil
}

// compare asks both engines; Spark works on the next chunk while this one is
// compared.
func (r *rig) compare(ctx context.Context, list []gen.Statement) ([]*difference, error) {
	ch := make(chan answers, 1)
	go func() {
		defer close(ch)
		for from := 0; from < len(list) && ctx.Err() == nil; from += chunk {
			to, began := min(from+chunk, len(list)), time.Now()
			cases, err := r.spark.ask(list[from:to])
			fmt.Fprintf(os.Stderr, "Spark answered %d of %d, the last %d in %s\n", to, len(list), to-from, time.Since(began).Round(time.Millisecond))
			ch <- answers{cases, err}
			if err != nil {
				return
			}
		}
	}()
	var out []*difference
	at := 0
	var failed error
	for a := range ch {
		if failed == nil {
			failed = a.err
		}
		for _, c := range a.cases {
			if failed != nil {
				break
			}
			// A statement that ends the process is to be found here.
			failed = os.WriteFile(filepath.Join(r.cfg.out, "running.sql"), []byte(c.SQL+"\n"), 0o600)
			if failed != nil {
				break
			}
			f, err := r.lab.Run(ctx, c)
			if f != nil {
				out = append(out, &difference{list[at], f})
			}
			failed = err
			at++
		}
	}
	return out, failed
}

// shrink makes differing expressions smaller, all of them a step per round.
func (r *rig) shrink(ctx context.Context, diffs []*difference) error {
	live := distinct(diffs, r.cfg.shrink)
	for round := range maxRounds {
		var tries []gen.Statement
		var of []*difference
		for _, d := range live {
			for _, s := range smaller(d.st, round == 0) {
				s.ID = fmt.Sprintf("%s-%d", d.st.ID, len(tries))
				tries, of = append(tries, s), append(of, d)
			}
		}
		if len(tries) == 0 {
			return nil
		}
		byID := make(map[string]*difference, len(tries))
		for i, s := range tries {
			byID[s.ID] = of[i]
		}
		found, err := r.compare(ctx, tries)
		if err != nil {
			return err
		}
		live = live[:0:0]
		done := map[*difference]bool{}
		for _, f := range found {
			d := byID[f.st.ID]
			if done[d] || kind(f.fail) != kind(d.fail) {
				continue
			}
			done[d] = true
			f.st.ID = d.st.ID
			*d = *f
			live = append(live, d)
		}
	}
	return nil
}

// distinct are the first differences of each shape, at most n.
func distinct(diffs []*difference, n int) []*difference {
	var out []*difference
	seen := map[string]bool{}
	for _, d := range diffs {
		if s := shape(d); len(out) < n && d.st.Expr != nil && !seen[s] {
			seen[s] = true
			out = append(out, d)
		}
	}
	return out
}

// kind is the way in which answers differ, without row and column.
func kind(f *corpus.Failure) string {
	why, _, _ := strings.Cut(f.Why, " row")
	return strings.TrimRight(why, "0123456789 ")
}

// smaller are simpler statements, the simplest first; with rows also the same
// over single rows.
func smaller(s gen.Statement, rows bool) []gen.Statement {
	if s.Expr == nil {
		return nil
	}
	var out []gen.Statement
	for _, x := range s.Expr.Smaller() {
		if len(out) == maxTries {
			break
		}
		out = append(out, s.With(x, s.From))
	}
	if rows && s.From == allCells && s.Batch == "" {
		for id := range rowsOfCells {
			out = append(out, s.With(s.Expr, oneCell(id+1)))
		}
	}
	return out
}

// write puts the differences into the folder, the commonest shape first.
func (r *rig) write(diffs []*difference) error {
	count := map[string]int{}
	for _, d := range diffs {
		count[shape(d)]++
	}
	sort.SliceStable(diffs, func(i, j int) bool {
		a, b := shape(diffs[i]), shape(diffs[j])
		if count[a] != count[b] {
			return count[a] > count[b]
		}
		return a < b
	})
	if err := os.MkdirAll(r.cfg.out, 0o750); err != nil {
		return err
	}
	var text, lines strings.Builder
	for _, d := range diffs {
		fmt.Fprintf(&text, "%d x %s\n%s", count[shape(d)], shape(d), d.fail)
		line, err := d.fail.Case.Line()
		if err != nil {
			return err
		}
		lines.Write(line)
		lines.WriteByte('\n')
	}
	if err := os.WriteFile(filepath.Join(r.cfg.out, "differences.txt"), []byte(text.String()), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(r.cfg.out, "differences.jsonl"), []byte(lines.String()), 0o600)
}

func shape(d *difference) string {
	if d.st.Expr == nil {
		return d.st.Group
	}
	return kind(d.fail) + ": " + d.st.Expr.Shape()
}
