package delta

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
)

// The keys under which a column has rules of its rows.
const (
	generationKey = "delta.generationExpression"
	invariantKey  = "delta.invariants"
	defaultKey    = "CURRENT_DEFAULT"
	identityKey   = "delta.identity.start"
	constraintKey = "delta.constraints."
)

// rule is a condition that rows must meet.
type rule struct{ name, text string }

// ruleSet computes what a table asks of its rows.
type ruleSet struct {
	ctx       context.Context //nolint:containedctx // the writer's
	engine    RowEngine
	schema    *arrow.Schema
	checks    []rule
	generated map[string]string // expression by column
	defaults  map[string]string
}

// rules are what a writer has to compute, nil for nothing: without an engine
// tables with rules are not written to, or the caller takes care of them.
func (t *Table) rules(ctx context.Context, m *Metadata, s *arrow.Schema, extra ...rule) *ruleSet {
	if t.opt.rowRules || t.opt.rows == nil {
		return nil
	}
	r := &ruleSet{ctx: ctx, engine: t.opt.rows, schema: s, checks: extra, generated: map[string]string{}, defaults: map[string]string{}}
	for _, k := range slices.Sorted(maps.Keys(m.Configuration)) {
		if name, ok := strings.CutPrefix(k, constraintKey); ok {
			r.checks = append(r.checks, rule{name, m.Configuration[k]})
		}
	}
	r.invariants(s.Fields())
	for _, f := range s.Fields() {
		if x, ok := f.Metadata.GetValue(generationKey); ok {
			r.generated[f.Name] = x
		}
		if x, ok := f.Metadata.GetValue(defaultKey); ok {
			r.defaults[f.Name] = x
		}
	}
	if len(r.checks)+len(r.generated)+len(r.defaults) == 0 {
		return nil
	}
	return r
}

func (r *ruleSet) invariants(fields []arrow.Field) {
	for _, f := range fields {
		var inv struct {
			Expression struct {
				Expression string `json:"expression"`
			} `json:"expression"`
		}
		if text, ok := f.Metadata.GetValue(invariantKey); ok && json.Unmarshal([]byte(text), &inv) == nil && inv.Expression.Expression != "" {
			r.checks = append(r.checks, rule{f.Name, inv.Expression.Expression})
		}
		if st, ok := f.Type.(*arrow.StructType); ok {
			r.invariants(st.Fields())
		}
	}
}

// apply fills in columns that rec lacks and checks the rows; columns to keep
// are none of the table's. The caller releases what it gives.
func (r *ruleSet) apply(rec arrow.RecordBatch, keep []string) (arrow.RecordBatch, error) {
	given := arrow.NewSchema(slices.DeleteFunc(slices.Clone(rec.Schema().Fields()), func(f arrow.Field) bool { return slices.Contains(keep, f.Name) }), nil)
	quoted := make([]string, len(keep))
	for i, k := range keep {
		quoted[i] = ident(k)
	}
	query, err := r.query(given, "given", quoted, "")
	if err != nil {
		return nil, err
	}
	var parts []arrow.RecordBatch
	defer func() {
		for _, p := range parts {
			p.Release()
		}
	}()
	err = each(r.ctx, r.engine, query, map[string]RowSource{"given": SourceOf(rec.Schema(), rec)}, func(out arrow.RecordBatch) error {
		kept, err := r.inspect(out)
		if err == nil {
			parts = append(parts, kept)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return joined(parts)
}

// inspect refuses a batch of query's with rows that break a rule, and leaves
// the columns that say so out. The caller releases what it gives.
func (r *ruleSet) inspect(rec arrow.RecordBatch) (arrow.RecordBatch, error) {
	n := int(rec.NumCols())
	for i := range n {
		if name, ok := strings.CutPrefix(rec.ColumnName(i), checkPrefix); ok {
			if err := r.check(name, rec.Column(i)); err != nil {
				return nil, err
			}
			n = min(n, i)
		}
	}
	return pick(rec, upTo(n)), nil
}

func upTo(n int) []int {
	out := make([]int, n)
	for i := range out {
		out[i] = i
	}
	return out
}

// checkPrefix begins the names of columns that say whether a rule is kept.
const checkPrefix = "__check_"

// check refuses rows for which a rule does not hold.
func (r *ruleSet) check(name string, a arrow.Array) error {
	b, ok := a.(*array.Boolean)
	if !ok {
		return fmt.Errorf("%w: the rule %s is %s, not true or false", ErrConstraint, name, a.DataType())
	}
	for i := range b.Len() {
		if b.IsNull(i) || !b.Value(i) {
			text := ""
			for _, c := range r.checks {
				if c.name == name {
					text = " (" + c.text + ")"
				}
			}
			return fmt.Errorf("%w: a row breaks the rule %s%s", ErrConstraint, name, text)
		}
	}
	return nil
}

// query gives rows of the table out of those of a relation with the given
// columns, and a column for each rule. keep are further columns of the relation,
// which come first; rules do not count for rows where unless, if any, is true.
func (r *ruleSet) query(given *arrow.Schema, from string, keep []string, unless string) (string, error) {
	base, full, checks := slices.Clone(keep), slices.Clone(keep), slices.Clone(keep)
	for _, f := range r.schema.Fields() {
		if f.Type.ID() == arrow.NULL {
			continue
		}
		checks = append(checks, ident(f.Name))
		at := find(given, f.Name)
		expr, to := "NULL", &base
		switch {
		case at >= 0:
			base = append(base, ident(given.Field(at).Name)+" AS "+ident(f.Name))
			full = append(full, ident(f.Name))
			continue
		case r.generated[f.Name] != "":
			expr, to = r.generated[f.Name], &full
		case r.defaults[f.Name] != "":
			expr = r.defaults[f.Name]
		}
		x, err := castTo(expr, f.Type)
		if err != nil {
			return "", err
		}
		*to = append(*to, x+" AS "+ident(f.Name))
		if to == &base {
			full = append(full, ident(f.Name))
		}
	}
	rows := "(SELECT " + strings.Join(full, ", ") + " FROM (SELECT " + strings.Join(base, ", ") + " FROM " + from + "))"
	if len(base) == 0 {
		return "", fmt.Errorf("%w: rows with generated columns only", ErrSchemaMismatch)
	}
	more, err := r.conditions(given, unless)
	return "SELECT " + strings.Join(append(checks, more...), ", ") + " FROM " + rows, err
}

// conditions are the columns that say whether rules are kept.
func (r *ruleSet) conditions(given *arrow.Schema, unless string) ([]string, error) {
	var out []string
	add := func(name, cond string) {
		if unless != "" {
			cond = "CASE WHEN " + unless + " THEN true ELSE " + cond + " END"
		}
		out = append(out, cond+" AS "+ident(checkPrefix+name))
	}
	for _, f := range given.Fields() {
		if find(r.schema, f.Name) < 0 {
			return nil, fmt.Errorf("%w: the table has no column %q", ErrSchemaMismatch, f.Name)
		}
	}
	for _, c := range r.checks {
		add(c.name, paren(c.text))
	}
	for _, f := range r.schema.Fields() {
		if gen := r.generated[f.Name]; gen != "" && find(given, f.Name) >= 0 {
			x, err := castTo(gen, f.Type)
			if err != nil {
				return nil, err
			}
			add(f.Name, ident(f.Name)+" <=> "+x)
		}
	}
	return out, nil
}

// joined makes one batch of several.
func joined(parts []arrow.RecordBatch) (arrow.RecordBatch, error) {
	if len(parts) == 0 {
		return nil, errors.New("delta: the engine lost rows")
	}
	return concat(parts)
}
