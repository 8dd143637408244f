package marisma_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/marisma/marisma"
)

// A program of its own starts a project and stops it by its context.
func TestServerRunsInsideAProgram(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "air")
	if err := os.CopyFS(dir, os.DirFS("examples/air")); err != nil {
		t.Fatal(err)
	}
	if err := os.RemoveAll(filepath.Join(dir, ".marisma")); err != nil {
		t.Fatal(err)
	}
	conf := filepath.Join(dir, "marisma.yml")
	b, err := os.ReadFile(conf)
	if err != nil {
		t.Fatal(err)
	}
	b = regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAll(b, []byte("127.0.0.1:0"))
	if err := os.WriteFile(conf, b, 0o600); err != nil {
		t.Fatal(err)
	}
	r, w := io.Pipe()
	s, err := marisma.New(marisma.Config{Project: dir, Ready: w})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx) }()
	var ready struct {
		Addresses map[string]string `json:"addresses"`
		Token     string            `json:"token"`
	}
	if err := json.NewDecoder(r).Decode(&ready); err != nil {
		t.Fatal(err)
	}
	res, err := http.Get("http://" + ready.Addresses["http"] + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = res.Body.Close()
	if res.StatusCode != http.StatusOK || ready.Token == "" {
		t.Errorf("status %d, token %q", res.StatusCode, ready.Token)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

func TestNewTellsWhatIsWrongWithTheProject(t *testing.T) {
	if _, err := marisma.New(marisma.Config{Project: t.TempDir()}); err == nil {
		t.Fatal("an empty folder is no project")
	}
}
