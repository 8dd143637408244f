package delta

import (
	"context"
	"sort"
)

// CompactOptions say which files Compact merges. The zero value is good.
type CompactOptions struct {
	// TargetBytes is the size of merged files; the table's delta.targetFileSize, or
	// 128 MiB, by default.
	TargetBytes int64
	// MinFileBytes: files of this size are left alone; half of TargetBytes by
	// default, and no more than that.
	MinFileBytes int64
	// MinFiles is how many files of a partition and of a like size must have
	// come together before they are merged; 10 by default. Since only files of
	// like size are merged, each row is rewritten a logarithmic number of times.
	MinFiles int
	// MaxFiles and MaxBytes bound what one call reads; 5000 and 4 GiB by default.
	MaxFiles int
	MaxBytes int64
	// Auto tells the history that nobody asked for it.
	Auto bool
	// Writer sets compression and the like.
	Writer WriterOptions
}

func (o *CompactOptions) defaults(m *Metadata) {
	if o.TargetBytes <= 0 {
		o.TargetBytes = targetSize(m)
	}
	if o.TargetBytes <= 0 {
		o.TargetBytes = writeBytes
	}
	if o.MinFileBytes <= 0 || o.MinFileBytes > o.TargetBytes/2 {
		o.MinFileBytes = o.TargetBytes / 2
	}
	if o.MinFiles < 2 {
		o.MinFiles = 10
	}
	if o.MaxFiles <= 0 {
		o.MaxFiles = 5000
	}
	if o.MaxBytes <= 0 {
		o.MaxBytes = 4 << 30
	}
}

// CompactResult tells what Compact did; Version is -1 where nothing was to do.
type CompactResult struct {
	Version         int64
	Removed, Added  int
	RemovedBytes    int64
	AddedBytes      int64
	Rows            int64
	PartitionsCount int
}

// Compact merges small files into larger ones in one commit that changes no
// rows. Appends may go on meanwhile; ErrConflict where another writer removed
// one of the files, and then nothing is changed.
func (t *Table) Compact(ctx context.Context, opt CompactOptions) (CompactResult, error) {
	none := CompactResult{Version: -1}
	if err := lock(ctx, t.maintaining); err != nil {
		return none, err
	}
	defer unlock(t.maintaining)
	s, err := t.Snapshot(ctx)
	if err != nil {
		return none, err
	}
	opt.defaults(s.meta)
	groups := small(s, &opt)
	if len(groups) == 0 {
		return none, nil
	}
	o := opt.Writer
	o.TargetFileBytes = opt.TargetBytes
	bins := make([]bin, len(groups))
	for i, g := range groups {
		bins[i].files = g
	}
	c := Commit{ReadVersion: -1, Operation: "OPTIMIZE", Parameters: optimizeParameters("", nil, nil, opt.Auto)}
	version, err := t.rearrange(ctx, s, bins, o, nil, c)
	if err != nil {
		return none, err
	}
	res := CompactResult{Version: version, PartitionsCount: len(groups)}
	for _, b := range bins {
		for _, a := range b.files {
			res.Removed++
			res.RemovedBytes += a.Size
		}
		for _, a := range b.adds {
			res.Added++
			res.AddedBytes += a.Size
			res.Rows += max(recordCount(a.Stats), 0)
		}
	}
	return res, nil
}

// small picks the files to merge: by partition and order of magnitude, oldest first.
func small(s *Snapshot, opt *CompactOptions) [][]Add {
	type class struct {
		partition string
		tier      int
	}
	keys := partitionKeys(s.schema, s.mapping, s.meta.PartitionColumns)
	files := map[class][]Add{}
	var order []class
	for a := range s.All() {
		if a.Size >= opt.MinFileBytes {
			continue
		}
		k := class{folder(keys, a.PartitionValues), tier(a.Size, int64(opt.MinFiles))}
		if files[k] == nil {
			order = append(order, k)
		}
		files[k] = append(files[k], a)
	}
	// Fullest first, so that the bound on one call's work does the most good.
	sort.SliceStable(order, func(i, j int) bool { return len(files[order[i]]) > len(files[order[j]]) })
	var out [][]Add
	n, bytes := 0, int64(0)
	for _, k := range order {
		g := files[k]
		if len(g) < opt.MinFiles {
			break
		}
		for i, a := range g {
			if n >= opt.MaxFiles || bytes >= opt.MaxBytes {
				g = g[:i]
				break
			}
			n++
			bytes += a.Size
		}
		if len(g) < 2 {
			break
		}
		out = append(out, g)
	}
	return out
}

// tier is the order of magnitude of a file's size, by powers of the fan-in
// over 64 KiB.
func tier(size, fan int64) int {
	n := 0
	for bound := int64(64 << 10); size > bound && n < 40; bound *= fan {
		n++
	}
	return n
}
