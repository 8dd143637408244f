package main

import (
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"
)

// progress shows a running count: on a terminal one line that is drawn again,
// elsewhere a plain line now and then.
type progress struct {
	w    io.Writer
	what string
	tty  bool

	mu    sync.Mutex
	start time.Time
	last  time.Time
	n     int64
}

// Time between two drawings, on a terminal and elsewhere.
const (
	drawTerminal = 200 * time.Millisecond
	drawPlain    = 10 * time.Second
)

func newProgress(w io.Writer, what string) *progress {
	f, ok := w.(*os.File)
	now := time.Now()
	return &progress{w: w, what: what, tty: ok && term.IsTerminal(int(f.Fd())), start: now, last: now}
}

func (p *progress) show(n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.n = n
	every := drawPlain
	if p.tty {
		every = drawTerminal
	}
	if time.Since(p.last) < every {
		return
	}
	p.last = time.Now()
	p.draw()
}

func (p *progress) draw() {
	rate := float64(p.n) / max(time.Since(p.start).Seconds(), 1e-3)
	if p.tty {
		fmt.Fprintf(p.w, "\r\x1b[K%s %s, %s a second", count(p.n), p.what, count(int64(rate)))
		return
	}
	fmt.Fprintf(p.w, "%s %s, %s a second\n", count(p.n), p.what, count(int64(rate)))
}

// end leaves the line behind.
func (p *progress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.tty && p.n > 0 {
		p.draw()
		fmt.Fprintln(p.w)
	}
}
