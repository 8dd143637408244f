package auth

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"path"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/marisma/marisma/internal/vfs"
)

const (
	caLife     = 10 * 365 * 24 * time.Hour
	serverLife = 397 * 24 * time.Hour // what strict clients accept at most
	renewAhead = 30 * 24 * time.Hour
)

// CA is the certificate authority of a data folder with the server certificate
// that it signed. It is safe for concurrent use.
type CA struct {
	fs    vfs.FS
	dir   string
	hosts []string
	key   *ecdsa.PrivateKey
	cert  *x509.Certificate
	pem   []byte

	mu     sync.Mutex
	server *tls.Certificate
}

// OpenCA reads the authority of the folder dir, or makes one that is good for
// ten years. The server certificate names hosts (names or addresses) and this
// machine; it is made again when they change or its end is near.
func OpenCA(fsys vfs.FS, dir string, hosts []string) (*CA, error) {
	if err := fsys.MkdirAll(dir); err != nil {
		return nil, fmt.Errorf("auth: %w", err)
	}
	c := &CA{fs: fsys, dir: dir, hosts: hostNames(hosts)}
	if err := c.load(); err != nil {
		return nil, fmt.Errorf("auth: certificate authority %s: %w", c.CertFile(), err)
	}
	if _, err := c.certificate(time.Now()); err != nil {
		return nil, fmt.Errorf("auth: server certificate: %w", err)
	}
	return c, nil
}

// hostNames adds this machine's and brings them in order, each once.
func hostNames(hosts []string) []string {
	out := []string{"localhost", "127.0.0.1", "::1"}
	for _, h := range hosts {
		h = strings.ToLower(strings.Trim(h, "[] "))
		if ip := net.ParseIP(h); ip != nil {
			h = ip.String()
		}
		if h != "" {
			out = append(out, h)
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (c *CA) file(name string) string { return path.Join(c.dir, name) }

// CertFile is the name of the authority's certificate in the file system.
func (c *CA) CertFile() string { return c.file("ca.pem") }

// CertPEM is the authority's certificate, for clients to trust.
func (c *CA) CertPEM() []byte { return bytes.Clone(c.pem) }

// ServerTLS is the configuration of a listener: TLS 1.2 or newer. The
// certificate is renewed while the server runs.
func (c *CA) ServerTLS() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			cert, err := c.certificate(time.Now())
			if cert != nil {
				return cert, nil // it serves, kept or not
			}
			return nil, err
		},
	}
}

// ClientTLS is the configuration of a client that trusts this authority alone.
func (c *CA) ClientTLS() *tls.Config {
	pool := x509.NewCertPool()
	pool.AddCert(c.cert)
	return &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
}

// load reads the authority or makes it. The key is written first: without a
// certificate nobody trusts it yet, so that it may be made again.
func (c *CA) load() error {
	certPEM, err := vfs.ReadFile(c.fs, c.CertFile())
	if errors.Is(err, fs.ErrNotExist) {
		return c.make(time.Now())
	}
	if err != nil {
		return err
	}
	keyPEM, err := vfs.ReadFile(c.fs, c.file("ca.key"))
	if err != nil {
		return fmt.Errorf("its key: %w", err)
	}
	pair, err := tls.X509KeyPair(certPEM, keyPEM)
	if err != nil {
		return err
	}
	key, ok := pair.PrivateKey.(*ecdsa.PrivateKey)
	if !ok || !pair.Leaf.IsCA {
		return errors.New("it is not an authority with an ECDSA key")
	}
	if time.Now().After(pair.Leaf.NotAfter) {
		return fmt.Errorf("%w on %s: remove ca.pem and ca.key for a new one, and give it to the devices", ErrExpired, pair.Leaf.NotAfter.Format(time.DateOnly))
	}
	c.cert, c.key, c.pem = pair.Leaf, key, certPEM
	return nil
}

func (c *CA) make(now time.Time) error {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return err
	}
	t := &x509.Certificate{
		SerialNumber: serial(),
		// The number tells authorities apart where a machine trusts several.
		Subject:               pkix.Name{CommonName: "Marisma CA " + hex.EncodeToString(random(4)), Organization: []string{"Marisma"}},
		NotBefore:             now.Add(-time.Hour),
		NotAfter:              now.Add(caLife),
		IsCA:                  true,
		MaxPathLenZero:        true,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return err
	}
	if c.cert, err = x509.ParseCertificate(der); err != nil {
		return err
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return err
	}
	c.key, c.pem = key, encodeCert(der)
	if err := vfs.WriteFile(c.fs, c.file("ca.key"), keyPEM); err != nil {
		return err
	}
	return vfs.WriteFile(c.fs, c.CertFile(), c.pem)
}

// certificate is the server's: the one in hand, the one on disk, or a new one.
func (c *CA) certificate(now time.Time) (*tls.Certificate, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.server != nil && c.good(c.server.Leaf, now) {
		return c.server, nil
	}
	name := c.file("server.pem") // certificate and key in one file, so that they fit
	if data, err := vfs.ReadFile(c.fs, name); err == nil {
		if pair, err := tls.X509KeyPair(data, data); err == nil && c.good(pair.Leaf, now) {
			c.server = &pair
			return c.server, nil
		}
	}
	data, err := c.signServer(now)
	if err != nil {
		return nil, err
	}
	pair, err := tls.X509KeyPair(data, data)
	if err != nil {
		return nil, err
	}
	c.server = &pair // good even where it cannot be kept
	return c.server, vfs.WriteFile(c.fs, name, data)
}

// good tells whether a server certificate still serves.
func (c *CA) good(cert *x509.Certificate, now time.Time) bool {
	names := slices.Clone(cert.DNSNames)
	for _, ip := range cert.IPAddresses {
		names = append(names, ip.String())
	}
	slices.Sort(names)
	return slices.Equal(names, c.hosts) && cert.CheckSignatureFrom(c.cert) == nil &&
		now.After(cert.NotBefore) && (now.Add(renewAhead).Before(cert.NotAfter) || cert.NotAfter.Equal(c.cert.NotAfter))
}

// signServer makes a server certificate with its key, in PEM.
func (c *CA) signServer(now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	t := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: "localhost", Organization: []string{"Marisma"}},
		NotBefore:    now.Add(-time.Hour),
		NotAfter:     now.Add(serverLife),
		KeyUsage:     x509.KeyUsageDigitalSignature,
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}
	if t.NotAfter.After(c.cert.NotAfter) {
		t.NotAfter = c.cert.NotAfter
	}
	for _, h := range c.hosts {
		if ip := net.ParseIP(h); ip != nil {
			t.IPAddresses = append(t.IPAddresses, ip)
		} else {
			t.DNSNames = append(t.DNSNames, h)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, t, c.cert, key.Public(), c.key)
	if err != nil {
		return nil, err
	}
	keyPEM, err := encodeKey(key)
	if err != nil {
		return nil, err
	}
	return append(encodeCert(der), keyPEM...), nil
}

func serial() *big.Int { return new(big.Int).SetBytes(random(16)) }

func encodeCert(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func encodeKey(key *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}
