package eventlog

import (
	"bytes"
	"context"
	"errors"
	"math/rand/v2"
	"testing"

	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/marisma/marisma/internal/vfs"
)

// seedBatch is a small valid batch at offset.
func seedBatch(offset int64, recs ...Record) []byte {
	var b batch
	b.reset()
	for i := range recs {
		b.add(&recs[i], recordBound(&recs[i]))
	}
	b.seal(offset)
	return bytes.Clone(b.buf)
}

// FuzzBatch decodes arbitrary bytes after a valid header, as bit rot behind a
// matching CRC or a foreign writer could leave them: no panic, no record
// outside the batch, and what is decoded encodes to a batch that decodes to
// the same and that kmsg understands.
func FuzzBatch(f *testing.F) {
	rng := rand.New(rand.NewPCG(5, 6))
	f.Add(seedBatch(0, Record{Value: []byte("x")})[batchOverhead:], uint32(1), int64(0))
	f.Add(seedBatch(0, randomRecord(rng), randomRecord(rng), randomRecord(rng))[batchOverhead:], uint32(3), int64(1<<40))
	f.Add([]byte{0x0e, 0, 0, 0, 1, 1, 2, 1}, uint32(2), int64(-1))
	f.Add([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1}, uint32(1), int64(5))
	f.Fuzz(func(t *testing.T, body []byte, count uint32, baseTime int64) {
		var b batch
		b.reset()
		b.buf = append(b.buf, body...)
		b.count, b.base, b.maxTime = int(count), baseTime, baseTime
		b.seal(100)
		h, ok := parseHeader(b.buf)
		if !ok {
			return
		}
		if !h.intact(b.buf) {
			t.Fatal("own CRC does not match")
		}
		var d decoder
		var recs []Record
		want := int64(100)
		_, err := d.each(&h, b.buf, 0, 1<<62, func(o int64, r *Record) bool {
			if o != want {
				t.Fatalf("offset %d, want %d", o, want)
			}
			want++
			recs = append(recs, r.clone())
			return true
		})
		if err != nil {
			if !errors.Is(err, ErrCorrupt) {
				t.Fatal(err)
			}
			return
		}
		if len(recs) != int(count) {
			t.Fatalf("%d records, count is %d", len(recs), count)
		}
		again(t, &d, recs)
	})
}

// again encodes recs and decodes the outcome, here and by kmsg.
func again(t *testing.T, d *decoder, recs []Record) {
	raw := seedBatch(7, recs...)
	h, ok := parseHeader(raw)
	if !ok || h.size != len(raw) {
		t.Fatalf("own batch not understood: %+v", h)
	}
	i := 0
	if _, err := d.each(&h, raw, 0, 1<<62, func(o int64, r *Record) bool {
		w := &recs[i]
		i++
		same := o == int64(6+i) && bytes.Equal(r.Key, w.Key) && bytes.Equal(r.Value, w.Value) && r.Timestamp == w.Timestamp &&
			(r.Key == nil) == (w.Key == nil) && (r.Value == nil) == (w.Value == nil) && len(r.Headers) == len(w.Headers)
		for k := range w.Headers {
			same = same && r.Headers[k].Key == w.Headers[k].Key && bytes.Equal(r.Headers[k].Value, w.Headers[k].Value) &&
				(r.Headers[k].Value == nil) == (w.Headers[k].Value == nil)
		}
		if !same {
			t.Fatalf("record %d: %+v, was %+v", i-1, *r, *w)
		}
		return true
	}); err != nil {
		t.Fatal(err)
	}
	var kb kmsg.RecordBatch
	if err := kb.ReadFrom(raw); err != nil {
		t.Fatalf("kmsg: %v", err)
	}
	rest := kb.Records
	for range recs {
		var kr kmsg.Record
		if err := kr.ReadFrom(rest); err != nil {
			t.Fatalf("kmsg record: %v", err)
		}
		n, at := varint(rest, 0)
		rest = rest[at+int(n):]
	}
	if len(rest) != 0 {
		t.Fatalf("%d bytes behind the records", len(rest))
	}
}

// FuzzRecovery opens a partition whose files hold arbitrary bytes. It opens,
// what it holds is contiguous, it takes appends, and opening it again gives
// the same records and the new ones.
func FuzzRecovery(f *testing.F) {
	one := seedBatch(0, Record{Value: []byte("a"), Timestamp: 1}, Record{Value: []byte("b"), Timestamp: 2})
	two := seedBatch(2, Record{Key: []byte("k"), Value: []byte("c"), Timestamp: 3})
	f.Add(one, two, []byte{}, []byte("1 0 0 0 00000000\n"), uint16(2))
	f.Add(append(bytes.Clone(one), two...), []byte{}, []byte("junk"), []byte{}, uint16(3))
	f.Add(append(bytes.Clone(one), two[:40]...), append(bytes.Clone(two), make([]byte, 300)...), []byte{}, []byte{}, uint16(9))
	f.Add(append(bytes.Clone(one), make([]byte, 100)...), two, putFooter(nil, footer{next: 2, size: int64(len(one)), maxTime: 2}), []byte{}, uint16(2))
	f.Fuzz(func(t *testing.T, first, last, index, point []byte, base uint16) {
		fsys := vfs.NewMem()
		files := map[string][]byte{"log/0/00000000000000000000.log": first, "log/0/00000000000000000000.index": index, "log/0/recovery-point": point}
		if base > 0 {
			files[(&segment{dir: "log/0", base: int64(base)}).name(logSuffix)] = last
		}
		if err := fsys.MkdirAll("log/0"); err != nil {
			t.Fatal(err)
		}
		files["log/log.json"] = []byte(`{"id":"x","partitions":1,"format":1}`)
		for name, data := range files {
			if err := vfs.WriteFile(fsys, name, data); err != nil {
				t.Fatal(err)
			}
		}
		before := fuzzLife(t, fsys)
		after := fuzzLife(t, fsys)
		if len(after) < len(before)+2 {
			t.Fatalf("%d records, then %d", len(before), len(after))
		}
		for o, v := range before {
			if after[o] != v {
				t.Fatalf("offset %d was %q, is %q", o, v, after[o])
			}
		}
	})
}

// fuzzLife opens the log, reads what can be read, appends two records and
// gives what it holds then.
func fuzzLife(t *testing.T, fsys vfs.FS) map[int64]string {
	l, err := Open(Config{FS: fsys, Dir: "log", SegmentBytes: 1 << 12, BatchBytes: 1 << 10})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx) }()
	for _, v := range []string{"new", "newer"} {
		if _, err := l.AppendWait(t.Context(), 0, text(v)); err != nil {
			t.Fatal(err)
		}
	}
	out := map[int64]string{}
	for at := l.Start(0); at < l.End(0); at++ { // each by itself: some may be unreadable
		err := l.Read(t.Context(), 0, at, at+1, func(o int64, r *Record) bool {
			if o != at {
				t.Fatalf("read %d, got %d", at, o)
			}
			out[o] = string(r.Value)
			return true
		})
		if err != nil && !errors.Is(err, ErrCorrupt) {
			t.Fatal(err)
		}
		if _, ok := out[at]; err == nil && !ok {
			t.Fatalf("offset %d: no record and no error", at)
		}
	}
	if _, err := l.OffsetForTime(0, 2); err != nil && !errors.Is(err, ErrCorrupt) {
		t.Fatal(err)
	}
	cancel()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	return out
}
