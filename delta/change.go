package delta

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// ChangeResult tells what an operation on rows did; Version is -1 where nothing
// changed and nothing was committed.
type ChangeResult struct {
	Version int64
	RowCounts
}

// change is an operation on the rows of the newest version.
type change struct {
	table  *Table
	snap   *Snapshot
	files  []Add
	source RowSource // the rows, with their places
	commit Commit
	opt    RewriteOptions
}

func (t *Table) change(ctx context.Context, operation string, parameters map[string]string, opts []WriteOption) (*change, error) {
	s, err := t.Snapshot(ctx)
	if err != nil {
		return nil, err
	}
	c := &change{table: t, snap: s, commit: Commit{Operation: operation, Parameters: parameters}}
	for _, f := range opts {
		f(&c.commit, &c.opt.Writer)
	}
	for a := range s.All() {
		c.files = append(c.files, a)
	}
	c.source, err = s.placed(c.files)
	return c, err
}

// prune leaves out the files that cannot matter to a SELECT which knows the
// table's rows by a name, besides other sources.
func (c *change) prune(ctx context.Context, e RowEngine, query, name string, sources map[string]RowSource) error {
	p, ok := e.(Pruner)
	if !ok {
		return nil
	}
	all := maps.Clone(sources)
	if all == nil {
		all = map[string]RowSource{}
	}
	all[name] = c.source
	preds, err := p.Prune(ctx, query, all, name)
	if err != nil {
		return err
	}
	preds = slices.DeleteFunc(preds, func(p Predicate) bool { return p.Column == fileColumn || p.Column == rowColumn })
	if c.files, _, err = c.snap.Files(preds...); err != nil {
		return err
	}
	c.source, err = c.snap.placed(c.files)
	return err
}

// end commits a rewrite if nothing went wrong so far.
func (c *change) end(r *Rewrite, err error) (ChangeResult, error) {
	if err != nil {
		return ChangeResult{Version: -1}, errors.Join(err, r.Abort())
	}
	res, n, err := r.Commit(c.commit)
	if err != nil {
		res.Version = -1
	}
	return ChangeResult{res.Version, n}, err
}

// predicate is a condition as the history shows it.
func predicate(where string) map[string]string {
	list := []string{}
	if where != "" {
		list = append(list, where)
	}
	return map[string]string{"predicate": jsonText(list)}
}

// Delete deletes the rows for which a condition in Spark's SQL is true, and all
// rows where it is "". Rows are marked in deletion vectors where the table has
// them switched on, else their files are written anew. With a condition it
// needs a RowEngine.
func (t *Table) Delete(ctx context.Context, where string, opts ...WriteOption) (ChangeResult, error) {
	none := ChangeResult{Version: -1}
	c, err := t.change(ctx, "DELETE", predicate(where), opts)
	if err != nil {
		return none, err
	}
	if err := c.snap.appendOnly(); err != nil {
		return none, err
	}
	if where == "" {
		return c.deleteAll(ctx)
	}
	engine, err := t.engine("DELETE with a condition")
	if err != nil {
		return none, err
	}
	r, err := c.snap.NewRewrite(ctx, c.opt)
	if err != nil {
		return none, err
	}
	return c.end(r, c.deleteWhere(ctx, engine, r, where))
}

// deleteAll takes every file out.
func (c *change) deleteAll(ctx context.Context) (ChangeResult, error) {
	n, _ := c.snap.Rows()
	if len(c.files) == 0 && c.commit.Txn == nil {
		return ChangeResult{Version: -1}, nil
	}
	now := c.table.opt.clock().UnixMilli()
	for _, a := range c.files {
		c.commit.Removes = append(c.commit.Removes, a.Remove(now, true))
	}
	c.commit.DataChange, c.commit.ReadVersion = true, c.snap.version
	c.commit.Metrics = map[string]string{"numFiles": "", "numOutputRows": "", "numOutputBytes": "", "numDeletedRows": fmt.Sprint(n)}
	res, err := c.table.Commit(ctx, c.commit)
	if err != nil {
		return ChangeResult{Version: -1}, err
	}
	return ChangeResult{res.Version, RowCounts{Deleted: n}}, nil
}

func (c *change) deleteWhere(ctx context.Context, e RowEngine, r *Rewrite, where string) error {
	query := "SELECT " + fileColumn + ", " + rowColumn + " FROM target WHERE " + paren(where)
	if err := c.prune(ctx, e, query, "target", nil); err != nil {
		return err
	}
	found := newPlaces(c.files)
	err := each(ctx, e, query, map[string]RowSource{"target": c.source}, func(rec arrow.RecordBatch) error {
		_, err := found.add(rec)
		return err
	})
	if err != nil {
		return err
	}
	for i, set := range found.sets {
		if set != nil {
			if err := r.Delete(c.files[i], set); err != nil {
				return err
			}
		}
	}
	return nil
}

// Update gives columns new values in the rows for which a condition is true, in
// all rows where it is "". Values and condition are expressions in Spark's SQL
// over the table's columns; values are cast to the columns' types. Generated
// columns follow by themselves. It needs a RowEngine.
func (t *Table) Update(ctx context.Context, set map[string]string, where string, opts ...WriteOption) (ChangeResult, error) {
	none := ChangeResult{Version: -1}
	engine, err := t.engine("UPDATE")
	if err != nil {
		return none, err
	}
	c, err := t.change(ctx, "UPDATE", predicate(where), opts)
	if err != nil {
		return none, err
	}
	if err := c.snap.appendOnly(); err != nil {
		return none, err
	}
	values, err := c.values(c.snap.schema, set, "")
	if err != nil {
		return none, err
	}
	cols := c.placeColumns("")
	keep := len(cols)
	var given []arrow.Field
	for _, f := range values {
		cols, given = append(cols, f.expr+" AS "+ident(f.Name)), append(given, f.Field)
	}
	query := "SELECT " + strings.Join(cols, ", ") + " FROM target"
	if where != "" {
		query += " WHERE " + paren(where)
	}
	if err := c.prune(ctx, engine, query, "target", nil); err != nil {
		return none, err
	}
	r, err := c.snap.NewRewrite(ctx, c.opt)
	if err != nil {
		return none, err
	}
	found := newPlaces(c.files)
	err = r.eachRow(engine, query, cols[:keep], arrow.NewSchema(given, nil), "", map[string]RowSource{"target": c.source}, func(rec arrow.RecordBatch) error {
		if _, err := found.add(rec); err != nil {
			return err
		}
		rest := pick(rec, placesFrom(rec, 2))
		defer rest.Release()
		return r.Replace(rest)
	})
	for i, rows := range found.sets {
		if err == nil && rows != nil {
			err = r.Update(c.files[i], rows)
		}
	}
	return c.end(r, err)
}

// placeColumns are the columns that say where the rows of a change lie and, with
// row tracking, which they are; alias, if any, names the table.
func (c *change) placeColumns(alias string) []string {
	out := []string{alias + fileColumn, alias + rowColumn}
	if c.snap.TracksRows() {
		out = append(out, alias+ident(RowID))
	}
	return out
}

// eachRow gives the rows of a SELECT to f, which has some columns to keep and
// then the given ones of the table: within the same SELECT, for an engine may
// run but one at a time, those that the table computes are added and its rules
// checked, but for rows where unless is true.
func (r *Rewrite) eachRow(e RowEngine, query string, keep []string, given *arrow.Schema, unless string, sources map[string]RowSource, f func(arrow.RecordBatch) error) error {
	rules := r.w.rules
	r.w.rules = nil
	if rules == nil {
		return each(r.ctx, e, query, sources, f)
	}
	full, err := rules.query(given, "("+query+")", keep, unless)
	if err != nil {
		return err
	}
	return each(r.ctx, e, full, sources, func(rec arrow.RecordBatch) error {
		kept, err := rules.inspect(rec)
		if err != nil {
			return err
		}
		defer kept.Release()
		return f(kept)
	})
}

func placesFrom(rec arrow.RecordBatch, from int) []int {
	out := make([]int, 0, int(rec.NumCols())-from)
	for i := from; i < int(rec.NumCols()); i++ {
		out = append(out, i)
	}
	return out
}

// value is a column with the expression of its new value.
type value struct {
	arrow.Field
	expr string
}

// values are the columns of a table of this schema, those of set with their
// new values and the others as they are; alias, if any, names the table.
// Columns without type and those that the table computes are left out.
func (c *change) values(s *arrow.Schema, set map[string]string, alias string) ([]value, error) {
	var out []value
	left := maps.Clone(set)
	for _, f := range s.Fields() {
		text, ok := takeOne(left, f.Name)
		if _, computed := f.Metadata.GetValue(generationKey); computed {
			if ok {
				return nil, fmt.Errorf("%w: the column %s is computed (%s), it cannot be set", ErrSchemaMismatch, f.Name, generationKey)
			}
			continue
		}
		if _, numbered := IdentityOf(f); numbered && ok {
			return nil, fmt.Errorf("%w: the table numbers the column %s, it cannot be set", ErrConstraint, f.Name)
		}
		if f.Type.ID() == arrow.NULL {
			continue
		}
		expr := alias + ident(f.Name)
		switch {
		case ok:
			var err error
			if expr, err = castTo(text, f.Type); err != nil {
				return nil, err
			}
		case find(c.snap.schema, f.Name) < 0: // a column that comes with this change
			expr = "NULL"
			var err error
			if expr, err = castTo(expr, f.Type); err != nil {
				return nil, err
			}
		}
		out = append(out, value{f, expr})
	}
	if len(left) > 0 {
		return nil, fmt.Errorf("%w: no column %s to set", ErrSchemaMismatch, strings.Join(slices.Sorted(maps.Keys(left)), ", "))
	}
	return out, nil
}

// takeOne takes the entry of a column out of a map; case does not count where no
// name is equal.
func takeOne(m map[string]string, name string) (string, bool) {
	if v, ok := m[name]; ok {
		delete(m, name)
		return v, true
	}
	for k, v := range m {
		if strings.EqualFold(k, name) {
			delete(m, k)
			return v, true
		}
	}
	return "", false
}

// ReplaceWhere replaces the rows for which a condition is true by others, for
// which it must be true, too (ErrConstraint). It needs a RowEngine.
func (t *Table) ReplaceWhere(ctx context.Context, where string, rows iter.Seq2[arrow.RecordBatch, error], opts ...WriteOption) (ChangeResult, error) {
	none := ChangeResult{Version: -1}
	engine, err := t.engine("a replacement by condition")
	if err != nil {
		return none, err
	}
	c, err := t.change(ctx, "WRITE", map[string]string{"mode": "Overwrite", "predicate": where}, opts)
	if err != nil {
		return none, err
	}
	if err := c.snap.appendOnly(); err != nil {
		return none, err
	}
	r, err := c.snap.NewRewrite(ctx, c.opt)
	if err != nil {
		return none, err
	}
	own := rule{"replaceWhere", where}
	if r.w.rules == nil {
		r.w.rules = &ruleSet{ctx: ctx, engine: engine, schema: r.schema}
	}
	r.w.rules.checks = append(r.w.rules.checks, own)
	err = c.deleteWhere(ctx, engine, r, where)
	for rec, rerr := range rows {
		if err = errors.Join(err, rerr); err != nil {
			break
		}
		if err = r.Insert(rec); err != nil {
			break
		}
	}
	return c.end(r, err)
}

// ReplacePartitions replaces, in one commit, all rows of those partitions for
// which there are new rows (a dynamic partition overwrite), and all rows of a
// table without partitions. With no rows there is no commit.
func (t *Table) ReplacePartitions(ctx context.Context, rows iter.Seq2[arrow.RecordBatch, error], opts ...WriteOption) (int64, error) {
	s, err := t.Snapshot(ctx)
	if err != nil {
		return 0, err
	}
	if err := s.appendOnly(); err != nil {
		return 0, err
	}
	c := Commit{ReadVersion: s.version, DataChange: true, Parameters: map[string]string{
		"mode": "Overwrite", "partitionOverwriteMode": "dynamic", "partitionBy": jsonText(s.meta.PartitionColumns),
	}}
	keys := partitionKeys(s.schema, s.mapping, s.meta.PartitionColumns)
	return t.writeAll(ctx, rows, &c, opts, func(c *Commit) {
		hit := map[string]bool{}
		for _, a := range c.Adds {
			hit[folder(keys, a.PartitionValues)] = true
		}
		now := t.opt.clock().UnixMilli()
		for a := range s.All() {
			if hit[folder(keys, a.PartitionValues)] {
				c.Removes = append(c.Removes, a.Remove(now, true))
			}
		}
	})
}
