package obs

import (
	"fmt"
	"runtime/debug"
	"strconv"
	"strings"
)

// BuildInfo tells what the binary was built from; unknown things are "".
type BuildInfo struct {
	Version string `json:"version"`          // "devel" where no release was built
	Commit  string `json:"commit,omitempty"` // with "+changes" where the tree had some
	Date    string `json:"date,omitempty"`   // of the commit, RFC 3339
	Go      string `json:"go"`
	DuckDB  string `json:"duckdb,omitempty"`
}

// Build reads what the Go toolchain wrote into the binary.
func Build() BuildInfo {
	b := BuildInfo{Version: "devel"}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	b.Go = strings.TrimPrefix(info.GoVersion, "go")
	if v := info.Main.Version; v != "" && v != "(devel)" {
		b.Version = v
	}
	dirty := false
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Commit = s.Value[:min(12, len(s.Value))]
		case "vcs.time":
			b.Date = s.Value
		case "vcs.modified":
			dirty = s.Value == "true"
		}
	}
	if dirty && b.Commit != "" {
		b.Commit += "+changes"
	}
	for _, d := range info.Deps {
		if d.Path == "github.com/duckdb/duckdb-go-bindings" {
			b.DuckDB = duckVersion(d.Version)
		}
	}
	return b
}

// duckVersion reads DuckDB's version out of its binding's: v0.10506.0 is 1.5.6.
func duckVersion(module string) string {
	parts := strings.Split(module, ".")
	if len(parts) < 3 {
		return ""
	}
	n, err := strconv.Atoi(parts[1])
	if err != nil || n < 10000 {
		return ""
	}
	return fmt.Sprintf("%d.%d.%d", n/10000, n/100%100, n%100)
}

// String is one line: "marisma v1.2.0 (commit ..., date, Go ..., DuckDB ...)".
func (b BuildInfo) String() string {
	var more []string
	add := func(word, value string) {
		if value != "" {
			more = append(more, strings.TrimSpace(word+" "+value))
		}
	}
	add("commit", b.Commit)
	add("", b.Date)
	add("Go", b.Go)
	add("DuckDB", b.DuckDB)
	return fmt.Sprintf("marisma %s (%s)", b.Version, strings.Join(more, ", "))
}
