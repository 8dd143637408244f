package kernel

import (
	"fmt"
	"strings"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
)

// parseURL gives a part of a URL: HOST, PATH, QUERY, REF, PROTOCOL, FILE,
// AUTHORITY, USERINFO; with a third argument the value of a key of the query.
// What Java's URI refuses is NULL.
func parseURL(g *sig) (kernel, error) {
	args := []vector.ID{duckdb.TypeVarchar, duckdb.TypeVarchar, duckdb.TypeVarchar}
	if len(g.args) < 2 || len(g.args) > 3 {
		return kernel{}, fmt.Errorf("%d arguments", len(g.args))
	}
	return kernel{run: rowText(func(b []byte, c *call, i int) ([]byte, bool) {
		part := string(str(c, 1, i))
		text := string(str(c, 0, i))
		if len(c.args) == 3 {
			if part != "QUERY" {
				return b, false
			}
			q, ok := urlPart(text, part)
			if !ok {
				return b, false
			}
			key := string(str(c, 2, i)) + "="
			for kv := range strings.SplitSeq(q, "&") {
				if v, ok := strings.CutPrefix(kv, key); ok {
					return append(b, v...), true
				}
			}
			return b, false
		}
		s, ok := urlPart(text, part)
		return append(b, s...), ok
	})}, g.want(duckdb.TypeVarchar, args[:len(g.args)]...)
}

// urlParts are the parts of a URL as they are written.
type urlParts struct {
	scheme, authority, rest, ref string
	hasRef                       bool
	opaque                       bool // mailto:a@b has no further parts
}

// parsedURL cuts a URL as java.net.URI does; false for what that refuses.
func parsedURL(text string) (u urlParts, ok bool) {
	if strings.ContainsAny(text, " \"<>\\^`{|}") || strings.Count(text, "#") > 1 || !goodEscapes(text) {
		return u, false
	}
	u.rest, u.ref, u.hasRef = strings.Cut(text, "#")
	if at := strings.IndexAny(u.rest, ":/?"); at >= 0 && u.rest[at] == ':' {
		u.scheme, u.rest = u.rest[:at], u.rest[at+1:]
		if !goodScheme(u.scheme) || u.rest == "" {
			return u, false
		}
		u.opaque = u.rest[0] != '/'
	}
	if rest, found := strings.CutPrefix(u.rest, "//"); found {
		end := strings.IndexAny(rest, "/?")
		if end < 0 {
			end = len(rest)
		}
		u.authority, u.rest = rest[:end], rest[end:]
		if rest == "" || strings.Contains(u.authority, "[") != strings.Contains(u.authority, "]") {
			return u, false
		}
	}
	if path, _, _ := strings.Cut(u.rest, "?"); !u.opaque && strings.ContainsAny(path, "[]") {
		return u, false
	}
	return u, true
}

func goodScheme(s string) bool {
	for i, c := range s {
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (i == 0 || !strings.ContainsRune("0123456789+-.", c)) {
			return false
		}
	}
	return s != ""
}

func goodEscapes(s string) bool {
	for i := range len(s) {
		if s[i] < 0x20 || s[i] == 0x7F || s[i] == '%' && (i+2 >= len(s) || !isHex(s[i+1]) || !isHex(s[i+2])) {
			return false
		}
	}
	return true
}

func isHex(c byte) bool { return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f' }

// hostOf is the host of an authority; "" where it is no host's name.
func hostOf(host string) string {
	if strings.HasPrefix(host, "[") {
		if end := strings.IndexByte(host, ']'); end > 0 {
			return host[:end+1]
		}
		return ""
	}
	name, port, _ := strings.Cut(host, ":")
	if strings.Trim(port, "0123456789") != "" {
		return ""
	}
	for _, c := range name {
		if letter := c|0x20 >= 'a' && c|0x20 <= 'z'; !letter && (c < '0' || c > '9') && c != '-' && c != '.' {
			return ""
		}
	}
	return name
}

// urlPart keeps the escapes of the text.
func urlPart(text, part string) (string, bool) {
	u, ok := parsedURL(text)
	if !ok || u.opaque && part != "REF" && part != "PROTOCOL" {
		return "", false
	}
	path, query, hasQuery := strings.Cut(u.rest, "?")
	user, host, hasUser := strings.Cut(u.authority, "@")
	if !hasUser {
		user, host = "", u.authority
	}
	switch part {
	case "HOST":
		host = hostOf(host)
		return host, host != ""
	case "PATH":
		return path, true
	case "QUERY":
		return query, hasQuery
	case "REF":
		return u.ref, u.hasRef
	case "PROTOCOL":
		return u.scheme, u.scheme != ""
	case "FILE":
		return u.rest, true
	case "AUTHORITY":
		return u.authority, u.authority != ""
	case "USERINFO":
		return user, hasUser
	}
	return "", false
}
