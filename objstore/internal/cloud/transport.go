package cloud

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/url"
	"sync/atomic"

	"github.com/marisma/marisma/objstore"
)

// Doer sends requests, as *http.Client does.
type Doer interface {
	Do(*http.Request) (*http.Response, error)
}

// Client is the HTTP client of a service. It notes in the request's context
// that the request went out: an error before that, such as missing
// credentials, did nothing.
type Client struct{ Doer }

// NewClient has a connection pool of its own. It follows no redirects, and
// leaves bodies as they are stored.
func NewClient(l objstore.Limits) Doer {
	t, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultClient
	}
	t = t.Clone()
	t.MaxIdleConnsPerHost = l.WithDefaults().Requests
	t.DisableCompression = true
	return &http.Client{
		Transport:     t,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Do sends a request.
func (c Client) Do(r *http.Request) (*http.Response, error) {
	if sent, ok := r.Context().Value(sentKey{}).(*atomic.Bool); ok {
		sent.Store(true)
	}
	return c.Doer.Do(r)
}

type sentKey struct{}

// watched is a context in which Client notes that a request went out.
func watched(ctx context.Context) context.Context {
	return context.WithValue(ctx, sentKey{}, new(atomic.Bool))
}

func sent(ctx context.Context) bool {
	b, ok := ctx.Value(sentKey{}).(*atomic.Bool)
	return !ok || b.Load()
}

// Transport is the fault of a request that got no answer. The causes that it
// keeps hold no address, which may carry a signature.
func Transport(ctx context.Context, err error) *Fault {
	f := &Fault{Kind: Unsure, Err: err, Message: "no answer"}
	if u, ok := errors.AsType[*url.Error](err); ok {
		f.Err = u.Err
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" {
		f.Kind, f.Message, f.Err = Unreachable, "cannot connect", op
	} else if dns, ok := errors.AsType[*net.DNSError](err); ok {
		f.Kind, f.Message, f.Err = Unreachable, "cannot connect", dns
	}
	for _, end := range []error{context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, end) {
			f.Err = end
			if !sent(ctx) {
				f.Kind = Unreachable
			}
			return f
		}
	}
	if !sent(ctx) && f.Kind == Unsure {
		return &Fault{Kind: Denied, Message: err.Error()} // no credentials to send the request with
	}
	return f
}
