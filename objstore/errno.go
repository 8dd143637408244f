package objstore

import (
	"errors"
	"io/fs"
	"syscall"
)

// absent turns "a file stands where the key has a folder" into fs.ErrNotExist.
func absent(err error) error {
	if errors.Is(err, syscall.ENOTDIR) {
		return fs.ErrNotExist
	}
	return err
}
