package iothub

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/marisma/marisma/internal/auth"
	"github.com/marisma/marisma/internal/vfs"
)

// Status of a device.
const (
	Enabled  = "enabled"
	Disabled = "disabled"
)

// Errors of the registry.
var (
	ErrExists   = errors.New("device exists already")
	ErrNotFound = errors.New("device not found")
	ErrBadID    = errors.New("not a device id")
)

// Device is an entry of the registry. A module is an entry of its own with
// the ID "device/module". Connected and LastActivity are what the hub has seen
// since it started.
type Device struct {
	ID           string    `json:"id"`
	GenerationID string    `json:"generation"` // another one when a device is removed and added again
	Status       string    `json:"status"`
	PrimaryKey   string    `json:"primary_key"`
	SecondaryKey string    `json:"secondary_key"`
	Created      time.Time `json:"created"`
	Connected    bool      `json:"-"`
	LastActivity time.Time `json:"-"`
}

// Registry is the durable list of devices. It is safe for concurrent use.
type Registry struct {
	file journal

	change sync.Mutex // one change at a time; taken before mu
	mu     sync.RWMutex
	byID   map[string]*entry
	gone   []func(id string)
}

type entry struct {
	device    Device // replaced as a whole, under mu
	connected atomic.Bool
	last      atomic.Int64 // milliseconds of the last message or connection
}

func (e *entry) view() Device {
	d := e.device
	d.Connected = e.connected.Load()
	if ms := e.last.Load(); ms != 0 {
		d.LastActivity = time.UnixMilli(ms).UTC()
	}
	return d
}

// OpenRegistry reads the registry of a folder, which it makes if need be.
func OpenRegistry(fs vfs.FS, dir string) (*Registry, error) {
	r := &Registry{byID: map[string]*entry{}}
	r.file = journal{fs: fs, name: dir + "/devices.jsonl"}
	if err := fs.MkdirAll(dir); err != nil {
		return nil, err
	}
	err := r.file.open(func(l line) {
		if l.Device != nil {
			r.byID[l.Device.ID] = &entry{device: *l.Device}
		} else {
			delete(r.byID, l.Removed)
		}
	})
	if err != nil {
		return nil, fmt.Errorf("device registry: %w", err)
	}
	if r.file.lines > 2*len(r.byID)+64 {
		if err := r.file.rewrite(r.devices()); err != nil {
			return nil, fmt.Errorf("device registry: %w", err)
		}
	}
	return r, nil
}

// Close closes the file; the registry must not be changed after it.
func (r *Registry) Close() error {
	r.change.Lock()
	defer r.change.Unlock()
	return r.file.close()
}

// CheckID tells what is wrong with a device id, or with "device/module".
func CheckID(id string) error {
	device, module, has := strings.Cut(id, "/")
	if !checkName(device) || has && !checkName(module) {
		return fmt.Errorf("%w: %.140q: up to 128 ASCII letters, digits and - . %% _ * ? ! ( ) , : = @ $ '", ErrBadID, id)
	}
	return nil
}

func checkName(s string) bool {
	if s == "" || len(s) > 128 {
		return false
	}
	for _, c := range []byte(s) {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		case strings.IndexByte("-.%_*?!(),:=@$'", c) >= 0:
		default:
			return false
		}
	}
	return true
}

// Add makes a device with new keys; ErrExists where there is one, ErrNotFound
// where a module's device is missing.
func (r *Registry) Add(ctx context.Context, id string) (Device, error) {
	if err := errors.Join(CheckID(id), ctx.Err()); err != nil {
		return Device{}, err
	}
	r.change.Lock()
	defer r.change.Unlock()
	if _, ok := r.Get(id); ok {
		return Device{}, fmt.Errorf("%w: %s", ErrExists, id)
	}
	if device, _, module := strings.Cut(id, "/"); module {
		if _, ok := r.Get(device); !ok {
			return Device{}, fmt.Errorf("%w: %s", ErrNotFound, device)
		}
	}
	d := newDevice(id)
	if err := r.put(d); err != nil {
		return Device{}, err
	}
	return d, nil
}

// Ensure adds those devices that are missing, with one sync for all. It adds
// no modules.
func (r *Registry) Ensure(ctx context.Context, ids ...string) (added int, err error) {
	r.change.Lock()
	defer r.change.Unlock()
	var missing []Device
	asked := map[string]bool{}
	for _, id := range ids {
		if err := CheckID(id); err != nil {
			return 0, err
		}
		if strings.Contains(id, "/") {
			return 0, fmt.Errorf("%w: %s is a module", ErrBadID, id)
		}
		if _, ok := r.Get(id); !ok && !asked[id] {
			asked[id] = true
			missing = append(missing, newDevice(id))
		}
	}
	if len(missing) == 0 || ctx.Err() != nil {
		return 0, ctx.Err()
	}
	return len(missing), r.put(missing...)
}

func newDevice(id string) Device {
	return Device{
		ID: id, GenerationID: uuid.NewString(), Status: Enabled, PrimaryKey: auth.NewKey(), SecondaryKey: auth.NewKey(),
		Created: time.Now().UTC().Truncate(time.Millisecond),
	}
}

// put makes entries durable, then visible.
func (r *Registry) put(devices ...Device) error {
	lines := make([]line, len(devices))
	for i := range devices {
		lines[i].Device = &devices[i]
	}
	if err := r.file.add(lines, r.devices); err != nil {
		return fmt.Errorf("device registry: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, d := range devices {
		if e := r.byID[d.ID]; e != nil {
			e.device = d
		} else {
			r.byID[d.ID] = &entry{device: d}
		}
	}
	return nil
}

// Get is a device by its ID, which is case-sensitive.
func (r *Registry) Get(id string) (Device, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	e, ok := r.byID[id]
	if !ok {
		return Device{}, false
	}
	return e.view(), true
}

func (r *Registry) entry(id string) *entry {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.byID[id]
}

// Len is the number of devices and modules.
func (r *Registry) Len() int {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return len(r.byID)
}

// List is all devices by ID.
func (r *Registry) List() []Device {
	r.mu.RLock()
	out := make([]Device, 0, len(r.byID))
	for _, e := range r.byID {
		out = append(out, e.view())
	}
	r.mu.RUnlock()
	slices.SortFunc(out, func(a, b Device) int { return strings.Compare(a.ID, b.ID) })
	return out
}

func (r *Registry) devices() []line {
	list := r.List()
	out := make([]line, len(list))
	for i := range list {
		out[i] = line{Device: &list[i]}
	}
	return out
}

// Remove takes a device with its modules out; their connections are closed.
func (r *Registry) Remove(ctx context.Context, id string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	r.change.Lock()
	defer r.change.Unlock()
	if _, ok := r.Get(id); !ok {
		return fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	var ids []string
	var lines []line
	for _, d := range r.List() {
		if d.ID == id || strings.HasPrefix(d.ID, id+"/") {
			ids = append(ids, d.ID)
			lines = append(lines, line{Removed: d.ID})
		}
	}
	slices.Reverse(lines) // the device last: a removal cut by a crash can be asked for again
	if err := r.file.add(lines, r.devices); err != nil {
		return fmt.Errorf("device registry: %w", err)
	}
	r.mu.Lock()
	for _, id := range ids {
		delete(r.byID, id)
	}
	r.mu.Unlock()
	r.tell(ids...)
	return nil
}

// SetStatus enables or disables a device; a disabled one's connection is closed.
func (r *Registry) SetStatus(ctx context.Context, id, status string) error {
	if status != Enabled && status != Disabled {
		return fmt.Errorf("device status %q: it is %s or %s", status, Enabled, Disabled)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	r.change.Lock()
	defer r.change.Unlock()
	d, ok := r.Get(id)
	if !ok {
		return fmt.Errorf("%w: %s", ErrNotFound, id)
	}
	d.Status = status
	if err := r.put(d); err != nil {
		return err
	}
	if status == Disabled {
		r.tell(id)
	}
	return nil
}

// watch has f called with each device that may no longer be connected.
func (r *Registry) watch(f func(id string)) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.gone = append(r.gone, f)
}

func (r *Registry) tell(ids ...string) {
	r.mu.RLock()
	gone := r.gone
	r.mu.RUnlock()
	for _, f := range gone {
		for _, id := range ids {
			f(id)
		}
	}
}
