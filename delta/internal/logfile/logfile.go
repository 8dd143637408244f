package logfile

import (
	"context"
	"fmt"
	"sort"
	"strconv"
	"strings"
	"time"

	"github.com/marisma/marisma/objstore"
)

// Folder is the log's folder below the table's root.
const Folder = "_delta_log"

// Sidecars is the folder below the log's with the files that checkpoints of
// the second kind name.
const Sidecars = "_sidecars"

// Hint is the name of the file that points at the last checkpoint.
const Hint = "_last_checkpoint"

// Kind says what a log file is.
type Kind uint8

// The kinds of log files.
const (
	Other      Kind = iota
	Commit          // N.json
	Checkpoint      // N.checkpoint.parquet or a part of a multi-part one
	V2              // N.checkpoint.<uuid>.json or .parquet
	Compacted       // N.M.compacted.json
	Checksum        // N.crc
)

// Name is a log file's name taken apart.
type Name struct {
	Kind    Kind
	Version int64
	Part    int // from 1; 0 for a classic checkpoint of one file
	Parts   int // 0 for a classic checkpoint of one file
}

// CommitName is the name of version v's commit file.
func CommitName(v int64) string { return fmt.Sprintf("%020d.json", v) }

// ChecksumName is the name of version v's checksum file.
func ChecksumName(v int64) string { return fmt.Sprintf("%020d.crc", v) }

// CheckpointName is the name of version v's classic checkpoint.
func CheckpointName(v int64) string { return fmt.Sprintf("%020d.checkpoint.parquet", v) }

// V2Name is the name of a checkpoint of the second kind of version v.
func V2Name(v int64, id string) string {
	return fmt.Sprintf("%020d.checkpoint.%s.parquet", v, id)
}

// Parse takes a name without folder apart.
func Parse(name string) Name {
	if len(name) < 24 || name[20] != '.' {
		return Name{}
	}
	v, ok := digits(name[:20], 20)
	if !ok {
		return Name{}
	}
	n := Name{Version: v}
	rest := name[21:]
	switch {
	case rest == "json":
		n.Kind = Commit
	case rest == "crc":
		n.Kind = Checksum
	case rest == "checkpoint.parquet":
		n.Kind = Checkpoint
	case strings.HasSuffix(rest, ".compacted.json"):
		n.Kind = Compacted
	case strings.HasPrefix(rest, "checkpoint."):
		p := strings.Split(rest, ".")
		if len(p) == 4 && p[3] == "parquet" {
			i, ok1 := digits(p[1], 10)
			of, ok2 := digits(p[2], 10)
			if ok1 && ok2 && i >= 1 && i <= of && of <= 1<<20 {
				n.Kind, n.Part, n.Parts = Checkpoint, int(i), int(of)
			}
		} else if len(p) == 3 && (p[2] == "json" || p[2] == "parquet") {
			n.Kind = V2
		}
	}
	return n
}

func digits(s string, width int) (int64, bool) {
	if len(s) != width || s[0] < '0' || s[0] > '9' {
		return 0, false
	}
	v, err := strconv.ParseInt(s, 10, 64)
	return v, err == nil
}

// File is a listed log file.
type File struct {
	Name
	objstore.Info
}

// Listing is a log folder's content, ordered by version.
type Listing struct {
	Commits []File
	// Checkpoints holds the complete ones, each with its parts in order; those
	// of the second kind are one file, which may name sidecars.
	Checkpoints [][]File
	// Rest are files of other kinds with a version.
	Rest []File
}

// Key is the key of a log file of the table at root.
func Key(root, name string) string {
	if root == "" {
		return Folder + "/" + name
	}
	return root + "/" + Folder + "/" + name
}

// List lists the log files of version from or later. Checkpoints are complete;
// where several of one version are, the last listed counts.
func List(ctx context.Context, s objstore.Store, root string, from int64) (*Listing, error) {
	prefix := Key(root, "")
	after := ""
	if from > 0 {
		after = prefix + fmt.Sprintf("%020d", from)
	}
	l := &Listing{}
	parts := map[[2]int64][]File{}
	for info, err := range s.List(ctx, prefix, after) {
		if err != nil {
			return nil, err
		}
		f := File{Name: Parse(strings.TrimPrefix(info.Key, prefix)), Info: info}
		if f.Version < from {
			continue
		}
		switch f.Kind {
		case Commit:
			l.Commits = append(l.Commits, f)
		case Checkpoint:
			if info.Size > 0 {
				id := [2]int64{f.Version, int64(f.Parts)}
				parts[id] = append(parts[id], f)
			}
		case V2:
			if info.Size > 0 {
				l.Checkpoints = append(l.Checkpoints, []File{f})
			}
		case Compacted, Checksum:
			l.Rest = append(l.Rest, f)
		case Other:
		}
	}
	for _, p := range parts {
		if p[0].Parts == 0 || len(p) == p[0].Parts {
			sort.Slice(p, func(i, j int) bool { return p[i].Part < p[j].Part })
			l.Checkpoints = append(l.Checkpoints, p)
		} else {
			l.Rest = append(l.Rest, p...)
		}
	}
	sort.Slice(l.Checkpoints, func(i, j int) bool {
		a, b := l.Checkpoints[i][0], l.Checkpoints[j][0]
		switch {
		case a.Version != b.Version:
			return a.Version < b.Version
		case a.Kind != b.Kind:
			return a.Kind < b.Kind
		case a.Parts != b.Parts:
			return a.Parts > b.Parts
		}
		return a.Key < b.Key
	})
	return l, nil
}

// Times are the commits' times in whole milliseconds, as the history shows them
// and others compare them, made to rise: each at least a millisecond after the
// one before. The slice is aligned with l.Commits.
func (l *Listing) Times() []time.Time {
	out := make([]time.Time, len(l.Commits))
	for i, c := range l.Commits {
		out[i] = c.ModTime.Truncate(time.Millisecond)
		if i > 0 && !out[i].After(out[i-1]) {
			out[i] = out[i-1].Add(time.Millisecond)
		}
	}
	return out
}
