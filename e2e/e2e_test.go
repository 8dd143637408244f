package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// binary is the built program; TestMain makes it.
var binary string

func TestMain(m *testing.M) {
	os.Exit(run(m))
}

func run(m *testing.M) int {
	dir, err := os.MkdirTemp("", "marisma-e2e-*")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "marisma")
	build := exec.Command("go", "build", "-o", binary, "../cmd/marisma")
	build.Stderr = os.Stderr
	if err := build.Run(); err != nil {
		fmt.Fprintln(os.Stderr, "build:", err)
		return 1
	}
	return m.Run()
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Setenv("PATH", filepath.Dir(binary)+string(os.PathListSeparator)+e.Getenv("PATH"))
			e.Setenv("HOME", e.WorkDir)
			repo, err := filepath.Abs("..")
			if err != nil {
				return err
			}
			e.Setenv("REPO", repo)
			e.Values[serversKey{}] = servers{}
			return nil
		},
		Condition: func(cond string) (bool, error) {
			if cond == "mount" {
				return mountable(), nil
			}
			return false, fmt.Errorf("unknown condition %q", cond)
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start": start, "down": down, "kill9": kill9, "logged": logged,
			"publish": publish, "connack": connack, "malformed": malformed, "flood": flood,
			"eventually": eventually, "exits": exits, "copytree": copytree, "isjson": isJSON, "get": get,
			"tmpfs": tmpfs, "fill": fill,
		},
	})
}

// mountable is canMount, asked once.
var mountable = sync.OnceValue(canMount)
