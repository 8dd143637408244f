package vfs

import (
	"errors"
	"fmt"
	"io"
	"path"
)

// WriteFile replaces a file by data, atomically and durably: after a crash the
// name has the old content or the new one, and the new one once WriteFile has
// returned. A crash may leave a hidden ".tmp-" file beside it, which the next
// WriteFile of the name reuses. Calls for one name need the caller's order.
func WriteFile(fsys FS, name string, data []byte) error {
	dir, base := path.Split(name)
	tmp := dir + ".tmp-" + base
	if err := writeSynced(fsys, tmp, data); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), fsys.RemoveAll(tmp))
	}
	if err := fsys.Rename(tmp, name); err != nil {
		return errors.Join(fmt.Errorf("write %s: %w", name, err), fsys.RemoveAll(tmp))
	}
	return fsys.SyncDir(path.Clean(dir))
}

func writeSynced(fsys FS, name string, data []byte) error {
	f, err := fsys.Create(name)
	if err != nil {
		return err
	}
	if _, err := f.Write(data); err != nil {
		return errors.Join(err, f.Close())
	}
	return errors.Join(f.Sync(), f.Close())
}

// ReadFile reads a whole file.
func ReadFile(fsys FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // opened for reading only
	return io.ReadAll(f)
}
