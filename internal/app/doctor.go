package app

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"syscall"
	"time"

	"github.com/marisma/marisma/internal/bundle"
	"github.com/marisma/marisma/internal/catalog/folder"
	"github.com/marisma/marisma/internal/duck"
	"github.com/marisma/marisma/internal/web/api"
)

// Check is one line of Doctor's report.
type Check struct {
	Name   string `json:"name"`
	Result string `json:"result"` // ok, warn, fail
	Found  string `json:"found"`
}

// Results of a check.
const (
	checkOK   = "ok"
	checkWarn = "warn"
	checkFail = "fail"
)

// What a machine should have, below which the doctor warns.
const (
	leastFree = 2 << 30
	slowSync  = 20 * time.Millisecond
)

// Doctor looks at the machine, the project and its data folder. It changes
// nothing but a file in the data folder that it removes again, and does not
// need a server.
func Doctor(ctx context.Context, dir, target string, vars map[string]string) []Check {
	out := []Check{{"machine", checkOK, fmt.Sprintf("%s/%s, %d cores, %s", runtime.GOOS, runtime.GOARCH, runtime.NumCPU(), runtime.Version())}}
	out = append(out, checkEngine(ctx))
	p, err := bundle.Load(dir, target, vars)
	if err != nil {
		return append(out, Check{"project", checkFail, err.Error()})
	}
	if _, err := Validate(ctx, p); err != nil {
		return append(out, Check{"project", checkFail, err.Error()})
	}
	out = append(out, Check{"project", checkOK, fmt.Sprintf("%s, target %s, %d pipelines, %d devices", p.Name, p.Target, len(p.Pipelines), len(p.DeviceIDs()))})
	for _, w := range p.WarningTexts() {
		out = append(out, Check{"project", checkWarn, w})
	}
	running, check := checkFolder(ctx, p.DataDir())
	out = append(out, check...)
	if !running {
		for _, l := range []struct{ name, addr string }{{"http", p.Listeners.HTTP}, {"mqtts", p.Listeners.MQTTS}, {"mqtt", p.Listeners.MQTT}} {
			if l.addr != "" {
				out = append(out, checkListen(ctx, l.name, l.addr))
			}
		}
	}
	return out
}

func checkEngine(ctx context.Context) Check {
	pool, err := duck.Open(duck.Config{Memory: 64 << 20, Instances: 1, Threads: 1})
	if err != nil {
		return Check{"duckdb", checkFail, err.Error()}
	}
	defer func() { _ = pool.Close() }()
	conn, err := pool.Get(ctx)
	if err != nil {
		return Check{"duckdb", checkFail, err.Error()}
	}
	defer conn.Put()
	if err := conn.Exec(ctx, "SELECT 1"); err != nil {
		return Check{"duckdb", checkFail, err.Error()}
	}
	return Check{"duckdb", checkOK, "opens and answers"}
}

// checkFolder looks at the data folder; running tells that a server owns it.
func checkFolder(ctx context.Context, dir string) (running bool, out []Check) {
	st, err := folder.Peek(dir)
	switch {
	case err != nil:
		return false, []Check{{"data folder", checkFail, err.Error()}}
	case !st.Exists:
		out = append(out, Check{"data folder", checkOK, dir + " will be made by the first `marisma up`"})
	case st.InUse:
		running = true
		found := fmt.Sprintf("%s, format %d, owned by the server with pid %d", dir, st.Stamp.Format, st.PID)
		res := checkOK
		status, err := api.Unix(SocketPath(dir)).Status(ctx)
		if err != nil {
			res, found = checkWarn, found+", which does not answer: "+err.Error()
		}
		out = append(out, Check{"data folder", res, found})
		if err == nil {
			out = append(out, checkHub(status.Hub))
		}
	default:
		out = append(out, Check{"data folder", checkOK, fmt.Sprintf("%s, format %d, nobody uses it", dir, st.Stamp.Format)})
	}
	base := dir
	for {
		if _, err := os.Stat(base); err == nil || base == filepath.Dir(base) {
			break
		}
		base = filepath.Dir(base)
	}
	return running, append(out, checkSpace(base), checkSync(base))
}

// checkHub looks at the hub of the server that runs.
func checkHub(h api.Hub) Check {
	if h.Problem != "" {
		return Check{"hub", checkFail, "messages are not acknowledged: " + h.Problem}
	}
	return Check{"hub", checkOK, fmt.Sprintf("%d of %d devices connected, %d messages since the start", h.Connected, h.Devices, h.Accepted)}
}

func checkSpace(dir string) Check {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return Check{"disk", checkWarn, err.Error()}
	}
	free := int64(st.Bavail) * st.Bsize
	c := Check{"disk", checkOK, fmt.Sprintf("%.1f GB free at %s", float64(free)/1e9, dir)}
	if free < leastFree {
		c.Result = checkWarn
	}
	return c
}

// checkSync measures what each acknowledgement waits for.
func checkSync(dir string) Check {
	f, err := os.CreateTemp(dir, ".doctor-*")
	if err != nil {
		return Check{"fsync", checkFail, err.Error()}
	}
	defer func() {
		_ = f.Close()
		_ = os.Remove(f.Name())
	}()
	const rounds = 20
	took := make([]time.Duration, rounds)
	block := make([]byte, 4096)
	for i := range took {
		if _, err := f.Write(block); err != nil {
			return Check{"fsync", checkFail, err.Error()}
		}
		start := time.Now()
		if err := syscall.Fdatasync(int(f.Fd())); err != nil {
			return Check{"fsync", checkFail, err.Error()}
		}
		took[i] = time.Since(start)
	}
	slices.Sort(took)
	c := Check{"fsync", checkOK, fmt.Sprintf("median %s, slowest of %d %s", took[rounds/2].Round(time.Microsecond), rounds, took[rounds-1].Round(time.Microsecond))}
	if took[rounds/2] > slowSync {
		c.Result, c.Found = checkWarn, c.Found+": each acknowledgement waits for one"
	}
	return c
}

func checkListen(ctx context.Context, name, addr string) Check {
	var lc net.ListenConfig
	ln, err := lc.Listen(ctx, "tcp", addr)
	if err != nil {
		return Check{"listeners." + name, checkFail, err.Error() + ": choose another address in marisma.yml"}
	}
	if err := ln.Close(); err != nil {
		return Check{"listeners." + name, checkWarn, err.Error()}
	}
	return Check{"listeners." + name, checkOK, addr + " is free"}
}
