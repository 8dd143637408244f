package cache_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/marisma/marisma/internal/vfs"
	"github.com/marisma/marisma/objstore"
	"github.com/marisma/marisma/objstore/cache"
	"github.com/marisma/marisma/objstore/objstoretest"
)

func always(string) bool { return true }

func open(t *testing.T, s objstore.Store, dir string, o cache.Options) *cache.Cache {
	t.Helper()
	c, err := cache.Open(s, dir, o)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestConforms(t *testing.T) {
	for name, o := range map[string]cache.Options{
		"data files": {}, "everything": {Immutable: always}, "little room": {Immutable: always, MaxBytes: 20_000, MaxObject: 20_000},
	} {
		t.Run(name, func(t *testing.T) {
			objstoretest.Run(t, func(t *testing.T) objstore.Store { return open(t, objstore.Memory(), t.TempDir(), o) })
		})
	}
}

// far counts and disturbs the reads of a store.
type far struct {
	objstore.Store
	gets atomic.Int64
	body func(io.ReadCloser) io.ReadCloser
	down atomic.Bool
}

var errDown = errors.New("the network is down")

func (f *far) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, objstore.Info, error) {
	if f.down.Load() {
		return nil, objstore.Info{}, errDown
	}
	f.gets.Add(1)
	r, info, err := f.Store.Get(ctx, key, offset, length)
	if err == nil && f.body != nil {
		r = f.body(r)
	}
	return r, info, err
}

// filled is a far store with objects of 1000 bytes.
func filled(t *testing.T, keys ...string) *far {
	t.Helper()
	f := &far{Store: objstore.Memory()}
	for _, k := range keys {
		if _, err := f.Put(t.Context(), k, strings.NewReader(text(k)), objstore.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	return f
}

func text(key string) string { return strings.Repeat(key+" ", 1000)[:1000] }

func read(t *testing.T, s objstore.Store, key string) {
	t.Helper()
	if b, err := objstore.ReadAll(t.Context(), s, key); err != nil || string(b) != text(key) {
		t.Errorf("%s: %.20q of %d, %v", key, b, len(b), err)
	}
}

func TestWhatMayBeKept(t *testing.T) {
	for key, want := range map[string]bool{
		"t/a.parquet": true, "t/p=1/deletion_vector_x.bin": true, "a.parquet": true,
		"t/_delta_log/_sidecars/a.parquet": true, "_delta_log/_sidecars/a.parquet": true,
		"t/_delta_log/00000000000000000001.json": false, "t/_delta_log/_last_checkpoint": false,
		"t/_delta_log/00000000000000000010.checkpoint.parquet": false, "_delta_log/1.checkpoint.parquet": false,
		"t/a.json": false, "t/_change_data/a.parquet": true,
	} {
		if got := cache.Immutable(key); got != want {
			t.Errorf("Immutable(%s) = %v", key, got)
		}
	}
	f := filled(t, "t/a.parquet", "t/_delta_log/_last_checkpoint")
	c := open(t, f, t.TempDir(), cache.Options{})
	for range 3 {
		read(t, c, "t/a.parquet")
		read(t, c, "t/_delta_log/_last_checkpoint")
	}
	if n := f.gets.Load(); n != 4 {
		t.Errorf("%d reads over the network, want 1 and 3", n)
	}
}

func TestTheBoundHoldsAndTheOldestUseGoes(t *testing.T) {
	keys := []string{"a.bin", "b.bin", "c.bin", "d.bin"}
	f := filled(t, keys...)
	dir := t.TempDir()
	c := open(t, f, dir, cache.Options{MaxBytes: 3500, MaxObject: 1000})
	for _, k := range []string{"a.bin", "b.bin", "c.bin", "a.bin", "d.bin"} { // b goes for d
		read(t, c, k)
	}
	if s := c.Stats(); s.Bytes != 3000 || s.Objects != 3 || s.Evictions != 1 || s.Misses != 4 || s.Hits != 1 {
		t.Errorf("%+v", s)
	}
	f.down.Store(true)
	for _, k := range []string{"a.bin", "c.bin", "d.bin"} {
		read(t, c, k)
	}
	if _, err := objstore.ReadAll(t.Context(), c, "b.bin"); !errors.Is(err, errDown) {
		t.Errorf("b.bin: %v", err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 3 {
		t.Errorf("%d files", len(files))
	}
}

func TestFetchedFilesStayAndFillTheCache(t *testing.T) {
	f := filled(t, "a.bin", "b.bin", "c.bin")
	c := open(t, f, t.TempDir(), cache.Options{MaxBytes: 2500})
	pa, releaseA, err := c.Fetch(t.Context(), "a.bin", 1000)
	if err != nil {
		t.Fatal(err)
	}
	_, releaseB, err := c.Fetch(t.Context(), "b.bin", -1)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := c.Fetch(t.Context(), "c.bin", 1000); !errors.Is(err, cache.ErrFull) {
		t.Errorf("a third: %v", err)
	}
	read(t, c, "c.bin") // is read through
	if b, err := os.ReadFile(pa); err != nil || string(b) != text("a.bin") || !filepath.IsAbs(pa) || filepath.Ext(pa) != ".bin" {
		t.Errorf("%s: %v", pa, err)
	}
	// A deleted object's file stays as long as it is in use.
	if err := c.Delete(t.Context(), "a.bin"); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(pa); err != nil {
		t.Error(err)
	}
	releaseA()
	releaseA()
	if _, err := os.Stat(pa); !os.IsNotExist(err) {
		t.Errorf("after the release: %v", err)
	}
	_, releaseC, err := c.Fetch(t.Context(), "c.bin", 1000)
	if err != nil {
		t.Error(err)
	}
	releaseB()
	releaseC()
	if s := c.Stats(); s.Bytes != 2000 {
		t.Errorf("%+v", s)
	}
}

func TestFetchKnowsAnotherObjectByItsSize(t *testing.T) {
	f := filled(t, "a.bin")
	c := open(t, f, t.TempDir(), cache.Options{})
	read(t, c, "a.bin")
	if _, err := f.Put(t.Context(), "a.bin", strings.NewReader("new"), objstore.PutOptions{}); err != nil { // behind the cache's back
		t.Fatal(err)
	}
	p, release, err := c.Fetch(t.Context(), "a.bin", 3)
	if err != nil {
		t.Fatal(err)
	}
	defer release()
	if b, err := os.ReadFile(p); err != nil || string(b) != "new" {
		t.Errorf("%q, %v", b, err)
	}
	if _, _, err := c.Fetch(t.Context(), "a.bin", 4); err == nil || !strings.Contains(err.Error(), "3 bytes, not the 4") {
		t.Errorf("a size that nobody has: %v", err)
	}
	if _, _, err := c.Fetch(t.Context(), "_delta_log/_last_checkpoint", -1); !errors.Is(err, objstore.ErrInvalid) {
		t.Errorf("a key that may change: %v", err)
	}
}

func TestManyShareOneDownload(t *testing.T) {
	f := filled(t, "a.bin")
	start := make(chan struct{})
	f.body = func(r io.ReadCloser) io.ReadCloser {
		<-start
		return r
	}
	c := open(t, f, t.TempDir(), cache.Options{})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() { read(t, c, "a.bin") })
	}
	impatient, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := c.Fetch(impatient, "a.bin", -1); !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
	close(start)
	wg.Wait()
	if n := f.gets.Load(); n != 1 {
		t.Errorf("%d downloads", n)
	}
}

func TestTornDownloadsAreInvisible(t *testing.T) {
	f := filled(t, "a.bin")
	dir := t.TempDir()
	c := open(t, f, dir, cache.Options{})
	f.body = func(r io.ReadCloser) io.ReadCloser {
		return struct {
			io.Reader
			io.Closer
		}{io.LimitReader(r, 999), r}
	}
	if _, _, err := c.Get(t.Context(), "a.bin", 0, -1); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("error %v", err)
	}
	if files, _ := os.ReadDir(dir); len(files) != 0 || c.Stats().Bytes != 0 || c.Stats().Objects != 0 {
		t.Errorf("left %v, %+v", files, c.Stats())
	}
	f.body = nil
	read(t, c, "a.bin")
}

func TestAFullDiskDoesNotStopReading(t *testing.T) {
	f := filled(t, "a.bin")
	m := vfs.NewMem()
	c, err := cache.OpenOn(f, m, cache.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, op := range []vfs.Op{vfs.OpWrite, vfs.OpSync, vfs.OpRename, vfs.OpCreate} {
		m.Inject(func(o vfs.Op, _ string) error {
			if o == op {
				return syscall.ENOSPC
			}
			return nil
		})
		read(t, c, "a.bin")
		if _, _, err := c.Fetch(t.Context(), "a.bin", 1000); !errors.Is(err, syscall.ENOSPC) {
			t.Errorf("%s: %v", op, err)
		}
		if s := c.Stats(); s.Bytes != 0 || s.Objects != 0 {
			t.Errorf("%s: %+v", op, s)
		}
	}
}

func TestOpenTakesCopiesOver(t *testing.T) {
	f := filled(t, "a.bin", "b.bin", "c.parquet")
	dir := t.TempDir()
	c := open(t, f, dir, cache.Options{})
	for _, k := range []string{"a.bin", "b.bin", "c.parquet"} {
		read(t, c, k)
	}
	for _, name := range []string{".tmp-left", "somebody's.txt"} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.bin"))
	if err != nil || len(files) != 2 {
		t.Fatal(files, err)
	}
	if err := os.Truncate(files[0], 10); err != nil {
		t.Fatal(err)
	}
	want, err := f.Head(t.Context(), "c.parquet")
	if err != nil {
		t.Fatal(err)
	}
	c = open(t, f, dir, cache.Options{})
	if s := c.Stats(); s.Objects != 2 || s.Bytes != 2000 {
		t.Errorf("%+v", s)
	}
	f.down.Store(true)
	read(t, c, "c.parquet")
	r, info, err := c.Get(t.Context(), "c.parquet", 5, 10)
	if err != nil {
		t.Fatal(err)
	}
	if b, err := io.ReadAll(r); err != nil || string(b) != text("c.parquet")[5:15] || info.ETag != want.ETag || info.Key != want.Key || info.ModTime.Sub(want.ModTime).Abs() > 1000 {
		t.Errorf("%q, %+v, want %+v, %v", b, info, want, err)
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(filepath.Join(dir, ".tmp-left")); !os.IsNotExist(err) {
		t.Errorf("left over: %v", err)
	}
	if _, err := os.Stat(filepath.Join(dir, "somebody's.txt")); err != nil {
		t.Error(err)
	}
	if c = open(t, f, dir, cache.Options{MaxBytes: 1500}); c.Stats().Bytes != 1000 {
		t.Errorf("a smaller bound: %+v", c.Stats())
	}
}

func TestAPowerCutLeavesWholeCopiesOrNone(t *testing.T) {
	f := filled(t, "a.bin", "b.bin")
	for n := 0; ; n++ {
		m := vfs.NewMem()
		m.CutAt(n)
		c, err := cache.OpenOn(f, m, cache.Options{})
		for _, k := range []string{"a.bin", "b.bin"} {
			if err == nil {
				_, _, err = c.Fetch(t.Context(), k, 1000)
			}
		}
		for seed := range uint64(20) {
			var rng *rand.Rand
			if seed > 0 {
				rng = rand.New(rand.NewPCG(seed, 3))
			}
			after, err := cache.OpenOn(f, m.Crash(rng), cache.Options{})
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range []string{"a.bin", "b.bin"} {
				read(t, after, k)
			}
			if s := after.Stats(); s.Bytes != 2000 || s.Objects != 2 {
				t.Fatalf("cut at %d, seed %d: %+v", n, seed, s)
			}
		}
		if err == nil {
			if n < 5 {
				t.Errorf("only %d operations", n)
			}
			return
		}
	}
}

// Readers, writers and evictions at random: each read gives a whole object.
func TestUseByManyAtOnce(t *testing.T) {
	f := &far{Store: objstore.Memory()}
	var keys []string
	for i := range 12 {
		keys = append(keys, fmt.Sprintf("k%d.bin", i))
	}
	for _, k := range keys {
		if _, err := f.Put(t.Context(), k, strings.NewReader(text(k)), objstore.PutOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	c := open(t, f, t.TempDir(), cache.Options{MaxBytes: 5000, MaxObject: 2000})
	var wg sync.WaitGroup
	for g := range 8 {
		rng := rand.New(rand.NewPCG(uint64(g), 1))
		wg.Go(func() {
			for range 150 {
				k := keys[rng.IntN(len(keys))]
				switch rng.IntN(4) {
				case 0:
					p, release, err := c.Fetch(t.Context(), k, 1000)
					if errors.Is(err, cache.ErrFull) {
						continue
					}
					if b, rerr := os.ReadFile(p); err != nil || rerr != nil || string(b) != text(k) {
						t.Errorf("%s: %v, %v", k, err, rerr)
						return
					}
					release()
				case 1:
					if _, err := c.Put(t.Context(), k, strings.NewReader(text(k)), objstore.PutOptions{}); err != nil {
						t.Error(err)
					}
				default:
					read(t, c, k)
				}
				if s := c.Stats(); s.Bytes > 5000 {
					t.Errorf("%+v", s)
				}
			}
		})
	}
	wg.Wait()
	if s := c.Stats(); s.Bytes != s.Objects*1000 {
		t.Errorf("%+v", s)
	}
}
