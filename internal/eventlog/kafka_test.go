package eventlog

import (
	"bytes"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"

	"github.com/marisma/marisma/internal/vfs"
)

// randomRecord draws from the corners: null, empty, small, large, odd times.
func randomRecord(rng *rand.Rand) Record {
	blob := func() []byte {
		switch rng.IntN(6) {
		case 0:
			return nil
		case 1:
			return []byte{}
		}
		b := make([]byte, rng.IntN(1<<rng.IntN(11)))
		for i := range b {
			b[i] = byte(rng.Uint32())
		}
		return b
	}
	r := Record{Key: blob(), Value: blob(), Timestamp: rng.Int64N(1 << 41)}
	for range rng.IntN(5) {
		r.Headers = append(r.Headers, Header{Key: string(blob()), Value: blob()})
	}
	return r
}

// A Kafka client decodes what lies on disk: offsets, times, headers, nulls.
func TestKafkaClientReadsTheStoredBatches(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	fsys := vfs.NewMem()
	l, stop := running(t, Config{FS: fsys, Partitions: 1, BatchBytes: 32 << 10})
	var want []Record
	for range 60 {
		var recs []Record
		for range 1 + rng.IntN(40) {
			recs = append(recs, randomRecord(rng))
		}
		mustAppend(t, l, 0, recs...)
		want = append(want, recs...)
	}
	stop()
	raw, err := vfs.ReadFile(fsys, "hub/log/0/00000000000000000000.log")
	if err != nil {
		t.Fatal(err)
	}
	part := &kmsg.FetchResponseTopicPartition{RecordBatches: raw, HighWatermark: int64(len(want))}
	fp, next := kgo.ProcessFetchPartition(kgo.ProcessFetchPartitionOpts{}, part, kgo.DefaultDecompressor(), nil)
	if fp.Err != nil || next != int64(len(want)) || len(fp.Records) != len(want) {
		t.Fatalf("kgo: %d of %d records, next %d, %v", len(fp.Records), len(want), next, fp.Err)
	}
	for i, r := range fp.Records {
		got := Record{Key: r.Key, Value: r.Value, Timestamp: r.Timestamp.UnixMilli()}
		for _, h := range r.Headers {
			got.Headers = append(got.Headers, Header{Key: h.Key, Value: h.Value})
		}
		if d := cmp.Diff(want[i], got); d != "" || r.Offset != int64(i) {
			t.Fatalf("record %d (offset %d): %s", i, r.Offset, d)
		}
	}
	checkHeaders(t, raw, want)
}

// checkHeaders compares each batch's header fields with kmsg's view of them.
func checkHeaders(t *testing.T, raw []byte, want []Record) {
	t.Helper()
	offset := int64(0)
	for len(raw) > 0 {
		h, ok := parseHeader(raw)
		if !ok || !h.intact(raw[:h.size]) {
			t.Fatal("own batch not understood")
		}
		var b kmsg.RecordBatch
		if err := b.ReadFrom(raw[:h.size]); err != nil {
			t.Fatal(err)
		}
		top := want[offset].Timestamp
		for _, r := range want[offset : offset+int64(b.NumRecords)] {
			top = max(top, r.Timestamp)
		}
		if b.FirstOffset != offset || b.Magic != 2 || b.Attributes != 0 || b.ProducerID != -1 || b.ProducerEpoch != -1 || b.FirstSequence != -1 ||
			b.FirstTimestamp != want[offset].Timestamp || b.MaxTimestamp != top || b.LastOffsetDelta != b.NumRecords-1 ||
			int(b.NumRecords) != h.count || b.MaxTimestamp != h.maxTime {
			t.Fatalf("batch at %d: %+v", offset, b)
		}
		offset += int64(b.NumRecords)
		raw = raw[h.size:]
	}
	if offset != int64(len(want)) {
		t.Fatalf("batches hold %d records of %d", offset, len(want))
	}
}

// What another Kafka codec writes, this decoder reads.
func TestDecoderReadsForeignBatches(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		want := make([]Record, 1+rng.IntN(20))
		var body []byte
		base := rng.Int64N(1 << 41)
		for i := range want {
			want[i] = randomRecord(rng)
			body = foreignRecord(&want[i], i, base).AppendTo(body)
		}
		b := kmsg.RecordBatch{
			FirstOffset: 77, Length: int32(49 + len(body)), Magic: 2, LastOffsetDelta: int32(len(want) - 1), FirstTimestamp: base,
			ProducerID: -1, ProducerEpoch: -1, FirstSequence: -1, NumRecords: int32(len(want)), Records: body,
		}
		raw := b.AppendTo(nil)
		h, ok := parseHeader(raw)
		if !ok || h.size != len(raw) {
			t.Fatalf("header not understood: %+v of %d bytes", h, len(raw))
		}
		var d decoder
		var got []Record
		if _, err := d.each(&h, raw, 0, 1<<62, func(o int64, r *Record) bool {
			if o != 77+int64(len(got)) {
				t.Errorf("offset %d", o)
			}
			got = append(got, r.clone())
			return true
		}); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Fatal(diff)
		}
	}
}

func foreignRecord(r *Record, i int, base int64) *kmsg.Record {
	k := &kmsg.Record{TimestampDelta64: r.Timestamp - base, OffsetDelta: int32(i), Key: r.Key, Value: r.Value}
	for _, h := range r.Headers {
		k.Headers = append(k.Headers, kmsg.Header{Key: h.Key, Value: h.Value})
	}
	k.Length = int32(len(k.AppendTo(nil)) - 1) // as the length 0 takes one byte
	return k
}

func TestReadBatchesGivesWholeBatches(t *testing.T) {
	l, _ := running(t, Config{Partitions: 1, BatchBytes: 300, SegmentBytes: 2000})
	for i := range 50 {
		mustAppend(t, l, 0, text(string(bytes.Repeat([]byte{byte('a' + i%26)}, 50)), "y")...)
	}
	for _, bound := range []int{0, 1, 500, 1 << 20} {
		offset := int64(0)
		for at := int64(1); at < 100; {
			raw, err := l.ReadBatches(t.Context(), 0, at, bound)
			if err != nil || len(raw) == 0 {
				t.Fatalf("ReadBatches(%d): %d bytes, %v", at, len(raw), err)
			}
			if h, _ := parseHeader(raw); len(raw) > max(bound, h.size) {
				t.Fatalf("%d bytes, the bound is %d", len(raw), bound)
			}
			for len(raw) > 0 {
				h, ok := parseHeader(raw)
				if !ok || h.base != offset || !h.intact(raw) {
					t.Fatalf("batch at %d: %+v", offset, h)
				}
				offset, at = h.next(), h.next()
				raw = raw[h.size:]
			}
		}
	}
	if raw, err := l.ReadBatches(t.Context(), 0, 100, 10); err != nil || len(raw) != 0 {
		t.Errorf("at the end: %d bytes, %v", len(raw), err)
	}
}
