package objstoretest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"testing/iotest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/objstore"
)

// Run tries the stores that open makes; each must be empty.
func Run(t *testing.T, open func(t *testing.T) objstore.Store) {
	t.Helper()
	for name, f := range map[string]func(*testing.T, objstore.Store){
		"what is put is got":             testPutGet,
		"ranges":                         testRanges,
		"missing objects":                testMissing,
		"list is in the order of bytes":  testList,
		"list can stop early":            testListStops,
		"conditional put has one winner": testOneWinner,
		"a put whose reader fails":       testFailingReader,
		"a context that is done":         testContext,
		"keys that are refused":          testKeys,
		"readers see whole objects":      testWholeObjects,
		"puts that wait later":           testDeferrer,
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) { f(t, open(t)) })
	}
}

func put(t *testing.T, s objstore.Store, key, text string) {
	t.Helper()
	if _, err := s.Put(t.Context(), key, strings.NewReader(text), objstore.PutOptions{}); err != nil {
		t.Fatal(err)
	}
}

func get(t *testing.T, s objstore.Store, key string) string {
	t.Helper()
	b, err := objstore.ReadAll(t.Context(), s, key)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

func keys(t *testing.T, s objstore.Store, prefix, after string) []string {
	t.Helper()
	out := []string{}
	for info, err := range s.List(t.Context(), prefix, after) {
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, info.Key)
	}
	return out
}

func wantErr(t *testing.T, what string, err, want error) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("%s: got error %v, want %v", what, err, want)
	}
}

func testPutGet(t *testing.T, s objstore.Store) {
	before := time.Now().Add(-time.Minute)
	for _, text := range []string{"first", "", "replaced by something longer"} {
		info, err := s.Put(t.Context(), "a/b c/ü=1.json", strings.NewReader(text), objstore.PutOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if got := get(t, s, "a/b c/ü=1.json"); got != text {
			t.Errorf("got %q, want %q", got, text)
		}
		head, err := s.Head(t.Context(), "a/b c/ü=1.json")
		if err != nil {
			t.Fatal(err)
		}
		for _, i := range []objstore.Info{info, head} {
			if i.Key != "a/b c/ü=1.json" || i.Size != int64(len(text)) || i.ModTime.Before(before) {
				t.Errorf("info %+v", i)
			}
		}
	}
	big := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	put(t, s, "big", string(big))
	if got := get(t, s, "big"); got != string(big) {
		t.Errorf("a large object came back with %d bytes", len(got))
	}
}

func testRanges(t *testing.T, s objstore.Store) {
	put(t, s, "o", "0123456789")
	for _, c := range []struct {
		offset, length int64
		want           string
	}{
		{0, -1, "0123456789"}, {3, -1, "3456789"}, {3, 2, "34"}, {3, 0, ""}, {8, 100, "89"},
		{10, -1, ""}, {50, 5, ""}, {-3, -1, "789"}, {-100, -1, "0123456789"},
	} {
		r, info, err := s.Get(t.Context(), "o", c.offset, c.length)
		if err != nil {
			t.Errorf("range %d+%d: %v", c.offset, c.length, err)
			continue
		}
		b, err := io.ReadAll(r)
		if err := errors.Join(err, r.Close()); err != nil {
			t.Error(err)
		}
		if string(b) != c.want || info.Size != 10 {
			t.Errorf("range %d+%d: got %q of %d, want %q of 10", c.offset, c.length, b, info.Size, c.want)
		}
	}
	for _, c := range [][2]int64{{-3, 2}, {0, -2}} {
		_, _, err := s.Get(t.Context(), "o", c[0], c[1])
		wantErr(t, fmt.Sprint("range ", c), err, objstore.ErrInvalid)
	}
}

func testMissing(t *testing.T, s objstore.Store) {
	put(t, s, "dir/o", "x")
	for _, key := range []string{"none", "dir/none", "dir", "none/o"} {
		_, _, err := s.Get(t.Context(), key, 0, -1)
		wantErr(t, "Get "+key, err, objstore.ErrNotFound)
		_, err = s.Head(t.Context(), key)
		wantErr(t, "Head "+key, err, objstore.ErrNotFound)
		if err := s.Delete(t.Context(), key); err != nil {
			t.Errorf("Delete %s: %v", key, err)
		}
	}
	if err := s.Delete(t.Context(), "dir/o"); err != nil {
		t.Error(err)
	}
	_, err := s.Head(t.Context(), "dir/o")
	wantErr(t, "Head of a deleted object", err, objstore.ErrNotFound)
	if got := keys(t, s, "", ""); len(got) != 0 {
		t.Errorf("listed %v", got)
	}
	put(t, s, "dir/o", "again")
	if got := get(t, s, "dir/o"); got != "again" {
		t.Errorf("got %q", got)
	}
}

func testList(t *testing.T, s objstore.Store) {
	all := []string{"a", "b-c", "b.c", "b/_log/1", "b/_log/10", "b/_log/2", "b/x", "b0", "bb/c", "c/d/e/f", "é"}
	for i := range all { // in another order than listed
		put(t, s, all[(i*7+3)%len(all)], "x")
	}
	for _, c := range []struct {
		prefix, after string
		want          []string
	}{
		{"", "", all},
		{"b", "", all[1:9]},
		{"b/", "", all[3:7]},
		{"b/_log/", "b/_log/1", all[4:6]},
		{"b/_log/1", "", all[3:5]},
		{"b/_log/", "b/_log/0", all[3:6]},
		{"b/_log/", "b/_log/10", all[5:6]},
		{"b/_log/", "b/_log/3", nil},
		{"", "b/_log/zzz", all[6:]},
		{"", "b/", all[3:]},
		{"", "b.c", all[3:]},
		{"", "z", all[10:]},
		{"none/", "", nil},
		{"c/d/", "", all[9:10]},
	} {
		want := append([]string{}, c.want...)
		if diff := cmp.Diff(want, keys(t, s, c.prefix, c.after)); diff != "" {
			t.Errorf("List(%q, %q): -want +got\n%s", c.prefix, c.after, diff)
		}
	}
}

func testListStops(t *testing.T, s objstore.Store) {
	for i := range 20 {
		put(t, s, fmt.Sprintf("d%d/%02d", i/5, i), "x")
	}
	n := 0
	for info, err := range s.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if n++; info.Key == "d1/07" {
			break
		}
	}
	if n != 8 {
		t.Errorf("saw %d objects up to the eighth", n)
	}
	// Objects may go while they are listed.
	for info, err := range s.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Delete(t.Context(), info.Key); err != nil {
			t.Fatal(err)
		}
	}
	if got := keys(t, s, "", ""); len(got) != 0 {
		t.Errorf("left over: %v", got)
	}
}

func testOneWinner(t *testing.T, s objstore.Store) {
	const racers = 12
	for round := range 5 {
		key := fmt.Sprintf("log/%020d.json", round)
		var wg sync.WaitGroup
		errs := make([]error, racers)
		for i := range racers {
			wg.Go(func() {
				text := strings.Repeat(fmt.Sprintf("racer %d\n", i), 500)
				_, errs[i] = s.Put(t.Context(), key, strings.NewReader(text), objstore.PutOptions{IfAbsent: true})
			})
		}
		wg.Wait()
		winner := -1
		for i, err := range errs {
			switch {
			case err == nil && winner >= 0:
				t.Fatalf("%d and %d both won", winner, i)
			case err == nil:
				winner = i
			default:
				wantErr(t, "loser", err, objstore.ErrExists)
			}
		}
		if winner < 0 {
			t.Fatal("nobody won")
		}
		if got, want := get(t, s, key), strings.Repeat(fmt.Sprintf("racer %d\n", winner), 500); got != want {
			t.Errorf("the object is not the winner's: %.40q", got)
		}
	}
	if got := keys(t, s, "", ""); len(got) != 5 {
		t.Errorf("listed %v", got)
	}
}

func testFailingReader(t *testing.T, s objstore.Store) {
	put(t, s, "o", "old")
	broken := io.MultiReader(strings.NewReader("half of the new"), iotest.ErrReader(io.ErrUnexpectedEOF))
	_, err := s.Put(t.Context(), "o", broken, objstore.PutOptions{})
	wantErr(t, "Put", err, io.ErrUnexpectedEOF)
	if got := get(t, s, "o"); got != "old" {
		t.Errorf("a failed put left %q", got)
	}
	if got := keys(t, s, "", ""); len(got) != 1 {
		t.Errorf("a failed put left %v", got)
	}
}

func testContext(t *testing.T, s objstore.Store) {
	put(t, s, "o", "x")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, _, err := s.Get(ctx, "o", 0, -1)
	wantErr(t, "Get", err, context.Canceled)
	_, err = s.Head(ctx, "o")
	wantErr(t, "Head", err, context.Canceled)
	_, err = s.Put(ctx, "o", strings.NewReader("y"), objstore.PutOptions{})
	wantErr(t, "Put", err, context.Canceled)
	wantErr(t, "Delete", s.Delete(ctx, "o"), context.Canceled)
	var last error
	for _, err := range s.List(ctx, "", "") {
		last = err
	}
	wantErr(t, "List", last, context.Canceled)
	if got := get(t, s, "o"); got != "x" {
		t.Errorf("got %q", got)
	}
}

func testKeys(t *testing.T, s objstore.Store) {
	for _, key := range []string{"", ".", "..", "../x", "/x", "x/", "a//b", "a/./b", "a/../b", ".tmp-1", "a/.tmp-1", "a\x00"} {
		_, _, err := s.Get(t.Context(), key, 0, -1)
		wantErr(t, "Get "+key, err, objstore.ErrInvalid)
		_, err = s.Put(t.Context(), key, strings.NewReader("x"), objstore.PutOptions{})
		wantErr(t, "Put "+key, err, objstore.ErrInvalid)
		wantErr(t, "Delete "+key, s.Delete(t.Context(), key), objstore.ErrInvalid)
	}
	if got := keys(t, s, "../", ""); len(got) != 0 {
		t.Errorf("listed %v outside of the store", got)
	}
}

func testWholeObjects(t *testing.T, s objstore.Store) {
	text := func(i int) string { return strings.Repeat(string(rune('a'+i%26)), 1<<15) }
	put(t, s, "o", text(0))
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Go(func() {
		defer close(done)
		for i := range 60 {
			if _, err := s.Put(t.Context(), "o", strings.NewReader(text(i)), objstore.PutOptions{}); err != nil {
				t.Error(err)
				return
			}
		}
	})
	for reading := true; reading; {
		select {
		case <-done:
			reading = false
		default:
		}
		got := get(t, s, "o")
		if len(got) != 1<<15 || strings.Trim(got, got[:1]) != "" {
			t.Errorf("read a mix of two objects, %d bytes", len(got))
			break
		}
	}
	wg.Wait()
}

func testDeferrer(t *testing.T, s objstore.Store) {
	d, ok := s.(objstore.Deferrer)
	if !ok {
		return // a store need not be one
	}
	info, durable, err := d.PutLater(t.Context(), "d/later", strings.NewReader("later"), objstore.PutOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if got := get(t, s, "d/later"); got != "later" || info.Size != 5 || info.Key != "d/later" {
		t.Errorf("got %q, %+v", got, info)
	}
	if err := errors.Join(durable(), durable()); err != nil {
		t.Error(err)
	}
	_, _, err = d.PutLater(t.Context(), "d/later", strings.NewReader("again"), objstore.PutOptions{IfAbsent: true})
	wantErr(t, "PutLater where the key is taken", err, objstore.ErrExists)

	broken := errors.New("not ready")
	_, err = d.PutAfter(t.Context(), "d/after", strings.NewReader("x"), objstore.PutOptions{IfAbsent: true}, func() error { return broken })
	wantErr(t, "PutAfter of what is not ready", err, broken)
	_, err = s.Head(t.Context(), "d/after")
	wantErr(t, "Head of what was not put", err, objstore.ErrNotFound)
	_, err = d.PutAfter(t.Context(), "d/after", strings.NewReader("after"), objstore.PutOptions{IfAbsent: true}, func() error {
		_, err := s.Head(t.Context(), "d/after")
		wantErr(t, "Head before the put is ready", err, objstore.ErrNotFound)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := get(t, s, "d/after"); got != "after" {
		t.Errorf("got %q", got)
	}
	if diff := cmp.Diff([]string{"d/after", "d/later"}, keys(t, s, "d/", "")); diff != "" {
		t.Error(diff)
	}
}
