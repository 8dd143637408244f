package cloudtest

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
)

// Trouble is what happens to a request.
type Trouble struct {
	// LoseRequest drops the request before it arrives.
	LoseRequest bool
	// LoseAnswer lets the request arrive and drops the answer.
	LoseAnswer bool
	// Status answers in the server's stead; the request does not arrive.
	Status int
	// Body is that answer's.
	Body string
	// Tear breaks the answer's body off after so many bytes.
	Tear int64
}

// Chaos is a RoundTripper that makes trouble.
type Chaos struct {
	mu   sync.Mutex
	plan func(*http.Request) Trouble
	seen []string
}

// Plan sets what happens to the requests to come; nil is nothing.
func (c *Chaos) Plan(f func(*http.Request) Trouble) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.plan, c.seen = f, nil
}

// Seen counts the requests with a method since Plan.
func (c *Chaos) Seen(method string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	n := 0
	for _, m := range c.seen {
		if m == method {
			n++
		}
	}
	return n
}

// Client sends through c.
func (c *Chaos) Client() *http.Client { return &http.Client{Transport: c} }

var errLost = errors.New("connection reset by trouble")

// RoundTrip implements http.RoundTripper.
func (c *Chaos) RoundTrip(r *http.Request) (*http.Response, error) {
	c.mu.Lock()
	var what Trouble
	if c.plan != nil {
		what = c.plan(r)
	}
	c.seen = append(c.seen, r.Method)
	c.mu.Unlock()
	if what.LoseRequest || what.Status != 0 {
		if r.Body != nil {
			_ = r.Body.Close()
		}
		if what.LoseRequest {
			return nil, errLost
		}
		return &http.Response{
			StatusCode: what.Status, Status: http.StatusText(what.Status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
			Header: http.Header{"Content-Type": {"application/xml"}}, Body: io.NopCloser(strings.NewReader(what.Body)), ContentLength: int64(len(what.Body)),
		}, nil
	}
	resp, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	if what.LoseAnswer {
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
		return nil, errLost
	}
	if what.Tear > 0 {
		resp.Body = tornBody{io.LimitReader(resp.Body, what.Tear), resp.Body}
	}
	return resp, nil
}

type tornBody struct {
	io.Reader
	io.Closer
}

func (b tornBody) Read(p []byte) (int, error) {
	n, err := b.Reader.Read(p)
	if errors.Is(err, io.EOF) {
		err = errLost
	}
	return n, err
}
