package delta_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

// TestTablesForOtherReaders leaves tables for the scripts in interop/delta
// below the folder that MARISMA_INTEROP names.
func TestTablesForOtherReaders(t *testing.T) {
	dir := os.Getenv("MARISMA_INTEROP")
	if dir == "" {
		t.Skip("MARISMA_INTEROP names no folder")
	}
	ctx := context.Background()
	make := func(name string, opts ...delta.Option) *delta.Table {
		return must[*delta.Table](t)(delta.Create(ctx, objstore.Local(filepath.Join(dir, name)), "", wideSchema, opts...))
	}
	fill := func(tab *delta.Table, commits int) {
		for i := range commits {
			must[int64](t)(tab.Append(ctx, delta.Batches(wide(i*20, 20)), delta.WithTxn("flow", int64(i))))
		}
	}
	fill(make("plain", delta.WithName("all types"), delta.WithDescription("with nulls")), 3)
	fill(make("partitioned", delta.WithPartitionBy("p", "pd")), 3)

	tab := make("checkpointed", delta.WithPartitionBy("p"))
	fill(tab, 12)
	if r := must[delta.MaintainResult](t)(tab.Maintain(ctx)); !r.Checkpointed {
		t.Fatal("no checkpoint")
	}
	must[int64](t)(tab.Append(ctx, delta.Batches(wide(240, 20))))

	tab = make("compacted", delta.WithPartitionBy("pd"))
	fill(tab, 15)
	r := must[delta.CompactResult](t)(tab.Compact(ctx, delta.CompactOptions{MinFiles: 3}))
	must[int64](t)(tab.Checkpoint(ctx))
	must[int64](t)(tab.Append(ctx, delta.Batches(wide(300, 20))))
	fmt.Fprintln(os.Stderr, r)

	tab = make("cleaned")
	fill(tab, 25)
	must[int64](t)(tab.Checkpoint(ctx))
	must[int64](t)(tab.Append(ctx, delta.Batches(wide(500, 20))))
	n := must[int](t)(tab.CleanupLog(ctx, delta.CleanupOptions{Retention: 1}))
	fmt.Fprintln(os.Stderr, n, "log files deleted")
	must[int64](t)(tab.Overwrite(ctx, delta.Batches(wide(0, 40))))
}

// TestForeignTablesTakeOurCommits appends to, compacts and checkpoints the
// table that MARISMA_FOREIGN names, for the scripts to read again.
func TestForeignTablesTakeOurCommits(t *testing.T) {
	dir := os.Getenv("MARISMA_FOREIGN")
	if dir == "" {
		t.Skip("MARISMA_FOREIGN names no table")
	}
	ctx := context.Background()
	tab := must[*delta.Table](t)(delta.Open(ctx, objstore.Local(dir), ""))
	s := snap(t, tab)
	must[int64](t)(tab.Append(ctx, s.Read(ctx, nil))) // every row once more
	r := must[delta.CompactResult](t)(tab.Compact(ctx, delta.CompactOptions{MinFiles: 2}))
	must[int64](t)(tab.Checkpoint(ctx))
	must[int64](t)(tab.Append(ctx, s.Read(ctx, nil)))
	t.Logf("%+v", r)
}
