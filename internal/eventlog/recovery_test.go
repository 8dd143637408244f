package eventlog

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/datadriven"

	"github.com/marisma/marisma/internal/vfs"
)

// recovery is one log under the scripts of testdata/recovery:
//
//	append: a line is one AppendWait, its words the records' values
//	stop: a clean stop; crash: a power cut that drops what was not synced
//	seal, point: what the tender does now and then
//	damage file=NAME at=N [write=TEXT] [xor=N] [fill=N] [cut] [remove]: changes a file durably
//	open: recovers, and prints what the log says; log: what it said since; read [from=N]; files
//	stale torn=TEXT values...: leaves a torn batch and behind it a whole one, as
//	an unsynced write can
type recovery struct {
	fsys *vfs.Mem
	log  *Log
	text syncBuffer
	stop func()
}

// syncBuffer is a buffer for several goroutines.
type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) take() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	defer s.b.Reset()
	return s.b.String()
}

// debugLogger writes all levels without the time.
func debugLogger(w io.Writer) *slog.Logger {
	return slog.New(slog.NewTextHandler(w, &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

func (r *recovery) open(t *testing.T) string {
	r.text.take()
	l, err := Open(Config{FS: r.fsys, Dir: "log", Partitions: 1, SegmentBytes: 300, BatchBytes: 300,
		Logger: debugLogger(&r.text)})
	if err != nil {
		return "error: " + err.Error()
	}
	r.log = l
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return r.text.take()
}

func (r *recovery) command(t *testing.T, d *datadriven.TestData) string {
	switch d.Cmd {
	case "open":
		return r.open(t)
	case "append":
		var out strings.Builder
		for line := range strings.Lines(d.Input) {
			base, err := r.log.AppendWait(t.Context(), 0, text(strings.Fields(line)...))
			fmt.Fprintln(&out, base, err)
		}
		return out.String()
	case "seal":
		segs := *r.log.parts[0].segs.Load()
		for _, s := range segs[:len(segs)-1] {
			for s.index.Load() != nil { // the tender does it, soon
				time.Sleep(time.Millisecond)
			}
		}
	case "point":
		if err := r.log.parts[0].writePoint(r.fsys); err != nil {
			return err.Error()
		}
	case "log":
		return r.text.take()
	case "stop":
		r.stop()
	case "crash":
		after := r.fsys.Crash(nil)
		r.stop()
		r.fsys = after
	case "read":
		return r.read(t, d)
	case "files":
		var out strings.Builder
		list, err := r.fsys.ReadDir("log/0")
		if err != nil {
			return err.Error()
		}
		for _, e := range list {
			info, err := e.Info()
			if err != nil {
				return err.Error()
			}
			fmt.Fprintln(&out, e.Name(), info.Size())
		}
		return out.String()
	case "damage":
		return r.damage(t, d)
	case "stale":
		return r.stale(t, d)
	default:
		d.Fatalf(t, "unknown command %s", d.Cmd)
	}
	return ""
}

func (r *recovery) read(t *testing.T, d *datadriven.TestData) string {
	from := r.log.Start(0)
	d.MaybeScanArgs(t, "from", &from)
	var out strings.Builder
	err := r.log.Read(t.Context(), 0, from, r.log.End(0), func(o int64, rec *Record) bool {
		fmt.Fprintf(&out, "%d:%s ", o, rec.Value)
		return true
	})
	fmt.Fprintf(&out, "\nstart=%d end=%d", r.log.Start(0), r.log.End(0))
	if err != nil {
		fmt.Fprintf(&out, " error=%v", err)
	}
	return strings.TrimPrefix(out.String(), "\n")
}

// damage changes a file for good.
func (r *recovery) damage(t *testing.T, d *datadriven.TestData) string {
	var name, put string
	var at int64
	var xor, fill int
	d.ScanArgs(t, "file", &name)
	d.MaybeScanArgs(t, "at", &at)
	d.MaybeScanArgs(t, "write", &put)
	d.MaybeScanArgs(t, "xor", &xor)
	d.MaybeScanArgs(t, "fill", &fill)
	name = "log/0/" + name
	if d.HasArg("remove") {
		if err := r.fsys.Remove(name); err != nil {
			return err.Error()
		}
		return ""
	}
	f, err := r.fsys.OpenRW(name)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if d.HasArg("cut") {
		err = f.Truncate(at)
	}
	data := append([]byte(put), bytes.Repeat([]byte{0x5a}, fill)...)
	if xor != 0 {
		data = make([]byte, 1)
		_, err = f.ReadAt(data, at)
		data[0] ^= byte(xor)
	}
	if err == nil {
		_, err = f.WriteAt(data, at)
	}
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		return err.Error()
	}
	return ""
}

// stale leaves two batches of one record behind the end: the first without
// its last byte, the second whole.
func (r *recovery) stale(t *testing.T, d *datadriven.TestData) string {
	var name string
	var at, offset int64
	d.ScanArgs(t, "file", &name)
	d.ScanArgs(t, "at", &at)
	d.ScanArgs(t, "offset", &offset)
	f, err := r.fsys.OpenRW("log/0/" + name)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	for i, v := range strings.Fields(d.Input) {
		var b batch
		b.reset()
		rec := text(v)[0]
		b.add(&rec, recordBound(&rec))
		b.seal(offset + int64(i))
		if i == 0 {
			b.buf[len(b.buf)-1]++
		}
		if _, err := f.WriteAt(b.buf, at); err != nil {
			return err.Error()
		}
		at += int64(len(b.buf))
	}
	if err := f.Sync(); err != nil {
		return err.Error()
	}
	return ""
}

func TestRecovery(t *testing.T) {
	datadriven.Walk(t, "testdata/recovery", func(t *testing.T, path string) {
		r := &recovery{fsys: vfs.NewMem()}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			return r.command(t, d)
		})
		if r.stop != nil {
			r.stop()
		}
	})
}
