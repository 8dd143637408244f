package auth_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/auth"
)

// deviceKey is base64 of the bytes 0 to 31. The signatures below were computed
// with Python's hmac over the raw sr, a newline and se.
const (
	deviceKey = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	upperSR   = "h.azure-devices.net%2Fdevices%2Fd-1"
	lowerSR   = "h.azure-devices.net%2fdevices%2fd-1"
	upperSig  = "waqNkffF6zWGWu7TYQ8ey1OCuw%2Fip1clmNiMyjUlEVw%3D"
	lowerSig  = "aC2vfkqzlQJP9Bj29TGQYYLlGNhgYC8JK31sRwx5EpA%3D"
)

func TestSASIsReadInAnyOrder(t *testing.T) {
	for _, fields := range []string{
		"sr=" + upperSR + "&sig=" + upperSig + "&se=1900000000&skn=device",
		"skn=device&se=1900000000&sig=" + upperSig + "&sr=" + upperSR,
		"x=1&se=1900000000&sr=" + upperSR + "&flag&skn=device&sig=" + strings.NewReplacer("%2B", "+", "%2F", "/", "%3D", "=").Replace(upperSig),
	} {
		got, err := auth.ParseSAS("SharedAccessSignature " + fields)
		if err != nil {
			t.Fatal(err)
		}
		want := auth.SAS{
			Resource: upperSR, Signature: strings.NewReplacer("%2B", "+", "%2F", "/", "%3D", "=").Replace(upperSig),
			Expiry: time.Unix(1900000000, 0).UTC(), ExpiryText: "1900000000", KeyName: "device",
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
		if err := got.Verify(deviceKey, time.Unix(1899999999, 0)); err != nil {
			t.Error(err)
		}
	}
}

func TestSASIsVerifiedOverTheRawText(t *testing.T) {
	now := time.Unix(1800000000, 0)
	for _, c := range []struct {
		name, sr, sig, se, key string
		now                    time.Time
		want                   error
	}{
		{"upper case escapes", upperSR, upperSig, "1900000000", deviceKey, now, nil},
		{"lower case escapes", lowerSR, lowerSig, "1900000000", deviceKey, now, nil},
		{"the other's signature", lowerSR, upperSig, "1900000000", deviceKey, now, auth.ErrBadSignature},
		{"another expiry", upperSR, upperSig, "1900000001", deviceKey, now, auth.ErrBadSignature},
		{"another key", upperSR, upperSig, "1900000000", auth.NewKey(), now, auth.ErrBadSignature},
		{"a key that is none", upperSR, upperSig, "1900000000", "no key!", now, auth.ErrBadSignature},
		{"no key", upperSR, upperSig, "1900000000", "", now, auth.ErrBadSignature},
		{"expired just now", upperSR, upperSig, "1900000000", deviceKey, time.Unix(1900000000, 0), auth.ErrExpired},
		{"not quite expired", upperSR, upperSig, "1900000000", deviceKey, time.Unix(1899999999, 0), nil},
	} {
		s, err := auth.ParseSAS("SharedAccessSignature sr=" + c.sr + "&sig=" + c.sig + "&se=" + c.se)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Verify(c.key, c.now); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
}

func TestSASThatIsMalformedIsRefusedWithoutShowingIt(t *testing.T) {
	secret := "c2VjcmV0LXNpZ25hdHVyZQ=="
	for _, s := range []string{
		"", "SharedAccessSignature", "SharedAccessSignature ", "Bearer sr=a&sig=" + secret + "&se=1",
		"sr=a&sig=" + secret + "&se=1",
		"SharedAccessSignature sr=a&sig=" + secret,
		"SharedAccessSignature sig=" + secret + "&se=1",
		"SharedAccessSignature sr=a&se=1",
		"SharedAccessSignature sr=a&sig=" + secret + "&se=",
		"SharedAccessSignature sr=a&sig=" + secret + "&se=soon",
		"SharedAccessSignature sr=a&sig=" + secret + "&se=-1",
		"SharedAccessSignature sr=a&sig=" + secret + "&se=1.5",
		"SharedAccessSignature sr=a&sig=" + secret + "&se=99999999999999999999",
		"SharedAccessSignature sr=a&sig=" + secret + "%zz&se=1",
		"SharedAccessSignature sr=a&sr=b&sig=" + secret + "&se=1",
		"SharedAccessSignature sr=" + strings.Repeat("a", 9000) + "&sig=" + secret + "&se=1",
	} {
		_, err := auth.ParseSAS(s)
		if !errors.Is(err, auth.ErrMalformed) {
			t.Errorf("%.60q: error %v", s, err)
			continue
		}
		if strings.Contains(err.Error(), secret) {
			t.Errorf("the error shows the signature: %v", err)
		}
	}
	// Milliseconds by mistake are far away, but a time.
	s, err := auth.ParseSAS("SharedAccessSignature sr=a&sig=" + secret + "&se=9223372036854775807")
	if err != nil || !s.Expiry.After(time.Now()) {
		t.Errorf("expiry %v, error %v", s.Expiry, err)
	}
}

func TestSASCoversWhatItsResourceIsAPrefixOf(t *testing.T) {
	for _, c := range []struct {
		sr, resource string
		want         bool
	}{
		{"h.net%2Fdevices%2Fd1", "h.net/devices/d1", true},
		{"h.net%2fdevices%2fd1", "h.net/devices/d1", true},
		{"h.net/devices/d1", "h.net/devices/d1/modules/m", true},
		{"H.NET%2Fdevices%2Fd1", "h.net/devices/d1", true},
		{"h.net%2Fdevices%2Fd1%2F", "h.net/devices/d1", true},
		{"h.net", "h.net/devices/d1", true},
		{"h.net%2Fdevices", "h.net/devices/d1", true},
		{"h.net%2Fdevices%2Fd%252B1", "h.net/devices/d%2B1", true},
		{"h.net%2Fdevices%2Fa%2Bb", "h.net/devices/a+b", true},
		{"h.net%2Fdevices%2Fa+b", "h.net/devices/a+b", true},
		{"h.net%2Fdevices%2Fd", "h.net/devices/d1", false},
		{"h.net%2Fdevices%2Fd1", "h.net/devices", false},
		{"h.net%2Fdevices%2FD1", "h.net/devices/d1", false},
		{"h.net%2FDevices%2Fd1", "h.net/devices/d1", false},
		{"other.net%2Fdevices%2Fd1", "h.net/devices/d1", false},
		{"h.ne", "h.net", false},
		{"%2F", "h.net", false},
		{"%2Fdevices", "/devices", false},
	} {
		if got := (auth.SAS{Resource: c.sr}).Covers(c.resource); got != c.want {
			t.Errorf("%s covers %s: %v", c.sr, c.resource, got)
		}
	}
}

func TestWhatIsSignedIsVerified(t *testing.T) {
	expiry := time.Unix(1900000000, 0)
	for _, resource := range []string{"h.azure-devices.net/devices/d-1", "h.net/devices/a+b%c d:ü"} {
		s, err := auth.ParseSAS(auth.SignSAS(resource, deviceKey, "iothubowner", expiry))
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Verify(deviceKey, expiry.Add(-time.Second)); err != nil {
			t.Error(err)
		}
		if !s.Covers(resource) || s.KeyName != "iothubowner" || !s.Expiry.Equal(expiry) {
			t.Errorf("%+v", s)
		}
	}
	if got, want := auth.SignSAS("h.azure-devices.net/devices/d-1", deviceKey, "", expiry),
		"SharedAccessSignature sr="+upperSR+"&sig="+upperSig+"&se=1900000000"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if _, err := auth.ParseSAS(auth.SignSAS("r", "not base64", "", expiry)); err == nil {
		t.Error("a token signed with no key is taken")
	}
}

func FuzzParseSAS(f *testing.F) {
	f.Add(auth.SignSAS("h.net/devices/d", deviceKey, "p", time.Unix(1900000000, 0)))
	f.Fuzz(func(t *testing.T, text string) {
		s, err := auth.ParseSAS(text)
		if err != nil {
			if !errors.Is(err, auth.ErrMalformed) {
				t.Fatalf("error of no family: %v", err)
			}
			return
		}
		if s.Resource == "" || s.Signature == "" || s.ExpiryText == "" {
			t.Fatalf("taken without a field: %+v", s)
		}
		if !strings.Contains(text, "sr="+s.Resource) || !strings.Contains(text, "se="+s.ExpiryText) {
			t.Fatalf("signed texts are not raw: %+v", s)
		}
		if s.Verify(deviceKey, time.Unix(0, 0)) == nil {
			// Only a true signature gets here; signing again must agree.
			if err := s.Verify(auth.NewKey(), time.Unix(0, 0)); err == nil {
				t.Fatal("two keys verify one signature")
			}
		}
		_ = s.Covers("h.net/devices/d")
	})
}
