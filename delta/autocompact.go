package delta

import (
	"context"
	"errors"
	"strings"
)

// What auto compaction merges and when: the defaults of Delta's
// spark.databricks.delta.autoCompact.* settings.
const (
	autoTargetBytes = writeBytes
	autoMinFiles    = 50
)

// AutoCompact merges the small files of those partitions that have 50 and more
// of them, where the property delta.autoOptimize.autoCompact is "true" or
// "auto"; small are files below 64 MiB, new ones have up to 128 MiB or
// delta.targetFileSize. It is for callers to run after a commit. Where another
// writer took one of the files meanwhile it does nothing, for the next commit
// comes by again. Version is -1 where nothing was to do.
func (t *Table) AutoCompact(ctx context.Context) (OptimizeResult, error) {
	none := OptimizeResult{Version: -1}
	t.mu.Lock()
	meta := t.tip.meta // as the commit before left it: most tables need no look at the log
	t.mu.Unlock()
	switch strings.ToLower(meta.Configuration["delta.autoOptimize.autoCompact"]) {
	case "true", "auto":
	default:
		return none, nil
	}
	s, err := t.Snapshot(ctx)
	if err != nil {
		return none, err
	}
	opt := OptimizeOptions{TargetBytes: min(targetSize(s.meta), autoTargetBytes), Auto: true}
	if opt.TargetBytes <= 0 {
		opt.TargetBytes = autoTargetBytes
	}
	opt.MinFileBytes = opt.TargetBytes / 2
	keys := partitionKeys(s.schema, s.mapping, s.meta.PartitionColumns)
	small := map[string]int{}
	for a := range s.All() {
		if a.Size < opt.MinFileBytes {
			small[folder(keys, a.PartitionValues)]++
		}
	}
	due := false
	for _, n := range small {
		due = due || n >= autoMinFiles
	}
	if !due {
		return none, nil
	}
	opt.Choose = func(a Add) bool {
		return a.Size < opt.MinFileBytes && small[folder(keys, a.PartitionValues)] >= autoMinFiles
	}
	res, err := t.Optimize(ctx, opt)
	if errors.Is(err, ErrConflict) {
		return none, nil
	}
	return res, err
}
