package delta_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestAFreshModuleImportsTheLibrary builds a program of another module with the
// library, without network, and looks at what it drags in without cgo.
func TestAFreshModuleImportsTheLibrary(t *testing.T) {
	if testing.Short() {
		t.Skip("builds a program")
	}
	top, err := filepath.Abs("..")
	check(t, err)
	mod := must[[]byte](t)(os.ReadFile(filepath.Join(top, "go.mod")))
	sum := must[[]byte](t)(os.ReadFile(filepath.Join(top, "go.sum")))
	dir := t.TempDir()
	_, rest, ok := strings.Cut(string(mod), "module github.com/marisma/marisma\n")
	if !ok {
		t.Fatal("go.mod does not begin with the module")
	}
	// The same versions of everything, so that nothing has to be looked up.
	text := "module example.com/fresh\n" + rest + "\nrequire github.com/marisma/marisma v0.0.0\nreplace github.com/marisma/marisma => " + top + "\n"
	program := `package main

import (
	"context"
	"fmt"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

func main() {
	_, err := delta.Open(context.Background(), objstore.Memory(), "")
	fmt.Println(err)
}
`
	for name, data := range map[string]string{"go.mod": text, "go.sum": string(sum), "main.go": program} {
		check(t, os.WriteFile(filepath.Join(dir, name), []byte(data), 0o600))
	}
	run := func(env string, args ...string) string {
		t.Helper()
		c := exec.CommandContext(t.Context(), "go", args...)
		c.Dir = dir
		c.Env = append(os.Environ(), "GOFLAGS=-mod=mod -trimpath", "GOPROXY=off", "GOWORK=off", env)
		out, err := c.CombinedOutput()
		if err != nil {
			t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
		}
		return string(out)
	}
	for line := range strings.Lines(run("CGO_ENABLED=0", "list", "-deps", ".")) {
		p := strings.TrimSpace(line)
		for _, heavy := range []string{"duckdb", "aws-sdk", "azure-sdk", "sqlite", "runtime/cgo", "marisma/internal/query", "marisma/internal/duck"} {
			if strings.Contains(p, heavy) {
				t.Errorf("the library drags in %s", p)
			}
		}
	}
	// Without cgo all would have to be compiled once more.
	if out := run("A=", "run", "."); !strings.Contains(out, "not a table") {
		t.Errorf("the program says %s", out)
	}
}
