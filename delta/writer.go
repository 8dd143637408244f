package delta

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path"
	"slices"
	"sync"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/google/uuid"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/parquetfile"
	"github.com/marisma/marisma/delta/internal/schema"
	"github.com/marisma/marisma/delta/internal/stats"
	"github.com/marisma/marisma/objstore"
)

// WriterOptions say how data files are written. The zero value is good.
type WriterOptions struct {
	// TargetFileBytes closes a file that has grown to this size; the table's
	// delta.targetFileSize, or 128 MiB, by default.
	TargetFileBytes int64
	// Compression is "zstd" (the default), "snappy" or "none".
	Compression string
	// RowGroupBytes bounds a row group and with it the memory for each open
	// file; 32 MiB by default.
	RowGroupBytes int64
	// MaxOpen bounds how many partitions' files are open at once, 32 by
	// default. Of more, the one written to least recently is closed, so that its
	// partition may get several files, or, in an optimised write, rows wait for
	// others of their partition.
	MaxOpen int
	// OptimizeWrite says whether the write is optimised: each partition gets as
	// few files as its size asks for, however its rows come. Up to 64 MiB of rows
	// wait in memory, more in files in TempDir (the system's by default), until
	// Close. Nil is what the table's delta.autoOptimize.optimizeWrite says;
	// without it a Rewrite is optimised, and other writes are not.
	OptimizeWrite *bool
	TempDir       string
	// Tags go into each add.
	Tags map[string]string
	// ChangeData writes files of the change feed: rows have the column
	// ChangeType besides the table's. ChangeOf makes the adds what Commit takes.
	ChangeData bool
	// Rearranged marks files that hold rows the table has already; it implies
	// KeepRows.
	Rearranged bool
	// KeepRows takes, on tables with row tracking, rows with the columns RowID
	// and RowCommitVersion besides the table's: rows that have one are the table's
	// rows of that name, moved or, without RowCommitVersion, updated.
	KeepRows bool
	// Identity has the writer number columns of new rows as the table asks
	// (GENERATED ... AS IDENTITY): rows leave them out, and the commit of the files
	// must have Writer.Identity. Append, Overwrite and the like do so themselves.
	Identity bool
	// SchemaTo, if set, is the schema that the commit of the files gives the
	// table.
	SchemaTo *arrow.Schema
}

func (o *WriterOptions) defaults() error {
	if o.RowGroupBytes <= 0 {
		o.RowGroupBytes = 32 << 20
	}
	if o.MaxOpen <= 0 {
		o.MaxOpen = 32
	}
	if o.Compression == "" {
		o.Compression = "zstd"
	}
	_, err := parquetfile.Codec(o.Compression)
	return err
}

// Writer writes data files for later commits. It is for one goroutine; files
// are uploaded in the background.
type Writer struct {
	table  *Table
	opt    WriterOptions
	schema *arrow.Schema // the table's
	takes  *arrow.Schema // of rows: the table's columns and those of row tracking that it keeps
	data   *arrow.Schema // takes' columns that data files have
	files  *arrow.Schema // of the data files: data's columns under their names there
	part   []string      // partition columns
	// counted are the columns of files that may have statistics.
	counted *arrow.Schema
	keys    []string // and their names in partition values
	folder  string   // below the root
	sel     stats.Select
	rules   *ruleSet // nil: nothing to compute
	numbers []*Numbering
	gather  *gathering // nil: rows do not wait
	upload  func(key string, r io.Reader) (info objstore.Info, durable func() error, err error)

	open  []*dataFile // most recently used last
	done  []*dataFile
	err   error
	ended bool
}

// dataFile is a file being written.
type dataFile struct {
	id     string // of its partition
	path   string // decoded, below the root
	values Values
	stats  *stats.Collector
	pq     *parquetfile.Writer
	*spool
}

// NewWriter begins writing files for the table as it is now. ctx governs the
// uploads until Close or Abort, one of which must be called.
func (t *Table) NewWriter(ctx context.Context, opt WriterOptions) (*Writer, error) {
	if err := opt.defaults(); err != nil {
		return nil, err
	}
	t.mu.Lock()
	meta, sc, protocol, err := t.tip.meta, t.tip.schema, t.tip.protocol, t.tip.check()
	t.mu.Unlock()
	if err == nil && opt.SchemaTo != nil {
		sc, err = schema.Normal(opt.SchemaTo)
	}
	if err == nil {
		err = t.writable(protocol, meta, sc)
	}
	if err != nil {
		return nil, err
	}
	numbers, err := t.numberings(protocol, sc, &opt)
	if err != nil {
		return nil, err
	}
	var computed *ruleSet
	if opt.ChangeData {
		sc = withChangeType(sc)
	} else {
		computed = t.rules(ctx, meta, sc)
	}
	m := mappingOf(protocol, meta)
	below := ""
	if opt.ChangeData {
		below = changeFolder
	}
	w := &Writer{
		rules: computed, numbers: numbers, folder: below, table: t, opt: opt, schema: sc, part: meta.PartitionColumns, keys: partitionKeys(sc, m, meta.PartitionColumns),
		data: stored(sc, meta.PartitionColumns), files: m.Files(sc, meta.PartitionColumns), sel: stats.FromProperties(sc, m, meta.Configuration),
		upload: func(key string, r io.Reader) (objstore.Info, func() error, error) {
			if d, ok := t.store.(objstore.Deferrer); ok {
				return d.PutLater(ctx, key, r, objstore.PutOptions{})
			}
			info, err := t.store.Put(ctx, key, r, objstore.PutOptions{})
			return info, nil, err
		},
	}
	if w.data.NumFields() == 0 {
		return nil, ErrNoColumn
	}
	w.opt.TargetFileBytes = fileSize(meta, &opt)
	if gathers(meta, &opt) {
		w.gather = &gathering{w: w, room: gatherBytes}
	}
	w.takes, w.counted = w.schema, w.files
	if tr := trackingOf(protocol, meta); tr != nil && (opt.Rearranged || opt.KeepRows) && !opt.ChangeData {
		err = w.keepRows(tr)
	}
	return w, err
}

// stored are the table's columns that its data files have.
func stored(s *arrow.Schema, partition []string) *arrow.Schema {
	var out []arrow.Field
	for _, f := range s.Fields() {
		if f.Type.ID() != arrow.NULL && !slices.Contains(partition, f.Name) {
			out = append(out, f)
		}
	}
	return arrow.NewSchema(out, nil)
}

// Write adds rows. Columns are matched by name; those that are missing are
// NULL. The batch stays the caller's. After an error the Writer only takes
// Abort.
func (w *Writer) Write(rec arrow.RecordBatch) error {
	if w.err != nil {
		return w.err
	}
	if w.ended {
		return errors.New("delta: write after close")
	}
	if w.err = w.write(rec); w.err != nil {
		return w.err
	}
	return nil
}

func (w *Writer) write(rec arrow.RecordBatch) error {
	if rec.NumRows() == 0 {
		return nil
	}
	if len(w.numbers) > 0 && !w.opt.KeepRows {
		full, err := w.number(rec)
		if err != nil {
			return err
		}
		defer full.Release()
		rec = full
	}
	fit, err := w.prepare(rec)
	if err != nil {
		return err
	}
	defer fit.Release()
	return w.place(fit)
}

// prepare makes rows of the table out of rec: it computes what the table's
// rules ask for and checks them. The caller releases the batch.
func (w *Writer) prepare(rec arrow.RecordBatch) (arrow.RecordBatch, error) {
	full := rec
	if w.rules != nil {
		var err error
		if full, err = w.rules.apply(rec, w.kept(rec)); err != nil {
			return nil, err
		}
		defer full.Release()
	}
	fit, err := conform(full, w.takes)
	if err != nil {
		return nil, err
	}
	if err := checkNulls(fit); err != nil {
		fit.Release()
		return nil, err
	}
	return fit, nil
}

// writePart writes rows of one partition; rec has the files' schema.
func (w *Writer) writePart(values Values, rec arrow.RecordBatch) error {
	f, err := w.file(values)
	if err != nil {
		return err
	}
	for _, c := range rec.Columns() {
		settle(c)
	}
	var wg sync.WaitGroup
	wg.Go(func() { f.stats.Add(rec) })
	err = f.pq.Write(rec)
	wg.Wait()
	if err == nil && f.pq.Size() >= w.opt.TargetFileBytes {
		return w.finish(f, false)
	}
	return err
}

// settle has an array count its nulls and make its dictionary, which Arrow does
// at the first question: two goroutines must not ask it at once.
func settle(a arrow.Array) {
	_ = a.NullN()
	switch a := a.(type) {
	case *array.Dictionary:
		settle(a.Dictionary())
	case *array.Struct:
		for i := range a.NumField() {
			settle(a.Field(i))
		}
	case *array.List:
		settle(a.ListValues())
	case *array.Map:
		settle(a.Keys())
		settle(a.Items())
	}
}

func (w *Writer) file(values Values) (*dataFile, error) {
	id := folder(w.keys, values)
	for i, f := range w.open {
		if f.id == id {
			w.open = append(slices.Delete(w.open, i, i+1), f)
			return f, nil
		}
	}
	if len(w.open) >= w.opt.MaxOpen {
		if err := w.finish(w.open[0], false); err != nil {
			return nil, err
		}
	}
	name, err := uuid.NewV7()
	if err != nil {
		return nil, err
	}
	ext := ".parquet"
	if w.opt.Compression != "none" {
		ext = "." + w.opt.Compression + ext
	}
	f := &dataFile{
		id: id, path: path.Join(w.folder, id, "part-"+name.String()+ext), values: values, stats: stats.New(w.counted, w.sel),
	}
	f.spool = newSpool(func(r io.Reader) (objstore.Info, func() error, error) { return w.upload(w.table.key(f.path), r) })
	if f.pq, err = parquetfile.NewWriter(f, w.files, w.opt.Compression, w.opt.RowGroupBytes); err != nil {
		return nil, err
	}
	w.open = append(w.open, f)
	w.done = append(w.done, f)
	return f, nil
}

// finish ends a file; its upload goes on, unless it is waited for.
func (w *Writer) finish(f *dataFile, wait bool) error {
	w.open = slices.DeleteFunc(w.open, func(g *dataFile) bool { return g == f })
	if err := f.pq.Close(); err != nil {
		f.abort(err)
		return err
	}
	return f.finish(wait)
}

// finishOpen ends the files that are open.
func (w *Writer) finishOpen() error {
	for len(w.open) > 0 {
		if err := w.finish(w.open[0], false); err != nil {
			return err
		}
	}
	return nil
}

// Close ends the files, waits until they are durable, and tells them. They are
// no part of the table until a commit names them. On an error everything
// written is deleted again; an OrphanError names what could not be.
func (w *Writer) Close() ([]Add, error) {
	adds, durable, err := w.end()
	if err == nil {
		if err = durable(); err != nil {
			err = w.abort(err)
		}
	}
	if err != nil {
		return nil, err
	}
	return adds, nil
}

// end is Close without the wait until the files are durable, which a commit
// that names them must wait for. Where that fails the files are still there.
func (w *Writer) end() ([]Add, func() error, error) {
	if w.ended {
		return nil, nil, errors.New("delta: closed already")
	}
	if w.err == nil && w.gather != nil && len(w.gather.values) > 0 {
		if w.err = w.finishOpen(); w.err == nil {
			w.err = w.gather.drain()
		}
	}
	for len(w.open) > 0 && w.err == nil {
		w.err = w.finish(w.open[0], len(w.open) == 1)
	}
	w.gather.end()
	if w.err == nil {
		for _, f := range w.done {
			<-f.ended
			w.err = errors.Join(w.err, f.err)
		}
	}
	if w.err != nil {
		return nil, nil, w.abort(w.err)
	}
	w.ended = true
	adds := make([]Add, 0, len(w.done))
	for _, f := range w.done {
		adds = append(adds, Add{
			Path: action.Encode(f.path), PartitionValues: f.values, Size: f.info.Size, ModificationTime: f.info.ModTime.UnixMilli(),
			DataChange: !w.opt.Rearranged, Stats: f.stats.JSON(), Tags: w.opt.Tags,
		})
	}
	done := w.done
	return adds, func() error {
		var err error
		for _, f := range done {
			if f.durable != nil {
				err = errors.Join(err, f.durable())
			}
		}
		return err
	}, nil
}

// Abort gives up and deletes what was written; an OrphanError names files that
// could not be deleted. After Close it does nothing.
func (w *Writer) Abort() error {
	if w.ended {
		return nil
	}
	return w.abort(nil)
}

var errAborted = errors.New("delta: write aborted")

func (w *Writer) abort(cause error) error {
	w.ended = true
	w.gather.end()
	for _, f := range w.open {
		f.abort(errAborted)
	}
	w.open = nil
	var keys []string
	for _, f := range w.done {
		<-f.ended
		if f.err == nil || !errors.Is(f.err, errAborted) {
			keys = append(keys, w.table.key(f.path))
		}
	}
	return w.table.discard(keys, cause)
}

// discard deletes data files that no version names. It gives cause, wrapped in
// an OrphanError if some could not be deleted.
func (t *Table) discard(keys []string, cause error) error {
	ctx, cancel := context.WithTimeout(context.Background(), cleanupTime)
	defer cancel()
	var left []string
	for _, k := range keys {
		if err := t.store.Delete(ctx, k); err != nil {
			left = append(left, k)
			if cause == nil {
				cause = fmt.Errorf("delta: giving up a write: %w", err)
			}
		}
	}
	if len(left) > 0 {
		return &OrphanError{Keys: left, Err: cause}
	}
	return cause
}

// Discard deletes files of prepared adds that will never be committed. An
// OrphanError names those that could not be deleted. Files that the table's
// newest version names are left alone.
func (t *Table) Discard(ctx context.Context, adds []Add) error {
	if err := t.refresh(ctx); err != nil {
		return err
	}
	var keys []string
	t.mu.Lock()
	for _, a := range adds {
		if t.tip.index[action.Key(a.Path, a.DeletionVector)] == nil {
			keys = append(keys, t.locate(a.Path))
		}
	}
	t.mu.Unlock()
	return t.discard(keys, nil)
}
