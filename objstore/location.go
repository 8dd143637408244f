package objstore

import (
	"fmt"
	"net"
	"net/url"
	"path/filepath"
	"strings"
)

// Kind says which package opens a Location.
type Kind string

// The kinds of places.
const (
	File  Kind = "file"  // Local
	Azure Kind = "azure" // objstore/azure
	S3    Kind = "s3"    // objstore/s3
)

// Location is what an address names.
type Location struct {
	Kind Kind
	// Account is Azure's storage account; "" where the address leaves it open.
	Account string
	// Container is Azure's container or S3's bucket.
	Container string
	// Endpoint is the address of the service where the address of the place
	// has one, such as https://account.blob.core.windows.net; "" else.
	Endpoint string
	// Prefix is the folder in the container, without slashes at its ends; of a
	// File the path.
	Prefix string
}

// Parse reads an address:
//
//	/data/t, data/t, file:///data/t             a folder of this machine
//	abfss://container@account.dfs.core.windows.net/path   also abfs, wasbs, wasb
//	https://account.blob.core.windows.net/container/path  also the dfs host
//	http://127.0.0.1:10000/account/container/path         an emulator
//	az://container/path, abfss://container/path           the account comes from the options
//	s3://bucket/path                                      also s3a, s3n
//
// Paths of http(s) and file addresses are unescaped, the others are taken as
// they stand, as Spark does. An address with credentials or a query is refused,
// and not repeated in the error.
func Parse(address string) (Location, error) {
	scheme, rest, ok := strings.Cut(address, "://")
	if !ok {
		if address == "" {
			return Location{}, fmt.Errorf("%w: an empty address", ErrInvalid)
		}
		if strings.HasPrefix(address, "file:/") {
			return parseFile(strings.TrimPrefix(address, "file:"))
		}
		return Location{Kind: File, Prefix: address}, nil
	}
	scheme = strings.ToLower(scheme)
	if web := scheme == "https" || scheme == "http"; web || scheme == "file" {
		if strings.ContainsAny(rest, "?#") {
			return Location{}, fmt.Errorf("%w: the %s address has a query; give a signature by the options, not in the address", ErrInvalid, scheme)
		}
		if web {
			return parseWeb(scheme, address)
		}
		return parseFile(rest)
	}
	host, path, _ := strings.Cut(rest, "/")
	path = strings.Trim(path, "/")
	if strings.Contains(host, ":") {
		return Location{}, fmt.Errorf("%w: the %s address has a port or a password before its path; give endpoints and credentials by the options", ErrInvalid, scheme)
	}
	if path != "" {
		if err := CheckKey(path); err != nil {
			return Location{}, err
		}
	}
	switch scheme {
	case "s3", "s3a", "s3n":
		if host == "" || strings.Contains(host, "@") {
			return Location{}, fmt.Errorf("%w: %s:// wants a bucket: s3://bucket/path", ErrInvalid, scheme)
		}
		return Location{Kind: S3, Container: host, Prefix: path}, nil
	case "abfss", "abfs", "wasbs", "wasb", "az", "azure":
		return parseAzure(scheme, host, path)
	}
	return Location{}, fmt.Errorf("%w: the scheme %q; known are abfss, az, https, s3 and file", ErrInvalid, scheme)
}

func parseFile(rest string) (Location, error) {
	path, err := url.PathUnescape(strings.TrimPrefix(rest, "localhost"))
	if err != nil || !filepath.IsAbs(path) {
		return Location{}, fmt.Errorf("%w: a file address has three slashes and an absolute path: file:///data/t", ErrInvalid)
	}
	return Location{Kind: File, Prefix: filepath.Clean(path)}, nil
}

// parseAzure reads container@account.host or container, and the path.
func parseAzure(scheme, host, path string) (Location, error) {
	name, server, at := strings.Cut(host, "@")
	loc := Location{Kind: Azure, Container: name, Prefix: path}
	if name == "" || at && server == "" {
		return Location{}, fmt.Errorf("%w: %s:// wants a container: abfss://container@account.dfs.core.windows.net/path or az://container/path", ErrInvalid, scheme)
	}
	switch {
	case at && !strings.Contains(server, "."):
		return Location{}, fmt.Errorf("%w: %q is no host; write abfss://%s@%s.dfs.core.windows.net/%s", ErrInvalid, server, name, server, path)
	case at:
		loc.Account, loc.Endpoint = blobHost(server)
	case strings.Contains(name, "."):
		return Location{}, fmt.Errorf("%w: %q is a host, not a container; write abfss://container@%s/path", ErrInvalid, name, name)
	}
	return loc, nil
}

// blobHost is the account of a host of its storage, and its Blob service.
func blobHost(host string) (account, endpoint string) {
	account, rest, _ := strings.Cut(host, ".")
	return account, "https://" + account + "." + strings.Replace("."+rest, ".dfs.", ".blob.", 1)[1:]
}

// parseWeb reads an http(s) address of Azure or of an emulator.
func parseWeb(scheme, address string) (Location, error) {
	u, err := url.Parse(address)
	if err != nil || u.User != nil {
		return Location{}, fmt.Errorf("%w: the %s address is not well-formed or has a password; give credentials by the options", ErrInvalid, scheme)
	}
	loc := Location{Kind: Azure}
	path := strings.Trim(u.Path, "/")
	host := u.Hostname()
	switch {
	case net.ParseIP(host) != nil || host == "localhost":
		loc.Account, path, _ = strings.Cut(path, "/")
		loc.Endpoint = scheme + "://" + u.Host + "/" + loc.Account
	case strings.Contains(host, ".blob.") || strings.Contains(host, ".dfs."):
		loc.Account, loc.Endpoint = blobHost(host)
	case strings.HasSuffix(host, ".amazonaws.com"):
		return Location{}, fmt.Errorf("%w: write s3://bucket/path for %s, and the region in the options", ErrInvalid, host)
	default:
		return Location{}, fmt.Errorf("%w: %s is no storage host that is known; write abfss://container@account.dfs.core.windows.net/path, or s3://bucket/path with an endpoint in the options", ErrInvalid, host)
	}
	if loc.Container, loc.Prefix, _ = strings.Cut(path, "/"); loc.Container == "" {
		return Location{}, fmt.Errorf("%w: the address of %s names no container", ErrInvalid, host)
	}
	if loc.Prefix != "" {
		return loc, CheckKey(loc.Prefix)
	}
	return loc, nil
}
