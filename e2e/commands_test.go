package e2e

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// commandWait bounds a command that should end by itself.
const commandWait = 45 * time.Second

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
		out, _ := named(ts, args[2:]).CombinedOutput() // a failure is only one more output that does not match
		if re.Match(out) {
			return
		}
		if time.Now().After(until) {
			for _, s := range serversOf(ts) {
				ts.Logf("server:\n%s", s.log)
			}
			ts.Fatalf("after %s no output of %s matched %q; the last:\n%s", limit, strings.Join(args[2:], " "), args[1], out)
		}
		time.Sleep(200 * time.Millisecond)
	}
}

// named is the command of a script's words.
func named(ts *testscript.TestScript, words []string) *exec.Cmd {
	if words[0] == "marisma" {
		return command(ts, words[1:]...)
	}
	cmd := exec.Command(words[0], words[1:]...)
	cmd.Dir = ts.MkAbs(".")
	return cmd
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
	cmd := named(ts, args[1:])
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	ts.Check(cmd.Start())
	late := time.AfterFunc(commandWait, func() { _ = cmd.Process.Kill() })
	_ = cmd.Wait() // its exit code is looked at
	if !late.Stop() {
		ts.Fatalf("%s ran longer than %s\n%s%s", strings.Join(args[1:], " "), commandWait, stdout.String(), stderr.String())
	}
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
	ts.Check(os.CopyFS(to, os.DirFS(ts.MkAbs(args[0]))))
	ts.Check(os.RemoveAll(filepath.Join(to, ".marisma")))
	conf := filepath.Join(to, "marisma.yml")
	b, err := os.ReadFile(conf)
	ts.Check(err)
	b = regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAll(b, []byte("127.0.0.1:0"))
	ts.Check(os.WriteFile(conf, b, 0o600))
}

// isJSON wants files to hold one JSON value each.
//
//	isjson file...
func isJSON(ts *testscript.TestScript, neg bool, args []string) {
	for _, f := range args {
		text := ts.ReadFile(f)
		if json.Valid([]byte(text)) == neg {
			ts.Fatalf("%s: JSON is %v:\n%s", f, !neg, text)
		}
	}
}

// get asks the running server over HTTP with $TOKEN, wants a status and keeps
// the answer in the file out, its headers in headers. With a pattern it asks
// again for a while until the answer matches.
//
//	get status path [pattern]
func get(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 || len(args) > 3 {
		ts.Fatalf("usage: get status path [pattern]")
	}
	var re *regexp.Regexp
	if len(args) == 3 {
		var err error
		re, err = regexp.Compile(args[2])
		ts.Check(err)
	}
	for until := time.Now().Add(10 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		status, body := ask(ts, args[1])
		late := time.Now().After(until)
		switch {
		case status != args[0] && (re == nil || late):
			ts.Fatalf("GET %s: %s instead of %s\n%s", args[1], status, args[0], body)
		case re == nil || re.Match(body):
			return
		case late:
			ts.Fatalf("GET %s never matched %q:\n%s", args[1], args[2], body)
		}
	}
}

func ask(ts *testscript.TestScript, path string) (status string, body []byte) {
	req, err := http.NewRequest(http.MethodGet, "http://"+ts.Getenv("HTTP")+path, nil)
	ts.Check(err)
	if t := ts.Getenv("TOKEN"); t != "" {
		req.Header.Set("Authorization", "Bearer "+t)
	}
	res, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs("out"), body, 0o600))
	var head bytes.Buffer
	ts.Check(res.Header.Write(&head))
	ts.Check(os.WriteFile(ts.MkAbs("headers"), head.Bytes(), 0o600))
	return strconv.Itoa(res.StatusCode), body
}
