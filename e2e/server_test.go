package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// Times that a slow machine may need.
const (
	readyWait = 60 * time.Second
	stopWait  = 60 * time.Second
)

// server is a running `marisma up` of a script.
type server struct {
	cmd  *exec.Cmd
	log  *buffer
	done chan error
}

// buffer collects a process's output; its users are several goroutines.
type buffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *buffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// servers are those that a script started, by project folder.
type servers map[string]*server

type serversKey struct{}

func serversOf(ts *testscript.TestScript) servers {
	s, ok := ts.Value(serversKey{}).(servers)
	if !ok {
		ts.Fatalf("the script has no servers")
	}
	return s
}

// command is marisma with the script's environment and folder.
func command(ts *testscript.TestScript, args ...string) *exec.Cmd {
	cmd := exec.Command(binary, args...)
	cmd.Dir = ts.MkAbs(".")
	cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"), "MARISMA_DATA="+ts.Getenv("MARISMA_DATA"))
	return cmd
}

// start runs `marisma up -C <project> [flags]` and waits until it is ready;
// its addresses become $HTTP, $MQTTS, $CA, $PID, $DATA and $TOKEN.
//
//	start project [flags...]
func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: start project [flags...]")
	}
	project := ts.MkAbs(args[0])
	cmd := command(ts, append([]string{"up", "-C", project, "-o", "json"}, args[1:]...)...)
	s := &server{cmd: cmd, log: &buffer{}, done: make(chan error, 1)}
	banner, w, err := os.Pipe()
	ts.Check(err)
	cmd.Stdout, cmd.Stderr = w, s.log
	ts.Check(cmd.Start())
	ts.Check(w.Close())
	go func() { s.done <- cmd.Wait() }()
	serversOf(ts)[project] = s
	ts.Defer(func() { _ = cmd.Process.Kill() })
	var ready struct {
		Addresses map[string]string `json:"addresses"`
		CAFile    string            `json:"ca_file"`
		DataDir   string            `json:"data_dir"`
		Token     string            `json:"token"`
		PID       int               `json:"pid"`
	}
	got := make(chan error, 1)
	go func() { got <- json.NewDecoder(banner).Decode(&ready) }()
	select {
	case err := <-got:
		if err != nil {
			<-s.done
			ts.Fatalf("the server did not get ready: %v\n%s", err, s.log)
		}
	case <-time.After(readyWait):
		ts.Fatalf("not ready after %s\n%s", readyWait, s.log)
	}
	ts.Setenv("HTTP", ready.Addresses["http"])
	ts.Setenv("MQTTS", ready.Addresses["mqtts"])
	ts.Setenv("CA", ready.CAFile)
	ts.Setenv("DATA", ready.DataDir)
	ts.Setenv("PID", strconv.Itoa(ready.PID))
	if ready.Token != "" {
		ts.Setenv("TOKEN", ready.Token)
	}
}

// running takes a server out of the script's books.
func running(ts *testscript.TestScript, args []string) *server {
	if len(args) != 1 {
		ts.Fatalf("usage: down|kill9 project")
	}
	project := ts.MkAbs(args[0])
	s := serversOf(ts)[project]
	if s == nil {
		ts.Fatalf("no server runs for %s", project)
	}
	delete(serversOf(ts), project)
	return s
}

// down interrupts the server as Ctrl-C does and wants a clean exit; what it
// logged becomes the file server.log. (Testscript's own stop ends the script.)
func down(ts *testscript.TestScript, _ bool, args []string) {
	s := running(ts, args)
	ts.Check(s.cmd.Process.Signal(os.Interrupt))
	select {
	case err := <-s.done:
		keepLog(ts, s)
		if err != nil {
			ts.Fatalf("the server ended with %v\n%s", err, s.log)
		}
	case <-time.After(stopWait):
		_ = s.cmd.Process.Signal(syscall.SIGQUIT)
		<-s.done
		ts.Fatalf("the server did not stop within %s\n%s", stopWait, s.log)
	}
}

func keepLog(ts *testscript.TestScript, s *server) {
	ts.Check(os.WriteFile(ts.MkAbs("server.log"), []byte(s.log.String()), 0o600))
}

// kill9 kills the server.
func kill9(ts *testscript.TestScript, _ bool, args []string) {
	s := running(ts, args)
	ts.Check(s.cmd.Process.Kill())
	<-s.done
	keepLog(ts, s)
}

// logged writes what a running server has logged so far to server.log.
//
//	logged project
func logged(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 1 || serversOf(ts)[ts.MkAbs(args[0])] == nil {
		ts.Fatalf("usage: logged project")
	}
	keepLog(ts, serversOf(ts)[ts.MkAbs(args[0])])
}

// dataDir is where the project's server keeps its data.
func dataDir(ts *testscript.TestScript, project string) string {
	if d := ts.Getenv("MARISMA_DATA"); d != "" {
		return d
	}
	return filepath.Join(ts.MkAbs(project), ".marisma")
}
