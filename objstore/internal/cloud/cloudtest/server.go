package cloudtest

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Start runs a foreign server for the test and gives its address. The server is
// the program that the environment variable env names, else one that
// `make interop` has installed at a path below .cache; where there is neither,
// the test is skipped.
func Start(t *testing.T, env, path string, args func(port string) []string) string {
	t.Helper()
	program := os.Getenv(env)
	if program == "" {
		root, err := filepath.Abs("../..")
		if err != nil {
			t.Fatal(err)
		}
		program = filepath.Join(root, ".cache", path)
	}
	if _, err := os.Stat(program); err != nil { //nolint:gosec // the tester names his own program
		t.Skipf("%s is not installed; `make interop` does, or %s names it", filepath.Base(path), env)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := l.Addr().String()
	_, port, _ := net.SplitHostPort(address)
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args(port)...) //nolint:gosec // the tester names his own program
	cmd.Dir = t.TempDir()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan error, 1)
	go func() { exited <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-exited
	})
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if resp, err := http.Get("http://" + address); err == nil {
			_ = resp.Body.Close()
			return "http://" + address
		}
		select {
		case err := <-exited:
			exited <- err
			t.Fatalf("%s ended: %v", program, err)
		default:
		}
		if time.Now().After(end) {
			t.Fatal(fmt.Errorf("%s does not answer at %s", program, address))
		}
	}
}
