package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	sasWord = "SharedAccessSignature "
	// maxSAS bounds a token; real ones have some 200 bytes.
	maxSAS = 8 << 10
	// maxExpiry keeps expiries within what time.Time compares (some 8900 years).
	maxExpiry = 1 << 38
)

// SAS is a shared access signature as a device or a service sends it.
type SAS struct {
	Resource   string // sr, raw as sent: this text is signed
	Signature  string // sig, base64
	Expiry     time.Time
	ExpiryText string // se, raw as sent: this text is signed
	KeyName    string // skn: the policy whose key signed; "" for a device's own key
}

// ParseSAS reads "SharedAccessSignature sr=..&sig=..&se=..[&skn=..]" with the
// fields in any order; unknown fields are passed over. Errors are ErrMalformed
// and hold nothing of s.
func ParseSAS(s string) (SAS, error) {
	bad := func(what string) (SAS, error) { return SAS{}, fmt.Errorf("%w: %s", ErrMalformed, what) }
	if len(s) > maxSAS {
		return bad("too long")
	}
	if len(s) < len(sasWord) || !strings.EqualFold(s[:len(sasWord)], sasWord) {
		return bad("it must begin with " + strings.TrimSpace(sasWord))
	}
	var out SAS
	seen := map[string]bool{}
	for field := range strings.SplitSeq(s[len(sasWord):], "&") {
		name, value, ok := strings.Cut(field, "=")
		if !ok {
			continue
		}
		var into *string
		switch name {
		case "sr":
			into = &out.Resource
		case "sig":
			into = &out.Signature
		case "se":
			into = &out.ExpiryText
		case "skn":
			into = &out.KeyName
		default:
			continue
		}
		if seen[name] {
			return bad(name + " comes twice")
		}
		seen[name] = true
		if name == "sig" || name == "skn" {
			// A plus sign is itself here, never a space.
			plain, err := url.PathUnescape(value)
			if err != nil {
				return bad(name + " is not URL-encoded")
			}
			value = plain
		}
		*into = value
	}
	for name, value := range map[string]string{"sr": out.Resource, "sig": out.Signature, "se": out.ExpiryText} {
		if value == "" {
			return bad(name + " is missing")
		}
	}
	sec, err := strconv.ParseUint(out.ExpiryText, 10, 63)
	if err != nil {
		return bad("se must be seconds since 1970")
	}
	out.Expiry = time.Unix(int64(min(sec, maxExpiry)), 0).UTC()
	return out, nil
}

// Verify checks the signature with a key (base64) and the expiry against now:
// ErrBadSignature or ErrExpired.
func (s SAS) Verify(key string, now time.Time) error {
	want, ok := sign(s.Resource, s.ExpiryText, key)
	if !ok {
		return fmt.Errorf("%w: the key is not base64", ErrBadSignature)
	}
	got, err := base64.StdEncoding.DecodeString(s.Signature)
	if err != nil || !hmac.Equal(got, want) {
		return ErrBadSignature
	}
	if !now.Before(s.Expiry) {
		return fmt.Errorf("%w at %s", ErrExpired, s.Expiry.Format(time.RFC3339))
	}
	return nil
}

// Covers tells whether the signature is good for a resource such as
// "hub.azure-devices.net/devices/d1/modules/m": the signed resource, decoded,
// is a prefix of it by whole segments. Case counts, except in the host.
func (s SAS) Covers(resource string) bool {
	signed := s.Resource
	if plain, err := url.PathUnescape(signed); err == nil {
		signed = plain
	}
	have := strings.Split(strings.TrimSuffix(signed, "/"), "/")
	want := strings.Split(resource, "/")
	if have[0] == "" || len(have) > len(want) || !strings.EqualFold(have[0], want[0]) {
		return false
	}
	for i := 1; i < len(have); i++ {
		if have[i] != want[i] {
			return false
		}
	}
	return true
}

// SignSAS makes a token for a resource in plain text; keyName is the policy of
// the key, "" for a device's own. A key that is not base64 gives a token that
// no key verifies.
func SignSAS(resource, key, keyName string, expiry time.Time) string {
	sr := escape(resource)
	se := strconv.FormatInt(expiry.Unix(), 10)
	mac, _ := sign(sr, se, key)
	token := sasWord + "sr=" + sr + "&sig=" + escape(base64.StdEncoding.EncodeToString(mac)) + "&se=" + se
	if keyName != "" {
		token += "&skn=" + escape(keyName)
	}
	return token
}

func escape(s string) string { return strings.ReplaceAll(url.QueryEscape(s), "+", "%20") }

// sign is HMAC-SHA256 over the raw resource, a newline and the raw expiry.
func sign(resource, expiry, key string) ([]byte, bool) {
	k, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(k) == 0 {
		return nil, false
	}
	mac := hmac.New(sha256.New, k)
	mac.Write([]byte(resource + "\n" + expiry))
	return mac.Sum(nil), true
}
