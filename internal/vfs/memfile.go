package vfs

import (
	"io"
	"io/fs"
	"syscall"
	"time"
)

// edit changes what is seen of a file and remembers the change as unsynced.
func (n *node) edit(e edit) {
	n.data = e.on(n.data)
	n.unsynced = append(n.unsynced, e)
	n.modTime = time.Now()
}

// on gives content with the edit done.
func (e edit) on(content []byte) []byte {
	if e.resize {
		return resize(content, e.off)
	}
	if end := e.off + int64(len(e.data)); end > int64(len(content)) {
		content = resize(content, end)
	}
	copy(content[e.off:], e.data)
	return content
}

// resize cuts content or fills it with zeros.
func resize(content []byte, size int64) []byte {
	have := int64(len(content))
	if size <= have {
		return content[:size]
	}
	if size <= int64(cap(content)) {
		content = content[:size]
		clear(content[have:])
		return content
	}
	out := make([]byte, size, size+size/4)
	copy(out, content)
	return out
}

func (n *node) sync() {
	for _, e := range n.unsynced {
		n.synced = e.on(n.synced)
	}
	n.unsynced = nil
}

func (n *node) info(name string) fs.FileInfo {
	return memInfo{name: name, size: int64(len(n.data)), dir: n.dir, modTime: n.modTime}
}

type memInfo struct {
	name    string
	size    int64
	dir     bool
	modTime time.Time
}

func (i memInfo) Name() string       { return i.name }
func (i memInfo) Size() int64        { return i.size }
func (i memInfo) ModTime() time.Time { return i.modTime }
func (i memInfo) IsDir() bool        { return i.dir }
func (i memInfo) Sys() any           { return nil }

func (i memInfo) Mode() fs.FileMode {
	if i.dir {
		return fs.ModeDir | 0o700
	}
	return 0o600
}

// memFile is an open file of a Mem; the Mem's lock guards it.
type memFile struct {
	fs     *Mem
	node   *node
	name   string
	rw     bool
	closed bool
	pos    int64
}

// begin locks and admits an operation; the caller unlocks in any case.
func (f *memFile) begin(op Op) error {
	f.fs.mu.Lock()
	if f.closed {
		return f.fail(op, fs.ErrClosed)
	}
	if op.mutates() && op != OpSync && !f.rw {
		return f.fail(op, syscall.EBADF)
	}
	return f.fs.admit(op, f.name)
}

func (f *memFile) fail(op Op, err error) error {
	return &fs.PathError{Op: string(op), Path: f.name, Err: err}
}

func (f *memFile) Read(p []byte) (int, error) {
	defer f.fs.mu.Unlock()
	if err := f.begin(OpRead); err != nil {
		return 0, err
	}
	if f.node.dir {
		return 0, f.fail(OpRead, syscall.EISDIR)
	}
	if len(p) == 0 {
		return 0, nil
	}
	if f.pos >= int64(len(f.node.data)) {
		return 0, io.EOF
	}
	n := copy(p, f.node.data[f.pos:])
	f.pos += int64(n)
	return n, nil
}

func (f *memFile) ReadAt(p []byte, off int64) (int, error) {
	defer f.fs.mu.Unlock()
	if err := f.begin(OpRead); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, f.fail(OpRead, fs.ErrInvalid)
	}
	n := 0
	if off < int64(len(f.node.data)) {
		n = copy(p, f.node.data[off:])
	}
	if n < len(p) {
		return n, io.EOF
	}
	return n, nil
}

func (f *memFile) Write(p []byte) (int, error) {
	defer f.fs.mu.Unlock()
	if err := f.begin(OpWrite); err != nil {
		return 0, err
	}
	f.write(p, f.pos)
	f.pos += int64(len(p))
	return len(p), nil
}

func (f *memFile) WriteAt(p []byte, off int64) (int, error) {
	defer f.fs.mu.Unlock()
	if err := f.begin(OpWrite); err != nil {
		return 0, err
	}
	if off < 0 {
		return 0, f.fail(OpWrite, fs.ErrInvalid)
	}
	f.write(p, off)
	return len(p), nil
}

func (f *memFile) write(p []byte, off int64) {
	if len(p) > 0 {
		f.node.edit(edit{off: off, data: append([]byte(nil), p...)})
	}
}

func (f *memFile) Size() (int64, error) {
	defer f.fs.mu.Unlock()
	if err := f.begin(OpRead); err != nil {
		return 0, err
	}
	return int64(len(f.node.data)), nil
}

func (f *memFile) Truncate(size int64) error {
	defer f.fs.mu.Unlock()
	if err := f.begin(OpTruncate); err != nil {
		return err
	}
	if size < 0 {
		return f.fail(OpTruncate, fs.ErrInvalid)
	}
	f.node.edit(edit{off: size, resize: true})
	return nil
}

func (f *memFile) Preallocate(size int64) error {
	defer f.fs.mu.Unlock()
	if err := f.begin(OpPreallocate); err != nil {
		return err
	}
	if size > int64(len(f.node.data)) {
		f.node.edit(edit{off: size, resize: true})
	}
	return nil
}

func (f *memFile) Sync() error {
	defer f.fs.mu.Unlock()
	if err := f.begin(OpSync); err != nil {
		return err
	}
	f.node.sync()
	return nil
}

func (f *memFile) Close() error {
	f.fs.mu.Lock()
	defer f.fs.mu.Unlock()
	if f.closed {
		return f.fail("close", fs.ErrClosed)
	}
	f.closed = true
	return nil
}
