package eventlog

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io/fs"
	"sort"

	"github.com/marisma/marisma/internal/vfs"
)

var errNotExist = fs.ErrNotExist

// entry is a place in a segment where a batch starts.
type entry struct {
	offset  int64
	pos     int64
	maxTime int64 // greatest timestamp of the segment's records before offset
}

// findOffset gives the position to scan from for offset.
func findOffset(idx []entry, offset int64) int64 {
	i := sort.Search(len(idx), func(i int) bool { return idx[i].offset > offset })
	if i == 0 {
		return 0
	}
	return idx[i-1].pos
}

// findTime gives the position to scan from for the first record with a
// timestamp >= ms.
func findTime(idx []entry, ms int64) int64 {
	i := sort.Search(len(idx), func(i int) bool { return idx[i].maxTime >= ms })
	if i == 0 {
		return 0
	}
	return idx[i-1].pos
}

// Index files: entries, then a footer. The two files have as many entries;
// .index holds (offset less base, position), .timeindex (maxTime, offset less
// base), as in Kafka.
const (
	indexEntry  = 8
	timeEntry   = 12
	footerSize  = 48
	footerMagic = 0x4d525349 // "MRSI"
	maxEntries  = maxFile / batchOverhead
)

// footer says what an index covers.
type footer struct {
	count     int
	next      int64 // offset after the last record covered
	size      int64 // bytes of the log covered
	maxTime   int64
	entryHash uint32
}

// putFooter appends f, closed by its own checksum.
func putFooter(b []byte, f footer) []byte {
	be := binary.BigEndian
	at := len(b)
	b = be.AppendUint32(b, footerMagic)
	b = be.AppendUint32(b, 1) // version
	b = be.AppendUint64(b, uint64(f.next))
	b = be.AppendUint64(b, uint64(f.size))
	b = be.AppendUint64(b, uint64(f.maxTime))
	b = be.AppendUint32(b, uint32(f.count))
	b = be.AppendUint32(b, f.entryHash)
	b = be.AppendUint32(b, 0)
	return be.AppendUint32(b, crc32.Checksum(b[at:], castagnoli))
}

// parseFooter reads what putFooter wrote.
func parseFooter(b []byte) (footer, bool) {
	be := binary.BigEndian
	if len(b) != footerSize || be.Uint32(b) != footerMagic || be.Uint32(b[4:]) != 1 ||
		be.Uint32(b[44:]) != crc32.Checksum(b[:44], castagnoli) {
		return footer{}, false
	}
	f := footer{
		next: int64(be.Uint64(b[8:])), size: int64(be.Uint64(b[16:])), maxTime: int64(be.Uint64(b[24:])),
		count: int(be.Uint32(b[32:])), entryHash: be.Uint32(b[36:]),
	}
	return f, f.size >= 0 && f.size <= maxFile && f.count <= maxEntries
}

// writeIndex writes and syncs both index files of a segment.
func writeIndex(fsys vfs.FS, s *segment, entries []entry, size, next, maxTime int64) error {
	be := binary.BigEndian
	ib := make([]byte, 0, len(entries)*indexEntry+footerSize)
	tb := make([]byte, 0, len(entries)*timeEntry+footerSize)
	for _, e := range entries {
		ib = be.AppendUint32(ib, uint32(e.offset-s.base))
		ib = be.AppendUint32(ib, uint32(e.pos))
		tb = be.AppendUint64(tb, uint64(e.maxTime))
		tb = be.AppendUint32(tb, uint32(e.offset-s.base))
	}
	f := footer{count: len(entries), next: next, size: size, maxTime: maxTime}
	f.entryHash = crc32.Checksum(ib, castagnoli)
	if err := writeSynced(fsys, s.name(indexSuffix), putFooter(ib, f)); err != nil {
		return err
	}
	f.entryHash = crc32.Checksum(tb, castagnoli)
	return writeSynced(fsys, s.name(timeSuffix), putFooter(tb, f))
}

// writeSynced writes a file in place: an index that a crash tears fails its
// checksum and is built again.
func writeSynced(fsys vfs.FS, name string, data []byte) error {
	f, err := fsys.Create(name)
	if err != nil {
		return err
	}
	if _, err = f.Write(data); err == nil {
		err = f.Sync()
	}
	if e := f.Close(); err == nil {
		err = e
	}
	return err
}

// readFooter reads a segment's index footer without its entries.
func readFooter(fsys vfs.FS, s *segment) (footer, bool) {
	f, err := fsys.Open(s.name(indexSuffix))
	if err != nil {
		return footer{}, false
	}
	defer f.Close() //nolint:errcheck // only read
	size, err := f.Size()
	if err != nil || size < footerSize {
		return footer{}, false
	}
	var b [footerSize]byte
	if n, _ := f.ReadAt(b[:], size-footerSize); n != footerSize {
		return footer{}, false
	}
	ft, ok := parseFooter(b[:])
	return ft, ok && size == int64(ft.count)*indexEntry+footerSize && ft.next >= s.base
}

// readIndex loads both index files; ok is false unless they are whole, agree,
// and their entries ascend within what they cover.
func readIndex(fsys vfs.FS, s *segment) (entries []entry, ft footer, ok bool) {
	ib, fi, ok1 := readIndexFile(fsys, s.name(indexSuffix), indexEntry)
	tb, ftm, ok2 := readIndexFile(fsys, s.name(timeSuffix), timeEntry)
	if !ok1 || !ok2 || fi.count != ftm.count || fi.next != ftm.next || fi.size != ftm.size || fi.maxTime != ftm.maxTime {
		return nil, footer{}, false
	}
	be := binary.BigEndian
	entries = make([]entry, fi.count)
	for i := range entries {
		e := entry{
			offset:  s.base + int64(be.Uint32(ib[i*indexEntry:])),
			pos:     int64(be.Uint32(ib[i*indexEntry+4:])),
			maxTime: int64(be.Uint64(tb[i*timeEntry:])),
		}
		if s.base+int64(be.Uint32(tb[i*timeEntry+8:])) != e.offset || e.offset >= fi.next || e.pos >= fi.size ||
			i > 0 && (e.offset <= entries[i-1].offset || e.pos <= entries[i-1].pos || e.maxTime < entries[i-1].maxTime) {
			return nil, footer{}, false
		}
		entries[i] = e
	}
	return entries, fi, true
}

// readIndexFile reads one index file and checks it.
func readIndexFile(fsys vfs.FS, name string, width int) ([]byte, footer, bool) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, footer{}, false
	}
	defer f.Close() //nolint:errcheck // only read
	size, err := f.Size()
	if err != nil || size < footerSize || size > maxEntries*int64(width)+footerSize {
		return nil, footer{}, false
	}
	b := make([]byte, size)
	if n, _ := f.ReadAt(b, 0); n != len(b) {
		return nil, footer{}, false
	}
	body := b[:len(b)-footerSize]
	ft, ok := parseFooter(b[len(body):])
	if !ok || len(body) != ft.count*width || crc32.Checksum(body, castagnoli) != ft.entryHash {
		return nil, footer{}, false
	}
	return body, ft, true
}

// entriesOf gives a segment's index, from memory, its files, or, where those
// are torn, from the log itself (the files are then written anew).
func (l *Log) entriesOf(s *segment) ([]entry, error) {
	if idx := s.index.Load(); idx != nil {
		return *idx, nil
	}
	entries, ft, ok := readIndex(l.cfg.FS, s)
	if ok && ft.size == s.size.Load() {
		l.cacheIndex(s, entries)
		return entries, nil
	}
	b, err := scanSegment(l.cfg.FS, s, l.gap(), s.next.Load())
	if err != nil {
		return nil, fmt.Errorf("eventlog: rebuild index: %w", err)
	}
	l.log.Warn("index rebuilt", "segment", s.name(logSuffix))
	if err := writeIndex(l.cfg.FS, s, b.entries, b.pos, b.next, b.maxTime); err != nil {
		l.log.Warn("index not written", "segment", s.name(indexSuffix), "error", err)
	}
	l.cacheIndex(s, b.entries)
	return b.entries, nil
}

// maxCached bounds the sealed segments whose index stays in memory.
const maxCached = 64

// cacheIndex keeps the index of a sealed segment, in place of the one that
// was loaded longest ago.
func (l *Log) cacheIndex(s *segment, entries []entry) {
	l.cacheMu.Lock()
	defer l.cacheMu.Unlock()
	if !s.index.CompareAndSwap(nil, &entries) {
		return
	}
	l.cached = append(l.cached, s)
	if len(l.cached) > maxCached {
		l.cached[0].index.Store(nil)
		l.cached = append(l.cached[:0], l.cached[1:]...)
	}
}
