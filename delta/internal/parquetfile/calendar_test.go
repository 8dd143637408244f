package parquetfile

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/arrow-go/v18/parquet/schema"
)

// What Spark 4.2 reads (2.4's files differ in nothing else): Java's
// GregorianCalendar shows the old date, and the new one has its year, month and day.
func TestDaysOfTheOldCalendar(t *testing.T) {
	unix := func(y, m, d int) int32 {
		return int32(floorDiv(time.Date(y, time.Month(m), d, 0, 0, 0, 0, time.UTC).Unix(), 86400))
	}
	for _, c := range []struct {
		old  int32
		want int32
	}{
		{-141427, unix(1582, 10, 15)},
		{-141428, unix(1582, 10, 4)},
		{-171545, unix(1500, 4, 20)},
		{-719164, unix(1, 1, 1)},
		{-719165, unix(0, 12, 31)},
		{0, 0},
	} {
		if got := day(c.old); got != c.want {
			t.Errorf("day %d: %d (%s), want %d", c.old, got, time.Unix(int64(got)*86400, 0).UTC().Format(time.DateOnly), c.want)
		}
	}
	// Each day of the old calendar is one of the new one or the day after, and they
	// keep their order.
	last := day(-1_000_000)
	for d := int32(-999_999); d < -141_000; d++ {
		now := day(d)
		if now < last || now > last+11 {
			t.Fatalf("day %d is %d after %d", d, now, last)
		}
		last = now
	}
}

func TestVersionsOfWriters(t *testing.T) {
	for v, want := range map[string]bool{"2.4.5": true, "3.0.0": false, "3.0.1-amzn-0": false, "4.2.0": false, "": false, "x": false, "2": false} {
		if got := before(v, 3, 0); got != want {
			t.Errorf("%q: %t", v, got)
		}
	}
	if !before("3.0.3", 3, 1) {
		t.Error("3.0.3 is not before 3.1")
	}
}

// The microseconds are those of files of Spark 4.2 and what it reads of them.
func TestInstantsOfTheOldCalendar(t *testing.T) {
	for zone, pairs := range map[string][][2]int64{
		"America/Los_Angeles": {
			{-17999308378000000, -18000000000000000}, {-14999221978000000, -15000000000000000}, {-13499135578000000, -13500000000000000},
			{-8999999578000000, -9000000000000000}, {-2999999578000000, -3000000000000000}, {-2100000000000000, -2100000000000000}, {0, 0},
		},
		"Asia/Shanghai": {
			{-17999308457000000, -18000000000000000}, {-13499135657000000, -13500000000000000}, {-2999999657000000, -3000000000000000},
			{-2249999657000000, -2250000000000000}, {-2100000000000000, -2100000000000000},
		},
		"UTC": {{-17999308800000000, -18000000000000000}, {-2999999657000001, -2999999657000001}},
	} {
		loc, err := time.LoadLocation(zone)
		if err != nil {
			t.Fatal(err)
		}
		c := calendar{zone: loc, raw: standardOffset(loc)}
		for _, p := range pairs {
			if got := c.instant(p[0]); got != p[1] {
				t.Errorf("%s %d: %d, want %d", zone, p[0], got, p[1])
			}
			if got := c.units(floorDiv(p[0], 1000), arrow.Millisecond); got != floorDiv(p[1], 1000) {
				t.Errorf("%s %d: %d milliseconds", zone, p[0], got)
			}
		}
	}
}

// INT96 below the top level, beyond what 64 bits of nanoseconds hold.
func TestInt96InStructs(t *testing.T) {
	stamp := func(days int64, micros int64) (v parquet.Int96) {
		binary.LittleEndian.PutUint64(v[:8], uint64(micros*1000))
		binary.LittleEndian.PutUint32(v[8:], uint32(days+julianEpoch))
		return v
	}
	x := schema.NewInt96Node("x", parquet.Repetitions.Optional, -1)
	s := schema.Must(schema.NewGroupNode("s", parquet.Repetitions.Optional, schema.FieldList{x}, -1))
	y := schema.NewInt96Node("y", parquet.Repetitions.Optional, -1)
	root := schema.Must(schema.NewGroupNode("root", parquet.Repetitions.Required, schema.FieldList{s.(*schema.GroupNode), y}, -1)).(*schema.GroupNode)
	for _, key := range []string{"", legacyInt96sKey} {
		var b bytes.Buffer
		w := file.NewParquetWriter(&b, root, file.WithWriterProps(parquet.NewWriterProperties()))
		g, err := w.AppendRowGroupChecked()
		if err != nil {
			t.Fatal(err)
		}
		for _, defs := range [][]int16{{2, 2, 0, 1}, {1, 1, 0, 0}} {
			c, err := g.NextColumn()
			if err != nil {
				t.Fatal(err)
			}
			values := []parquet.Int96{stamp(2932896, 86399_999_999), stamp(-719164, 0)} // the last instant of 9999, the first of 0001 in the old calendar
			if _, err := c.(*file.Int96ColumnChunkWriter).WriteBatch(values, defs, nil); err != nil {
				t.Fatal(err)
			}
			if err := c.Close(); err != nil {
				t.Fatal(err)
			}
		}
		want := `[{"s":{"x":"9999-12-31T23:59:59.999999Z"},"y":"9999-12-31T23:59:59.999999Z"},{"s":{"x":"0000-12-30T00:00:00Z"},"y":"0000-12-30T00:00:00Z"},{"s":null,"y":null},{"s":{"x":null},"y":null}]`
		if key != "" {
			want = strings.ReplaceAll(want, "0000-12-30", "0001-01-01")
			for _, kv := range [][2]string{{key, ""}, {versionKey, "4.2.0"}} {
				if err := w.AppendKeyValueMetadata(kv[0], kv[1]); err != nil {
					t.Fatal(err)
				}
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		have, err := Schema(bytes.NewReader(b.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		all := func(arrow.Field) bool { return true }
		err = Read(t.Context(), bytes.NewReader(b.Bytes()), ReadOptions{Want: all}, func(rec arrow.RecordBatch) error {
			got, err := json.Marshal(rec)
			if err != nil || string(got) != want {
				t.Errorf("%s\n%v, want\n%s", got, err, want)
			}
			if !rec.Schema().Equal(have) {
				t.Errorf("%s, but the schema said %s", rec.Schema(), have)
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
}
