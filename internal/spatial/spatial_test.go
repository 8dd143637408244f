package spatial_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"github.com/marisma/marisma/internal/spatial"
)

func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// What Spark 4.2 answered to hex(st_asbinary(st_geomfromwkb(...))).
func TestRecode(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"point", "0101000000000000000000F03F0000000000000040", "0101000000000000000000F03F0000000000000040"},
		{"big endian", "00000000013FF00000000000004000000000000000", "0101000000000000000000F03F0000000000000040"},
		{"bytes behind", "0101000000000000000000F03F00000000000000400001", "0101000000000000000000F03F0000000000000040"},
		{"empty point", "0101000000000000000000F87F000000000000F87F", "0101000000000000000000F87F000000000000F87F"},
		{"point Z", "01E9030000000000000000F03F00000000000000400000000000000840", "01E9030000000000000000F03F00000000000000400000000000000840"},
		{"point ZM", "01B90B0000000000000000F03F000000000000004000000000000008400000000000001040", "01B90B0000000000000000F03F000000000000004000000000000008400000000000001040"},
		{"empty line", "010200000000000000", "010200000000000000"},
		{"polygon", "01030000000100000004000000000000000000000000000000000000000000000000000000000000000000F03F000000000000F03F000000000000000000000000000000000000000000000000",
			"01030000000100000004000000000000000000000000000000000000000000000000000000000000000000F03F000000000000F03F000000000000000000000000000000000000000000000000"},
		{"mixed orders", "010700000001000000000000000140140000000000004018000000000000", "010700000001000000010100000000000000000014400000000000001840"},
		{"nested", "0107000000020000000101000000000000000000F03F0000000000000040010700000001000000010100000000000000000008400000000000001040",
			"0107000000020000000101000000000000000000F03F0000000000000040010700000001000000010100000000000000000008400000000000001040"},
	} {
		got, err := spatial.Recode(unhex(t, c.in), false, false)
		if err != nil || strings.ToUpper(hex.EncodeToString(got)) != c.want {
			t.Errorf("%s: %X, %v", c.name, got, err)
		}
	}
	got, err := spatial.Recode(unhex(t, "010500000001000000010200000000000000"), false, true)
	if err != nil || hex.EncodeToString(got) != "000000000500000001000000000200000000" {
		t.Errorf("big endian: %x, %v", got, err)
	}
}

func TestRefused(t *testing.T) {
	for in, want := range map[string]string{
		"": "WKB is empty at byte 0", "00": "WKB ends too early at byte 0", "0201000000000000": "invalid byte order 2 at byte 0",
		"0101000000": "WKB ends too early at byte 5",
		"0163000000000000000000F03F0000000000000040":                 "invalid or unsupported type 99 at byte 1",
		"0101000080000000000000F03F00000000000000400000000000000840": "invalid or unsupported type -2147483647 at byte 1",
		"01A10F0000": "invalid or unsupported type 4001 at byte 1",
		"0101000000000000000000F07F000000000000F03F":                                   "invalid coordinate +Inf at byte 5",
		"01020000000100000000000000000000000000000000000000":                           "too few points in a linestring at byte 5",
		"0102000000FFFFFF7F":                                                           "invalid count of points in a LineString: 2147483647 at byte 5",
		"0104000000FFFFFFFF":                                                           "invalid count of points in a MultiPoint: -1 at byte 5",
		"010400000001000000010200000000000000":                                         "expected a Point in a MultiPoint at byte 18",
		"01070000000100000001E9030000000000000000F03F00000000000000400000000000000840": "invalid or unsupported type 1001 at byte 10",
		"01030000000100000003000000000000000000000000000000000000000000000000000000000000000000F03F000000000000F03F0000000000000000":                                      "too few points in a ring at byte 9",
		"01030000000100000004000000000000000000000000000000000000000000000000000000000000000000F03F000000000000F03F00000000000000000000000000000000" + "0000000000000040": "a ring is not closed at byte 9",
		strings.Repeat("010700000001000000", 2000): "collections nest deeper than 1000 at byte 9000",
	} {
		_, err := spatial.Recode(unhex(t, in), false, false)
		if e, ok := errors.AsType[*spatial.Error](err); !ok || e.Error() != want {
			t.Errorf("%.60s: got %v, want %s", in, err, want)
		}
	}
	if _, err := spatial.Recode(unhex(t, "010100000000000000000069400000000000000040"), true, false); err == nil {
		t.Error("a longitude of 200 degrees")
	}
}

func TestKnown(t *testing.T) {
	for srid, want := range map[int][2]bool{ // geometry, geography
		0: {true, false}, 1: {}, -1: {}, 3857: {true, false}, 4326: {true, true}, 4267: {true, true}, 4269: {true, true}, 32633: {true, false},
		102100: {true, false}, 104100: {true, true}, 999999: {},
	} {
		if got := [2]bool{spatial.Known(false, srid), spatial.Known(true, srid)}; got != want {
			t.Errorf("%d: %v, want %v", srid, got, want)
		}
	}
}

// FuzzRecode: what is read is bounded, and what it writes it reads again.
func FuzzRecode(f *testing.F) {
	f.Add(unhex(f, "0107000000020000000101000000000000000000F03F0000000000000040010700000001000000010100000000000000000008400000000000001040"), false)
	f.Add(unhex(f, "01030000000100000004000000000000000000000000000000000000000000000000000000000000000000F03F000000000000F03F000000000000000000000000000000000000000000000000"), true)
	f.Add(unhex(f, "00000000013FF00000000000004000000000000000"), true)
	f.Fuzz(func(t *testing.T, in []byte, geography bool) {
		out, err := spatial.Recode(in, geography, true)
		if err != nil {
			return
		}
		if len(out) > len(in) {
			t.Fatalf("%d bytes of %d", len(out), len(in))
		}
		little, err := spatial.Recode(out, geography, false)
		if err != nil {
			t.Fatal(err)
		}
		if again, err := spatial.Recode(little, geography, true); err != nil || !bytes.Equal(again, out) {
			t.Fatalf("%x became %x, %v", out, again, err)
		}
	})
}
