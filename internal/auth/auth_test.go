package auth_test

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/marisma/marisma/internal/auth"
	"github.com/marisma/marisma/internal/vfs"
)

func must[T any](v T, err error) func(*testing.T) T {
	return func(t *testing.T) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
}

func TestTokensAreVerifiedAndOutliveARestart(t *testing.T) {
	m := vfs.NewMem()
	tokens := must(auth.OpenTokens(m, "auth"))(t)
	if !tokens.Empty() {
		t.Error("not empty at first")
	}
	ana := auth.Principal{Name: "ana", Kind: auth.User, Admin: true}
	job := auth.Principal{Name: "job", Kind: auth.ServicePrincipal}
	a, j := must(tokens.Mint(ana))(t), must(tokens.Mint(job))(t)
	if !strings.HasPrefix(a, "mrs_") || len(a) != 4+43 || a == j {
		t.Errorf("tokens %q and %q", a, j)
	}
	again := must(auth.OpenTokens(m.Crash(nil), "auth"))(t)
	for _, tk := range []*auth.Tokens{tokens, again} {
		if got := must(tk.Verify(a))(t); got != ana {
			t.Errorf("got %+v", got)
		}
		if got := must(tk.Verify(j))(t); got != job {
			t.Errorf("got %+v", got)
		}
		for _, bad := range []string{"", "mrs_", a[:len(a)-1], a + "x", a[4:], strings.ToUpper(a)} {
			if _, err := tk.Verify(bad); !errors.Is(err, auth.ErrInvalidToken) {
				t.Errorf("token %q: error %v", bad, err)
			}
		}
		if tk.Empty() {
			t.Error("empty with two tokens")
		}
	}
	stored := string(must(vfs.ReadFile(m, "auth/tokens.json"))(t))
	if strings.Contains(stored, a[4:]) || strings.Contains(stored, j[4:]) {
		t.Error("a token is stored in clear")
	}
}

func TestATokenThatCouldNotBeKeptIsNotGiven(t *testing.T) {
	m := vfs.NewMem()
	tokens := must(auth.OpenTokens(m, "auth"))(t)
	m.CutAt(1)
	if token, err := tokens.Mint(auth.Principal{Name: "x"}); err == nil || token != "" || !tokens.Empty() {
		t.Errorf("token %q, error %v", token, err)
	}
}

func TestADamagedTokenFileIsRefused(t *testing.T) {
	for _, text := range []string{"{", `{"format":2}`} {
		m := vfs.NewMem()
		must(0, errors.Join(m.MkdirAll("auth"), vfs.WriteFile(m, "auth/tokens.json", []byte(text))))(t)
		if _, err := auth.OpenTokens(m, "auth"); err == nil {
			t.Errorf("%s was taken", text)
		}
	}
}

func TestKeysAre32RandomBytes(t *testing.T) {
	a, b := auth.NewKey(), auth.NewKey()
	raw, err := base64.StdEncoding.DecodeString(a)
	if err != nil || len(raw) != 32 || a == b {
		t.Errorf("keys %q, %q", a, b)
	}
}

// leaf is the certificate that a server with ca shows.
func leaf(t *testing.T, ca *auth.CA) *x509.Certificate {
	t.Helper()
	cert := must(ca.ServerTLS().GetCertificate(&tls.ClientHelloInfo{}))(t)
	return cert.Leaf
}

func TestTheAuthorityServesTLSToThoseWhoTrustIt(t *testing.T) {
	ca := must(auth.OpenCA(vfs.NewMem(), "auth", []string{"Plant.local", "10.1.2.3"}))(t)
	for name, wantOK := range map[string]bool{
		"localhost": true, "127.0.0.1": true, "::1": true, "plant.local": true, "10.1.2.3": true,
		"other.local": false, "10.1.2.4": false,
	} {
		client := ca.ClientTLS()
		client.ServerName = name
		err := handshake(ca.ServerTLS(), client)
		if ok := err == nil; ok != wantOK {
			t.Errorf("%s: %v", name, err)
		}
	}
	stranger := must(auth.OpenCA(vfs.NewMem(), "auth", nil))(t).ClientTLS()
	stranger.ServerName = "localhost"
	if handshake(ca.ServerTLS(), stranger) == nil {
		t.Error("a client of another authority connected")
	}
	old := ca.ClientTLS()
	old.ServerName, old.MinVersion, old.MaxVersion = "localhost", tls.VersionTLS11, tls.VersionTLS11
	if handshake(ca.ServerTLS(), old) == nil {
		t.Error("TLS 1.1 was accepted")
	}
}

// handshake connects over loopback and sends one byte.
func handshake(server, client *tls.Config) error {
	ln, err := tls.Listen("tcp", "127.0.0.1:0", server)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	wg.Go(func() {
		if c, err := ln.Accept(); err == nil {
			_ = c.SetDeadline(time.Now().Add(5 * time.Second))
			_, _ = io.WriteString(c, "x")
			_ = c.Close()
		}
	})
	c, err := tls.DialWithDialer(&net.Dialer{Timeout: 5 * time.Second}, "tcp", ln.Addr().String(), client)
	if err == nil {
		_, err = io.ReadFull(c, make([]byte, 1))
		_ = c.Close()
	}
	wg.Wait()
	return errors.Join(err, ln.Close())
}

func TestTheAuthorityStaysAndItsCertificateFollowsTheHosts(t *testing.T) {
	m := vfs.NewMem()
	first := must(auth.OpenCA(m, "auth", []string{"a"}))(t)
	m = m.Crash(nil)
	same := must(auth.OpenCA(m, "auth", []string{"a", "a", "::1"}))(t)
	other := must(auth.OpenCA(m, "auth", []string{"b"}))(t)
	if string(first.CertPEM()) != string(same.CertPEM()) || string(first.CertPEM()) != string(other.CertPEM()) {
		t.Error("the authority changed")
	}
	if !leaf(t, first).Equal(leaf(t, same)) {
		t.Error("the server certificate changed without need")
	}
	if err := leaf(t, other).VerifyHostname("b"); err != nil {
		t.Error(err)
	}
	if got := string(must(vfs.ReadFile(m, first.CertFile()))(t)); got != string(first.CertPEM()) {
		t.Error("CertFile is not the certificate")
	}
	block, _ := pem.Decode(first.CertPEM())
	cert := must(x509.ParseCertificate(block.Bytes))(t)
	if years := cert.NotAfter.Sub(cert.NotBefore).Hours() / 24 / 365; years < 9.9 || years > 10.1 {
		t.Errorf("the authority lasts %.1f years", years)
	}
}

func TestCertificatesAreRenewedInTimeAndTheAuthorityEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := vfs.NewMem()
		ca := must(auth.OpenCA(m, "auth", nil))(t)
		config, first := ca.ServerTLS(), leaf(t, ca)
		time.Sleep(360 * 24 * time.Hour)
		if !leaf(t, ca).Equal(first) {
			t.Error("renewed a month too early")
		}
		time.Sleep(10 * 24 * time.Hour)
		m.Inject(func(vfs.Op, string) error { return syscall.ENOSPC })
		second := must(config.GetCertificate(nil))(t).Leaf // serves though it cannot be kept
		m.Inject(nil)
		if second.Equal(first) || time.Until(second.NotAfter) < 300*24*time.Hour {
			t.Errorf("not renewed: ends %s", second.NotAfter)
		}
		must(auth.OpenCA(m, "auth", nil))(t)
		time.Sleep(9*365*24*time.Hour + 20*24*time.Hour)
		if _, err := auth.OpenCA(m, "auth", nil); !errors.Is(err, auth.ErrExpired) {
			t.Errorf("an authority after its end: %v", err)
		}
	})
}

func TestMakingTheAuthoritySurvivesAPowerCutAtEveryOperation(t *testing.T) {
	for n := 0; ; n++ {
		m := vfs.NewMem()
		m.CutAt(n)
		first, err := auth.OpenCA(m, "auth", nil)
		after := must(auth.OpenCA(m.Crash(nil), "auth", nil))(t)
		if err == nil {
			if string(after.CertPEM()) != string(first.CertPEM()) {
				t.Error("an authority that was given out was lost")
			}
			return
		}
	}
}

func TestAnAuthorityWithoutItsKeyIsRefused(t *testing.T) {
	m := vfs.NewMem()
	must(auth.OpenCA(m, "auth", nil))(t)
	must(0, m.Remove("auth/ca.key"))(t)
	if _, err := auth.OpenCA(m, "auth", nil); err == nil {
		t.Error("opened")
	}
	must(0, vfs.WriteFile(m, "auth/ca.key", []byte("garbage")))(t)
	if _, err := auth.OpenCA(m, "auth", nil); err == nil {
		t.Error("opened with a garbage key")
	}
}
