package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/marisma/marisma/internal/app"
	"github.com/marisma/marisma/internal/web/api"
)

// Times that a slow machine may need.
const (
	readyWait = 60 * time.Second
	stopWait  = 60 * time.Second
)

// server is a running `marisma up` of a script.
type server struct {
	cmd    *exec.Cmd
	output *bytes.Buffer
	done   chan error
}

// servers by project folder; a script runs in one goroutine.
type serverKey struct{ ts *testscript.TestScript }

var servers = map[serverKey]map[string]*server{}

// start runs `marisma up -C <project> [flags]` and waits until it is ready;
// its addresses become $HTTP, $MQTTS, $CA and $TOKEN.
//
//	start project [flags...]
func start(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 1 {
		ts.Fatalf("usage: start project [flags...]")
	}
	project := ts.MkAbs(args[0])
	cmd := exec.Command(binary, append([]string{"up", "-C", project, "-o", "json"}, args[1:]...)...)
	cmd.Env = append(os.Environ(), "HOME="+ts.Getenv("HOME"))
	out := &bytes.Buffer{}
	banner, w, err := os.Pipe()
	ts.Check(err)
	cmd.Stdout, cmd.Stderr = w, out
	ts.Check(cmd.Start())
	w.Close()
	s := &server{cmd: cmd, output: out, done: make(chan error, 1)}
	go func() { s.done <- cmd.Wait() }()
	key := serverKey{ts}
	if servers[key] == nil {
		servers[key] = map[string]*server{}
	}
	servers[key][project] = s
	ts.Defer(func() { _ = cmd.Process.Kill() })
	var ready struct {
		Addresses map[string]string `json:"addresses"`
		CAFile    string            `json:"ca_file"`
		Token     string            `json:"token"`
		PID       int               `json:"pid"`
	}
	got := make(chan error, 1)
	go func() { got <- json.NewDecoder(banner).Decode(&ready) }()
	select {
	case err := <-got:
		if err != nil {
			<-s.done
			ts.Fatalf("the server did not get ready: %v\n%s", err, out)
		}
	case <-time.After(readyWait):
		ts.Fatalf("not ready after %s", readyWait)
	}
	ts.Setenv("HTTP", ready.Addresses["http"])
	ts.Setenv("MQTTS", ready.Addresses["mqtts"])
	ts.Setenv("CA", ready.CAFile)
	ts.Setenv("PID", strconv.Itoa(ready.PID))
	if ready.Token != "" {
		ts.Setenv("TOKEN", ready.Token)
	}
}

func running(ts *testscript.TestScript, args []string) (*server, string) {
	if len(args) != 1 {
		ts.Fatalf("usage: stop|kill9 project")
	}
	project := ts.MkAbs(args[0])
	s := servers[serverKey{ts}][project]
	if s == nil {
		ts.Fatalf("no server runs for %s", project)
	}
	delete(servers[serverKey{ts}], project)
	return s, project
}

// stop interrupts the server as Ctrl-C does and wants a clean exit; what it
// logged becomes the file server.log.
func stop(ts *testscript.TestScript, _ bool, args []string) {
	s, _ := running(ts, args)
	ts.Check(s.cmd.Process.Signal(os.Interrupt))
	select {
	case err := <-s.done:
		ts.Check(os.WriteFile(ts.MkAbs("server.log"), s.output.Bytes(), 0o600))
		if err != nil {
			ts.Fatalf("the server ended with %v\n%s", err, s.output)
		}
	case <-time.After(stopWait):
		_ = s.cmd.Process.Signal(syscall.SIGQUIT)
		<-s.done
		ts.Fatalf("the server did not stop within %s\n%s", stopWait, s.output)
	}
}

// kill9 kills the server.
func kill9(ts *testscript.TestScript, _ bool, args []string) {
	s, _ := running(ts, args)
	ts.Check(s.cmd.Process.Kill())
	<-s.done
}

// publish sends bodies as a device and waits for their acknowledgements.
//
//	publish project device bag body...
func publish(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 4 {
		ts.Fatalf("usage: publish project device bag body...")
	}
	project, device, bag := ts.MkAbs(args[0]), args[1], args[2]
	data := filepath.Join(project, ".marisma")
	cl := api.Unix(app.SocketPath(data))
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	dial, err := app.Dialer(filepath.Join(data, "auth", "ca.pem"), ts.Getenv("MQTTS"), cl.Device)
	ts.Check(err)
	conn, err := dial(ctx, device)
	if err == nil {
		defer conn.Close()
		for _, body := range args[3:] {
			if err = conn.Publish(ctx, "devices/"+device+"/messages/events/"+bag, []byte(body)); err != nil {
				break
			}
		}
		if err == nil {
			err = conn.Flush(ctx)
		}
	}
	if neg != (err != nil) {
		ts.Fatalf("publish: %v", err)
	}
}

// eventually runs a command again until its output matches.
//
//	eventually 30s pattern command args...
func eventually(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: eventually duration pattern command args...")
	}
	limit, err := time.ParseDuration(args[0])
	ts.Check(err)
	re, err := regexp.Compile(args[1])
	ts.Check(err)
	until := time.Now().Add(limit)
	for {
		cmd := exec.Command(args[2], args[3:]...)
		if args[2] == "marisma" {
			cmd.Path = binary
		}
		cmd.Dir = ts.MkAbs(".")
		out, _ := cmd.CombinedOutput() // a failure is only one more output that does not match
		if re.Match(out) {
			return
		}
		if time.Now().After(until) {
			ts.Fatalf("after %s no output of %s matched %q; the last:\n%s", limit, strings.Join(args[2:], " "), args[1], out)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// exits runs a command and wants its exit code; stdout and stderr are kept in
// the files out and err.
//
//	exits code command args...
func exits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits code command args...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	cmd := exec.Command(args[1], args[2:]...)
	if args[1] == "marisma" {
		cmd.Path = binary
	}
	cmd.Dir = ts.MkAbs(".")
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	_ = cmd.Run() // its exit code is looked at
	ts.Check(os.WriteFile(ts.MkAbs("out"), stdout.Bytes(), 0o600))
	ts.Check(os.WriteFile(ts.MkAbs("err"), stderr.Bytes(), 0o600))
	if got := cmd.ProcessState.ExitCode(); got != want {
		ts.Fatalf("exit code %d instead of %d\n%s%s", got, want, stdout.String(), stderr.String())
	}
}

// copytree copies a folder of the repository and makes its listeners take any
// port.
//
//	copytree from to
func copytree(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: copytree from to")
	}
	to := ts.MkAbs(args[1])
	ts.Check(os.CopyFS(to, os.DirFS(args[0])))
	ts.Check(os.RemoveAll(filepath.Join(to, ".marisma")))
	conf := filepath.Join(to, "marisma.yml")
	b, err := os.ReadFile(conf)
	ts.Check(err)
	b = regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAll(b, []byte("127.0.0.1:0"))
	ts.Check(os.WriteFile(conf, b, 0o600))
}
