package kernel

import (
	"fmt"
	"net/url"
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

// urlPart keeps the escapes of the text.
func urlPart(text, part string) (string, bool) {
	if strings.ContainsAny(text, " \"<>\\^`{|}") {
		return "", false
	}
	u, err := url.Parse(text)
	if err != nil {
		return "", false
	}
	rest, ref, hasRef := strings.Cut(text, "#")
	scheme := ""
	if u.Scheme != "" {
		scheme, rest, _ = strings.Cut(rest, ":")
	}
	authority, hasAuthority := "", strings.HasPrefix(rest, "//")
	if hasAuthority {
		rest = rest[2:]
		end := strings.IndexAny(rest, "/?")
		if end < 0 {
			end = len(rest)
		}
		authority, rest = rest[:end], rest[end:]
	}
	path, query, hasQuery := strings.Cut(rest, "?")
	user, host, hasUser := strings.Cut(authority, "@")
	if !hasUser {
		user, host = "", authority
	}
	switch part {
	case "HOST":
		if k := strings.LastIndexByte(host, ':'); k >= 0 && !strings.HasSuffix(host, "]") {
			host = host[:k]
		}
		return host, host != ""
	case "PATH":
		return path, true
	case "QUERY":
		return query, hasQuery
	case "REF":
		return ref, hasRef
	case "PROTOCOL":
		return scheme, scheme != ""
	case "FILE":
		return rest, true
	case "AUTHORITY":
		return authority, authority != ""
	case "USERINFO":
		return user, hasUser
	}
	return "", false
}
