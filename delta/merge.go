package delta

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/marisma/marisma/delta/internal/schema"
)

// ErrAmbiguousMerge says that several rows of a Merge's source change one row
// of the table.
var ErrAmbiguousMerge = errors.New("delta: several source rows match one row of the table")

// MergeOption is a clause of Merge or sets how it works. Clauses count in the
// order in which they are given: of those of a kind the first whose condition
// holds acts on a row. Conditions are optional ("") and may name the columns of
// both sides as target.x and source.x, as far as the clause has both sides.
type MergeOption func(*merge)

// merge is a Merge to be.
type merge struct {
	clauses       []clause
	evolve        bool
	target, alias string
	write         []WriteOption
}

type sides uint8

const (
	matched  sides = iota // the row is on both sides
	onSource              // only the source has it
	onTarget              // only the table has it
)

type effect uint8

const (
	doUpdate effect = iota
	doInsert
	doDelete
)

type clause struct {
	on   sides
	do   effect
	when string
	all  bool // take the source's columns
	set  map[string]string
}

// add is a MergeOption for a clause.
func (c clause) option() MergeOption { return func(m *merge) { m.clauses = append(m.clauses, c) } }

// WhenMatchedUpdate gives columns of rows that match new values.
func WhenMatchedUpdate(when string, set map[string]string) MergeOption {
	return clause{on: matched, do: doUpdate, when: when, set: set}.option()
}

// WhenMatchedUpdateAll gives rows that match the values of the source's columns
// of the same names.
func WhenMatchedUpdateAll(when string) MergeOption {
	return clause{on: matched, do: doUpdate, when: when, all: true}.option()
}

// WhenMatchedDelete deletes rows that match.
func WhenMatchedDelete(when string) MergeOption {
	return clause{on: matched, do: doDelete, when: when}.option()
}

// WhenNotMatchedInsert inserts a row for a source row that matches none;
// columns without a value have their default or NULL.
func WhenNotMatchedInsert(when string, values map[string]string) MergeOption {
	return clause{on: onSource, do: doInsert, when: when, set: values}.option()
}

// WhenNotMatchedInsertAll inserts source rows that match none.
func WhenNotMatchedInsertAll(when string) MergeOption {
	return clause{on: onSource, do: doInsert, when: when, all: true}.option()
}

// WhenNotMatchedBySourceUpdate gives columns of rows that no source row matches
// new values.
func WhenNotMatchedBySourceUpdate(when string, set map[string]string) MergeOption {
	return clause{on: onTarget, do: doUpdate, when: when, set: set}.option()
}

// WhenNotMatchedBySourceDelete deletes rows that no source row matches.
func WhenNotMatchedBySourceDelete(when string) MergeOption {
	return clause{on: onTarget, do: doDelete, when: when}.option()
}

// WithSchemaEvolution adds the source's columns that the table lacks to it, if
// a clause takes all of the source's columns.
func WithSchemaEvolution() MergeOption { return func(m *merge) { m.evolve = true } }

// WithAliases replaces the names target and source in conditions and values.
func WithAliases(target, source string) MergeOption {
	return func(m *merge) { m.target, m.alias = target, source }
}

// WithWrite sets options of writing and committing.
func WithWrite(opts ...WriteOption) MergeOption {
	return func(m *merge) { m.write = append(m.write, opts...) }
}

// Merge joins the table with a source and does to the rows what its clauses
// say, in one commit. Rows of both match where `on` is true. ErrAmbiguousMerge
// where several source rows would change one row of the table. It needs a
// RowEngine, which makes the join; rows that stay as they are do not leave
// their files unless these are written anew.
func (t *Table) Merge(ctx context.Context, source RowSource, on string, opts ...MergeOption) (ChangeResult, error) {
	none := ChangeResult{Version: -1}
	engine, err := t.engine("MERGE")
	if err != nil {
		return none, err
	}
	m := &merge{target: "target", alias: "source"}
	for _, f := range opts {
		f(m)
	}
	if len(m.clauses) == 0 {
		return none, errors.New("delta: a merge without clauses")
	}
	c, err := t.change(ctx, "MERGE", m.parameters(on), m.write)
	if err != nil {
		return none, err
	}
	for _, x := range m.clauses {
		if x.do != doInsert {
			if err := c.snap.appendOnly(); err != nil {
				return none, err
			}
		}
	}
	s, err := m.schema(c, source.Schema)
	if err != nil {
		return none, err
	}
	query, err := m.query(c, s, source.Schema, on)
	if err != nil {
		return none, err
	}
	if err := c.prune(ctx, engine, query, mergeTarget, map[string]RowSource{mergeSource: source}); err != nil {
		return none, err
	}
	r, err := c.snap.NewRewrite(ctx, c.opt)
	if err != nil {
		return none, err
	}
	var given []arrow.Field
	for _, f := range s.Fields() {
		if _, computed := f.Metadata.GetValue(generationKey); !computed && f.Type.ID() != arrow.NULL {
			given = append(given, f)
		}
	}
	run := merging{merge: m, c: c, r: r, source: source.Schema, deleted: newPlaces(c.files), updated: newPlaces(c.files)}
	run.keep = len(c.placeColumns("")) + 1
	err = r.eachRow(engine, query, append(c.placeColumns(""), clauseColumn), arrow.NewSchema(given, nil), m.deletes(),
		map[string]RowSource{mergeTarget: c.source, mergeSource: source}, run.take)
	if err == nil {
		err = run.touch()
	}
	return c.end(r, err)
}

// parameters are a merge's as the history shows them.
func (m *merge) parameters(on string) map[string]string {
	type shown struct {
		Predicate string `json:"predicate,omitempty"`
		Action    string `json:"actionType"`
	}
	lists := map[sides][]shown{matched: {}, onSource: {}, onTarget: {}}
	for _, c := range m.clauses {
		lists[c.on] = append(lists[c.on], shown{c.when, [...]string{doUpdate: "update", doInsert: "insert", doDelete: "delete"}[c.do]})
	}
	return map[string]string{
		"predicate": jsonText([]string{on}), "matchedPredicates": jsonText(lists[matched]),
		"notMatchedPredicates": jsonText(lists[onSource]), "notMatchedBySourcePredicates": jsonText(lists[onTarget]),
	}
}

// schema is the table's after the merge.
func (m *merge) schema(c *change, source *arrow.Schema) (*arrow.Schema, error) {
	all := false
	for _, x := range m.clauses {
		all = all || x.all
	}
	fields := c.snap.schema.Fields()
	grown := false
	for _, f := range source.Fields() {
		if m.evolve && all && find(c.snap.schema, f.Name) < 0 {
			fields = append(fields, arrow.Field{Name: f.Name, Type: f.Type, Nullable: true})
			grown = true
		}
	}
	if !grown {
		return c.snap.schema, nil
	}
	s, err := c.snap.Extend(arrow.NewSchema(fields, nil))
	if err != nil {
		return nil, err
	}
	if schema.HasNTZ(s) && !schema.HasNTZ(c.snap.schema) && !features(c.snap.protocol)["timestampNtz"] {
		return nil, fmt.Errorf("%w: a new column is a timestamp without time zone, which the table does not have yet", ErrUnsupportedFeature)
	}
	c.opt.SchemaTo, c.commit.SchemaTo = s, s
	return s, nil
}

// The names of a merge's sides for the engine.
const (
	mergeTarget = "delta_target"
	mergeSource = "delta_source"
)

// The columns of a merge's join: the marks of both sides' presence and the
// clause that acts.
const (
	sourceColumn = "__delta_source"
	clauseColumn = "__delta_clause"
)

// query joins both sides and gives, for each row that a clause acts on, its
// place, the clause and the new values.
func (m *merge) query(c *change, s, source *arrow.Schema, on string) (string, error) {
	tgt, src := ident(m.target)+".", ident(m.alias)+"."
	here, there := tgt+fileColumn+" IS NOT NULL", src+sourceColumn+" IS NOT NULL"
	var cases []string
	kinds := map[sides]bool{}
	for _, x := range m.clauses {
		kinds[x.on] = true
		cond := map[sides]string{matched: here + " AND " + there, onSource: "NOT (" + here + ")", onTarget: "NOT (" + there + ")"}[x.on]
		if x.when != "" {
			cond += " AND " + paren(x.when)
		}
		cases = append(cases, cond)
	}
	cols := append(c.placeColumns(tgt), numbered(cases)+" AS "+clauseColumn)
	for _, f := range s.Fields() {
		if _, computed := f.Metadata.GetValue(generationKey); computed || f.Type.ID() == arrow.NULL {
			continue
		}
		var b strings.Builder
		b.WriteString("CASE")
		for i, x := range m.clauses {
			v, err := x.value(c, f, source, tgt, src)
			if err != nil {
				return "", err
			}
			b.WriteString(" WHEN " + cases[i] + " THEN " + v)
		}
		cols = append(cols, b.String()+" END AS "+ident(f.Name))
	}
	for i := range m.clauses {
		if err := m.clauses[i].known(s); err != nil {
			return "", err
		}
	}
	join := "INNER"
	switch {
	case kinds[onSource] && kinds[onTarget]:
		join = "FULL OUTER"
	case kinds[onSource]:
		join = "RIGHT OUTER"
	case kinds[onTarget]:
		join = "LEFT OUTER"
	}
	return "SELECT * FROM (SELECT " + strings.Join(cols, ", ") + " FROM " + mergeTarget + " AS " + ident(m.target) + " " + join +
		" JOIN (SELECT *, true AS " + sourceColumn + " FROM " + mergeSource + ") AS " + ident(m.alias) + " ON " + paren(on) +
		") WHERE " + clauseColumn + " IS NOT NULL", nil
}

// deletes is a condition for rows that a clause deletes.
func (m *merge) deletes() string {
	list := []string{"-1"}
	for i, x := range m.clauses {
		if x.do == doDelete {
			list = append(list, strconv.Itoa(i))
		}
	}
	return clauseColumn + " IN (" + strings.Join(list, ", ") + ")"
}

// numbered gives the place of the first condition that holds.
func numbered(conds []string) string {
	var b strings.Builder
	b.WriteString("CASE")
	for i, c := range conds {
		fmt.Fprintf(&b, " WHEN %s THEN CAST(%d AS BIGINT)", c, i)
	}
	return b.String() + " END"
}

// gives tells whether a clause has a value for a column.
func (x *clause) gives(f arrow.Field, source *arrow.Schema) bool {
	if x.all {
		return find(source, f.Name) >= 0
	}
	for k := range x.set {
		if strings.EqualFold(k, f.Name) {
			return true
		}
	}
	return false
}

// value is what a clause gives a column.
func (x *clause) value(c *change, f arrow.Field, source *arrow.Schema, tgt, src string) (string, error) {
	before := "NULL"
	if id, ok := IdentityOf(f); ok && x.do != doDelete && x.gives(f, source) && (x.do == doUpdate || !id.ByDefault) {
		return "", fmt.Errorf("%w: the table numbers the column %s, it cannot be set", ErrConstraint, f.Name)
	}
	if x.do != doInsert && find(c.snap.schema, f.Name) >= 0 {
		before = tgt + ident(f.Name)
	}
	switch at := find(source, f.Name); {
	case x.do == doDelete:
		before = "NULL"
	case x.all && at >= 0:
		before = src + ident(source.Field(at).Name)
	case !x.all:
		if d, ok := f.Metadata.GetValue(defaultKey); ok && x.do == doInsert {
			before = d
		}
		for k, v := range x.set {
			if strings.EqualFold(k, f.Name) {
				before = v
			}
		}
	}
	return castTo(before, f.Type)
}

// known refuses values for columns that the table does not have, or computes.
func (x *clause) known(s *arrow.Schema) error {
	for k := range maps.Keys(x.set) {
		at := find(s, k)
		if at < 0 {
			return fmt.Errorf("%w: no column %s to set", ErrSchemaMismatch, k)
		}
		if _, computed := s.Field(at).Metadata.GetValue(generationKey); computed {
			return fmt.Errorf("%w: the column %s is computed (%s), it cannot be set", ErrSchemaMismatch, k, generationKey)
		}
	}
	return nil
}

// merging takes the rows of the join.
type merging struct {
	*merge
	c                *change
	r                *Rewrite
	deleted, updated *places
	// source is what the join has of the source.
	source *arrow.Schema
	// keep is how many columns of the join are none of the table's: the row's
	// place, its id, the clause.
	keep int
}

func (m *merging) take(rec arrow.RecordBatch) error {
	acts, ok := rec.Column(m.keep - 1).(*array.Int64)
	if !ok {
		return fmt.Errorf("delta: the engine gives clauses as %s", rec.Column(m.keep-1).DataType())
	}
	rows := make([][]int32, len(m.clauses))
	for i := range acts.Len() {
		at := acts.Value(i)
		if acts.IsNull(i) || at < 0 || at >= int64(len(m.clauses)) {
			return fmt.Errorf("delta: the engine gives the clause %s", acts.ValueStr(i))
		}
		rows[at] = append(rows[at], int32(i))
	}
	for i, at := range rows {
		if len(at) == 0 {
			continue
		}
		part, err := take(rec, at)
		if err != nil {
			return err
		}
		err = m.act(&m.clauses[i], part)
		part.Release()
		if err != nil {
			return err
		}
	}
	return nil
}

func (m *merging) act(x *clause, rec arrow.RecordBatch) error {
	switch x.do {
	case doInsert:
		places := slices.DeleteFunc(placesFrom(rec, m.keep), func(i int) bool {
			f, ok := fieldNamed(m.r.schema.Fields(), rec.ColumnName(i))
			_, numbered := IdentityOf(f)
			return ok && numbered && !x.gives(f, m.source)
		})
		rest := pick(rec, places)
		defer rest.Release()
		return m.r.Insert(rest)
	case doDelete:
		_, err := m.deleted.add(rec)
		return err // to delete a row twice is to delete it
	case doUpdate:
	}
	if twice, err := m.updated.add(rec); err != nil || twice >= 0 {
		return errors.Join(err, ambiguous(twice))
	}
	at := placesFrom(rec, m.keep)
	for i := 2; i < m.keep-1; i++ { // the row's id
		at = append(at, i)
	}
	rest := pick(rec, at)
	defer rest.Release()
	return m.r.Replace(rest)
}

// ambiguous is an error where a row was met before.
func ambiguous(row int) error {
	if row < 0 {
		return nil
	}
	return fmt.Errorf("%w; make the source's keys unique first", ErrAmbiguousMerge)
}

// touch names the rows that go.
func (m *merging) touch() error {
	for i, a := range m.c.files {
		d, u := m.deleted.sets[i], m.updated.sets[i]
		if d != nil && u != nil && d.Intersects(u) {
			return ambiguous(0)
		}
		if d != nil {
			if err := m.r.Delete(a, d); err != nil {
				return err
			}
		}
		if u != nil {
			if err := m.r.Update(a, u); err != nil {
				return err
			}
		}
	}
	return nil
}
