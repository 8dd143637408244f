package web

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/marisma/marisma/internal/auth"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/web/api"
)

// fake is a Backend that knows two tokens, one device and one table.
type fake struct {
	lines  []api.SQLLine // what a statement sends
	err    error         // and how it ends
	action string
}

func (f *fake) Status() api.Status        { return api.Status{Project: "plant"} }
func (f *fake) Pipelines() []api.Pipeline { return []api.Pipeline{{Key: "p"}} }
func (f *fake) PipelineAction(_ context.Context, key, action string, tables []string) error {
	if key != "p" {
		return fmt.Errorf("%w: no pipeline %q", ErrNotFound, key)
	}
	f.action = action + " " + strings.Join(tables, ",")
	return nil
}
func (f *fake) Devices() []api.Device { return []api.Device{{ID: "d"}} }
func (f *fake) Device(id string) (api.Device, error) {
	if id != "d" {
		return api.Device{}, fmt.Errorf("%w: no device %q", ErrNotFound, id)
	}
	return api.Device{ID: id, PrimaryKey: "secret"}, nil
}
func (f *fake) AddDevice(_ context.Context, id string) (api.Device, error) {
	if id == "d" {
		return api.Device{}, ErrConflict
	}
	return api.Device{ID: id}, nil
}
func (f *fake) RemoveDevice(context.Context, string) error { return nil }
func (f *fake) Tables(context.Context, auth.Principal) ([]api.Table, error) {
	return []api.Table{{Name: "c.s.t"}}, nil
}
func (f *fake) History(_ context.Context, _ auth.Principal, table string, limit int) ([]api.Commit, error) {
	return []api.Commit{{Version: int64(limit), Operation: table}}, nil
}
func (f *fake) Lineage(_ context.Context, _ auth.Principal, table string, through bool) (api.Lineage, error) {
	return api.Lineage{Table: table, MadeBy: map[bool]string{true: "through"}[through]}, nil
}
func (f *fake) SQL(_ context.Context, p auth.Principal, req api.SQLRequest, send func(api.SQLLine) error) error {
	if req.Statement == "who" {
		return send(api.SQLLine{Rows: [][]*string{{&p.Name}}, Done: &api.SQLDone{}})
	}
	for _, l := range f.lines {
		if err := send(l); err != nil {
			return err
		}
	}
	return f.err
}
func (f *fake) NewToken() (string, error) { return "new", nil }
func (f *fake) Verify(token string) (auth.Principal, error) {
	switch token {
	case "admin":
		return auth.Principal{Name: "root", Admin: true}, nil
	case "plain":
		return auth.Principal{Name: "guest"}, nil
	}
	return auth.Principal{}, auth.ErrInvalidToken
}

func newDoor(t *testing.T, f *fake) (*Server, string) {
	t.Helper()
	s := New(Config{
		Backend: f, Interval: time.Millisecond, MaxStreams: 1,
		Metrics: http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "metric 1") }),
		UI:      fstest.MapFS{"index.html": {Data: []byte("the page")}, "assets/a-1.js": {Data: []byte("code")}, "icon.svg": {Data: []byte("<svg/>")}},
	})
	srv := httptest.NewServer(s.Handler())
	t.Cleanup(srv.Close)
	return s, srv.URL
}

type answer struct {
	status int
	head   http.Header
	body   string
}

// call sends a request; token "" is none, "cookie:x" goes as the page's cookie.
func call(t *testing.T, method, url, token, body string) answer {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if c, ok := strings.CutPrefix(token, "cookie:"); ok {
		req.AddCookie(&http.Cookie{Name: cookie, Value: c})
	} else if token != "" {
		req.Header.Set("Authorization", "Bearer "+token)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	b, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{res.StatusCode, res.Header, string(b)}
}

func code(t *testing.T, a answer) string {
	t.Helper()
	var e struct {
		Error api.Error `json:"error"`
	}
	if err := json.Unmarshal([]byte(a.body), &e); err != nil {
		t.Fatalf("the answer is no error: %q", a.body)
	}
	if e.Error.Message == "" {
		t.Errorf("an error without a message: %q", a.body)
	}
	return e.Error.Code
}

// routes are all of the API; admin tells whether a plain principal is refused.
var routes = []struct {
	method, path, body string
	admin              bool
}{
	{"GET", "/api/v1/status", "", false},
	{"GET", "/api/v1/pipelines", "", false},
	{"POST", "/api/v1/pipelines/p/run", "{}", true},
	{"GET", "/api/v1/devices", "", true},
	{"GET", "/api/v1/devices/d", "", true},
	{"PUT", "/api/v1/devices/e", "{}", true},
	{"DELETE", "/api/v1/devices/d", "", true},
	{"GET", "/api/v1/tables", "", false},
	{"GET", "/api/v1/tables/c.s.t/history", "", false},
	{"GET", "/api/v1/tables/c.s.t/lineage", "", false},
	{"POST", "/api/v1/sql", `{"statement":"who"}`, false},
	{"POST", "/api/v1/tokens", "{}", true},
}

func TestEachRouteAsksForAToken(t *testing.T) {
	_, url := newDoor(t, &fake{})
	for _, r := range routes {
		for _, c := range []struct {
			token string
			want  int
		}{
			{"", 401}, {"wrong", 401}, {"cookie:wrong", 401}, {"admin", 200}, {"cookie:admin", 200},
			{"plain", map[bool]int{true: 403, false: 200}[r.admin]},
		} {
			a := call(t, r.method, url+r.path, c.token, r.body)
			if a.status != c.want {
				t.Errorf("%s %s with token %q: %d %s, want %d", r.method, r.path, c.token, a.status, a.body, c.want)
			}
			if c.want == 401 && code(t, a) != "UNAUTHENTICATED" {
				t.Errorf("%s %s: %s", r.method, r.path, a.body)
			}
		}
	}
	for path, want := range map[string]int{"/metrics": 401, "/api/v1/live": 401, "/api/v1/nosuch": 401, "/healthz": 200, "/": 200} {
		if a := call(t, "GET", url+path, "", ""); a.status != want {
			t.Errorf("GET %s without a token: %d, want %d", path, a.status, want)
		}
	}
}

func TestTheSocketAsksForNoToken(t *testing.T) {
	s, _ := newDoor(t, &fake{})
	local := httptest.NewServer(s.LocalHandler())
	defer local.Close()
	for _, r := range routes {
		if a := call(t, r.method, local.URL+r.path, "", r.body); a.status != 200 {
			t.Errorf("%s %s: %d %s", r.method, r.path, a.status, a.body)
		}
	}
}

func TestLogin(t *testing.T) {
	_, url := newDoor(t, &fake{})
	if a := call(t, "POST", url+"/login", "", `{"token":"wrong"}`); a.status != 401 || a.head.Get("Set-Cookie") != "" {
		t.Errorf("a wrong token: %d %q", a.status, a.head.Get("Set-Cookie"))
	}
	if a := call(t, "POST", url+"/login", "", `not json`); a.status != 400 {
		t.Errorf("a broken body: %d", a.status)
	}
	a := call(t, "POST", url+"/login", "", `{"token":" admin\n"}`)
	c, err := http.ParseSetCookie(a.head.Get("Set-Cookie"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Value != "admin" || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Secure {
		t.Errorf("cookie %+v", c)
	}
	if strings.Contains(a.body, "admin") {
		t.Errorf("the answer repeats the token: %s", a.body)
	}
}

func TestErrorsKeepTheirKind(t *testing.T) {
	f := &fake{}
	_, url := newDoor(t, f)
	for _, c := range []struct {
		method, path, body string
		status             int
		code               string
	}{
		{"GET", "/api/v1/devices/x", "", 404, "NOT_FOUND"},
		{"PUT", "/api/v1/devices/d", "{}", 409, "CONFLICT"},
		{"POST", "/api/v1/pipelines/x/run", "{}", 404, "NOT_FOUND"},
		{"POST", "/api/v1/pipelines/p/run", "[", 400, "INVALID_ARGUMENT"},
		{"GET", "/api/v1/tables/c.s.t/history?limit=0", "", 400, "INVALID_ARGUMENT"},
		{"GET", "/api/v1/tables/c.s.t/history?limit=x", "", 400, "INVALID_ARGUMENT"},
		{"GET", "/api/v1/nosuch", "", 404, "NOT_FOUND"},
		{"POST", "/api/v1/status", "", 404, "NOT_FOUND"},
	} {
		a := call(t, c.method, url+c.path, "admin", c.body)
		if a.status != c.status || code(t, a) != c.code {
			t.Errorf("%s %s: %d %s, want %d %s", c.method, c.path, a.status, a.body, c.status, c.code)
		}
	}
	for _, c := range []struct {
		err    error
		status int
		code   string
	}{
		{&sparksql.Error{Class: "DIVIDE_BY_ZERO", Message: "m", Pos: sparksql.Pos{Line: 3, Col: 4}}, 400, "DIVIDE_BY_ZERO"},
		{fmt.Errorf("outer: %w", ErrInvalid), 400, "INVALID_ARGUMENT"},
		{context.Canceled, 503, "CANCELLED"},
		{errors.New("broken"), 500, "INTERNAL_ERROR"},
	} {
		f.lines, f.err = nil, c.err
		a := call(t, "POST", url+"/api/v1/sql", "admin", `{"statement":"x"}`)
		if a.status != c.status || code(t, a) != c.code {
			t.Errorf("%v: %d %s", c.err, a.status, a.body)
		}
	}
	call(t, "POST", url+"/api/v1/pipelines/p/reset", "admin", `{"tables":["a","b"]}`)
	if f.action != "reset a,b" {
		t.Errorf("action %q", f.action)
	}
	if a := call(t, "GET", url+"/api/v1/tables/c.s.t/lineage?through=true", "admin", ""); !strings.Contains(a.body, `"made_by":"through"`) {
		t.Errorf("lineage through: %s", a.body)
	}
	if a := call(t, "GET", url+"/api/v1/tables/c.s.t/history", "admin", ""); !strings.Contains(a.body, `"version":20`) {
		t.Errorf("history without a limit: %s", a.body)
	}
}

// An error after the first row cannot change the status: it is a line.
func TestAnErrorAfterRowsIsALine(t *testing.T) {
	v := "1"
	f := &fake{
		lines: []api.SQLLine{{Columns: []api.Column{{Name: "a", Type: "int"}}}, {Rows: [][]*string{{&v}, {nil}}}},
		err:   &sparksql.Error{Class: "CAST_INVALID_INPUT", Message: "no number."},
	}
	_, url := newDoor(t, f)
	a := call(t, "POST", url+"/api/v1/sql", "admin", `{"statement":"x"}`)
	if a.status != 200 || a.head.Get("Content-Type") != "application/x-ndjson" {
		t.Errorf("%d %s", a.status, a.head.Get("Content-Type"))
	}
	rows := 0
	err := api.HTTP(url, "admin").SQL(t.Context(), api.SQLRequest{Statement: "x"}, func(l api.SQLLine) error {
		rows += len(l.Rows)
		return nil
	})
	if e, ok := errors.AsType[*api.Error](err); !ok || e.Code != "CAST_INVALID_INPUT" || rows != 2 {
		t.Errorf("%d rows, %v", rows, err)
	}
	// A result that just ends was cut off.
	f.err = nil
	if err := api.HTTP(url, "admin").SQL(t.Context(), api.SQLRequest{Statement: "x"}, func(api.SQLLine) error { return nil }); err == nil {
		t.Error("a result without its end is no error")
	}
}

func TestThePage(t *testing.T) {
	_, url := newDoor(t, &fake{})
	for path, want := range map[string]string{
		"/": "the page", "/index.html": "", "/some/where": "the page", "/../../etc/passwd": "the page",
		"/assets/a-1.js": "code", "/icon.svg": "<svg/>", "/assets/gone.js": "the page",
	} {
		a := call(t, "GET", url+path, "", "")
		if want != "" && a.body != want {
			t.Errorf("GET %s: %d %q", path, a.status, a.body)
		}
		for h, v := range map[string]string{"X-Content-Type-Options": "nosniff", "X-Frame-Options": "DENY", "Referrer-Policy": "no-referrer"} {
			if a.head.Get(h) != v {
				t.Errorf("GET %s: %s is %q", path, h, a.head.Get(h))
			}
		}
		if csp := a.head.Get("Content-Security-Policy"); !strings.Contains(csp, "default-src 'self'") || strings.Contains(csp, "script-src") {
			t.Errorf("GET %s: CSP %q", path, csp)
		}
	}
	if a := call(t, "GET", url+"/assets/a-1.js", "", ""); !strings.Contains(a.head.Get("Cache-Control"), "immutable") {
		t.Errorf("assets are not kept: %q", a.head.Get("Cache-Control"))
	}
	if a := call(t, "GET", url+"/", "", ""); a.head.Get("Cache-Control") != "no-cache" {
		t.Errorf("the page is kept: %q", a.head.Get("Cache-Control"))
	}
	if a := call(t, "POST", url+"/", "", "x"); a.status != 405 {
		t.Errorf("POST to the page: %d", a.status)
	}
}

func TestTheBuiltPageIsInTheBinary(t *testing.T) {
	ui, err := UI()
	if err != nil {
		t.Fatal(err)
	}
	s := httptest.NewServer(New(Config{Backend: &fake{}, UI: ui}).Handler())
	defer s.Close()
	a := call(t, "GET", s.URL+"/", "", "")
	if a.status != 200 || !strings.Contains(a.body, "<script") || strings.Contains(a.body, "<script>") {
		t.Errorf("%d, or a script that the CSP would stop: %s", a.status, a.body)
	}
}

func TestLiveStreamsAreBounded(t *testing.T) {
	_, url := newDoor(t, &fake{})
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, "GET", url+"/api/v1/live", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer plain")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	buf := make([]byte, 6)
	if _, err := io.ReadFull(res.Body, buf); err != nil || string(buf) != "data: " {
		t.Fatalf("%q %v", buf, err)
	}
	var live api.Live
	if err := json.NewDecoder(res.Body).Decode(&live); err != nil || live.Status.Project != "plant" {
		t.Fatalf("%+v %v", live, err)
	}
	if a := call(t, "GET", url+"/api/v1/live", "admin", ""); a.status != 429 {
		t.Errorf("a second stream: %d", a.status)
	}
	cancel()
	for range 200 { // its place is given back
		c, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
		req, _ := http.NewRequestWithContext(c, "GET", url+"/api/v1/live", nil)
		req.Header.Set("Authorization", "Bearer plain")
		res, err := http.DefaultClient.Do(req)
		if err == nil {
			_ = res.Body.Close()
		}
		stop()
		if err == nil && res.StatusCode == 200 {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Error("a stream that ended kept its place")
}
