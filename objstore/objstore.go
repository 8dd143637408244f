package objstore

import (
	"context"
	"errors"
	"io"
	"iter"
	"time"
)

// Families of errors; stores wrap them with the key and what the service said.
var (
	// ErrNotFound: no object has the key.
	ErrNotFound = errors.New("objstore: not found")
	// ErrExists: a conditional put met an object under the key.
	ErrExists = errors.New("objstore: exists already")
	// ErrUnknownOutcome: the service did not say whether the put happened;
	// read the object back to know.
	ErrUnknownOutcome = errors.New("objstore: outcome unknown")
	// ErrInvalid: a key, a range, an address or an option that no store takes.
	ErrInvalid = errors.New("objstore: invalid")
	// ErrDenied: the service refused the credentials, or what they may do.
	ErrDenied = errors.New("objstore: access denied")
	// ErrNoContainer: the service has no container or bucket of that name.
	ErrNoContainer = errors.New("objstore: no such container")
	// ErrThrottled: the service asked for fewer requests, to the last try.
	ErrThrottled = errors.New("objstore: throttled")
)

// Info describes an object.
type Info struct {
	Key     string
	Size    int64
	ModTime time.Time
	ETag    string // "" where the store has none
}

// PutOptions are the conditions of a put. The zero value asks for none.
type PutOptions struct {
	// IfAbsent puts only where no object has the key; ErrExists else.
	IfAbsent bool
	// Spare is for an object that readers can do without: after a crash of the
	// machine it may be missing, or have the wrong content. It spares a store of
	// local files the wait for the disk.
	Spare bool
}

// Store holds objects. All methods are safe for concurrent use and end early
// with ctx's error. Keys are relative, without empty, "." or ".." segments;
// segments that begin with ".tmp-" are the stores' own.
type Store interface {
	// Get opens an object for reading. Length -1 reads from offset to the end;
	// offset -n with length -1 reads the last n bytes. A range is cut to what
	// there is. The caller closes the reader.
	Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, Info, error)
	// Head describes an object.
	Head(ctx context.Context, key string) (Info, error)
	// Put stores all of r under key, atomically and durably.
	Put(ctx context.Context, key string, r io.Reader, opt PutOptions) (Info, error)
	// List yields the objects whose key begins with prefix and comes after
	// `after` ("" for all), in the order of their keys' bytes. The caller may
	// stop early. A failure is yielded once, last.
	List(ctx context.Context, prefix, after string) iter.Seq2[Info, error]
	// Delete removes an object; no error where there is none.
	Delete(ctx context.Context, key string) error
}

// Pather is an extra ability: stores whose objects are local files tell where,
// so that an engine may read them in place.
type Pather interface {
	// Path is the absolute path of the file behind key, whether or not it exists.
	Path(key string) string
}

// Deferrer is an extra ability: stores where the wait until an object is
// durable is worth doing something else meanwhile.
type Deferrer interface {
	// PutLater is a Put that does not wait: the object can be read when it
	// returns. durable waits until a crash can no more harm the object, and tells
	// if it may have. It may be called any number of times, or never.
	PutLater(ctx context.Context, key string, r io.Reader, opt PutOptions) (info Info, durable func() error, err error)
	// PutAfter is a Put of an object that is not to be seen before ready has
	// returned; with an error of it the put leaves nothing.
	PutAfter(ctx context.Context, key string, r io.Reader, opt PutOptions, ready func() error) (Info, error)
}

// ReadAll reads a whole object.
func ReadAll(ctx context.Context, s Store, key string) ([]byte, error) {
	r, _, err := s.Get(ctx, key, 0, -1)
	if err != nil {
		return nil, err
	}
	data, err := io.ReadAll(r)
	if cerr := r.Close(); err == nil {
		err = cerr
	}
	return data, err
}
