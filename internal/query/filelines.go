package query

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/google/uuid"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/query/filetable"
	"github.com/marisma/marisma/internal/sparksql/types"
	"github.com/marisma/marisma/objstore"
)

// lineWriter writes the lines of a statement, a file for each partition: first
// into local files of its own, then into the table's folder.
type lineWriter struct {
	store  objstore.Store
	write  *filetable.Write
	def    fileDef
	header string // the first line of each file, "" without
	gzip   bool

	dir     string // of the local files, "" before the first
	parts   map[string]*linePart
	pending int // bytes in memory
}

// linePart are the lines of one partition.
type linePart struct {
	file  string
	lines bytes.Buffer
}

// maxPending bounds the lines in memory.
const maxPending = 32 << 20

func newLineWriter(h *fileHandle, w *filetable.Write, cols []types.Field) *lineWriter {
	r := &fileReader{format: h.def.Format, options: h.def.Options}
	codec, _ := r.option("compression")
	t := &lineWriter{store: h.folder.Store(), write: w, def: h.def, gzip: strings.EqualFold(codec, "gzip"), parts: map[string]*linePart{}}
	if h.def.Format == "csv" && r.on("header") {
		sep, ok := r.option("sep")
		if !ok {
			if sep, ok = r.option("delimiter"); !ok {
				sep = ","
			}
		}
		quote := string(r.one("quote", '"'))
		names := make([]string, len(cols)-len(h.def.PartitionBy))
		for i := range names {
			names[i] = cols[i].Name
			if strings.Contains(names[i], sep) || strings.Contains(names[i], quote) {
				names[i] = quote + strings.ReplaceAll(names[i], quote, `\`+quote) + quote
			}
		}
		t.header = strings.Join(names, sep) + "\n"
	}
	return t
}

// take takes a batch of lines with their partitions' values.
func (t *lineWriter) take(rec arrow.RecordBatch) error {
	cols := make([]*array.String, 1+len(t.def.PartitionBy))
	for i := range cols {
		c, ok := rec.Column(i).(*array.String)
		if !ok {
			return fmt.Errorf("query: lines are %s", rec.Column(i).DataType())
		}
		cols[i] = c
	}
	values := map[string]string{}
	for i := range int(rec.NumRows()) {
		for p, name := range t.def.PartitionBy {
			values[name] = ""
			if cols[p+1].IsValid(i) {
				values[name] = cols[p+1].Value(i)
			}
		}
		folder := delta.HiveFolder(t.def.PartitionBy, values)
		p := t.parts[folder]
		if p == nil {
			p = &linePart{file: fmt.Sprintf("%d", len(t.parts))}
			p.lines.WriteString(t.header)
			t.parts[folder] = p
		}
		if cols[0].IsValid(i) {
			p.lines.WriteString(cols[0].Value(i))
			t.pending += len(cols[0].Value(i))
		}
		p.lines.WriteByte('\n')
		t.pending++
	}
	if t.pending < maxPending {
		return nil
	}
	return t.spill()
}

// spill appends the lines in memory to the local files.
func (t *lineWriter) spill() (err error) {
	if t.dir == "" {
		if t.dir, err = os.MkdirTemp("", "marisma-lines-"); err != nil {
			return err
		}
	}
	t.pending = 0
	for _, p := range t.parts {
		if p.lines.Len() == 0 {
			continue
		}
		f, err := os.OpenFile(filepath.Join(t.dir, p.file), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
		if err != nil {
			return err
		}
		_, err = p.lines.WriteTo(f)
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
	}
	return nil
}

// put puts the files aside and tells their folders.
func (t *lineWriter) put(ctx context.Context) (map[string]bool, error) {
	folders := map[string]bool{}
	for folder, p := range t.parts {
		name := "part-00000-" + uuid.NewString() + "-c000." + map[string]string{"text": "txt"}[t.def.Format]
		if t.def.Format != "text" {
			name += t.def.Format
		}
		if t.gzip {
			name += ".gz"
		}
		at, dir := name, "."
		if folder != "" {
			at, dir = folder+"/"+name, folder
		}
		if err := t.putOne(ctx, t.write.Aside()+"/"+at, p); err != nil {
			return nil, err
		}
		t.write.Add(at)
		folders[dir] = true
	}
	return folders, nil
}

func (t *lineWriter) putOne(ctx context.Context, key string, p *linePart) (err error) {
	in := io.Reader(&p.lines)
	if t.dir != "" {
		f, err := os.Open(filepath.Join(t.dir, p.file))
		switch {
		case err == nil:
			defer func() { _ = f.Close() }() // only read
			in = io.MultiReader(f, &p.lines)
		case !errors.Is(err, os.ErrNotExist):
			return err
		}
	}
	if t.gzip {
		pr, pw := io.Pipe()
		plain := in
		go func() {
			z := gzip.NewWriter(pw)
			_, err := io.Copy(z, plain)
			pw.CloseWithError(errors.Join(err, z.Close()))
		}()
		defer func() { _ = pr.Close() }() // ends the other side
		in = pr
	}
	_, err = t.store.Put(ctx, key, in, objstore.PutOptions{})
	return err
}

// close deletes the local files.
func (t *lineWriter) close() {
	if t.dir != "" {
		_ = os.RemoveAll(t.dir) // the system's folder for such files
	}
}
