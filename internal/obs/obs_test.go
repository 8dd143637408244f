package obs_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http/httptest"
	"runtime"
	"strings"
	"testing"

	"github.com/marisma/marisma/internal/obs"
)

func TestLoggerHonoursLevelAndFormat(t *testing.T) {
	for _, c := range []struct {
		level, format string
		want, not     string
	}{
		{"", "", "msg=info", "msg=debug"},
		{"debug", "text", "msg=debug", "{"},
		{"ERROR", "json", `"msg":"error"`, "info"},
		{"loud", "xml", "unknown log level", "msg=debug"},
	} {
		var b bytes.Buffer
		l := obs.NewLogger(&b, c.level, c.format)
		l.Debug("debug")
		l.Info("info")
		l.Error("error")
		if got := b.String(); !strings.Contains(got, c.want) || strings.Contains(got, c.not) {
			t.Errorf("level %q format %q: wants %q and not %q:\n%s", c.level, c.format, c.want, c.not, got)
		}
	}
}

func TestBuildTellsGoAndPrintsOneLine(t *testing.T) {
	b := obs.Build()
	if b.Version == "" || !strings.Contains(runtime.Version(), b.Go) || b.Go == "" {
		t.Errorf("build %+v", b)
	}
	b = obs.BuildInfo{Version: "v1.2.3", Commit: "abc", Go: "1.26", DuckDB: "1.5.6"}
	if got, want := b.String(), "marisma v1.2.3 (commit abc, Go 1.26, DuckDB 1.5.6)"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if data, err := json.Marshal(b); err != nil || !strings.Contains(string(data), `"version":"v1.2.3"`) {
		t.Errorf("JSON %s, %v", data, err)
	}
}

func TestHandlerServesTheBaseMetrics(t *testing.T) {
	rec := httptest.NewRecorder()
	obs.Handler(obs.NewRegistry()).ServeHTTP(rec, httptest.NewRequest("GET", "/metrics", nil))
	body, err := io.ReadAll(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"marisma_build_info{", "go_goroutines", "process_resident_memory_bytes"} {
		if !strings.Contains(string(body), want) {
			t.Errorf("no %s in the metrics", want)
		}
	}
}

func TestRSSIsAPlausibleSize(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux tells")
	}
	if n := obs.RSS(); n < 1<<20 || n > 1<<36 {
		t.Errorf("RSS = %d", n)
	}
}
