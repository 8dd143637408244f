package journal

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"path"
	"strconv"
	"strings"
	"sync"

	"github.com/marisma/marisma/internal/vfs"
)

// Families of errors.
var (
	// ErrCorrupt: the file is not a journal, or a record that was synced is damaged.
	ErrCorrupt = errors.New("journal: corrupt")
	// ErrNewer: a newer Marisma wrote the file.
	ErrNewer = errors.New("journal: written by a newer version")
	// ErrFailed: a write or fsync failed; the journal must be opened again.
	ErrFailed = errors.New("journal: failed")
	// ErrOrder: a record does not fit what the flow is doing.
	ErrOrder = errors.New("journal: out of order")
	// ErrClosed: the journal is closed.
	ErrClosed = errors.New("journal: closed")
)

const (
	magic      = "MRSJRNL"
	version    = 1
	headerSize = len(magic) + 1
	frameSize  = 8       // length and checksum
	maxRecord  = 1 << 30 // bytes; beyond it a length is damage
	filePrefix = "journal-"
)

// Config says where a journal lies.
type Config struct {
	FS  vfs.FS
	Dir string
	// CompactBytes is the size from which the file is replaced by one that
	// begins with a checkpoint; 0 is 4 MiB.
	CompactBytes int64
}

// Journal is an open journal. See the package comment.
type Journal struct {
	cfg Config

	mu      sync.Mutex
	synced  *sync.Cond // a round of the group commit ended
	st      state      // of the synced records
	pending []entry    // encoded, waiting for the next round
	leading bool       // a round is under way
	err     error      // why nothing can be appended any more

	// Owned by the leader of the round.
	file vfs.File
	seq  uint64
	size int64
	base int64 // size of the file right after its checkpoint
	buf  []byte
}

// entry is a record on its way to the disk.
type entry struct {
	rec   any
	frame []byte
	done  *outcome
}

type outcome struct {
	over bool
	err  error
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Open opens the journal of a folder, making both if need be, and cuts off a
// torn end.
func Open(cfg Config) (*Journal, error) {
	if cfg.CompactBytes <= 0 {
		cfg.CompactBytes = 4 << 20
	}
	if err := makeDir(cfg.FS, cfg.Dir); err != nil {
		return nil, err
	}
	j := &Journal{cfg: cfg}
	j.synced = sync.NewCond(&j.mu)
	seqs, stale, err := j.list()
	if err != nil {
		return nil, err
	}
	for _, name := range stale {
		if err := cfg.FS.Remove(path.Join(cfg.Dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
	}
	if len(seqs) == 0 {
		if err := j.rewrite(); err != nil {
			return nil, err
		}
		return j, nil
	}
	if err := j.load(seqs[len(seqs)-1]); err != nil {
		return nil, err
	}
	// An older file is left where a crash came between making the newer one
	// and removing it.
	for _, s := range seqs[:len(seqs)-1] {
		if err := cfg.FS.Remove(j.name(s)); err != nil {
			return nil, err
		}
	}
	return j, nil
}

// makeDir makes a folder whose name survives a crash.
func makeDir(fsys vfs.FS, dir string) error {
	if err := fsys.MkdirAll(dir); err != nil {
		return err
	}
	for d := dir; d != "." && d != "/"; {
		d = path.Dir(d)
		if err := fsys.SyncDir(d); err != nil {
			return err
		}
	}
	return nil
}

func (j *Journal) name(seq uint64) string {
	return path.Join(j.cfg.Dir, fmt.Sprintf("%s%010d", filePrefix, seq))
}

// list gives the numbers of the journal files, ascending, and leftovers.
func (j *Journal) list() (seqs []uint64, stale []string, err error) {
	entries, err := j.cfg.FS.ReadDir(j.cfg.Dir)
	if err != nil {
		return nil, nil, err
	}
	for _, e := range entries {
		text, ok := strings.CutPrefix(e.Name(), filePrefix)
		if !ok {
			continue
		}
		if strings.HasSuffix(text, ".tmp") {
			stale = append(stale, e.Name())
			continue
		}
		n, err := strconv.ParseUint(text, 10, 64)
		if err != nil {
			return nil, nil, fmt.Errorf("%w: %s is no journal's name", ErrCorrupt, e.Name())
		}
		seqs = append(seqs, n)
	}
	return seqs, stale, nil
}

// load reads a file's records and cuts off what follows the last whole one.
func (j *Journal) load(seq uint64) error {
	name := j.name(seq)
	data, err := vfs.ReadFile(j.cfg.FS, name)
	if err != nil {
		return err
	}
	if len(data) < headerSize || string(data[:len(magic)]) != magic {
		return fmt.Errorf("%w: %s does not begin as a journal", ErrCorrupt, name)
	}
	if v := data[len(magic)]; v != version {
		return fmt.Errorf("%w: %s has format %d, this version reads %d", ErrNewer, name, v, version)
	}
	pos := headerSize
	for n := 0; ; n++ {
		k, body, size, ok := next(data[pos:])
		if !ok {
			break
		}
		rec, err := decode(k, body)
		if err != nil {
			return fmt.Errorf("%s at byte %d: %w", name, pos, err)
		}
		if n == 0 != (k == kindCheckpoint) {
			return fmt.Errorf("%w: %s at byte %d: a checkpoint stands first and only there", ErrCorrupt, name, pos)
		}
		if err := j.st.check(rec); err != nil {
			return fmt.Errorf("%w: %s at byte %d: %w", ErrCorrupt, name, pos, err)
		}
		j.st.apply(rec)
		pos += size
		if n == 0 {
			j.base = int64(pos)
		}
	}
	if j.base == 0 {
		return fmt.Errorf("%w: %s has no checkpoint", ErrCorrupt, name)
	}
	return j.resume(name, seq, int64(pos), int64(len(data)))
}

// resume opens the file for appending at its valid end.
func (j *Journal) resume(name string, seq uint64, end, size int64) error {
	f, err := j.cfg.FS.OpenRW(name)
	if err != nil {
		return err
	}
	if end < size {
		err = f.Truncate(end)
		if err == nil {
			err = f.Sync()
		}
	}
	if err != nil {
		return errors.Join(err, f.Close())
	}
	j.file, j.seq, j.size = f, seq, end
	return nil
}

// next cuts the first record off data; ok is false where there is no whole one.
func next(data []byte) (k kind, body []byte, size int, ok bool) {
	if len(data) < frameSize+1 {
		return 0, nil, 0, false
	}
	n := binary.LittleEndian.Uint32(data)
	if n == 0 || n > maxRecord || uint64(len(data)-frameSize) < uint64(n) {
		return 0, nil, 0, false
	}
	payload := data[frameSize : frameSize+int(n)]
	if checksum(data[:4], payload) != binary.LittleEndian.Uint32(data[4:]) {
		return 0, nil, 0, false
	}
	return kind(payload[0]), payload[1:], frameSize + int(n), true
}

// checksum covers the length too, so that a damaged length is seen.
func checksum(length, payload []byte) uint32 {
	return crc32.Update(crc32.Checksum(length, castagnoli), castagnoli, payload)
}

// frame encodes a record.
func frame(k kind, rec any) ([]byte, error) {
	body, err := json.Marshal(rec)
	if err != nil {
		return nil, err
	}
	if len(body) >= maxRecord {
		return nil, fmt.Errorf("journal: record of %d bytes is too large", len(body))
	}
	out := make([]byte, frameSize+1, frameSize+1+len(body))
	binary.LittleEndian.PutUint32(out, uint32(len(body)+1))
	out[frameSize] = byte(k)
	out = append(out, body...)
	binary.LittleEndian.PutUint32(out[4:], checksum(out[:4], out[frameSize:]))
	return out, nil
}

// Flow is what the journal knows of a flow; false where it has not begun.
func (j *Journal) Flow(name string) (Flow, bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	f := j.st.Flows[name]
	if f == nil {
		return Flow{}, false
	}
	return *f, true
}

// Flows are the names of all flows that have begun, in no order.
func (j *Journal) Flows() []string {
	j.mu.Lock()
	defer j.mu.Unlock()
	out := make([]string, 0, len(j.st.Flows))
	for name := range j.st.Flows {
		out = append(out, name)
	}
	return out
}

// Begin starts a checkpoint. Like all appends it returns when the record is durable.
func (j *Journal) Begin(r Begin) error { return j.append(kindBegin, &r) }

// Ready confirms that a flow's tables are empty.
func (j *Journal) Ready(r Ready) error { return j.append(kindReady, &r) }

// Change notes another query.
func (j *Journal) Change(r Change) error { return j.append(kindChange, &r) }

// Plan notes what a batch is going to do.
func (j *Journal) Plan(r Plan) error { return j.append(kindPlan, &r) }

// Prepare notes that a batch's files are durable.
func (j *Journal) Prepare(r Prepared) error { return j.append(kindPrepared, &r) }

// Abandon takes back a plan that was not prepared.
func (j *Journal) Abandon(r Abandon) error { return j.append(kindAbandon, &r) }

// Done ends a batch.
func (j *Journal) Done(r Done) error { return j.append(kindDone, &r) }

// Close waits for the round under way and closes the file.
func (j *Journal) Close() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	for j.leading {
		j.synced.Wait()
	}
	if errors.Is(j.err, ErrClosed) {
		return nil
	}
	j.err = ErrClosed
	return j.file.Close()
}
