package cloud

import (
	"context"
	"io"
	"strings"
	"time"

	"github.com/marisma/marisma/objstore"
)

// Kind is what an answer means for what to do next.
type Kind int

// The kinds of answers that are no success.
const (
	// Refused: it would be refused again.
	Refused Kind = iota
	// Missing: no object has the key.
	Missing
	// Exists: a condition met an object.
	Exists
	// Denied: the credentials do not do.
	Denied
	// NoContainer: what was to hold the object is not there.
	NoContainer
	// Throttled: not done, for there were too many requests.
	Throttled
	// Unreachable: not done, for the request was not sent.
	Unreachable
	// Contended: not done, for another request for the key was under way.
	Contended
	// PartsLost: not done, for the service does not know the upload's parts.
	PartsLost
	// BadRange: the object ends before the range.
	BadRange
	// Changed: the object is not the one asked for any more.
	Changed
	// Unsure: it may have been done or not.
	Unsure
)

// family maps kinds to the errors of objstore.
func (k Kind) family() error {
	switch k {
	case Missing:
		return objstore.ErrNotFound
	case Exists:
		return objstore.ErrExists
	case Denied:
		return objstore.ErrDenied
	case NoContainer:
		return objstore.ErrNoContainer
	case Throttled:
		return objstore.ErrThrottled
	default:
		return nil
	}
}

// passes tells whether the same request may do later.
func (k Kind) passes() bool {
	return k == Throttled || k == Unreachable || k == Contended || k == Unsure
}

// Fault is the answer of a service that is no success.
type Fault struct {
	Kind      Kind
	Status    int
	Code      string
	RequestID string
	Message   string
	// Busy tells that the service asks for fewer requests. Where that is not
	// the service's word alone but a status of 503, which what stands before
	// it may give after the fact, Kind is Unsure.
	Busy bool
	// Wait is how long the service asks to wait.
	Wait time.Duration
	Err  error
}

// Error says what is known without the operation.
func (f *Fault) Error() string {
	text := strings.TrimSpace(f.Code + " " + f.Message)
	if f.Err != nil {
		text += ": " + f.Err.Error()
	}
	return text
}

// Unwrap gives the cause.
func (f *Fault) Unwrap() error { return f.Err }

// ForPut is f as an answer to a request that makes an object: there a
// precondition that failed means that the object is there, and what is missing
// is the place for it.
func (f *Fault) ForPut() *Fault {
	switch f.Kind {
	case Changed:
		f.Kind = Exists
	case Missing:
		f.Kind = Refused
	default:
	}
	return f
}

// Object is an object as a service describes it.
type Object struct {
	objstore.Info
	Mark string // that its put left, "" where there is none
}

// Body is an answer with content.
type Body struct {
	io.ReadCloser
	Info  objstore.Info // of the whole object
	Start int64         // of the content within the object
}

// Page is a part of a listing; the entries of each slice are in order.
type Page struct {
	Objects []objstore.Info
	Folders []string // with a delimiter: prefixes that end in it
	Next    string   // "" at the end
}

// Listing asks for a page.
type Listing struct {
	Prefix, After string // After may be ignored
	Folders       bool   // fold what lies below the next "/" into Folders
	Token         string // Next of the page before
}

// Service is one container of a service. Each method is one request; an error
// is a *Fault. Keys are those of the service.
type Service interface {
	// Where is the address of a key, without credentials.
	Where(key string) string
	// Get asks for n bytes from start, to the end with n -1. With an etag the
	// object must be that one.
	Get(ctx context.Context, key string, start, n int64, etag string) (Body, error)
	Head(ctx context.Context, key string) (Object, error)
	Put(ctx context.Context, key string, data []byte, mark string, ifAbsent bool) (objstore.Info, error)
	// Begin opens an upload in parts.
	Begin(ctx context.Context, key, mark string) (Upload, error)
	List(ctx context.Context, l Listing) (Page, error)
	Delete(ctx context.Context, key string) error
}

// Upload is an object that is sent in parts. Parts come in any order.
type Upload interface {
	// Part sends the part at place i.
	Part(ctx context.Context, i int, data []byte) error
	// Commit makes the object of n parts.
	Commit(ctx context.Context, n int, size int64, ifAbsent bool) (objstore.Info, error)
	// Abort lets go of the parts.
	Abort(ctx context.Context) error
	// MaxParts bounds n.
	MaxParts() int
}

// Status is the fault that an HTTP status stands for where the service's code
// does not say more.
func Status(status int) Kind {
	switch {
	case status == 401, status == 403:
		return Denied
	case status == 404:
		return Missing
	case status == 416:
		return BadRange
	case status == 412:
		return Changed
	case status == 429:
		return Throttled
	case status == 408, status >= 500:
		return Unsure
	default:
		return Refused
	}
}
