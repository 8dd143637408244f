package delta

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strconv"

	"golang.org/x/sync/errgroup"
)

// bin is a set of files of one partition that are written anew together.
type bin struct {
	files []Add
	// tags and provider mark the new files.
	tags     map[string]string
	provider string
	adds     []Add        // what became of it
	ready    func() error // waits until adds are durable
}

func (b *bin) size() int64 {
	var n int64
	for _, a := range b.files {
		n += a.Size
	}
	return n
}

// rearrange writes the rows of bins anew, ordered if order is not nil, and
// commits c with what became of them: the same rows in other files. What was
// written is deleted again where that fails.
func (t *Table) rearrange(ctx context.Context, s *Snapshot, bins []bin, o WriterOptions, order *ordering, c Commit) (int64, error) {
	o.Rearranged, o.MaxOpen = true, 1
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(max(1, min(4, runtime.GOMAXPROCS(0))))
	if order != nil {
		g.SetLimit(1) // its memory is for one
	}
	for i := range bins {
		g.Go(func() error {
			if gctx.Err() != nil {
				return gctx.Err()
			}
			return t.rewriteBin(gctx, s, &bins[i], o, order)
		})
	}
	err := g.Wait()
	for _, b := range bins {
		c.Adds = append(c.Adds, b.adds...)
	}
	if err != nil {
		return -1, t.discard(t.keysOf(c.Adds), err)
	}
	now := t.opt.clock().UnixMilli()
	for _, b := range bins {
		for _, a := range b.files {
			c.Removes = append(c.Removes, a.Remove(now, false))
		}
	}
	c.ready = func() error {
		var err error
		for _, b := range bins {
			err = errors.Join(err, b.ready())
		}
		return err
	}
	c.Metrics, c.Tags = rearranged(c.Adds, c.Removes), s.preserved(c.Tags)
	return t.keep(ctx, c)
}

// keep commits and gives the version, -1 where it failed; the files of a commit
// that did not happen are deleted.
func (t *Table) keep(ctx context.Context, c Commit) (int64, error) {
	r, err := t.Commit(ctx, c)
	switch {
	case err == nil:
		return r.Version, nil
	case errors.Is(err, ErrCommitStateUnknown):
		return -1, err
	}
	return -1, t.discard(t.keysOf(c.Adds), err)
}

// byPartition are the files of each partition, by the partitions' folders.
func (s *Snapshot) byPartition(files []Add) [][]Add {
	keys := partitionKeys(s.schema, s.mapping, s.meta.PartitionColumns)
	groups := map[string][]Add{}
	for _, a := range files {
		k := folder(keys, a.PartitionValues)
		groups[k] = append(groups[k], a)
	}
	out := make([][]Add, 0, len(groups))
	for _, k := range slices.Sorted(maps.Keys(groups)) {
		out = append(out, groups[k])
	}
	return out
}

func (t *Table) rewriteBin(ctx context.Context, s *Snapshot, b *bin, o WriterOptions, order *ordering) error {
	o.Tags = b.tags
	w, err := t.NewWriter(ctx, o)
	if err != nil {
		return err
	}
	if order != nil {
		err = w.orderFiles(ctx, s, b.files, order)
	} else {
		err = w.copyFiles(ctx, s, b.files)
	}
	if err != nil {
		return w.abort(err)
	}
	if b.adds, b.ready, err = w.end(); err != nil {
		return err
	}
	for i := range b.adds {
		b.adds[i].ClusteringProvider = b.provider
	}
	return nil
}

// rearranged are the numbers that Delta's history has for OPTIMIZE.
func rearranged(adds []Add, removes []Remove) map[string]string {
	var added, gone, vectors, rows int64
	sizes := make([]int64, len(adds))
	for i, a := range adds {
		sizes[i] = a.Size
		added += a.Size
	}
	for _, r := range removes {
		gone += r.Size
		if r.DeletionVector != nil {
			vectors++
			rows += r.DeletionVector.Cardinality
		}
	}
	m := map[string]string{
		"numFiles": "", "numOutputRows": "", "numOutputBytes": "", "numAddedFiles": num(int64(len(adds))), "numRemovedFiles": num(int64(len(removes))),
		"numAddedBytes": num(added), "numRemovedBytes": num(gone), "numDeletionVectorsRemoved": num(vectors),
	}
	slices.Sort(sizes)
	if n := len(sizes); n > 0 {
		for name, at := range map[string]int{"minFileSize": 0, "p25FileSize": n / 4, "p50FileSize": n / 2, "p75FileSize": n * 3 / 4, "maxFileSize": n - 1} {
			m[name] = num(sizes[at])
		}
	}
	return m
}

// num is a number as Delta's history has it.
func num(n int64) string { return strconv.FormatInt(n, 10) }

// purgeParameters are those of REORG ... APPLY (PURGE); predicate is a JSON list.
func purgeParameters(predicate string) map[string]string {
	return map[string]string{"predicate": predicate, "applyPurge": "true"}
}

// optimizeParameters are those of OPTIMIZE as Delta's history shows them.
func optimizeParameters(predicate string, zorder, cluster []string, auto bool) map[string]string {
	list := []string{}
	if predicate != "" {
		list = append(list, predicate)
	}
	return map[string]string{
		"predicate": jsonText(list), "zOrderBy": jsonText(append([]string{}, zorder...)),
		"clusterBy": jsonText(append([]string{}, cluster...)), "auto": fmt.Sprint(auto),
	}
}
