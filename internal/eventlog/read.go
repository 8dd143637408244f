package eventlog

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"sort"
)

// reader is the memory of one Read.
type reader struct {
	scan scan
	head header // of the current batch, so that none escapes per batch
	dec  decoder
}

// maxPooled is the largest buffer that is kept for the next Read.
const maxPooled = 4 << 20

// How many batches of a partition (BatchBytes each) and readers are kept for
// the next use: as much as MaxPending lets wait by default.
const (
	spareBatches = 4
	spareReaders = 4
)

func (l *Log) putReader(r *reader) {
	r.scan.file = nil
	if len(r.scan.buf) <= maxPooled {
		l.readers.put(r)
	}
}

// Read calls f for each record with from <= offset < to, in order; to beyond
// End means End. The Record and all it points to are valid during the call
// only. f returns false to stop. ErrOutOfRange says that from is not in
// [Start, End], also where retention overtakes a slow Read. Reads take no
// lock and use at most a batch and a half MiB of memory.
func (l *Log) Read(ctx context.Context, partition int, from, to int64, f func(offset int64, r *Record) bool) error {
	return l.read(ctx, partition, from, to, false, f)
}

// ReadBare is Read for who does not ask for headers: they are not decoded, and
// the records have none.
func (l *Log) ReadBare(ctx context.Context, partition int, from, to int64, f func(offset int64, r *Record) bool) error {
	return l.read(ctx, partition, from, to, true, f)
}

func (l *Log) read(ctx context.Context, partition int, from, to int64, bare bool, f func(offset int64, r *Record) bool) error {
	p, err := l.partition(partition)
	if err != nil {
		return err
	}
	r := l.readers.get()
	defer l.putReader(r)
	r.dec.bare = bare
	return l.batchesOf(ctx, p, r, from, to, func(h *header, raw []byte) (bool, error) {
		more, err := r.dec.each(h, raw, from, to, f)
		if err != nil {
			err = fmt.Errorf("%w: partition %d, batch at offset %d", err, p.id, h.base)
		}
		return more, err
	})
}

// ReadBatches gives whole stored batches as they lie on disk, from the one
// that holds from, at most maxBytes but at least one. They are the caller's.
// It returns nothing where from is End; it may stop at a segment's end.
func (l *Log) ReadBatches(ctx context.Context, partition int, from int64, maxBytes int) ([]byte, error) {
	p, err := l.partition(partition)
	if err != nil {
		return nil, err
	}
	var out []byte
	r := l.readers.get()
	defer l.putReader(r)
	err = l.batchesOf(ctx, p, r, from, math.MaxInt64, func(h *header, raw []byte) (bool, error) {
		if len(out) > 0 && len(out)+h.size > maxBytes {
			return false, nil
		}
		if out == nil { // room for what follows in the segment, as far as asked for
			out = make([]byte, 0, max(h.size, min(maxBytes, h.size+int(r.scan.limit-r.scan.pos))))
		}
		out = append(out, raw...)
		return len(out) < maxBytes, nil
	})
	return out, err
}

// OffsetForTime is the offset of the first record with a timestamp >= ms,
// End where there is none.
func (l *Log) OffsetForTime(partition int, ms int64) (offset int64, err error) {
	p, err := l.partition(partition)
	if err != nil {
		return 0, err
	}
	end := p.end.Load()
	r := l.readers.get()
	defer l.putReader(r)
	for _, s := range *p.segs.Load() {
		if s.maxTime.Load() < ms {
			continue
		}
		r.dec.bare = true
		entries, err := l.entriesOf(s)
		if errors.Is(err, errNotExist) { // expired meanwhile
			continue
		}
		if err != nil {
			return 0, err
		}
		found := int64(-1)
		_, err = l.walkSegment(context.Background(), p, r, s, findTime(entries, ms), -1, end, func(h *header, raw []byte) (bool, error) {
			if h.maxTime < ms {
				return true, nil
			}
			return r.dec.each(h, raw, 0, end, func(o int64, rec *Record) bool {
				if rec.Timestamp >= ms {
					found = o
				}
				return found < 0
			})
		})
		if found >= 0 {
			return found, nil
		}
		if err != nil && !errors.Is(err, errNotExist) {
			return 0, err
		}
	}
	return end, nil
}

// batchesOf calls f for the batches that hold records of [from, to).
func (l *Log) batchesOf(ctx context.Context, p *partition, r *reader, from, to int64, f func(*header, []byte) (bool, error)) error {
	end := p.end.Load() // first: what it covers is in the segments loaded after it
	segs := *p.segs.Load()
	start := end
	if len(segs) > 0 {
		start = segs[0].base
	}
	if from < start || from > end {
		return ErrOutOfRange{Start: start, End: end}
	}
	to = min(to, end)
	if from >= to {
		return ctx.Err()
	}
	i := sort.Search(len(segs), func(i int) bool { return segs[i].base > from }) - 1
	pos, want := int64(0), int64(-1)
	entries, err := l.entriesOf(segs[i])
	if err == nil {
		pos = findOffset(entries, from)
	}
	for ; err == nil && i < len(segs) && segs[i].base < to; i++ {
		if want >= 0 && want != segs[i].base {
			return corruptAt(p, want)
		}
		want, err = l.walkSegment(ctx, p, r, segs[i], pos, from, to, f)
		if want < 0 {
			break
		}
		pos = 0
	}
	switch {
	case errors.Is(err, errNotExist):
		return ErrOutOfRange{Start: p.start(), End: p.end.Load()}
	case err == nil && want >= 0 && want < to:
		return corruptAt(p, want)
	}
	return err
}

func corruptAt(p *partition, offset int64) error {
	return fmt.Errorf("%w: partition %d at offset %d", ErrCorrupt, p.id, offset)
}

// walkSegment calls f for the segment's batches from pos on that end after
// from and start before to. It returns the offset that the next segment has to
// start with, or -1 where there is no more to do.
func (l *Log) walkSegment(ctx context.Context, p *partition, r *reader, s *segment, pos, from, to int64,
	f func(*header, []byte) (bool, error),
) (int64, error) {
	file, err := l.cfg.FS.Open(s.name(logSuffix))
	if err != nil {
		return -1, err
	}
	defer file.Close() //nolint:errcheck // only read
	r.scan.start(file, pos, s.size.Load())
	want := int64(-1)
	if pos == 0 {
		want = s.base
	}
	for {
		if err := ctx.Err(); err != nil {
			return -1, err
		}
		var raw []byte
		var err error
		r.head, raw, err = r.scan.next()
		h := &r.head
		switch {
		case errors.Is(err, io.EOF):
			if want < 0 {
				want = s.next.Load()
			}
			return want, nil
		case errors.Is(err, errTorn), err == nil && want >= 0 && h.base != want:
			return -1, corruptAt(p, max(want, s.base))
		case err != nil:
			return -1, fmt.Errorf("eventlog: %w", err)
		case h.base >= to:
			return -1, nil
		}
		want = h.next()
		if h.next() <= from {
			continue
		}
		more, err := f(h, raw)
		if !more || err != nil {
			return -1, err
		}
		if want >= to {
			return -1, nil
		}
	}
}

// Records copies the records of [from, to) out of the log, at most max of
// them: for callers that are not in a hurry.
func (l *Log) Records(ctx context.Context, partition int, from, to int64, max int) ([]Record, error) {
	var out []Record
	if max <= 0 {
		return nil, nil
	}
	err := l.Read(ctx, partition, from, to, func(_ int64, r *Record) bool {
		out = append(out, r.clone())
		return len(out) < max
	})
	return out, err
}

// clone copies r out of the reader's memory.
func (r *Record) clone() Record {
	c := Record{Key: slices.Clone(r.Key), Value: slices.Clone(r.Value), Timestamp: r.Timestamp}
	for _, h := range r.Headers {
		c.Headers = append(c.Headers, Header{Key: h.Key, Value: slices.Clone(h.Value)})
	}
	return c
}
