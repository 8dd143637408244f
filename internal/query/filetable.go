package query

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"path"
	"strings"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/query/filetable"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
	"github.com/marisma/marisma/internal/worker"
	"github.com/marisma/marisma/objstore"
)

// fileDef is what the catalog keeps of a table of files besides its columns.
type fileDef struct {
	Format      string            `json:"format"`
	Options     map[string]string `json:"options,omitempty"`
	PartitionBy []string          `json:"partitionBy,omitempty"`
	Defaults    map[string]string `json:"defaults,omitempty"` // of columns
	Properties  map[string]string `json:"properties,omitempty"`
}

// Properties of a catalog row: a fileDef, and the format, which is not Delta.
const (
	filesKey    = "files"
	providerKey = "provider"
)

// ofFiles tells whether a table is a folder of files.
func ofFiles(t catalog.Table) bool { return t.Properties[filesKey] != "" }

func fileDefOf(t catalog.Table) (fileDef, error) {
	var d fileDef
	if err := json.Unmarshal([]byte(t.Properties[filesKey]), &d); err != nil {
		return d, fmt.Errorf("query: the definition of %s: %w", t.FullName(), err)
	}
	return d, nil
}

// into puts a definition into a row's properties.
func (d fileDef) into(props map[string]string) error {
	text, err := json.Marshal(d)
	if err != nil {
		return fmt.Errorf("query: %w", err)
	}
	props[filesKey], props[providerKey] = string(text), d.Format
	return nil
}

// fileHandle is the Source.Handle of a table of files. All scans of a statement
// read the files that the first of them has found.
type fileHandle struct {
	table  catalog.Table
	def    fileDef
	tables *Tables
	folder *filetable.Folder
	text   *worker.Text  // nil for Parquet
	parts  []arrow.Field // the partition columns

	mu    sync.Mutex
	files []filetable.File
	pin   *filetable.Pin
}

// folder is the folder of a table of files.
func (t *Tables) folder(c catalog.Table) (*filetable.Folder, error) {
	store, root, err := t.where(c)
	if err != nil {
		return nil, err
	}
	return t.folderAt(store, root), nil
}

func (t *Tables) folderAt(store objstore.Store, root string) *filetable.Folder {
	key := fmt.Sprintf("%p %s", store, root)
	t.mu.Lock()
	defer t.mu.Unlock()
	f := t.folders[key]
	if f == nil {
		f = filetable.New(store, root)
		if t.folders == nil {
			t.folders = map[string]*filetable.Folder{}
		}
		t.folders[key] = f
	}
	return f
}

// fileTable is the source of a table of files.
func (r *Resolver) fileTable(t catalog.Table, at analyze.TimeTravel) (*plan.Source, error) {
	if at.Version != nil || at.Timestamp != nil {
		return nil, &sparksql.Error{
			Class: "UNSUPPORTED_FEATURE.TIME_TRAVEL", SQLState: "0A000", Phase: sparksql.PhaseAnalysis, Message: "the table " + t.FullName() + " has no versions.",
		}
	}
	def, err := fileDefOf(t)
	if err != nil {
		return nil, err
	}
	files := &plan.FileTable{Format: def.Format, Options: def.Options, PartitionBy: def.PartitionBy}
	src := &plan.Source{Kind: plan.SourceTable, Name: []string{t.Catalog, t.Schema, t.Name}, Metadata: FileMetadata(), Files: files}
	for _, c := range t.Columns {
		typ, err := parse.DataType(c.Type)
		if err != nil {
			return nil, fmt.Errorf("table %s: column %s: %w", t.FullName(), c.Name, err)
		}
		rule := plan.ColumnRule{Default: def.Defaults[c.Name]}
		if types.Contains(typ, func(t types.Type) bool { _, ok := t.(types.Char); return ok }) {
			rule.Declared = typ
			typ = analyze.Stored(typ)
		}
		src.Columns = append(src.Columns, types.Field{Name: c.Name, Type: typ, Nullable: true, Comment: c.Comment})
		files.Columns = append(files.Columns, rule)
	}
	h := r.files[t.ID]
	if h == nil {
		if h, err = r.fileHandle(t, def, src.Columns); err != nil {
			return nil, err
		}
		r.files[t.ID] = h
	}
	src.Handle = h
	if h.text != nil {
		data := len(src.Columns) - len(def.PartitionBy)
		reader := &fileReader{format: def.Format, options: def.Options}
		files.Query = reader.query(src.Columns[:data], plan.RawFiles, def.PartitionBy...)
		raw := *src
		raw.Files, raw.Columns = nil, append([]types.Field{lineColumn}, src.Columns[data:]...)
		files.Raw = &raw
	}
	return src, nil
}

func (r *Resolver) fileHandle(t catalog.Table, def fileDef, cols []types.Field) (*fileHandle, error) {
	folder, err := r.tables.folder(t)
	if err != nil {
		return nil, err
	}
	parts, err := types.ArrowFields(cols[len(cols)-len(def.PartitionBy):])
	if err != nil {
		return nil, err
	}
	reader := &fileReader{format: def.Format, options: def.Options}
	return &fileHandle{table: t, def: def, tables: r.tables, folder: folder, text: reader.text(), parts: parts}, nil
}

// listing are the table's files, kept until the pin is released.
func (h *fileHandle) listing(ctx context.Context) ([]filetable.File, *filetable.Pin, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.pin != nil {
		if p := h.pin.Again(); p != nil {
			return h.files, p, nil
		}
	}
	files, _, pin, err := h.folder.List(ctx)
	if err != nil {
		return nil, nil, err
	}
	h.files, h.pin = files, pin
	return files, pin, nil
}

// values are the texts of a file's partition values by the table's columns,
// false where its folders do not name all of them.
func (h *fileHandle) values(path string) (map[string]string, bool) {
	if len(h.parts) == 0 {
		return nil, true
	}
	_, named := delta.HiveValues(path)
	out := make(map[string]string, len(h.parts))
	for _, p := range h.parts {
		v, ok := named[p.Name]
		for k, x := range named {
			if !ok && strings.EqualFold(k, p.Name) {
				v, ok = x, true
			}
		}
		if !ok {
			return nil, false
		}
		out[p.Name] = v
	}
	return out, true
}

// partitionTexts are values as partitionSQL reads them; one that is none of the
// column's type is NULL.
func (h *fileHandle) partitionTexts(values map[string]string) map[string]string {
	out := make(map[string]string, len(values))
	for _, p := range h.parts {
		if v, err := delta.PartitionScalar(p.Type, values[p.Name]); err == nil {
			out[p.Name] = partitionText(v)
		}
	}
	return out
}

// input reads the files that may hold rows for preds.
func (h *fileHandle) input(ctx context.Context, preds []delta.Predicate) (_ Input, err error) {
	keep, err := delta.PartitionFilter(h.parts, preds)
	if err != nil {
		return Input{}, err
	}
	files, pin, err := h.listing(ctx)
	if err != nil {
		return Input{}, err
	}
	release := []func(){pin.Release}
	in := Input{Text: h.text, Partition: h.def.PartitionBy, release: func() {
		for _, f := range release {
			f()
		}
	}}
	defer func() {
		if err != nil {
			in.Release()
		}
	}()
	for _, f := range files {
		values, ok := h.values(f.Path)
		if !ok || !keep(values) {
			continue
		}
		local, done, err := h.tables.fetch(ctx, h.folder.Store(), f.Key, f.Size)
		if err != nil {
			return in, err
		}
		release = append(release, done)
		facts := FileFacts{URI: h.tables.fileURI(h.folder.Store(), f.Key), Size: f.Size, Modified: f.Modified}
		in.Files = append(in.Files, File{
			Path: local, Partition: h.partitionTexts(values), Own: h.text == nil && h.tables.Odd(local), Facts: func() FileFacts { return facts },
		})
	}
	in.learn = func() bool {
		if h.text != nil {
			return false
		}
		paths := make([]string, len(in.Files))
		for i, f := range in.Files {
			paths[i] = f.Path
		}
		return h.tables.Learn(paths)
	}
	return in, nil
}

// fileURI is an object of a store as a URI.
func (t *Tables) fileURI(store objstore.Store, key string) string {
	if p := t.local(store, key); p != "" {
		return FileURI(p)
	}
	for _, r := range t.roots {
		if r.Store == store {
			return quoteURI(strings.TrimSuffix(r.Address, "/") + "/" + key)
		}
	}
	return quoteURI(key)
}

// under is the path of a file that a draft below a folder has written.
func under(add delta.Add) (string, error) {
	p, err := url.PathUnescape(add.Path)
	if err != nil {
		return "", fmt.Errorf("query: %w", err)
	}
	return path.Clean(p), nil
}
