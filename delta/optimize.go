package delta

import (
	"context"
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta/internal/curve"
)

// OptimizeOptions say what Optimize writes anew. The zero value merges small
// files, and orders the rows of a clustered table.
type OptimizeOptions struct {
	// Where keeps to partitions; the columns are partition columns. Clustered
	// tables have none.
	Where []Predicate
	// Choose, if set, keeps to files for which it is true.
	Choose func(Add) bool
	// ZOrderBy orders the rows of each partition along a Z-curve over these
	// columns (fields of structs with dots), whatever the files' sizes. Clustered
	// tables have their order already.
	ZOrderBy []string
	// Full orders also those files of a clustered table that were ordered by
	// other columns or by another implementation.
	Full bool
	// Purge writes anew the files with deleted rows, and no others.
	Purge bool
	// TargetBytes is the size of new files; by default the table's
	// delta.targetFileSize, 64 MiB with delta.tuneFileSizesForRewrites, or 1 GiB.
	TargetBytes int64
	// MinFileBytes: smaller files are merged; TargetBytes by default.
	MinFileBytes int64
	// MaxDeleted is the share of deleted rows above which a file is written
	// anew whatever its size; 0.05 by default.
	MaxDeleted float64
	// CubeBytes is how much of a clustered table must have been ordered together
	// to be left alone; 100 times TargetBytes by default.
	CubeBytes int64
	// BatchBytes bounds what one commit writes anew; 64 GiB by default.
	BatchBytes int64
	// MemoryBytes bounds the rows held in memory to be ordered, 256 MiB by
	// default; what is more waits in files in TempDir, the system's by default.
	MemoryBytes int64
	TempDir     string
	// Predicate is what the history shows for Where and Choose.
	Predicate string
	// Auto tells the history that nobody asked for it.
	Auto bool
	// Writer sets compression and the like.
	Writer WriterOptions
}

func (o *OptimizeOptions) defaults(m *Metadata) {
	given := func(n *int64, other int64) {
		if *n <= 0 {
			*n = other
		}
	}
	given(&o.TargetBytes, targetSize(m))
	given(&o.TargetBytes, 1<<30)
	given(&o.MinFileBytes, o.TargetBytes)
	given(&o.CubeBytes, 100*o.TargetBytes)
	given(&o.BatchBytes, 64<<30)
	given(&o.MemoryBytes, 256<<20)
	if o.MaxDeleted <= 0 {
		o.MaxDeleted = 0.05
	}
	o.Writer.TargetFileBytes = o.TargetBytes
}

// OptimizeResult tells what Optimize did. Version is the last one that it
// committed, -1 where nothing was to do.
type OptimizeResult struct {
	Version        int64
	Removed, Added []Add
	// Considered is how many files the conditions left, Partitions in how many
	// partitions files were written anew, Bins how many sets of files became one
	// or several each, Commits how many versions were made.
	Considered, Partitions, Bins, Commits int
	// ClusterBy are the columns of a clustered table, nil for another. Cubes
	// counts its files by what had become of them before.
	ClusterBy []string
	Cubes     Cubes
}

// Optimize writes files anew so that reading takes less: small files merged,
// deleted rows left out, and rows ordered where ZOrderBy or the table's
// clustering asks for it. Rows do not change. A clustered table's files are
// ordered along a Hilbert curve over its clustering columns, once: what was
// ordered together and is large enough is left alone.
//
// Appends may go on meanwhile; ErrConflict where another writer removed one of
// the files, and then what is committed so far stays.
func (t *Table) Optimize(ctx context.Context, opt OptimizeOptions) (OptimizeResult, error) {
	res := OptimizeResult{Version: -1}
	if err := lock(ctx, t.maintaining); err != nil {
		return res, err
	}
	defer unlock(t.maintaining)
	s, err := t.Snapshot(ctx)
	if err != nil {
		return res, err
	}
	if err := t.writable(s.protocol, s.meta, s.schema); err != nil {
		return res, err
	}
	opt.defaults(s.meta)
	order, err := opt.ordering(s)
	if err != nil {
		return res, err
	}
	bins, err := opt.plan(s, &res)
	if err != nil || len(bins) == 0 {
		return res, err
	}
	partitions := map[string]bool{}
	keys := partitionKeys(s.schema, s.mapping, s.meta.PartitionColumns)
	for len(bins) > 0 {
		batch := opt.batch(bins)
		bins = bins[len(batch):]
		v, err := t.rearrange(ctx, s, batch, opt.Writer, order, opt.commit(&res))
		if err != nil {
			return res, err
		}
		res.Version = v
		res.Commits++
		for _, b := range batch {
			partitions[folder(keys, b.files[0].PartitionValues)] = true
			res.Removed, res.Added = append(res.Removed, b.files...), append(res.Added, b.adds...)
			res.Bins++
		}
		res.Partitions = len(partitions)
	}
	return res, nil
}

// commit is what the history shows.
func (o *OptimizeOptions) commit(res *OptimizeResult) Commit {
	c := Commit{ReadVersion: -1, Operation: "OPTIMIZE", Parameters: optimizeParameters(o.Predicate, o.ZOrderBy, res.ClusterBy, o.Auto)}
	if len(res.ClusterBy) > 0 {
		c.Parameters["isFull"] = fmt.Sprint(o.Full)
	}
	if o.Purge {
		c.Operation = "REORG"
		c.Parameters = purgeParameters(c.Parameters["predicate"])
	}
	return c
}

// batch are the first bins that one commit takes, at least one.
func (o *OptimizeOptions) batch(bins []bin) []bin {
	n := bins[0].size()
	for i := 1; i < len(bins); i++ {
		if n += bins[i].size(); n > o.BatchBytes {
			return bins[:i]
		}
	}
	return bins
}

// ordering is the order that rows are to have, nil for that of their files.
func (o *OptimizeOptions) ordering(s *Snapshot) (*ordering, error) {
	by, clustered := s.ClusterBy(), features(s.protocol)["clustering"]
	kind := curve.Hilbert
	switch {
	case len(by) == 0 && o.Full:
		return nil, fmt.Errorf("%w: a full Optimize is for clustered tables with clustering columns", ErrUnsupportedFeature)
	case clustered && len(o.ZOrderBy) > 0:
		return nil, fmt.Errorf("%w: a clustered table is not ordered by other columns (%s)", ErrUnsupportedFeature, strings.Join(o.ZOrderBy, ", "))
	case clustered && len(o.Where) > 0:
		return nil, fmt.Errorf("%w: a clustered table has no partitions to choose from", ErrUnsupportedFeature)
	case o.Purge, len(by) == 0 && len(o.ZOrderBy) == 0:
		return nil, nil
	case len(by) == 0:
		kind = curve.ZOrder
		for _, name := range o.ZOrderBy {
			by = append(by, s.columnPath(name))
		}
	}
	return s.newOrdering(kind, by, o.MemoryBytes, o.TempDir)
}

// columnPath parts a name with dots, unless a column has it as it is.
func (s *Snapshot) columnPath(name string) []string {
	if find(s.schema, name) >= 0 {
		return []string{name}
	}
	return strings.Split(name, ".")
}

// plan gives the files to write anew, those of each bin together.
func (o *OptimizeOptions) plan(s *Snapshot, res *OptimizeResult) ([]bin, error) {
	files, err := o.chosen(s)
	if err != nil {
		return nil, err
	}
	res.Considered = len(files)
	if by := s.ClusterBy(); len(by) > 0 {
		for _, path := range by {
			res.ClusterBy = append(res.ClusterBy, strings.Join(path, "."))
		}
		if !o.Purge {
			return o.cubes(files, res), nil
		}
	}
	files = slices.DeleteFunc(files, func(a Add) bool { return !o.worth(a) })
	var bins []bin
	for _, g := range s.byPartition(files) {
		if len(o.ZOrderBy) > 0 {
			bins = append(bins, bin{files: g})
			continue
		}
		sort.SliceStable(g, func(i, j int) bool { return g[i].Size < g[j].Size })
		for _, files := range packed(g, o.TargetBytes) {
			if len(files) > 1 || o.heavy(files[0]) {
				bins = append(bins, bin{files: files})
			}
		}
	}
	return bins, nil
}

// chosen are the files that the conditions leave.
func (o *OptimizeOptions) chosen(s *Snapshot) ([]Add, error) {
	for _, p := range o.Where {
		if !s.partitioned(p.Column) {
			return nil, fmt.Errorf("%w: %s is no partition column; conditions of Optimize choose partitions", ErrSchemaMismatch, p.Column)
		}
	}
	files, _, err := s.Files(o.Where...)
	if err != nil || o.Choose == nil {
		return files, err
	}
	return slices.DeleteFunc(files, func(a Add) bool { return !o.Choose(a) }), nil
}

// worth tells whether a file is to be written anew.
func (o *OptimizeOptions) worth(a Add) bool {
	switch {
	case o.Purge:
		return a.DeletionVector != nil
	case len(o.ZOrderBy) > 0:
		return true
	}
	return a.Size < o.MinFileBytes || o.heavy(a)
}

// heavy tells whether a file has so many deleted rows that it is written anew
// by itself.
func (o *OptimizeOptions) heavy(a Add) bool {
	if a.DeletionVector == nil {
		return false
	}
	n := recordCount(a.Stats)
	return o.Purge || n <= 0 || float64(a.DeletionVector.Cardinality) > o.MaxDeleted*float64(n)
}

// packed puts files, in order, into sets of no more than some bytes.
func packed(files []Add, most int64) [][]Add {
	var out [][]Add
	var n int64
	for _, a := range files {
		if len(out) == 0 || n+a.Size > most {
			out, n = append(out, nil), 0
		}
		out[len(out)-1] = append(out[len(out)-1], a)
		n += a.Size
	}
	return out
}

// newOrdering is an order along a curve over columns, each a path.
func (s *Snapshot) newOrdering(kind curve.Kind, by [][]string, memory int64, dir string) (*ordering, error) {
	o := &ordering{kind: kind, memory: memory, dir: dir}
	for _, path := range by {
		fields, name := s.schema.Fields(), strings.Join(path, ".")
		var at arrow.Field
		for i, p := range path {
			f, ok := fieldNamed(fields, p)
			if !ok {
				return nil, fmt.Errorf("%w: no column %s to order by", ErrSchemaMismatch, name)
			}
			if i == 0 && s.partitioned(f.Name) {
				return nil, fmt.Errorf("%w: %s is a partition column; its values are apart already", ErrSchemaMismatch, name)
			}
			at, fields = f, nil
			if st, ok := f.Type.(*arrow.StructType); ok {
				fields = st.Fields()
			}
		}
		o.leaves(path, at.Type)
	}
	if _, err := curve.NewSample(o.types); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSchemaMismatch, err)
	}
	return o, nil
}

// leaves adds a column to the order, of a struct all that it holds.
func (o *ordering) leaves(path []string, t arrow.DataType) {
	st, ok := t.(*arrow.StructType)
	if !ok {
		o.columns, o.types = append(o.columns, path), append(o.types, t)
		return
	}
	for _, f := range st.Fields() {
		o.leaves(append(slices.Clone(path), f.Name), f.Type)
	}
}
