package vfs

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
)

// osFS is a folder of the machine's file system.
type osFS struct {
	root              string
	fileMode, dirMode fs.FileMode
}

// NewOS is the machine's file system below root, which MkdirAll(".") makes
// where it is missing. What it makes is readable by the user alone.
func NewOS(root string) FS { return NewOSMode(root, 0o600, 0o700) }

// NewOSMode is NewOS with the permissions, before umask, of new files and folders.
func NewOSMode(root string, file, dir fs.FileMode) FS {
	if abs, err := filepath.Abs(root); err == nil {
		root = abs
	}
	return &osFS{root: root, fileMode: file, dirMode: dir}
}

// clean checks a name and brings it to its shortest form.
func clean(op, name string) (string, error) {
	c := path.Clean(name)
	if strings.ContainsRune(name, 0) || !fs.ValidPath(c) {
		return "", &fs.PathError{Op: op, Path: name, Err: fs.ErrInvalid}
	}
	return c, nil
}

func (o *osFS) path(op, name string) (string, error) {
	c, err := clean(op, name)
	if err != nil {
		return "", err
	}
	return filepath.Join(o.root, filepath.FromSlash(c)), nil
}

func (o *osFS) Path(name string) string {
	p, err := o.path("path", name)
	if err != nil {
		return ""
	}
	return p
}

func (o *osFS) open(name string, flag int) (File, error) {
	p, err := o.path("open", name)
	if err != nil {
		return nil, err
	}
	f, err := os.OpenFile(p, flag, o.fileMode)
	if err != nil {
		return nil, err
	}
	return &osFile{f}, nil
}

func (o *osFS) Open(name string) (File, error) { return o.open(name, os.O_RDONLY) }

func (o *osFS) Create(name string) (File, error) {
	return o.open(name, os.O_RDWR|os.O_CREATE|os.O_TRUNC)
}

func (o *osFS) CreateNew(name string) (File, error) {
	return o.open(name, os.O_RDWR|os.O_CREATE|os.O_EXCL)
}

func (o *osFS) OpenRW(name string) (File, error) { return o.open(name, os.O_RDWR|os.O_CREATE) }

func (o *osFS) Remove(name string) error {
	p, err := o.path("remove", name)
	if err != nil {
		return err
	}
	return os.Remove(p)
}

func (o *osFS) RemoveAll(name string) error {
	p, err := o.path("remove", name)
	if err != nil {
		return err
	}
	return os.RemoveAll(p)
}

func (o *osFS) two(op, a, b string) (string, string, error) {
	pa, err := o.path(op, a)
	if err != nil {
		return "", "", err
	}
	pb, err := o.path(op, b)
	return pa, pb, err
}

func (o *osFS) Rename(oldName, newName string) error {
	a, b, err := o.two("rename", oldName, newName)
	if err != nil {
		return err
	}
	return os.Rename(a, b)
}

func (o *osFS) Link(oldName, newName string) error {
	a, b, err := o.two("link", oldName, newName)
	if err != nil {
		return err
	}
	return os.Link(a, b)
}

func (o *osFS) MkdirAll(name string) error {
	p, err := o.path("mkdir", name)
	if err != nil {
		return err
	}
	return o.mkdirAll(p)
}

// mkdirAll makes parents first and syncs the folder that holds each new name.
func (o *osFS) mkdirAll(p string) error {
	if info, err := os.Stat(p); err == nil {
		if info.IsDir() {
			return nil
		}
		return &fs.PathError{Op: "mkdir", Path: p, Err: fs.ErrExist}
	}
	parent := filepath.Dir(p)
	if parent != p {
		if err := o.mkdirAll(parent); err != nil {
			return err
		}
	}
	if err := os.Mkdir(p, o.dirMode); err != nil {
		if info, serr := os.Stat(p); errors.Is(err, fs.ErrExist) && serr == nil && info.IsDir() {
			return nil // made by someone else meanwhile
		}
		return err
	}
	return syncDir(parent)
}

func (o *osFS) ReadDir(name string) ([]fs.DirEntry, error) {
	p, err := o.path("readdir", name)
	if err != nil {
		return nil, err
	}
	return os.ReadDir(p)
}

func (o *osFS) Stat(name string) (fs.FileInfo, error) {
	p, err := o.path("stat", name)
	if err != nil {
		return nil, err
	}
	return os.Stat(p)
}

func (o *osFS) SyncDir(name string) error {
	p, err := o.path("syncdir", name)
	if err != nil {
		return err
	}
	return syncDir(p)
}

func syncDir(p string) error {
	d, err := os.OpenFile(p, os.O_RDONLY|onlyDir, 0)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// osFile adds to os.File what File asks for beyond it.
type osFile struct{ *os.File }

func (f *osFile) Size() (int64, error) {
	info, err := f.Stat()
	if err != nil {
		return 0, err
	}
	return info.Size(), nil
}

func (f *osFile) Sync() error {
	if err := datasync(f.File); err != nil {
		return &fs.PathError{Op: "sync", Path: f.Name(), Err: err}
	}
	return nil
}

func (f *osFile) Preallocate(size int64) error {
	if size <= 0 {
		return nil
	}
	err := fallocate(f.File, size)
	if errors.Is(err, errors.ErrUnsupported) {
		err = f.fill(size)
	}
	if err != nil {
		return &fs.PathError{Op: "preallocate", Path: f.Name(), Err: err}
	}
	return nil
}

// fill writes zeros from the length to size, for file systems that cannot
// reserve room in another way.
func (f *osFile) fill(size int64) error {
	have, err := f.Size()
	if err != nil {
		return err
	}
	zeros := make([]byte, min(1<<18, max(size-have, 0)))
	for have < size {
		n, err := f.WriteAt(zeros[:min(int64(len(zeros)), size-have)], have)
		if err != nil {
			return err
		}
		have += int64(n)
	}
	return nil
}
