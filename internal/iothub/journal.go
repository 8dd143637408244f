package iothub

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"

	"github.com/marisma/marisma/internal/vfs"
)

// line is one line of the registry's file: a device as it is from here on, or
// the ID of one that is gone.
type line struct {
	Device  *Device `json:"device,omitempty"`
	Removed string  `json:"removed,omitempty"`
}

// journal is the registry's file: JSON lines, appended and synced one change
// at a time, written anew when most of it is history. The caller orders calls.
type journal struct {
	fs    vfs.FS
	name  string
	f     vfs.File
	size  int64 // what is known to be good
	lines int
	dirty bool // what lies behind size is unknown: write anew before the next change
}

// open reads the lines. A last line that was cut by a crash was never
// acknowledged and is dropped; a bad line before it is an error.
func (j *journal) open(take func(line)) error {
	data, err := vfs.ReadFile(j.fs, j.name)
	if errors.Is(err, fs.ErrNotExist) {
		return j.rewrite(nil)
	}
	if err != nil {
		return err
	}
	for len(data) > 0 {
		text, rest, whole := bytes.Cut(data, []byte{'\n'})
		var l line
		err := json.Unmarshal(text, &l)
		if err == nil && l.Device == nil && l.Removed == "" {
			err = errors.New("neither a device nor a removal")
		}
		if !whole || err != nil && len(rest) == 0 {
			j.dirty = true
			break
		}
		if err != nil {
			return fmt.Errorf("%s is damaged at byte %d: %w", j.name, j.size, err)
		}
		take(l)
		j.lines++
		j.size += int64(len(text)) + 1
		data = rest
	}
	if j.f, err = j.fs.OpenRW(j.name); err != nil {
		return err
	}
	if j.dirty {
		if err := j.f.Truncate(j.size); err != nil {
			return err
		}
		if err := j.f.Sync(); err != nil {
			return err
		}
		j.dirty = false
	}
	return nil
}

func encode(lines []line) ([]byte, error) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for _, l := range lines {
		if err := enc.Encode(l); err != nil {
			return nil, err
		}
	}
	return b.Bytes(), nil
}

// rewrite replaces the file by lines, durably and at once.
func (j *journal) rewrite(lines []line) error {
	data, err := encode(lines)
	if err != nil {
		return err
	}
	if err := j.close(); err != nil {
		return err
	}
	if err := vfs.WriteFile(j.fs, j.name, data); err != nil {
		return err
	}
	if j.f, err = j.fs.OpenRW(j.name); err != nil {
		return err
	}
	j.size, j.lines, j.dirty = int64(len(data)), len(lines), false
	return nil
}

// add appends lines and syncs. After an error nobody knows what is on the
// disk, so the next change first writes all anew as current gives it.
func (j *journal) add(lines []line, current func() []line) error {
	if j.dirty || j.f == nil {
		if err := j.rewrite(current()); err != nil {
			return err
		}
	}
	data, err := encode(lines)
	if err != nil {
		return err
	}
	j.dirty = true
	n, err := j.f.WriteAt(data, j.size)
	if err == nil && n < len(data) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return err
	}
	if err := j.f.Sync(); err != nil {
		return err
	}
	j.dirty = false
	j.size += int64(len(data))
	j.lines += len(lines)
	return nil
}

func (j *journal) close() error {
	if j.f == nil {
		return nil
	}
	f := j.f
	j.f = nil
	return f.Close()
}
