package objstore

import (
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// ServiceError is what a cloud service, or the way to it, answered to one
// operation. It belongs to a family (errors.Is) where there is one, and holds
// no credentials.
type ServiceError struct {
	// Op is what was tried: get, head, put, list, delete.
	Op string
	// Where is the object's or the container's address.
	Where string
	// Family is ErrNotFound, ErrExists, ErrDenied, ErrNoContainer, ErrThrottled,
	// ErrUnknownOutcome or nil.
	Family error
	// Status and Code are the service's; 0 and "" where it gave no answer.
	Status int
	Code   string
	// RequestID is what the service's support asks for.
	RequestID string
	// Message says more.
	Message string
	// Err is a cause below the service, such as the end of a context.
	Err error
}

// Error says what failed where and why.
func (e *ServiceError) Error() string {
	var b strings.Builder
	if e.Family != nil {
		b.WriteString(e.Family.Error())
	} else {
		b.WriteString("objstore: failed")
	}
	fmt.Fprintf(&b, ": %s %s", e.Op, e.Where)
	if e.Code != "" || e.Status != 0 {
		b.WriteString(": " + strings.TrimSpace(e.Code+" ("+fmt.Sprint("status ", e.Status)))
		if e.RequestID != "" {
			b.WriteString(", request " + e.RequestID)
		}
		b.WriteByte(')')
	}
	if e.Message != "" {
		b.WriteString(": " + e.Message)
	}
	if e.Err != nil && !strings.Contains(e.Message, e.Err.Error()) {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Is reports the family.
func (e *ServiceError) Is(target error) bool { return e.Family != nil && target == e.Family }

// Unwrap gives the cause.
func (e *ServiceError) Unwrap() error { return e.Err }

// Secret is a text that prints as "(secret)" wherever it is shown.
type Secret string

// String hides the text.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return "(secret)"
}

// GoString hides the text.
func (s Secret) GoString() string { return `"` + s.String() + `"` }

// LogValue hides the text.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText hides the text.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Limits bound what a cloud store uses. The zero value is good.
type Limits struct {
	// PartBytes is the size from which an object is sent in parts, and that of
	// the parts; 8 MiB by default. A service takes at most 10,000 parts (S3) or
	// 50,000 (Azure), which bounds an object's size.
	PartBytes int
	// PartsAtOnce bounds the parts of one Put that are on their way; 3 by
	// default. A Put holds at most PartsAtOnce+1 parts in memory.
	PartsAtOnce int
	// Requests bounds the requests that are waiting for an answer, over all
	// callers; 64 by default. Bodies that a caller reads do not count.
	Requests int
	// Retries bounds how often a request is tried again; 6 by default, -1 for never.
	Retries int
	// Timeout bounds the wait for one answer, and for the next bytes of a body;
	// 30 s by default. Bodies that are sent get a second more for each 64 KiB.
	Timeout time.Duration
	// Pause is the longest wait before the first repetition; it doubles with
	// each, up to 100 times. 100 ms by default.
	Pause time.Duration
}

// WithDefaults is l with the defaults for what is zero.
func (l Limits) WithDefaults() Limits {
	def := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	if l.Retries == 0 {
		l.Retries = 6
	}
	l.Retries = max(l.Retries, 0)
	def(&l.PartBytes, 8<<20)
	def(&l.PartsAtOnce, 3)
	def(&l.Requests, 64)
	if l.Timeout <= 0 {
		l.Timeout = 30 * time.Second
	}
	if l.Pause <= 0 {
		l.Pause = 100 * time.Millisecond
	}
	return l
}
