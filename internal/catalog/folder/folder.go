package folder

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"

	"github.com/marisma/marisma/internal/vfs"
)

// Format is the format of data folders that this version writes.
const Format = 1

const (
	lockName  = "lock"
	stampName = "marisma.json"
)

// Families of errors.
var (
	// ErrInUse: another process owns the folder; the error tells its id.
	ErrInUse = errors.New("the data folder is in use")
	// ErrNewer: the folder was written by a later version.
	ErrNewer = errors.New("the data folder was written by a newer version of Marisma")
	// ErrForeign: the folder holds files, but is no data folder.
	ErrForeign = errors.New("not a data folder of Marisma")
)

// Stamp is the content of marisma.json.
type Stamp struct {
	Format  int       `json:"format"`
	ID      string    `json:"id"` // UUID
	Created time.Time `json:"created"`
}

// Folder is a data folder that this process owns until Close.
type Folder struct {
	path  string
	lock  *os.File
	fs    vfs.FS
	stamp Stamp
}

// Open makes or opens the data folder path and takes its lock: ErrInUse,
// ErrNewer or ErrForeign where it cannot.
func Open(path string) (*Folder, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("data folder %s: %w", path, err)
	}
	f := &Folder{path: abs, fs: vfs.NewOS(abs)}
	if err := f.open(); err != nil {
		if f.lock != nil {
			err = errors.Join(err, f.lock.Close())
		}
		return nil, fmt.Errorf("data folder %s: %w", abs, err)
	}
	return f, nil
}

func (f *Folder) open() error {
	if err := f.fs.MkdirAll("."); err != nil {
		return err
	}
	lock, err := os.OpenFile(f.Path(lockName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	f.lock = lock
	if err := flock(lock, unix.LOCK_EX); err != nil {
		return inUse(lock, err)
	}
	if f.stamp, err = readStamp(f.fs); errors.Is(err, fs.ErrNotExist) {
		err = f.begin()
	}
	if err != nil {
		return err
	}
	if err := lock.Truncate(0); err != nil {
		return err
	}
	_, err = lock.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return err
}

// begin stamps a folder that is still empty.
func (f *Folder) begin() error {
	entries, err := f.fs.ReadDir(".")
	if err != nil {
		return err
	}
	for _, e := range entries {
		if n := e.Name(); n != lockName && !strings.HasPrefix(n, ".tmp-") {
			return fmt.Errorf("%w: it holds %s but no %s; name an empty folder", ErrForeign, n, stampName)
		}
	}
	f.stamp = Stamp{Format: Format, ID: uuid.NewString(), Created: time.Now().UTC().Truncate(time.Second)}
	data, err := json.MarshalIndent(f.stamp, "", "  ")
	if err != nil {
		return err
	}
	return vfs.WriteFile(f.fs, stampName, append(data, '\n'))
}

func readStamp(fsys vfs.FS) (Stamp, error) {
	data, err := vfs.ReadFile(fsys, stampName)
	if err != nil {
		return Stamp{}, err
	}
	var s Stamp
	if err := json.Unmarshal(data, &s); err != nil || s.Format < 1 {
		return Stamp{}, fmt.Errorf("%s is damaged: restore it from a backup, or name another folder", stampName)
	}
	if s.Format > Format {
		return s, fmt.Errorf("%w (format %d, this one knows %d): run that version, or name another folder", ErrNewer, s.Format, Format)
	}
	return s, nil
}

// flock takes a lock without waiting.
func flock(f *os.File, how int) error {
	raw, err := f.SyscallConn()
	if err != nil {
		return err
	}
	var lerr error
	err = raw.Control(func(fd uintptr) {
		for {
			if lerr = unix.Flock(int(fd), how|unix.LOCK_NB); !errors.Is(lerr, unix.EINTR) {
				return
			}
		}
	})
	return errors.Join(err, lerr)
}

func inUse(lock *os.File, err error) error {
	if !errors.Is(err, unix.EWOULDBLOCK) {
		return err
	}
	if pid := owner(lock); pid > 0 {
		return fmt.Errorf("%w by process %d: stop it first, or name another folder", ErrInUse, pid)
	}
	return fmt.Errorf("%w by another process: stop it first, or name another folder", ErrInUse)
}

// owner is the process id in the lock file, 0 where there is none.
func owner(lock io.ReaderAt) int {
	b := make([]byte, 32)
	n, _ := lock.ReadAt(b, 0)
	pid, err := strconv.Atoi(strings.TrimSpace(string(b[:n])))
	if err != nil {
		return 0
	}
	return pid
}

// FS is the file system rooted in the folder.
func (f *Folder) FS() vfs.FS { return f.fs }

// Path is the absolute path of what lies in the folder.
func (f *Folder) Path(elem ...string) string {
	return filepath.Join(append([]string{f.path}, elem...)...)
}

// Stamp tells the folder's format, id and date.
func (f *Folder) Stamp() Stamp { return f.stamp }

// Close gives the lock back.
func (f *Folder) Close() error {
	return errors.Join(f.lock.Truncate(0), f.lock.Close())
}

// State is what Peek finds.
type State struct {
	Exists bool  // the folder is a data folder
	Stamp  Stamp // zero where it is not, or cannot be read
	InUse  bool
	PID    int // the owner's, 0 where unknown or not in use
}

// Peek looks at a folder without owning or changing it. An error says what is
// wrong with it (ErrNewer, damaged); the state is filled as far as known.
func Peek(path string) (State, error) {
	var st State
	lock, err := os.Open(filepath.Join(path, lockName))
	switch {
	case err == nil:
		if flock(lock, unix.LOCK_SH) != nil {
			st.InUse, st.PID = true, owner(lock)
		}
		if err := lock.Close(); err != nil {
			return st, err
		}
	case !errors.Is(err, fs.ErrNotExist):
		return st, err
	}
	st.Stamp, err = readStamp(vfs.NewOS(path))
	if errors.Is(err, fs.ErrNotExist) {
		return st, nil
	}
	st.Exists = true
	return st, err
}
