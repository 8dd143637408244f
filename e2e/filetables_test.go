package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/marisma/marisma/internal/app"
	"github.com/marisma/marisma/internal/web/api"
)

// Rounds of the kill test; how long the server lives in one before a write is
// waited for, and how long it still lives in that write: some lines of its path.
const (
	killRounds = 12
	killLife   = 400 * time.Millisecond
	killWithin = 15 * time.Millisecond
)

// fileFormats are the formats of tables that are folders of files.
var fileFormats = []string{"parquet", "csv", "json"}

// victim is a project whose server is killed.
type victim struct {
	t       *testing.T
	project string
	cmd     *exec.Cmd
	log     *buffer
	gone    chan error
	api     *api.Client
}

// up starts the server and waits until it is ready.
func (v *victim) up() {
	v.t.Helper()
	data := filepath.Join(v.project, ".marisma")
	ready := filepath.Join(data, "ready.json")
	_ = os.Remove(ready) // what the last one left behind would look ready
	v.log, v.gone = &buffer{}, make(chan error, 1)
	v.cmd = exec.Command(binary, "up", "-C", v.project, "-o", "json")
	v.cmd.Stderr = v.log
	if err := v.cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	go func() { v.gone <- v.cmd.Wait() }()
	for until := time.Now().Add(readyWait); ; time.Sleep(20 * time.Millisecond) {
		if _, err := os.Stat(ready); err == nil {
			v.api = api.Unix(app.SocketPath(data))
			return
		}
		if time.Now().After(until) {
			v.t.Fatalf("the server is not ready after %s\n%s", readyWait, v.log)
		}
	}
}

// writing waits until a statement has begun to put files into a table's folder.
func (v *victim) writing() {
	v.t.Helper()
	for until := time.Now().Add(readyWait); time.Now().Before(until); time.Sleep(200 * time.Microsecond) {
		if m, _ := filepath.Glob(filepath.Join(v.project, ".marisma", "tables", "*", "_temporary", "*")); m != nil {
			return
		}
	}
	v.t.Fatal("no statement writes")
}

// kill9 ends the server at once.
func (v *victim) kill9() {
	_ = v.cmd.Process.Kill()
	<-v.gone
}

// ask runs a statement and gives its rows, a line each.
func (v *victim) ask(ctx context.Context, sql string) ([]string, error) {
	var out []string
	done := false
	err := v.api.SQL(ctx, api.SQLRequest{Statement: sql}, func(l api.SQLLine) error {
		for _, r := range l.Rows {
			vals := make([]string, len(r))
			for i, x := range r {
				if x == nil {
					vals[i] = "NULL"
				} else {
					vals[i] = *x
				}
			}
			out = append(out, strings.Join(vals, " "))
		}
		done = done || l.Done != nil
		if l.Error != nil {
			return l.Error
		}
		return nil
	})
	if err == nil && !done {
		err = fmt.Errorf("the answer to %q has no end", sql)
	}
	return out, err
}

func (v *victim) must(sql string) []string {
	v.t.Helper()
	out, err := v.ask(v.t.Context(), sql)
	if err != nil {
		v.t.Fatalf("%s: %v\n%s", sql, err, v.log)
	}
	return out
}

// written is what was sent to the tables of a format: statement n writes three
// rows in three partitions.
type written struct {
	sent             int          // the last INSERT INTO
	ok               map[int]bool // those that were acknowledged
	overSent, overOK int          // the last INSERT OVERWRITE
}

// load sends statements until one fails, as it does when the server is killed.
func (v *victim) load(ctx context.Context, format string, w *written) {
	rows := func(n int) string {
		return fmt.Sprintf("VALUES (%d, 'a', 1), (%d, 'b', 2), (%d, 'c', 3)", n, n, n)
	}
	for ctx.Err() == nil {
		if rand.IntN(2) == 0 {
			w.overSent++
			if _, err := v.ask(ctx, "INSERT OVERWRITE state_"+format+" "+rows(w.overSent)); err != nil {
				return
			}
			w.overOK = w.overSent
			continue
		}
		w.sent++
		if _, err := v.ask(ctx, "INSERT INTO log_"+format+" "+rows(w.sent)); err != nil {
			return
		}
		w.ok[w.sent] = true
	}
}

// check reads the tables of a format: no statement is there in parts, none that
// was acknowledged is missing.
func (v *victim) check(round int, format string, w *written) {
	v.t.Helper()
	there := map[int]bool{}
	for _, row := range v.must("SELECT n, count(*), count(DISTINCT p), count(DISTINCT x) FROM log_" + format + " GROUP BY n") {
		n, rest, _ := strings.Cut(row, " ")
		if rest != "3 3 3" {
			v.t.Errorf("round %d, %s: INSERT INTO %s is there in parts: %s", round, format, n, rest)
		}
		k, err := strconv.Atoi(n)
		if err != nil || k > w.sent {
			v.t.Errorf("round %d, %s: a row of statement %q, which was never sent", round, format, n)
		}
		there[k] = true
	}
	for n := range w.ok {
		if !there[n] {
			v.t.Errorf("round %d, %s: INSERT INTO %d was acknowledged and is lost", round, format, n)
		}
	}
	got := v.must("SELECT min(n), max(n), count(*), count(DISTINCT p), count(DISTINCT x) FROM state_" + format)
	var n, most, rows, ps, xs int
	if _, err := fmt.Sscan(got[0], &n, &most, &rows, &ps, &xs); err != nil || n != most || rows != 3 || ps != 3 || xs != 3 {
		v.t.Errorf("round %d, %s: INSERT OVERWRITE left %q", round, format, got)
	}
	if n < w.overOK || n > w.overSent {
		v.t.Errorf("round %d, %s: INSERT OVERWRITE %d was acknowledged and %d sent, and the table is at %d", round, format, w.overOK, w.overSent, n)
	}
}

func newVictim(t *testing.T) *victim {
	t.Helper()
	v := &victim{t: t, project: filepath.Join(t.TempDir(), "p")}
	if out, err := exec.Command(binary, "init", v.project).CombinedOutput(); err != nil {
		t.Fatalf("init: %v\n%s", err, out)
	}
	conf := filepath.Join(v.project, "marisma.yml")
	if err := os.WriteFile(conf, []byte("listeners:\n  http: 127.0.0.1:0\n  mqtts: 127.0.0.1:0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	v.up()
	return v
}

func TestFileTablesSurviveKills(t *testing.T) {
	v := newVictim(t)
	defer func() { v.kill9() }()
	all := map[string]*written{}
	for _, f := range fileFormats {
		all[f] = &written{ok: map[int]bool{}}
		v.must("CREATE TABLE log_" + f + " (n INT, x STRING, p INT) USING " + f + " PARTITIONED BY (p)")
		v.must("CREATE TABLE state_" + f + " (n INT, x STRING, p INT) USING " + f + " PARTITIONED BY (p)")
		v.must("INSERT OVERWRITE state_" + f + " VALUES (0, 'a', 1), (0, 'b', 2), (0, 'c', 3)")
	}
	rng := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	for round := range killRounds {
		ctx, stop := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for f, w := range all {
			wg.Go(func() { v.load(ctx, f, w) })
		}
		time.Sleep(time.Duration(rng.Int64N(int64(killLife))))
		v.writing()
		time.Sleep(time.Duration(rng.Int64N(int64(killWithin))))
		v.kill9()
		stop()
		wg.Wait()
		v.up()
		for f, w := range all {
			v.check(round, f, w)
		}
	}
	for f, w := range all {
		t.Logf("%s: %d of %d INSERT INTO acknowledged, and INSERT OVERWRITE up to the %dth of %d", f, len(w.ok), w.sent, w.overOK, w.overSent)
		v.must("INSERT INTO log_" + f + " VALUES (-1, 'a', 1)")
	}
}

// The server is killed at each system call that changes a file or waits for the
// disk: strace does it, and counts the calls of each thread.
func TestFileTablesSurviveAKillAtEachSystemCall(t *testing.T) {
	if os.Getenv("MARISMA_STRACE") == "" {
		t.Skip("set MARISMA_STRACE=1 to run; it takes some minutes and needs strace")
	}
	v := newVictim(t)
	defer func() { v.kill9() }()
	n := 0
	for _, f := range fileFormats {
		v.must("CREATE TABLE t_" + f + " (n INT, p INT) USING " + f + " PARTITIONED BY (p)")
		v.must("INSERT INTO t_" + f + " VALUES (0, 1), (0, 2)")
		for _, insert := range []string{"INSERT OVERWRITE", "INSERT INTO"} {
			for call := 1; ; call++ {
				before := v.must("SELECT n, p FROM t_" + f + " ORDER BY n, p")
				after := []string{}
				if n++; insert == "INSERT INTO" {
					after = append(after, before...)
				}
				after = append(after, fmt.Sprint(n, " 1"), fmt.Sprint(n, " 2"))
				tracer := v.killAt(call)
				_, err := v.ask(t.Context(), fmt.Sprintf("%s t_%s VALUES (%d, 1), (%d, 2)", insert, f, n, n))
				if err == nil { // there are no more calls
					_ = tracer.Process.Kill()
					_ = tracer.Wait()
					t.Logf("%s, %s: %d system calls", f, insert, call-1)
					break
				}
				<-v.gone
				_ = tracer.Wait()
				v.up()
				got := v.must("SELECT n, p FROM t_" + f + " ORDER BY n, p")
				if !slices.Equal(got, before) && !slices.Equal(got, after) {
					t.Errorf("%s, %s, killed at call %d: %q", f, insert, call, got)
				}
			}
		}
	}
}

// killAt has the server killed at the n-th system call from now that changes a
// file in one of its threads.
func (v *victim) killAt(n int) *exec.Cmd {
	v.t.Helper()
	calls := "renameat,renameat2,unlinkat,mkdirat,fsync,fdatasync"
	cmd := exec.Command("strace", "-f", "-qq", "-o", os.DevNull, "-e", "trace="+calls, "-e", fmt.Sprintf("inject=%s:signal=SIGKILL:when=%d", calls, n), "-p", strconv.Itoa(v.cmd.Process.Pid))
	if err := cmd.Start(); err != nil {
		v.t.Fatal(err)
	}
	status := fmt.Sprintf("/proc/%d/status", v.cmd.Process.Pid)
	for until := time.Now().Add(readyWait); ; time.Sleep(10 * time.Millisecond) {
		if b, _ := os.ReadFile(status); strings.Contains(string(b), fmt.Sprintf("TracerPid:\t%d\n", cmd.Process.Pid)) {
			return cmd
		}
		if time.Now().After(until) {
			v.t.Fatal("strace does not trace the server")
		}
	}
}
