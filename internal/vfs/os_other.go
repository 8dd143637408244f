//go:build !linux

package vfs

import (
	"errors"
	"os"
)

const onlyDir = 0

func datasync(f *os.File) error { return f.Sync() }

func fallocate(*os.File, int64) error { return errors.ErrUnsupported }
