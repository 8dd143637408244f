package vfs

import (
	"errors"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"
)

// ErrPowerCut is what every operation of a Mem returns once its power is cut.
var ErrPowerCut = errors.New("vfs: power cut")

// Op names an operation for Mem.Inject.
type Op string

// Operations. Those from OpCreate on change something and count for CutAt.
const (
	OpOpen    Op = "open"
	OpRead    Op = "read" // of a file's bytes or size
	OpReadDir Op = "readdir"
	OpStat    Op = "stat"

	OpCreate      Op = "create" // a file that is new or emptied
	OpWrite       Op = "write"
	OpTruncate    Op = "truncate"
	OpPreallocate Op = "preallocate"
	OpSync        Op = "sync"
	OpSyncDir     Op = "syncdir"
	OpRename      Op = "rename" // reported with the old name
	OpLink        Op = "link"   // reported with the new name
	OpRemove      Op = "remove"
	OpMkdir       Op = "mkdir"
)

func (op Op) mutates() bool {
	return op != OpOpen && op != OpRead && op != OpReadDir && op != OpStat
}

// Mem is a file system in memory for tests. It remembers what was synced, so
// that Crash can tell what a power cut leaves. It is safe for concurrent use.
type Mem struct {
	mu      sync.Mutex
	root    *node
	pending []change // unsynced changes of names, oldest first
	ops     int64
	cutAt   int64 // ops at which the power goes, -1: never
	inject  func(op Op, name string) error
}

// node is a file or a folder. A file with two names is one node.
type node struct {
	dir     bool
	modTime time.Time

	// Of a folder: what is seen, and what a crash leaves at least.
	names, durable map[string]*node

	// Of a file: what is seen, what is durable, and what lies between.
	data, synced []byte
	unsynced     []edit
}

// edit is an unsynced change of a file: bytes at an offset, or a new length.
type edit struct {
	off    int64
	data   []byte
	resize bool // the length becomes off
}

// change is an unsynced change of names that a crash keeps or drops as a whole.
type change []entry

// entry says that name in dir stands for node, or for nothing if nil.
type entry struct {
	dir  *node
	name string
	node *node
}

// NewMem makes an empty file system with its root folder.
func NewMem() *Mem { return &Mem{root: newDir(), cutAt: -1} }

func newDir() *node {
	return &node{dir: true, modTime: time.Now(), names: map[string]*node{}, durable: map[string]*node{}}
}

// CutAt cuts the power after n more mutating operations: from then on every
// operation fails with ErrPowerCut. A negative n never cuts.
func (m *Mem) CutAt(n int) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.cutAt = -1
	if n >= 0 {
		m.cutAt = m.ops + int64(n)
	}
}

// Ops counts the mutating operations so far that were not refused.
func (m *Mem) Ops() int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.ops
}

// Inject makes operations fail with what f returns before they do anything;
// nil injects nothing. f must be safe for concurrent use and must not use m.
func (m *Mem) Inject(f func(op Op, name string) error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.inject = f
}

// begin takes the lock and admits an operation; the caller unlocks in any case.
func (m *Mem) begin(op Op, name string) error {
	m.mu.Lock()
	return m.admit(op, name)
}

func (m *Mem) admit(op Op, name string) error {
	if m.cutAt >= 0 && m.ops >= m.cutAt {
		return &fs.PathError{Op: string(op), Path: name, Err: ErrPowerCut}
	}
	if m.inject != nil {
		if err := m.inject(op, name); err != nil {
			return &fs.PathError{Op: string(op), Path: name, Err: err}
		}
	}
	if op.mutates() {
		m.ops++
	}
	return nil
}

// find walks to a name; it returns the folder that holds it, its last segment
// and the node, nil where there is none.
func (m *Mem) find(op Op, name string) (dir *node, base string, n *node, err error) {
	c, err := clean(string(op), name)
	if err != nil {
		return nil, "", nil, err
	}
	if c == "." {
		return nil, ".", m.root, nil
	}
	dir = m.root
	parts := strings.Split(c, "/")
	for _, p := range parts[:len(parts)-1] {
		next := dir.names[p]
		switch {
		case next == nil:
			return nil, "", nil, &fs.PathError{Op: string(op), Path: name, Err: fs.ErrNotExist}
		case !next.dir:
			return nil, "", nil, &fs.PathError{Op: string(op), Path: name, Err: syscall.ENOTDIR}
		}
		dir = next
	}
	base = parts[len(parts)-1]
	return dir, base, dir.names[base], nil
}

// must is find for names that have to be there.
func (m *Mem) must(op Op, name string) (*node, string, *node, error) {
	dir, base, n, err := m.find(op, name)
	if err == nil && n == nil {
		err = &fs.PathError{Op: string(op), Path: name, Err: fs.ErrNotExist}
	}
	return dir, base, n, err
}

// apply makes a change seen and remembers it as unsynced.
func (m *Mem) apply(c change) {
	for _, e := range c {
		set(e.dir.names, e)
		e.dir.modTime = time.Now()
	}
	m.pending = append(m.pending, c)
}

func set(names map[string]*node, e entry) {
	if e.node == nil {
		delete(names, e.name)
	} else {
		names[e.name] = e.node
	}
}

// syncNames makes the changes that touch dir durable, with the earlier ones
// that they stand on: a rename between two folders is durable in both.
func (m *Mem) syncNames(dir *node) {
	dirs := map[*node]bool{dir: true}
	due := make([]bool, len(m.pending))
	for i, c := range slices.Backward(m.pending) {
		due[i] = slices.ContainsFunc(c, func(e entry) bool { return dirs[e.dir] })
		if due[i] {
			for _, e := range c {
				dirs[e.dir] = true
			}
		}
	}
	rest := m.pending[:0]
	for i, c := range m.pending {
		if !due[i] {
			rest = append(rest, c)
			continue
		}
		for _, e := range c {
			set(e.dir.durable, e)
		}
	}
	clear(m.pending[len(rest):])
	m.pending = rest
}

// Path is "": nothing of a Mem is on the machine's disk.
func (m *Mem) Path(string) string { return "" }

// Open opens a file for reading.
func (m *Mem) Open(name string) (File, error) {
	defer m.mu.Unlock()
	if err := m.begin(OpOpen, name); err != nil {
		return nil, err
	}
	_, _, n, err := m.must(OpOpen, name)
	if err != nil {
		return nil, err
	}
	return &memFile{fs: m, node: n, name: name}, nil
}

// Create makes a file or empties the one that is there.
func (m *Mem) Create(name string) (File, error) { return m.create(name, true, false) }

// CreateNew makes a file; fs.ErrExist where there is one.
func (m *Mem) CreateNew(name string) (File, error) { return m.create(name, false, true) }

// OpenRW opens a file for reading and writing, making it if need be.
func (m *Mem) OpenRW(name string) (File, error) { return m.create(name, false, false) }

func (m *Mem) create(name string, empty, fresh bool) (File, error) {
	defer m.mu.Unlock()
	m.mu.Lock()
	dir, base, n, err := m.find(OpCreate, name)
	op := OpOpen
	if err != nil || n == nil || empty {
		op = OpCreate
	}
	if aerr := m.admit(op, name); aerr != nil {
		return nil, aerr
	}
	switch {
	case err != nil:
		return nil, err
	case n == nil:
		n = &node{modTime: time.Now()}
		m.apply(change{{dir, base, n}})
	case fresh:
		return nil, &fs.PathError{Op: string(op), Path: name, Err: fs.ErrExist}
	case n.dir:
		return nil, &fs.PathError{Op: string(op), Path: name, Err: syscall.EISDIR}
	case empty:
		n.edit(edit{resize: true})
	}
	return &memFile{fs: m, node: n, name: name, rw: true}, nil
}

// Remove removes a file or an empty folder.
func (m *Mem) Remove(name string) error {
	defer m.mu.Unlock()
	if err := m.begin(OpRemove, name); err != nil {
		return err
	}
	dir, base, n, err := m.must(OpRemove, name)
	switch {
	case err != nil:
		return err
	case dir == nil, n.dir && len(n.names) > 0:
		return &fs.PathError{Op: string(OpRemove), Path: name, Err: syscall.ENOTEMPTY}
	}
	m.apply(change{{dir, base, nil}})
	return nil
}

// RemoveAll removes a folder with all below; no error where there is none.
func (m *Mem) RemoveAll(name string) error {
	defer m.mu.Unlock()
	if err := m.begin(OpRemove, name); err != nil {
		return err
	}
	dir, base, n, err := m.find(OpRemove, name)
	switch {
	case errors.Is(err, fs.ErrNotExist), err == nil && n == nil:
		return nil
	case err != nil:
		return err
	}
	m.removeBelow(n)
	if dir != nil {
		m.apply(change{{dir, base, nil}})
	}
	return nil
}

func (m *Mem) removeBelow(n *node) {
	for name, child := range n.names {
		m.removeBelow(child)
		m.apply(change{{n, name, nil}})
	}
}

// Rename replaces newName atomically.
func (m *Mem) Rename(oldName, newName string) error {
	defer m.mu.Unlock()
	if err := m.begin(OpRename, oldName); err != nil {
		return err
	}
	from, oldBase, n, err := m.find(OpRename, oldName)
	if err != nil {
		return err
	}
	to, newBase, there, err := m.find(OpRename, newName)
	if err != nil {
		return err
	}
	if n == nil {
		return &fs.PathError{Op: string(OpRename), Path: oldName, Err: fs.ErrNotExist}
	}
	bad := func(e error) error { return &fs.PathError{Op: string(OpRename), Path: newName, Err: e} }
	switch {
	case from == nil || to == nil:
		return bad(fs.ErrInvalid)
	case n == there:
		return nil // as POSIX has it: two names of one file both stay
	case there != nil && there.dir:
		return bad(fs.ErrExist)
	case there != nil && n.dir:
		return bad(syscall.ENOTDIR)
	case n.dir && strings.HasPrefix(path.Clean(newName), path.Clean(oldName)+"/"):
		return bad(fs.ErrInvalid)
	}
	m.apply(change{{from, oldBase, nil}, {to, newBase, n}})
	return nil
}

// Link gives a file a second name; fs.ErrExist where newName is taken.
func (m *Mem) Link(oldName, newName string) error {
	defer m.mu.Unlock()
	if err := m.begin(OpLink, newName); err != nil {
		return err
	}
	_, _, n, err := m.must(OpLink, oldName)
	if err != nil {
		return err
	}
	to, base, there, err := m.find(OpLink, newName)
	switch {
	case err != nil:
		return err
	case there != nil:
		return &fs.PathError{Op: string(OpLink), Path: newName, Err: fs.ErrExist}
	case n.dir:
		return &fs.PathError{Op: string(OpLink), Path: oldName, Err: fs.ErrPermission}
	}
	m.apply(change{{to, base, n}})
	return nil
}

// MkdirAll makes a folder and its parents; they are durable when it returns.
func (m *Mem) MkdirAll(name string) error {
	defer m.mu.Unlock()
	m.mu.Lock()
	c, err := clean(string(OpMkdir), name)
	if err != nil {
		return err
	}
	dir, at := m.root, ""
	for p := range strings.SplitSeq(c, "/") {
		if p == "." {
			break
		}
		at = path.Join(at, p)
		next := dir.names[p]
		switch {
		case next == nil:
			if err := m.admit(OpMkdir, at); err != nil {
				return err
			}
			next = newDir()
			m.apply(change{{dir, p, next}})
			if err := m.admit(OpSyncDir, path.Dir(at)); err != nil {
				return err
			}
			m.syncNames(dir)
		case !next.dir:
			return &fs.PathError{Op: string(OpMkdir), Path: at, Err: fs.ErrExist}
		}
		dir = next
	}
	return m.admit(OpStat, name) // fails once the power is cut, as everything
}

// ReadDir lists a folder ordered by name.
func (m *Mem) ReadDir(name string) ([]fs.DirEntry, error) {
	defer m.mu.Unlock()
	if err := m.begin(OpReadDir, name); err != nil {
		return nil, err
	}
	_, _, n, err := m.must(OpReadDir, name)
	if err != nil {
		return nil, err
	}
	if !n.dir {
		return nil, &fs.PathError{Op: string(OpReadDir), Path: name, Err: syscall.ENOTDIR}
	}
	out := make([]fs.DirEntry, 0, len(n.names))
	for base, child := range n.names {
		out = append(out, fs.FileInfoToDirEntry(child.info(base)))
	}
	slices.SortFunc(out, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	return out, nil
}

// Stat describes a file.
func (m *Mem) Stat(name string) (fs.FileInfo, error) {
	defer m.mu.Unlock()
	if err := m.begin(OpStat, name); err != nil {
		return nil, err
	}
	_, base, n, err := m.must(OpStat, name)
	if err != nil {
		return nil, err
	}
	return n.info(base), nil
}

// SyncDir makes a folder's names durable.
func (m *Mem) SyncDir(name string) error {
	defer m.mu.Unlock()
	if err := m.begin(OpSyncDir, name); err != nil {
		return err
	}
	_, _, n, err := m.must(OpSyncDir, name)
	if err != nil {
		return err
	}
	if !n.dir {
		return &fs.PathError{Op: string(OpSyncDir), Path: name, Err: syscall.ENOTDIR}
	}
	m.syncNames(n)
	return nil
}
