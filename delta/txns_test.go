package delta_test

import (
	"context"
	"errors"
	"testing"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

// A commit with several transactions happens where none of them has, however the
// table was loaded.
func TestACommitWithSeveralTransactions(t *testing.T) {
	ctx := context.Background()
	store := objstore.Memory()
	tab := must[*delta.Table](t)(delta.Create(ctx, store, "t", plain))
	other := must[*delta.Table](t)(delta.Open(ctx, store, "t"))
	commit := func(tab *delta.Table, txns ...delta.Txn) error {
		_, err := tab.Commit(ctx, delta.Commit{ReadVersion: -1, DataChange: true, Operation: "COPY INTO", Txns: txns})
		return err
	}
	if err := commit(tab, delta.Txn{AppID: "a", Version: 1}, delta.Txn{AppID: "b", Version: 1}); err != nil {
		t.Fatal(err)
	}
	for _, at := range []*delta.Table{tab, other} { // one knows the commit, one meets it
		err := commit(at, delta.Txn{AppID: "c", Version: 1}, delta.Txn{AppID: "b", Version: 1})
		if done, ok := errors.AsType[*delta.AlreadyCommittedError](err); !ok || done.AppID != "b" {
			t.Fatalf("%v", err)
		}
	}
	snap(t, other)
	if err := commit(other, delta.Txn{AppID: "c", Version: 1}, delta.Txn{AppID: "b", Version: 2}); err != nil {
		t.Fatal(err)
	}
	if _, err := tab.Snapshot(ctx); err != nil {
		t.Fatal(err)
	}
	if err := commit(tab, delta.Txn{AppID: "d", Version: 1}, delta.Txn{AppID: "d", Version: 2}); err == nil {
		t.Fatal("one application was there twice")
	}
	must[int64](t)(other.Checkpoint(ctx))
	s := snap(t, must[*delta.Table](t)(delta.Open(ctx, store, "t")))
	for app, want := range map[string]int64{"a": 1, "b": 2, "c": 1} {
		if v, ok := s.Txn(app); !ok || v != want {
			t.Errorf("%s is at %d, %v", app, v, ok)
		}
	}
}
