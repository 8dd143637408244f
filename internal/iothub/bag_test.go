package iothub

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/eventlog"
)

func TestParseBag(t *testing.T) {
	p := func(name, value string) Property { return Property{Name: name, Value: value} }
	for in, want := range map[string][]Property{
		"":                          nil,
		"/":                         nil,
		"?":                         nil,
		"a=1":                       {p("a", "1")},
		"a=1/":                      {p("a", "1")},
		"?a=1&b=2":                  {p("a", "1"), p("b", "2")},
		"a=1&&b=2&":                 {p("a", "1"), p("b", "2")},
		"%24.ct=application%2Fjson": {p("$.ct", "application/json")},
		"$.ct=application/json":     {p("$.ct", "application/json")},
		"$.ct=a/json/":              {p("$.ct", "a/json")},
		"x=1+2%203":                 {p("x", "1+2 3")},
		"null":                      {{Name: "null", Null: true}},
		"empty=":                    {p("empty", "")},
		"a=b=c":                     {p("a", "b=c")},
		"a=1&a=2":                   {p("a", "2")},
		"=1":                        {p("", "1")},
		"raw=50%":                   {p("raw", "50%")},
		"raw=50%25":                 {p("raw", "50%")},
		"notutf8=%ff":               {p("notutf8", "%ff")},
		"u=%C3%BC&ü=ü":              {p("u", "ü"), p("ü", "ü")},
		"b=1&%24.mid=m&a=2":         {p("b", "1"), p("$.mid", "m"), p("a", "2")},
	} {
		if d := cmp.Diff(want, ParseBag([]byte(in))); d != "" {
			t.Errorf("%q: %s", in, d)
		}
	}
}

func TestPropertyHeaders(t *testing.T) {
	long := strings.Repeat("x", 300)
	h, size := propertyHeaders(ParseBag([]byte("%24.mid=m&%24.cid=c&%24.uid=u&%24.ct=t&%24.ce=e&%24.exp=x&%24.to=o&%24.on=n&%24.ifid=i&%24.sub=s&%24.ctime=2&" +
		"%24.other=1&%24.cdid=me&iothub-connection-device-id=me&IoTHub-EnqueuedTime=1&null&long=" + long)))
	want := []eventlog.Header{
		{Key: "message-id", Value: []byte("\xa1\x01m")},
		{Key: "correlation-id", Value: []byte("\xa1\x01c")},
		{Key: "user-id", Value: []byte("\xa1\x01u")},
		{Key: "content-type", Value: []byte("\xa1\x01t")},
		{Key: "content-encoding", Value: []byte("\xa1\x01e")},
		{Key: "absolute-expiry-time", Value: []byte("\xa1\x01x")},
		{Key: "to", Value: []byte("\xa1\x01o")},
		{Key: "iothub-outputname", Value: []byte("\xa1\x01n")},
		{Key: "iothub-interface-id", Value: []byte("\xa1\x01i")},
		{Key: "dt-subject", Value: []byte("\xa1\x01s")},
		{Key: "iothub-creation-time-utc", Value: []byte("\xa1\x012")},
		{Key: "$.other", Value: []byte("\xa1\x011")},
		{Key: "null", Value: []byte("\x40")},
		{Key: "long", Value: []byte("\xb1\x00\x00\x01\x2c" + long)},
	}
	if d := cmp.Diff(want, h); d != "" {
		t.Error(d)
	}
	// 11 one-byte system values, "$.other" with 1, "null", "long" with 300.
	if n := 11 + 7 + 1 + 4 + 4 + 300; size != n {
		t.Errorf("size %d, want %d", size, n)
	}
}

func FuzzBag(f *testing.F) {
	for _, s := range []string{"", "a=1/", "%24.ct=application%2Fjson&b", "x=50%&y=%ff&=&&==", "$.mid=1&$.mid"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if !utf8.Valid(b) {
			return // not a topic
		}
		names := map[string]bool{}
		for _, p := range ParseBag(b) {
			if names[p.Name] || p.Null && p.Value != "" || !utf8.ValidString(p.Name) || !utf8.ValidString(p.Value) {
				t.Fatalf("%q: %+v", b, p)
			}
			names[p.Name] = true
		}
	})
}

func TestPartitionOfIsKafkas(t *testing.T) {
	// The values of Kafka's own test of its hash.
	for s, want := range map[string]int32{"21": -973932308, "foobar": -790332482, "a-little-bit-long-string": -985981536,
		"a-little-bit-longer-string": -1486304829, "lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8": -58897971, "abc": 479470107} {
		if got := int32(murmur2(s)); got != want {
			t.Errorf("%s: %d, want %d", s, got, want)
		}
	}
	var n [4]int
	for i := range 4000 {
		n[PartitionOf("dev-"+strings.Repeat("7", i%7)+string(rune('a'+i%26))+string(rune('a'+i/26%26)), 4)]++
	}
	for p, c := range n {
		if c < 700 {
			t.Errorf("partition %d has %d of 4000 devices", p, c)
		}
	}
}

func TestParseUserName(t *testing.T) {
	for _, tc := range []struct {
		user, client string
		want         identity
		bad          bool
	}{
		{user: "h/d/?api-version=2019-10-01&DeviceClientType=py%20sdk", client: "d", want: identity{"h", "d", ""}},
		{user: "h/d/?DeviceClientType=x&model-id=dtmi%3Aa&api-version=1", client: "d", want: identity{"h", "d", ""}},
		{user: "h/d/api-version=2016-11-14", client: "d", want: identity{"h", "d", ""}},
		{user: "h/d?api-version=1", client: "d", want: identity{"h", "d", ""}},
		{user: "h/d/", client: "d", want: identity{"h", "d", ""}},
		{user: "h/d", client: "d", want: identity{"h", "d", ""}},
		{user: "h/d/m/?api-version=1", client: "d/m", want: identity{"h", "d", "m"}},
		{user: "h/d?x/?api-version=1", client: "d?x", want: identity{"h", "d?x", ""}},
		{user: "h/d%2/?api-version=1", client: "d%2", want: identity{"h", "d%2", ""}},
		{user: "h/dd/?a=1", client: "d", bad: true},
		{user: "h/d/m/?a=1", client: "d/n", bad: true},
		{user: "h/d/m", client: "d", bad: true},
		{user: "h/d", client: "d/m", bad: true},
		{user: "h", client: "d", bad: true},
		{user: "/d", client: "d", bad: true},
		{user: "", client: "", bad: true},
	} {
		got, err := parseUserName(tc.user, tc.client)
		if (err != nil) != tc.bad || !tc.bad && got != tc.want {
			t.Errorf("%s as %s: %+v, %v", tc.user, tc.client, got, err)
		}
	}
}

func FuzzUserName(f *testing.F) {
	f.Add("h/d/?api-version=1", "d")
	f.Add("h/d/m/?api-version=1", "d/m")
	f.Add("h/d/api=1", "d")
	f.Fuzz(func(t *testing.T, user, client string) {
		id, err := parseUserName(user, client)
		if err == nil && (id.name() != client && id.name()+"/" != client || !strings.HasPrefix(user, id.host+"/"+id.device)) {
			t.Fatalf("%q as %q: %+v", user, client, id)
		}
	})
}
