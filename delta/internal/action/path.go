package action

import (
	"net/url"
	"path"
	"strconv"
	"strings"
)

// Key tells which logical file an action speaks of: its decoded path and, if
// any, its deletion vector.
func Key(path string, dv *DeletionVector) string {
	p := Canonical(path)
	if dv == nil {
		return p
	}
	id := dv.StorageType + dv.PathOrInlineDv
	if dv.Offset != nil {
		id += "@" + strconv.Itoa(int(*dv.Offset))
	}
	return p + "\x00" + id
}

// Canonical is the decoded form of an action's path: relative paths to the
// table's root, absolute local ones with one leading slash whether or not they
// were written with the file scheme, others with their scheme.
func Canonical(named string) string {
	if !strings.ContainsAny(named, "%:") {
		return tidy(named)
	}
	if rest, ok := strings.CutPrefix(named, "file:"); ok && strings.HasPrefix(rest, "/") {
		named = "/" + strings.TrimLeft(rest, "/")
	}
	if d, err := url.PathUnescape(named); err == nil {
		named = d
	}
	return tidy(named)
}

// tidy leaves out of a path what names no folder: doubled slashes, dots and
// steps back. Addresses keep theirs.
func tidy(p string) string {
	odd := strings.Contains(p, "//") || strings.HasPrefix(p, "./") || strings.Contains(p, "/./") || strings.Contains(p, "/../")
	if !odd || Absolute(p) && p[0] != '/' {
		return p
	}
	return path.Clean(p)
}

// Absolute tells whether a canonical path does not lie below the table's root
// by its own word: it begins with a slash or has a scheme (s3://, dbfs:/).
func Absolute(canonical string) bool {
	if strings.HasPrefix(canonical, "/") {
		return true
	}
	scheme, rest, ok := strings.Cut(canonical, ":")
	if !ok || !strings.HasPrefix(rest, "/") || len(scheme) < 2 {
		return false
	}
	for i := 0; i < len(scheme); i++ {
		c := scheme[i] | 0x20
		if (c < 'a' || c > 'z') && (i == 0 || (scheme[i] < '0' || scheme[i] > '9') && !strings.ContainsRune("+-.", rune(scheme[i]))) {
			return false
		}
	}
	return true
}

const upper = "0123456789ABCDEF"

// Encode percent-encodes a relative path once, for an action's path.
func Encode(path string) string {
	plain := func(c byte) bool {
		return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || strings.IndexByte("/-_.!~*'()=&$,@+;", c) >= 0
	}
	return escape(path, plain)
}

// Hive escapes a partition column's name or value for a folder's name.
func Hive(s string) string {
	return escape(s, func(c byte) bool {
		return c >= 0x20 && c != 0x7f && strings.IndexByte("\"#%'*/:=?\\{}[]^<>|", c) < 0
	})
}

func escape(s string, plain func(byte) bool) string {
	n := 0
	for i := 0; i < len(s); i++ {
		if !plain(s[i]) {
			n++
		}
	}
	if n == 0 {
		return s
	}
	b := make([]byte, 0, len(s)+2*n)
	for i := 0; i < len(s); i++ {
		if c := s[i]; plain(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', upper[c>>4], upper[c&15])
		}
	}
	return string(b)
}
