package cloud_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/marisma/marisma/objstore"
	"github.com/marisma/marisma/objstore/internal/cloud"
	"github.com/marisma/marisma/objstore/objstoretest"
)

var quick = objstore.Limits{PartBytes: 64 << 10, PartsAtOnce: 2, Pause: time.Microsecond, Timeout: 5 * time.Second}

func TestStoreConforms(t *testing.T) {
	walk := func(context.Context) bool { return true }
	for name, c := range map[string]struct {
		f     func() *fake
		walks func(context.Context) bool
		root  string
	}{
		"flat":             {f: newFake},
		"below a root":     {f: newFake, root: "warehouse/t 1"},
		"folder by folder": {f: newFake, walks: walk, root: "warehouse"},
		"folders sorted without slash": {walks: walk, f: func() *fake {
			f := newFake()
			f.slashless = true
			return f
		}},
		"with trouble": {f: func() *fake {
			f := newFake()
			f.chaos = random(7, 0.15, lostAfter, lostGone, busy, throttled, contended)
			return f
		}},
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			objstoretest.Run(t, func(*testing.T) objstore.Store {
				l := quick
				l.PartBytes, l.Retries = 30_000, 30 // the suite's large object becomes 35 parts
				return cloud.New(cloud.Config{Service: c.f(), Root: c.root, Walks: c.walks, Limits: l})
			})
		})
	}
}

// script answers the calls of one operation in order; the others are fine.
func script(op string, steps ...trouble) func(string, string) trouble {
	return func(o, _ string) trouble {
		if o != op || len(steps) == 0 {
			return fine
		}
		next := steps[0]
		steps = steps[1:]
		return next
	}
}

func TestConditionalPutSettlesWhatTheAnswerDoesNotTell(t *testing.T) {
	small, large := "small", strings.Repeat("large ", 40_000)
	for _, c := range []struct {
		name, text string
		before     string // what another put there
		chaos      func(op, key string) trouble
		want       error
		mine       bool // the object is this put's in the end
	}{
		{name: "answer lost after the put", text: small, chaos: script("put", lostAfter), mine: true},
		{name: "put lost", text: small, chaos: script("put", lostGone), mine: true},
		{name: "503 after 503", text: small, chaos: script("put", busy, busy), mine: true},
		{name: "lost, then applied, then lost", text: small, chaos: script("put", lostGone, lostAfter, lostAfter), mine: true},
		{name: "409 of a server that is not sure yet", text: small, chaos: script("put", contended, contended), mine: true},
		{name: "409 because another won", text: small, before: "theirs", chaos: script("put", contended), want: objstore.ErrExists},
		{name: "429", text: small, chaos: script("put", throttled, throttled), mine: true},
		{name: "another's object", text: small, before: "theirs", want: objstore.ErrExists},
		{name: "lost, and another's object", text: small, before: "theirs", chaos: script("put", lostGone), want: objstore.ErrExists},
		{name: "refused", text: small, chaos: script("put", denied), want: objstore.ErrDenied},
		{name: "lost, then refused", text: small, chaos: script("put", lostGone, denied), want: objstore.ErrUnknownOutcome},
		{name: "commit of parts lost after", text: large, chaos: script("commit", lostAfter), mine: true},
		{name: "commit of parts lost before", text: large, chaos: script("commit", lostGone), mine: true},
		{name: "commit of parts 409", text: large, chaos: script("commit", contended), mine: true},
		{name: "parts lost on the way", text: large, chaos: script("part", lostGone, lostAfter, busy), mine: true},
		{name: "large, another's object", text: large, before: "theirs", want: objstore.ErrExists},
	} {
		t.Run(strings.ReplaceAll(c.name, " ", "_"), func(t *testing.T) {
			f := newFake()
			s := cloud.New(cloud.Config{Service: f, Limits: quick})
			if c.before != "" {
				if _, err := s.Put(t.Context(), "k", strings.NewReader(c.before), objstore.PutOptions{}); err != nil {
					t.Fatal(err)
				}
			}
			f.chaos = c.chaos
			info, err := s.Put(t.Context(), "k", strings.NewReader(c.text), objstore.PutOptions{IfAbsent: true})
			if !errors.Is(err, c.want) || c.want == nil && err != nil {
				t.Fatalf("error %v, want %v", err, c.want)
			}
			if err == nil && (info.Size != int64(len(c.text)) || info.Key != "k" || info.ETag == "") {
				t.Errorf("info %+v", info)
			}
			got, err := objstore.ReadAll(t.Context(), s, "k")
			if mine := err == nil && string(got) == c.text; mine != c.mine {
				t.Errorf("the object is ours: %v, want %v", mine, c.mine)
			}
		})
	}
}

func TestAPutWhoseReadingBackFailsIsUnknown(t *testing.T) {
	f := newFake()
	s := cloud.New(cloud.Config{Service: f, Limits: objstore.Limits{Retries: 2, Pause: time.Microsecond}})
	f.chaos = func(op, _ string) trouble {
		switch op {
		case "put":
			return lostAfter
		case "head":
			return busy
		}
		return fine
	}
	_, err := s.Put(t.Context(), "k", strings.NewReader("x"), objstore.PutOptions{IfAbsent: true})
	if !errors.Is(err, objstore.ErrUnknownOutcome) || errors.Is(err, objstore.ErrExists) {
		t.Errorf("error %v", err)
	}
	if f.calls["put"] != 1 {
		t.Errorf("sent %d times although nothing was known", f.calls["put"])
	}
}

func TestACancelledPutIsUnknownAndEnded(t *testing.T) {
	f := newFake()
	s := cloud.New(cloud.Config{Service: f, Limits: quick})
	ctx, cancel := context.WithCancel(t.Context())
	f.chaos = func(op, _ string) trouble {
		if op == "put" {
			cancel()
			return lostAfter
		}
		return fine
	}
	_, err := s.Put(ctx, "k", strings.NewReader("x"), objstore.PutOptions{IfAbsent: true})
	if !errors.Is(err, objstore.ErrUnknownOutcome) || !errors.Is(err, context.Canceled) {
		t.Errorf("error %v", err)
	}
}

// Writers race for keys while answers get lost at random. Who is told that it
// won has its object there; who is told that it lost has not.
func TestNoSuccessIsEverReportedAsAConflict(t *testing.T) {
	for seed := range uint64(60) {
		f := newFake()
		f.chaos = random(seed, 0.35, lostAfter, lostGone, busy, throttled, contended)
		l := quick
		l.PartBytes, l.Retries = 1000, int(seed%5)+1
		s := cloud.New(cloud.Config{Service: f, Limits: l})
		const writers, rounds = 6, 4
		for round := range rounds {
			key := fmt.Sprint("log/", round)
			errs := make([]error, writers)
			text := func(i int) string { return strings.Repeat(fmt.Sprintf("%d.%d ", round, i), 100+300*(round%2)) }
			var wg sync.WaitGroup
			for i := range writers {
				wg.Go(func() {
					_, errs[i] = s.Put(t.Context(), key, strings.NewReader(text(i)), objstore.PutOptions{IfAbsent: true})
				})
			}
			wg.Wait()
			b, err := objstore.ReadAll(t.Context(), f.store, key)
			if err != nil && !errors.Is(err, objstore.ErrNotFound) {
				t.Fatal(err)
			}
			for i, err := range errs {
				mine := string(b) == text(i)
				switch {
				case err == nil && !mine:
					t.Fatalf("seed %d: %d was told that it won, and did not", seed, i)
				case errors.Is(err, objstore.ErrExists) && mine:
					t.Fatalf("seed %d: %d was told that it lost, and won: %v", seed, i, err)
				case err != nil && mine && !errors.Is(err, objstore.ErrUnknownOutcome):
					t.Fatalf("seed %d: %d won and got %v", seed, i, err)
				}
			}
		}
	}
}

func TestABodyGoesOnWhereItBroke(t *testing.T) {
	f := newFake()
	s := cloud.New(cloud.Config{Service: f, Limits: quick})
	text := strings.Repeat("0123456789", 10)
	if _, err := s.Put(t.Context(), "k", strings.NewReader(text), objstore.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	f.chaos = func(op, _ string) trouble {
		if op == "body" {
			return torn
		}
		return fine
	}
	r, _, err := s.Get(t.Context(), "k", 10, 60)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if err != nil || string(got) != text[10:70] {
		t.Errorf("%q, %v", got, err)
	}
	// Not on another object.
	if r, _, err = s.Get(t.Context(), "k", 0, -1); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "k", strings.NewReader(strings.Repeat("x", 100)), objstore.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(r); err == nil || strings.Contains(string(got), "x") {
		t.Errorf("a mix: %q, %v", got, err)
	}
}

// stalled is a body that gives nothing until its context ends.
type stalled struct {
	ctx context.Context //nolint:containedctx // lives as long as the body
}

func (s stalled) Read([]byte) (int, error) {
	<-s.ctx.Done()
	return 0, s.ctx.Err()
}
func (stalled) Close() error { return nil }

type slowService struct {
	*fake
	slow int
}

func (s *slowService) Get(ctx context.Context, key string, start, n int64, etag string) (cloud.Body, error) {
	b, err := s.fake.Get(ctx, key, start, n, etag)
	if s.slow--; err == nil && s.slow >= 0 {
		b.ReadCloser = stalled{ctx}
	}
	return b, err
}

func TestAStalledBodyIsAskedForAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		svc := &slowService{fake: newFake(), slow: 2}
		s := cloud.New(cloud.Config{Service: svc})
		if _, err := s.Put(t.Context(), "k", strings.NewReader("text"), objstore.PutOptions{}); err != nil {
			t.Fatal(err)
		}
		begin := time.Now()
		got, err := objstore.ReadAll(t.Context(), s, "k")
		if err != nil || string(got) != "text" {
			t.Errorf("%q, %v", got, err)
		}
		if d := time.Since(begin); d < time.Minute || d > 2*time.Minute {
			t.Errorf("took %v for two stalls of 30 s", d)
		}
	})
}

func TestReadsGiveUpWithWhatTheServiceSaid(t *testing.T) {
	for what, want := range map[trouble]error{busy: objstore.ErrThrottled, throttled: objstore.ErrThrottled, denied: objstore.ErrDenied, lostGone: errReset} {
		f := newFake()
		f.chaos = func(string, string) trouble { return what }
		s := cloud.New(cloud.Config{Service: f, Limits: objstore.Limits{Retries: 2, Pause: time.Microsecond}})
		_, err := s.Head(t.Context(), "a/b")
		if !errors.Is(err, want) || !strings.Contains(err.Error(), "head fake://a/b") {
			t.Errorf("Head: %v, want %v", err, want)
		}
		_, _, err = s.Get(t.Context(), "a/b", 0, -1)
		if !errors.Is(err, want) {
			t.Errorf("Get: %v, want %v", err, want)
		}
		for _, err = range s.List(t.Context(), "a/", "") {
		}
		if !errors.Is(err, want) {
			t.Errorf("List: %v, want %v", err, want)
		}
		if want := map[bool]int{true: 1, false: 3}[what == denied]; f.calls["head"] != want {
			t.Errorf("%d tries, want %d", f.calls["head"], want)
		}
	}
}

func TestObjectsThatNoStoreTakesAreNotListed(t *testing.T) {
	f := newFake()
	s := cloud.New(cloud.Config{Service: odd{f}, Root: "t"})
	var got []string
	for info, err := range s.List(t.Context(), "", "") {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, info.Key)
	}
	if !slices.Equal(got, []string{"a", "b/c"}) {
		t.Errorf("listed %q", got)
	}
}

type odd struct{ *fake }

func (odd) List(context.Context, cloud.Listing) (cloud.Page, error) {
	var p cloud.Page
	for _, k := range []string{"t/", "t/a", "t/b/", "t/b//d", "t/b/c", "t/x/../y"} {
		p.Objects = append(p.Objects, objstore.Info{Key: k})
	}
	return p, nil
}

func TestErrorsHideSecrets(t *testing.T) {
	f := refusing{newFake()}
	s := cloud.New(cloud.Config{Service: f, Secrets: []objstore.Secret{"hush-hush"}})
	_, err := s.Head(t.Context(), "k")
	if err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "(secret)") {
		t.Errorf("error %v", err)
	}
}

type refusing struct{ *fake }

func (refusing) Head(context.Context, string) (cloud.Object, error) {
	return cloud.Object{}, &cloud.Fault{Kind: cloud.Denied, Message: "no such key: hush-hush"}
}

func TestALargePutHasBoundedMemoryAndEnds(t *testing.T) {
	f := newFake()
	s := cloud.New(cloud.Config{Service: f, Limits: quick})
	_, err := s.Put(t.Context(), "k", io.LimitReader(zeros{}, 41*64<<10), objstore.PutOptions{})
	if !errors.Is(err, objstore.ErrInvalid) || !strings.Contains(err.Error(), "PartBytes") {
		t.Errorf("error %v", err)
	}
	if f.calls["abort"] != 1 || f.calls["commit"] != 0 {
		t.Errorf("calls %v", f.calls)
	}
	if _, err := s.Put(t.Context(), "k", io.LimitReader(zeros{}, 40*64<<10), objstore.PutOptions{}); err != nil {
		t.Error(err)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
