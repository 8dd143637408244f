package vfs

import (
	"errors"
	"os"

	"golang.org/x/sys/unix"
)

// onlyDir makes open refuse what is no folder.
const onlyDir = unix.O_DIRECTORY

// onFD runs f on the file's descriptor, again while a signal interrupts it.
func onFD(file *os.File, f func(fd int) error) error {
	raw, err := file.SyscallConn()
	if err != nil {
		return err
	}
	var ferr error
	err = raw.Control(func(fd uintptr) {
		for {
			if ferr = f(int(fd)); !errors.Is(ferr, unix.EINTR) {
				return
			}
		}
	})
	if err != nil {
		return err
	}
	return ferr
}

func datasync(f *os.File) error { return onFD(f, unix.Fdatasync) }

func fallocate(f *os.File, size int64) error {
	return onFD(f, func(fd int) error { return unix.Fallocate(fd, 0, 0, size) })
}
