package cloudtest

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/marisma/marisma/objstore"
)

// Limits are for tests: small parts, short pauses.
var Limits = objstore.Limits{PartBytes: 5 << 20, PartsAtOnce: 2, Pause: time.Millisecond, Retries: 4, Timeout: 10 * time.Second}

var one = objstore.PutOptions{IfAbsent: true}

// Run tries the stores that open makes over an HTTP client; each is empty. No
// error may show secret.
func Run(t *testing.T, secret string, open func(t *testing.T, c *http.Client) objstore.Store) {
	t.Helper()
	for name, f := range map[string]func(*testing.T, objstore.Store, *Chaos, string){
		"conditional puts are settled":      settled,
		"large conditional puts are too":    large,
		"nothing known is unknown":          unknown,
		"a refusal is final and says where": refused,
		"bodies go on":                      bodies,
		"racers agree":                      racers,
	} {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			c := &Chaos{}
			s := open(t, c.Client())
			f(t, s, c, secret)
		})
	}
}

// Steps makes the trouble of each step for one request that on takes; the
// other requests are fine.
func Steps(on func(*http.Request) bool, steps ...Trouble) func(*http.Request) Trouble {
	return func(r *http.Request) Trouble {
		if len(steps) == 0 || !on(r) {
			return Trouble{}
		}
		t := steps[0]
		steps = steps[1:]
		return t
	}
}

// Always makes the same trouble for each request with a method.
func Always(m string, what Trouble) func(*http.Request) Trouble {
	return func(r *http.Request) Trouble {
		if r.Method == m {
			return what
		}
		return Trouble{}
	}
}

func method(m string) func(*http.Request) bool {
	return func(r *http.Request) bool { return r.Method == m }
}

func check(t *testing.T, s objstore.Store, key, want string) {
	t.Helper()
	if got, err := objstore.ReadAll(t.Context(), s, key); err != nil || string(got) != want {
		t.Errorf("%s: %d bytes, want %d, error %v", key, len(got), len(want), err)
	}
}

func settled(t *testing.T, s objstore.Store, c *Chaos, _ string) {
	lost, gone := Trouble{LoseAnswer: true}, Trouble{LoseRequest: true}
	for i, steps := range [][]Trouble{
		{lost}, {gone}, {gone, lost}, {gone, gone, lost}, {lost, lost},
		{{Status: 503}}, {{Status: 500}, {Status: 503}, lost}, {{Status: 429}}, {{Status: 502}, gone},
	} {
		key := fmt.Sprintf("log/%020d.json", i)
		c.Plan(Steps(method(http.MethodPut), steps...))
		info, err := s.Put(t.Context(), key, strings.NewReader("mine"), one)
		if err != nil || info.Size != 4 || info.Key != key || info.ETag == "" || time.Since(info.ModTime) > time.Minute {
			t.Fatalf("%+v: info %+v, error %v", steps, info, err)
		}
		c.Plan(nil)
		check(t, s, key, "mine")
		c.Plan(Steps(method(http.MethodPut), steps...))
		if _, err := s.Put(t.Context(), key, strings.NewReader("another"), one); !errors.Is(err, objstore.ErrExists) {
			t.Errorf("%+v: a second put: %v", steps, err)
		}
		c.Plan(nil)
		check(t, s, key, "mine")
	}
}

func large(t *testing.T, s objstore.Store, c *Chaos, _ string) {
	text := strings.Repeat("0123456789abcdef", 700_000) // 11 MB, three parts
	part := func(r *http.Request) bool {
		return r.Method == http.MethodPut && (r.URL.Query().Get("comp") == "block" || r.URL.Query().Has("partNumber"))
	}
	commit := func(r *http.Request) bool {
		return r.URL.Query().Get("comp") == "blocklist" || r.Method == http.MethodPost && r.URL.Query().Has("uploadId")
	}
	for name, plan := range map[string]func(*http.Request) Trouble{
		"parts":  Steps(part, Trouble{LoseAnswer: true}, Trouble{Status: 503}, Trouble{LoseRequest: true}),
		"before": Steps(commit, Trouble{LoseRequest: true}),
		"after":  Steps(commit, Trouble{LoseAnswer: true}),
		"503":    Steps(commit, Trouble{Status: 503}, Trouble{LoseAnswer: true}),
	} {
		c.Plan(plan)
		if _, err := s.Put(t.Context(), name, strings.NewReader(text), one); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		c.Plan(nil)
		check(t, s, name, text)
	}
	if _, err := s.Put(t.Context(), "after", strings.NewReader(text+"more"), one); !errors.Is(err, objstore.ErrExists) {
		t.Errorf("over another's object: %v", err)
	}
	check(t, s, "after", text)
	if _, err := s.Put(t.Context(), "after", strings.NewReader(text+"more"), objstore.PutOptions{}); err != nil {
		t.Errorf("without condition: %v", err)
	}
	check(t, s, "after", text+"more")
}

func unknown(t *testing.T, s objstore.Store, c *Chaos, secret string) {
	c.Plan(func(r *http.Request) Trouble {
		return Trouble{LoseAnswer: r.Method == http.MethodPut, LoseRequest: r.Method == http.MethodHead}
	})
	_, err := s.Put(t.Context(), "k", strings.NewReader("mine"), one)
	if !errors.Is(err, objstore.ErrUnknownOutcome) || errors.Is(err, objstore.ErrExists) || strings.Contains(fmt.Sprintf("%v %+v", err, err), secret) {
		t.Errorf("error %v", err)
	}
	if n := c.Seen(http.MethodPut); n != 1 {
		t.Errorf("sent %d times although nothing was known", n)
	}
	c.Plan(nil)
	check(t, s, "k", "mine")
}

func refused(t *testing.T, s objstore.Store, c *Chaos, secret string) {
	c.Plan(func(*http.Request) Trouble { return Trouble{Status: http.StatusForbidden} })
	_, err := s.Put(t.Context(), "a/k", strings.NewReader("mine"), one)
	e, ok := errors.AsType[*objstore.ServiceError](err)
	if !errors.Is(err, objstore.ErrDenied) || !ok || e.Op != "put" || !strings.HasSuffix(e.Where, "/a/k") || e.Status != 403 {
		t.Errorf("Put: %v", err)
	}
	if n := c.Seen(http.MethodPut); n != 1 {
		t.Errorf("a refused put was sent %d times", n)
	}
	_, _, gerr := s.Get(t.Context(), "a/k", 0, -1)
	_, herr := s.Head(t.Context(), "a/k")
	var lerr error
	for _, lerr = range s.List(t.Context(), "", "") {
	}
	for _, err := range []error{gerr, herr, lerr, s.Delete(t.Context(), "a/k")} {
		if !errors.Is(err, objstore.ErrDenied) || strings.Contains(err.Error(), secret) {
			t.Errorf("error %v", err)
		}
	}
	c.Plan(func(*http.Request) Trouble { return Trouble{LoseRequest: true} })
	if _, err := s.Head(t.Context(), "a/k"); !errors.Is(err, errLost) || strings.Contains(err.Error(), secret) {
		t.Errorf("a lost request: %v", err)
	}
	c.Plan(func(*http.Request) Trouble { return Trouble{Status: 503} })
	if _, err := s.Head(t.Context(), "a/k"); !errors.Is(err, objstore.ErrThrottled) {
		t.Errorf("503: %v", err)
	}
}

func bodies(t *testing.T, s objstore.Store, c *Chaos, _ string) {
	text := strings.Repeat("0123456789", 100)
	if _, err := s.Put(t.Context(), "k", strings.NewReader(text), objstore.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	c.Plan(Always(http.MethodGet, Trouble{Tear: 70}))
	for _, r := range [][2]int64{{0, -1}, {105, 500}, {-300, -1}} {
		body, info, err := s.Get(t.Context(), "k", r[0], r[1])
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(body)
		from, n, _ := objstore.Span("k", r[0], r[1], int64(len(text)))
		if err != nil || string(got) != text[from:from+n] || info.Size != int64(len(text)) {
			t.Errorf("range %v: %d bytes of %d, error %v", r, len(got), info.Size, err)
		}
		if err := body.Close(); err != nil {
			t.Error(err)
		}
	}
	// It does not go on with another object.
	body, _, err := s.Get(t.Context(), "k", 0, -1)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), "k", strings.NewReader(strings.Repeat("x", 1000)), objstore.PutOptions{}); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(body)
	if err == nil || strings.Contains(string(got), "x") {
		t.Errorf("two objects in one: %d bytes, error %v", len(got), err)
	}
	_ = body.Close()
}

// racers are 32 that put each version at the same time while answers get lost.
func racers(t *testing.T, s objstore.Store, c *Chaos, _ string) {
	const n, versions = 32, 6
	rng := rand.New(rand.NewPCG(1, 2))
	for v := range versions {
		if v >= versions/2 {
			c.Plan(func(r *http.Request) Trouble {
				x := rng.IntN(10)
				return Trouble{LoseAnswer: x == 0, LoseRequest: x == 1, Status: map[int]int{2: 503}[x]}
			})
		}
		key := fmt.Sprintf("race/%020d.json", v)
		errs := make([]error, n)
		var wg sync.WaitGroup
		for i := range n {
			wg.Go(func() { _, errs[i] = s.Put(t.Context(), key, strings.NewReader(fmt.Sprint("racer ", i)), one) })
		}
		wg.Wait()
		c.Plan(nil)
		got, err := objstore.ReadAll(t.Context(), s, key)
		if err != nil {
			t.Fatal(err)
		}
		winners := 0
		for i, err := range errs {
			mine := string(got) == fmt.Sprint("racer ", i)
			switch {
			case err == nil && mine:
				winners++
			case err == nil:
				t.Errorf("version %d: %d was told that it won, and did not", v, i)
			case mine && !errors.Is(err, objstore.ErrUnknownOutcome):
				t.Errorf("version %d: %d won and got %v", v, i, err)
			case v < versions/2 && !errors.Is(err, objstore.ErrExists):
				t.Errorf("version %d: %d lost and got %v", v, i, err)
			}
		}
		if winners > 1 || v < versions/2 && winners != 1 {
			t.Errorf("version %d has %d winners", v, winners)
		}
	}
}
