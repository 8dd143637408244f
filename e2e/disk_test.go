package e2e

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"github.com/rogpeppe/go-internal/testscript"
	"golang.org/x/sys/unix"
)

// canMount tells whether this process may mount a small file system.
func canMount() bool {
	dir, err := os.MkdirTemp("", "marisma-mount-*")
	if err != nil {
		return false
	}
	defer os.RemoveAll(dir)
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=1m"); err != nil {
		return false
	}
	return unix.Unmount(dir, unix.MNT_DETACH) == nil
}

// tmpfs mounts a file system of a size in MiB at a folder until the script ends.
//
//	tmpfs folder mib
func tmpfs(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: tmpfs folder mib")
	}
	dir := ts.MkAbs(args[0])
	ts.Check(os.MkdirAll(dir, 0o700))
	ts.Check(unix.Mount("tmpfs", dir, "tmpfs", 0, "mode=0700,size="+args[1]+"m"))
	ts.Defer(func() { _ = unix.Unmount(dir, unix.MNT_DETACH) })
}

// fill writes a file until the file system is full but for some KiB.
//
//	fill file kib
func fill(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: fill file kib")
	}
	left, err := strconv.Atoi(args[1])
	ts.Check(err)
	f, err := os.Create(ts.MkAbs(args[0]))
	ts.Check(err)
	defer f.Close()
	var st unix.Statfs_t
	ts.Check(unix.Fstatfs(int(f.Fd()), &st))
	size := int64(st.Bavail)*st.Bsize - int64(left)<<10
	if err := unix.Fallocate(int(f.Fd()), 0, 0, size); err != nil && !errors.Is(err, syscall.ENOSPC) {
		ts.Fatalf("%v", fmt.Errorf("fill %d bytes: %w", size, err))
	}
}
