package delta_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

func TestConcurrentCommitsAreAllKept(t *testing.T) {
	for _, handles := range []int{1, 4, 16} {
		t.Run(fmt.Sprintf("handles=%d", handles), func(t *testing.T) {
			ctx := context.Background()
			store := objstore.Memory()
			first := must[*delta.Table](t)(delta.Create(ctx, store, "t", plain))
			tabs := []*delta.Table{first}
			for len(tabs) < handles {
				tabs = append(tabs, must[*delta.Table](t)(delta.Open(ctx, store, "t")))
			}
			const writers, each = 16, 8
			var wg sync.WaitGroup
			var mu sync.Mutex
			versions := map[int64]bool{}
			for w := range writers {
				wg.Go(func() {
					for i := range each {
						v, err := tabs[w%handles].Append(ctx, delta.Batches(rows((w*each+i)*3, 3)), delta.WithTxn(fmt.Sprint("w", w), int64(i)))
						if err != nil {
							t.Error(err)
							return
						}
						mu.Lock()
						if versions[v] {
							t.Errorf("version %d was given twice", v)
						}
						versions[v] = true
						mu.Unlock()
					}
				})
			}
			wg.Go(func() {
				for range 5 {
					if _, err := first.Maintain(ctx); err != nil {
						t.Error(err)
					}
				}
			})
			wg.Wait()
			s := snap(t, must[*delta.Table](t)(delta.Open(ctx, store, "t")))
			if s.Version() != writers*each || s.NumFiles() != writers*each || len(versions) != writers*each {
				t.Errorf("version %d, %d files, %d versions given; want %d of each", s.Version(), s.NumFiles(), len(versions), writers*each)
			}
			if n, ok := s.Rows(); n != writers*each*3 || !ok {
				t.Errorf("%d rows", n)
			}
			for w := range writers {
				if v, _ := s.Txn(fmt.Sprint("w", w)); v != each-1 {
					t.Errorf("writer %d is at %d", w, v)
				}
			}
		})
	}
}

func TestCompactionLetsAppendsGoOn(t *testing.T) {
	ctx := context.Background()
	store := objstore.Memory()
	tab := must[*delta.Table](t)(delta.Create(ctx, store, "", plain))
	other := must[*delta.Table](t)(delta.Open(ctx, store, ""))
	var wg sync.WaitGroup
	wg.Go(func() {
		for i := range 60 {
			if _, err := other.Append(ctx, delta.Batches(rows(i*2, 2))); err != nil {
				t.Error(err)
			}
		}
	})
	for range 10 {
		if _, err := tab.Compact(ctx, delta.CompactOptions{MinFiles: 3}); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
	must[delta.CompactResult](t)(tab.Compact(ctx, delta.CompactOptions{MinFiles: 2}))
	seen := map[int64]int{}
	s := snap(t, other)
	for rec, err := range s.Read(ctx, []string{"id"}) {
		check(t, err)
		for i := range int(rec.NumRows()) {
			var id int64
			_, _ = fmt.Sscan(rec.Column(0).ValueStr(i), &id)
			seen[id]++
		}
		rec.Release()
	}
	for id := range int64(120) {
		if seen[id] != 1 {
			t.Errorf("row %d is there %d times", id, seen[id])
		}
	}
	for c, err := range tab.Changes(ctx, 0) {
		check(t, err)
		for _, a := range c.Adds {
			if a.DataChange != (c.Operation == "WRITE") {
				t.Errorf("version %d, %s: dataChange %v", c.Version, c.Operation, a.DataChange)
			}
		}
	}
}

func TestConflictsAreFoundAndNothingIsWritten(t *testing.T) {
	ctx := context.Background()
	store := objstore.Memory()
	a := must[*delta.Table](t)(delta.Create(ctx, store, "", plain))
	appendRows(t, a, 0, 2)
	b := must[*delta.Table](t)(delta.Open(ctx, store, ""))
	read := snap(t, b)
	var victim delta.Add
	for f := range read.All() {
		victim = f
	}
	must[int64](t)(a.Overwrite(ctx, delta.Batches(rows(10, 2))))

	_, err := b.Commit(ctx, delta.Commit{ReadVersion: -1, DataChange: true, Removes: []delta.Remove{victim.Remove(1, true)}})
	if !errors.Is(err, delta.ErrConflict) {
		t.Errorf("removing a removed file: %v", err)
	}
	_, err = b.Commit(ctx, delta.Commit{ReadVersion: read.Version(), DataChange: true, ReplaceAll: true})
	if !errors.Is(err, delta.ErrConflict) {
		t.Errorf("replacing what another writer replaced: %v", err)
	}
	wider := snap(t, a).Schema()
	must[delta.CommitResult](t)(a.Commit(ctx, delta.Commit{ReadVersion: -1, DataChange: true, SchemaTo: wider, Properties: map[string]string{"x": "1"}}))
	must[int64](t)(b.Append(ctx, delta.Batches(rows(20, 1)))) // a property is no contradiction
	_, err = a.Commit(ctx, delta.Commit{ReadVersion: -1, Removes: []delta.Remove{{Path: "x", DataChange: true}}})
	if err == nil || !strings.Contains(err.Error(), "denies a data change") {
		t.Errorf("a data change that is denied: %v", err)
	}
	if v := snap(t, a).Version(); v != 4 {
		t.Errorf("version %d", v)
	}
}

// flaky loses answers of conditional puts: every third before it happened,
// every fourth after.
type flaky struct {
	objstore.Store
	n atomic.Int64
}

func (f *flaky) Put(ctx context.Context, key string, r io.Reader, opt objstore.PutOptions) (objstore.Info, error) {
	if !opt.IfAbsent {
		return f.Store.Put(ctx, key, r, opt)
	}
	n := f.n.Add(1)
	if n%3 == 0 {
		return objstore.Info{}, objstore.ErrUnknownOutcome
	}
	info, err := f.Store.Put(ctx, key, r, opt)
	if err == nil && n%4 == 0 {
		return objstore.Info{}, objstore.ErrUnknownOutcome
	}
	if err == nil && n%5 == 0 { // a client that tries again by itself
		return objstore.Info{}, objstore.ErrExists
	}
	return info, err
}

func TestLostAnswersAreSettled(t *testing.T) {
	ctx := context.Background()
	mem := objstore.Memory()
	check(t, func() error { _, err := delta.Create(ctx, mem, "", plain); return err }())
	store := &flaky{Store: mem}
	var wg sync.WaitGroup
	for w := range 3 {
		tab := must[*delta.Table](t)(delta.Open(ctx, store, ""))
		wg.Go(func() {
			for i := range 20 {
				if _, err := tab.Append(ctx, delta.Batches(rows(w*20+i, 1))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	s := snap(t, must[*delta.Table](t)(delta.Open(ctx, mem, "")))
	if n, _ := s.Rows(); s.Version() != 60 || n != 60 {
		t.Errorf("version %d with %d rows, want 60", s.Version(), n)
	}
}
