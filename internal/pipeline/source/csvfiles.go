package source

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"sort"
	"strings"
	"sync"
	"time"
)

// File is one file of a read_files with what tells its versions apart.
type File struct {
	Path    string
	Size    int64
	ModTime time.Time
}

// Listing is what read_files found. Digest changes with any of the files'
// contents.
type Listing struct {
	Files  []File
	Digest string
}

// Files lists what a read_files path stands for and remembers the hashes of
// files that did not change. It is safe for concurrent use.
type Files struct {
	mu     sync.Mutex
	hashes map[File][sha256.Size]byte
}

// List finds the files of a path: a file, a folder, or a glob. Names that
// begin with "_" or "." are not read.
func (f *Files) List(ctx context.Context, o CSVOptions) (Listing, error) {
	paths, err := expand(o)
	if err != nil {
		return Listing{}, err
	}
	if len(paths) == 0 {
		return Listing{}, fmt.Errorf("source: [PATH_NOT_FOUND] no file is found at %s: %w", o.Path, fs.ErrNotExist)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	sum := sha256.New()
	kept := map[File][sha256.Size]byte{}
	var l Listing
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil {
			return Listing{}, err
		}
		file := File{p, info.Size(), info.ModTime()}
		h, ok := f.hashes[file]
		if !ok {
			if h, err = hashFile(ctx, p); err != nil {
				return Listing{}, err
			}
		}
		kept[file] = h
		l.Files = append(l.Files, file)
		_ = binary.Write(sum, binary.LittleEndian, uint32(len(p))) // a hash takes all
		sum.Write([]byte(p))
		sum.Write(h[:])
	}
	if f.hashes == nil {
		f.hashes = map[File][sha256.Size]byte{}
	}
	maps.Copy(f.hashes, kept)
	if len(f.hashes) > 4*len(kept)+1000 {
		f.hashes = kept // forget files that are gone
	}
	l.Digest = hex.EncodeToString(sum.Sum(nil)[:16])
	return l, nil
}

func hashFile(ctx context.Context, p string) ([sha256.Size]byte, error) {
	var out [sha256.Size]byte
	f, err := os.Open(p)
	if err != nil {
		return out, err
	}
	defer f.Close() //nolint:errcheck // read only
	h := sha256.New()
	if _, err := io.Copy(h, &ctxReader{ctx, f}); err != nil {
		return out, err
	}
	copy(out[:], h.Sum(nil))
	return out, nil
}

// ctxReader ends a long read with its context.
type ctxReader struct {
	ctx context.Context //nolint:containedctx // lives for one call
	r   io.Reader
}

func (c *ctxReader) Read(p []byte) (int, error) {
	if err := c.ctx.Err(); err != nil {
		return 0, err
	}
	return c.r.Read(p)
}

// expand resolves the path to files in the order of their names.
func expand(o CSVOptions) ([]string, error) {
	root := localPath(o.Path)
	matches := []string{root}
	if strings.ContainsAny(root, "*?[{") {
		var err error
		if matches, err = filepath.Glob(root); err != nil {
			return nil, fmt.Errorf("source: the path %s: %w", o.Path, err)
		}
	}
	var out []string
	for _, m := range matches {
		info, err := os.Stat(m)
		if err != nil {
			return nil, fmt.Errorf("source: [PATH_NOT_FOUND] %s: %w", o.Path, err)
		}
		if !info.IsDir() {
			out = append(out, m)
			continue
		}
		found, err := below(m, o)
		if err != nil {
			return nil, err
		}
		out = append(out, found...)
	}
	sort.Strings(out)
	return out, nil
}

// localPath strips the schemes that mean a local file.
func localPath(p string) string {
	for _, scheme := range []string{"file://", "file:"} {
		if rest, ok := strings.CutPrefix(p, scheme); ok {
			return rest
		}
	}
	return p
}

func below(dir string, o CSVOptions) ([]string, error) {
	var out []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		hidden := p != dir && (strings.HasPrefix(d.Name(), ".") || strings.HasPrefix(d.Name(), "_"))
		if d.IsDir() {
			if hidden || p != dir && !o.Recursive {
				return fs.SkipDir
			}
			return nil
		}
		if hidden {
			return nil
		}
		if o.Glob != "" {
			ok, err := path.Match(o.Glob, d.Name())
			if err != nil {
				return fmt.Errorf("source: the pattern %s: %w", o.Glob, err)
			}
			if !ok {
				return nil
			}
		}
		out = append(out, p)
		return nil
	})
	return out, err
}

// scan makes a scanner over a file's content.
func (o CSVOptions) scan(r io.Reader) *scanner {
	br := bufio.NewReaderSize(r, 256<<10)
	if mark, err := br.Peek(3); err == nil && string(mark) == "\xef\xbb\xbf" {
		_, _ = br.Discard(3) // it was peeked
	}
	return &scanner{r: br, delim: o.Delimiter, quote: o.Quote, escape: o.Escape, comment: o.Comment, multiLine: o.MultiLine}
}
