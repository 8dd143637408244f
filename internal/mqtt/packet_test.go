package mqtt

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplit(t *testing.T) {
	long := AppendPublish(nil, "t", make([]byte, 200), 0, 0, false, false)
	for name, tc := range map[string]struct {
		in   []byte
		n    int
		err  error
		body int // length, -1: not there yet
	}{
		"nothing":               {nil, 0, nil, -1},
		"only the type":         {[]byte{0xc0}, 0, nil, -1},
		"PINGREQ":               {[]byte{0xc0, 0}, 2, nil, 0},
		"body not complete":     {[]byte{0x40, 2, 0}, 4, nil, -1},
		"two bytes of length":   {long, len(long), nil, 203},
		"length not complete":   {[]byte{0x30, 0x80}, 0, nil, -1},
		"length of five bytes":  {[]byte{0x30, 0x80, 0x80, 0x80, 0x80, 0x01}, 0, ErrMalformed, -1},
		"longest length":        {[]byte{0x30, 0xff, 0xff, 0xff, 0x7f}, 0, ErrTooLarge, -1},
		"above the limit":       {[]byte{0x30, 0x81, 0x20}, 0, ErrTooLarge, -1},
		"type 0":                {[]byte{0x00, 0}, 0, ErrMalformed, -1},
		"type 15":               {[]byte{0xf0, 0}, 0, ErrMalformed, -1},
		"flags of PINGREQ":      {[]byte{0xc1, 0}, 0, ErrMalformed, -1},
		"flags of SUBSCRIBE":    {[]byte{0x80, 0}, 0, ErrMalformed, -1},
		"flags of UNSUBSCRIBE":  {[]byte{0xa3, 0}, 0, ErrMalformed, -1},
		"flags of PUBREL":       {[]byte{0x60, 2, 0, 1}, 0, ErrMalformed, -1},
		"QoS 3":                 {[]byte{0x36, 0}, 0, ErrMalformed, -1},
		"DUP at QoS 0":          {[]byte{0x38, 0}, 0, ErrMalformed, -1},
		"flags checked at once": {[]byte{0xc8}, 0, ErrMalformed, -1},
	} {
		f, n, err := Split(tc.in, 4096)
		got := -1
		if f.Body != nil {
			got = len(f.Body)
		}
		if n != tc.n || !errors.Is(err, tc.err) || err == nil && got != tc.body {
			t.Errorf("%s: n %d, body %d, %v; want n %d, body %d, %v", name, n, got, err, tc.n, tc.body, tc.err)
		}
	}
}

func mustFrame(t *testing.T, b []byte) Frame {
	t.Helper()
	f, n, err := Split(b, MaxRemaining+5)
	if err != nil || n != len(b) {
		t.Fatalf("Split: n %d of %d, %v", n, len(b), err)
	}
	return f
}

func TestConnectRoundTrip(t *testing.T) {
	for _, p := range []*Connect{
		{ClientID: "press-07", KeepAlive: 60},
		{CleanSession: true},
		{ClientID: "d", Username: "h/d/?api-version=1", HasUsername: true, Password: []byte("p"), HasPassword: true, KeepAlive: 65535},
		{ClientID: "d", Username: "", HasUsername: true, Password: []byte{}, HasPassword: true},
		{ClientID: "ü", Will: &Will{Topic: "devices/d/messages/events/", Payload: []byte{0, 1}, QoS: 1, Retain: true}},
		{ClientID: "d", Will: &Will{Topic: "t", QoS: 2}, CleanSession: true},
	} {
		got, err := ParseConnect(mustFrame(t, AppendConnect(nil, p)).Body)
		if err != nil {
			t.Fatal(err)
		}
		norm := func(b []byte) []byte { return append([]byte{}, b...) }
		eq := cmp.Transformer("bytes", func(b []byte) string { return string(norm(b)) })
		if d := cmp.Diff(p, got, eq); d != "" {
			t.Error(d)
		}
	}
}

func TestConnectIsChecked(t *testing.T) {
	head := func(level, flags byte) string { return "\x00\x04MQTT" + string([]byte{level, flags, 0, 60}) }
	for name, tc := range map[string]struct {
		body string
		err  error
	}{
		"minimal":                   {head(4, 0) + "\x00\x01d", nil},
		"MQTT 5":                    {"\x00\x04MQTT\x05\x02\x00\x3c\x00\x00\x01d", ErrVersion},
		"MQTT 3.1":                  {"\x00\x06MQIsdp\x03\x02\x00\x3c\x00\x01d", ErrVersion},
		"level 0":                   {head(0, 0), ErrVersion},
		"level told before flags":   {"\x00\x04MQTT\x05", ErrVersion},
		"other protocol":            {"\x00\x04HTTP\x04\x00\x00\x3c\x00\x01d", ErrMalformed},
		"nothing":                   {"", ErrMalformed},
		"no level":                  {"\x00\x04MQTT", ErrMalformed},
		"no keep alive":             {"\x00\x04MQTT\x04\x00\x00", ErrMalformed},
		"no client id":              {head(4, 0), ErrMalformed},
		"client id cut":             {head(4, 0) + "\x00\x05d", ErrMalformed},
		"client id not UTF-8":       {head(4, 0) + "\x00\x01\xff", ErrMalformed},
		"client id with NUL":        {head(4, 0) + "\x00\x01\x00", ErrMalformed},
		"surrogate":                 {head(4, 0) + "\x00\x03\xed\xa0\x80", ErrMalformed},
		"reserved flag":             {head(4, 1) + "\x00\x01d", ErrMalformed},
		"will QoS without a will":   {head(4, 0x08) + "\x00\x01d", ErrMalformed},
		"will retain without one":   {head(4, 0x20) + "\x00\x01d", ErrMalformed},
		"will QoS 3":                {head(4, 0x1c) + "\x00\x01d\x00\x01t\x00\x00", ErrMalformed},
		"will topic empty":          {head(4, 0x04) + "\x00\x01d\x00\x00\x00\x00", ErrMalformed},
		"will without payload":      {head(4, 0x04) + "\x00\x01d\x00\x01t", ErrMalformed},
		"password without name":     {head(4, 0x40) + "\x00\x01d\x00\x01p", ErrMalformed},
		"user name missing":         {head(4, 0x80) + "\x00\x01d", ErrMalformed},
		"password missing":          {head(4, 0xc0) + "\x00\x01d\x00\x01u", ErrMalformed},
		"user name not UTF-8":       {head(4, 0x80) + "\x00\x01d\x00\x01\xc0", ErrMalformed},
		"bytes after the end":       {head(4, 0) + "\x00\x01dx", ErrMalformed},
		"password may be any bytes": {head(4, 0xc0) + "\x00\x01d\x00\x01u\x00\x02\xff\x00", nil},
	} {
		if _, err := ParseConnect([]byte(tc.body)); !errors.Is(err, tc.err) || (err == nil) != (tc.err == nil) {
			t.Errorf("%s: %v, want %v", name, err, tc.err)
		}
	}
}

func TestPublishRoundTrip(t *testing.T) {
	for _, p := range []Publish{
		{Topic: []byte("a/b"), Payload: []byte{}},
		{Topic: []byte("a"), Payload: []byte("xyz"), QoS: 1, ID: 65535, Dup: true, Retain: true},
		{Topic: []byte("devices/d/messages/events/k=1+2"), Payload: make([]byte, 20000), QoS: 2, ID: 1},
	} {
		f := mustFrame(t, AppendPublish(nil, p.Topic, p.Payload, p.ID, p.QoS, p.Dup, p.Retain))
		got, err := ParsePublish(f.Flags, f.Body)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(p, got); d != "" {
			t.Error(d)
		}
	}
	for name, tc := range map[string]struct {
		flags byte
		body  string
	}{
		"no topic length":  {0, "\x00"},
		"topic cut":        {0, "\x00\x05ab"},
		"topic empty":      {0, "\x00\x00x"},
		"topic not UTF-8":  {0, "\x00\x01\xff"},
		"topic with NUL":   {0, "\x00\x02a\x00"},
		"no identifier":    {2, "\x00\x01a"},
		"half identifier":  {2, "\x00\x01a\x01"},
		"identifier 0":     {2, "\x00\x01a\x00\x00"},
		"identifier 0, q2": {4, "\x00\x01a\x00\x00"},
	} {
		if p, err := ParsePublish(tc.flags, []byte(tc.body)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

func TestSubscribePackets(t *testing.T) {
	subs := []Subscription{{"$iothub/twin/res/#", 1}, {"+/a/+", 2}, {"/", 0}, {"#", 0}}
	id, got, err := ParseSubscribe(mustFrame(t, AppendSubscribe(nil, 7, subs...)).Body)
	if err != nil || id != 7 {
		t.Fatal(id, err)
	}
	if d := cmp.Diff(subs, got); d != "" {
		t.Error(d)
	}
	id, filters, err := ParseUnsubscribe(mustFrame(t, AppendUnsubscribe(nil, 8, "a", "b/#")).Body)
	if d := cmp.Diff([]string{"a", "b/#"}, filters); d != "" || id != 8 || err != nil {
		t.Error(d, id, err)
	}
	id, codes, err := ParseSuback(mustFrame(t, AppendSuback(nil, 9, []byte{0, 1, Refused})).Body)
	if !bytes.Equal(codes, []byte{0, 1, Refused}) || id != 9 || err != nil {
		t.Error(codes, id, err)
	}
	for _, body := range []string{"", "\x00", "\x00\x00\x00\x01a\x00", "\x00\x01", "\x00\x01\x00\x01a", "\x00\x01\x00\x01a\x03", "\x00\x01\x00\x00\x00",
		"\x00\x01\x00\x02a#\x00", "\x00\x01\x00\x03#/a\x00", "\x00\x01\x00\x02a+\x00", "\x00\x01\x00\x02\xc3\x28\x00"} {
		if _, s, err := ParseSubscribe([]byte(body)); !errors.Is(err, ErrMalformed) {
			t.Errorf("SUBSCRIBE %q: %v, %v", body, s, err)
		}
	}
	for _, body := range []string{"", "\x00\x01", "\x00\x00\x00\x01a", "\x00\x01\x00\x02a", "\x00\x01\x00\x00"} {
		if _, s, err := ParseUnsubscribe([]byte(body)); !errors.Is(err, ErrMalformed) {
			t.Errorf("UNSUBSCRIBE %q: %v, %v", body, s, err)
		}
	}
}

func TestValidFilter(t *testing.T) {
	for f, want := range map[string]bool{"a": true, "a/b": true, "#": true, "+": true, "a/#": true, "+/+/#": true, "/": true, "a//b": true,
		"": false, "a#": false, "a/#/b": false, "a+": false, "+a/b": false, "##": false, "a/#+": false, strings.Repeat("+/", 50): true} {
		if got := ValidFilter([]byte(f)); got != want {
			t.Errorf("%q: %v", f, got)
		}
	}
}

func TestAcknowledgements(t *testing.T) {
	for _, typ := range []Type{PUBACK, PUBREC, PUBREL, PUBCOMP, UNSUBACK} {
		f := mustFrame(t, AppendAck(nil, typ, 513))
		if id, err := ParsePacketID(f.Body); id != 513 || err != nil || f.Type != typ {
			t.Error(typ, id, err)
		}
	}
	for _, body := range []string{"", "\x01", "\x00\x00", "\x00\x01\x00"} {
		if _, err := ParsePacketID([]byte(body)); !errors.Is(err, ErrMalformed) {
			t.Errorf("%q: %v", body, err)
		}
	}
	if b := AppendConnack(nil, true, NotAuthorized); !bytes.Equal(b, []byte{0x20, 2, 0, 5}) {
		t.Errorf("refusal tells a session: %x", b)
	}
	for _, body := range []string{"", "\x00", "\x02\x00", "\x00\x00\x00"} {
		if _, _, err := ParseConnack([]byte(body)); !errors.Is(err, ErrMalformed) {
			t.Errorf("CONNACK %q: %v", body, err)
		}
	}
}
