package query

import (
	"context"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/query/dml"
	"github.com/marisma/marisma/internal/query/filetable"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// insertFiles runs INSERT into a table of files.
func (e *Engine) insertFiles(ctx context.Context, h *fileHandle, st *plan.Insert, r runner) error {
	static, err := e.partitionValues(ctx, st.Static, r.opt)
	if err != nil {
		return err
	}
	in := h.within(static)
	if st.IfAbsent {
		files, empty, pin, err := h.folder.List(ctx)
		if err != nil {
			return err
		}
		pin.Release()
		if slices.ContainsFunc(files, func(f filetable.File) bool { return in(f.Path) }) || slices.ContainsFunc(empty, func(p string) bool { return in(p + "/") }) {
			return nil
		}
	}
	w := h.folder.Begin()
	defer w.Abort(context.WithoutCancel(ctx)) // after Commit it does nothing
	folders, err := e.writeFiles(ctx, w, h, st.Target.Columns, &st.Rows, st.Lines, r)
	if err != nil {
		return fileWriteError(err)
	}
	gone := func(string) bool { return false }
	switch st.Mode {
	case plan.WriteOverwrite:
		gone = in
	case plan.WriteDynamic:
		gone = func(p string) bool { return folders[path.Dir(p)] }
	}
	if err := w.Commit(ctx, gone); err != nil {
		return err
	}
	return e.noteLineage(ctx, h.table, st)
}

// fileWriteError gives errors of rows the classes that they have for tables of
// files.
func fileWriteError(err error) error {
	u, ok := errors.AsType[*sparksql.Error](err)
	if !ok || u.Class != "DELTA_EXCEED_CHAR_VARCHAR_LIMIT" {
		return err
	}
	v := *u
	v.Class, v.SQLState = "EXCEED_LIMIT_LENGTH", "54006"
	return &v
}

// within tells of paths below the table whether they lie in partitions with
// these values.
func (h *fileHandle) within(values map[string]string) func(string) bool {
	want := h.partitionTexts(values)
	return func(p string) bool {
		if len(values) == 0 {
			return true
		}
		named, ok := h.values(p)
		if !ok {
			return false
		}
		have := h.partitionTexts(named)
		for c := range values {
			if have[c] != want[c] {
				return false
			}
		}
		return true
	}
}

// partitionValues are the texts of constant partition values; NULL is empty.
func (e *Engine) partitionValues(ctx context.Context, spec map[string]plan.Expr, opt Options) (map[string]string, error) {
	out := map[string]string{}
	for col, x := range spec {
		n := &plan.Project{
			Input: &plan.Values{Rows: [][]plan.Expr{{}}},
			Exprs: []plan.NamedExpr{{X: x, Attr: plan.Attr{ID: plan.NewID(), Name: col, Type: types.String, Nullable: true}}},
		}
		rows, err := e.execute(ctx, n, opt, nil)
		if err != nil {
			return nil, err
		}
		rec, err := rows.Next(ctx)
		if err == nil {
			if rec.Column(0).IsValid(0) {
				out[col] = strings.Clone(rec.Column(0).ValueStr(0))
			} else {
				out[col] = ""
			}
			rec.Release()
		}
		rows.Close()
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

// writeFiles puts rows aside and tells which partitions' folders they are for.
func (e *Engine) writeFiles(ctx context.Context, w *filetable.Write, h *fileHandle, cols []types.Field, rows *plan.Rows, lines plan.Node, r runner) (map[string]bool, error) {
	folders := map[string]bool{}
	if lines != nil {
		t := newLineWriter(h, w, cols)
		defer t.close()
		if err := dml.Lines(ctx, r, lines, rows.Checks, t.take); err != nil {
			return nil, err
		}
		return t.put(ctx)
	}
	fields, err := types.ArrowFields(cols)
	if err != nil {
		return nil, err
	}
	schema := arrow.NewSchema(fields, nil)
	props := map[string]string{}
	if slices.ContainsFunc(cols, func(f types.Field) bool {
		return types.Contains(f.Type, func(t types.Type) bool { return t == types.TimestampNTZ })
	}) {
		props["delta.feature.timestampNtz"] = "supported"
	}
	opts := append(slices.Clone(e.cfg.Tables.Options()), delta.WithPartitionBy(h.def.PartitionBy...), delta.WithProperties(props))
	d, err := delta.NewDraft(h.folder.Store(), w.Aside(), schema, opts...)
	if err != nil {
		return nil, err
	}
	adds, err := dml.Fill(ctx, r, rows, d, schema)
	if err != nil {
		return nil, err
	}
	for _, a := range adds {
		p, err := under(a)
		if err != nil {
			return nil, err
		}
		w.Add(p)
		folders[path.Dir(p)] = true
	}
	return folders, nil
}

// createFiles makes a table of files.
func (e *Engine) createFiles(ctx context.Context, sess *Session, c *plan.CreateTable, r runner) (*Result, error) {
	row := catalog.Table{Type: catalog.Managed, Properties: map[string]string{}}
	if c.Location != "" {
		p, err := e.cfg.Tables.place(c.Location)
		if err != nil {
			return nil, e.cfg.Tables.outsideAt(c.Location, c.Pos)
		}
		row.Type, row.Properties[locationKey] = catalog.External, p.address
		if empty, err := p.empty(ctx); err != nil || !empty && c.Rows != nil {
			if err == nil {
				err = fault(c.Pos, "_LEGACY_ERROR_TEMP_1241", "", "there are files at "+c.Location+", and CREATE TABLE AS SELECT takes an empty folder.", "CREATE TABLE without a query makes a table of what is there.")
			}
			return nil, err
		}
	}
	def := fileDef{Format: c.Files.Format, Options: c.Files.Options, PartitionBy: c.PartitionBy, Defaults: map[string]string{}, Properties: c.Properties}
	cols := c.Fields()
	if len(cols) == 0 {
		var err error
		if cols, def.PartitionBy, err = e.inferFiles(ctx, sess, c, row, r); err != nil {
			return nil, err
		}
	}
	for i, f := range cols {
		typ := f.Type
		if i < len(c.Columns) {
			if d := c.Columns[i].Default; d != "" {
				def.Defaults[f.Name] = d
			}
			if d := c.Columns[i].Declared; d != nil {
				typ = d
			}
		}
		row.Columns = append(row.Columns, catalog.Column{Name: f.Name, Type: typ.String(), Nullable: true, Comment: f.Comment})
	}
	if err := def.into(row.Properties); err != nil {
		return nil, err
	}
	row, err := e.enter(ctx, sess, c, row)
	if err != nil {
		return nil, err
	}
	if c.Rows != nil {
		if err := e.fillFiles(ctx, row, def, cols, c, r); err != nil {
			return nil, e.unborn(ctx, row, fileWriteError(err))
		}
	}
	if err := e.cfg.Catalog.Activate(ctx, row.ID); err != nil {
		return nil, err
	}
	return &Result{}, e.noteLineage(ctx, row, c)
}

func (e *Engine) fillFiles(ctx context.Context, row catalog.Table, def fileDef, cols []types.Field, c *plan.CreateTable, r runner) error {
	h, err := NewResolver(e.cfg.Catalog, e.cfg.Tables, row.Catalog, row.Schema).fileHandle(row, def, cols)
	if err != nil {
		return err
	}
	w := h.folder.Begin()
	defer w.Abort(context.WithoutCancel(ctx)) // after Commit it does nothing
	if _, err := e.writeFiles(ctx, w, h, cols, c.Rows, c.Lines, r); err != nil {
		return err
	}
	return w.Commit(ctx, func(string) bool { return false })
}

// readerNames are the formats' names in messages.
var readerNames = map[string]string{"csv": "CSV", "json": "JSON", "parquet": "Parquet", "text": "Text"}

// inferFiles are the columns of the files at LOCATION, the partition columns
// last.
func (e *Engine) inferFiles(ctx context.Context, sess *Session, c *plan.CreateTable, row catalog.Table, r runner) (cols []types.Field, parts []string, err error) {
	none := func() error {
		return fault(c.Pos, "UNABLE_TO_INFER_SCHEMA", "42KD9", "there are no columns, and no "+readerNames[c.Files.Format]+" files to take them from.", "Write the columns, or the LOCATION of files.")
	}
	if c.Location == "" {
		return nil, nil, none()
	}
	folder, err := e.cfg.Tables.folder(row)
	if err != nil {
		return nil, nil, err
	}
	files, _, pin, err := folder.List(ctx)
	if err != nil {
		return nil, nil, err
	}
	defer pin.Release()
	src := &copySource{}
	defer src.close()
	for _, f := range files {
		local, release, err := e.cfg.Tables.fetch(ctx, folder.Store(), f.Key, f.Size)
		if err != nil {
			return nil, nil, err
		}
		src.release = append(src.release, release)
		src.files = append(src.files, copyFile{address: f.Path, size: f.Size, local: local})
	}
	reader := &fileReader{
		step: (&task{e: e, sess: sess}).step(), format: c.Files.Format, options: c.Files.Options, empty: none,
		fault: func(class, state, message, hint string) error { return fault(c.Pos, class, state, message, hint) },
	}
	if cols, err = reader.infer(ctx, src); err != nil {
		return nil, nil, err
	}
	folders := partitionsOf(files)
	cols = slices.DeleteFunc(cols, func(f types.Field) bool {
		return slices.ContainsFunc(folders, func(p types.Field) bool { return strings.EqualFold(f.Name, p.Name) })
	})
	for _, p := range folders {
		parts = append(parts, p.Name)
	}
	return append(cols, folders...), parts, nil
}

// partitionTypes are tried in this order on the values of a partition column.
var partitionTypes = []types.Type{types.Int, types.BigInt, types.Double, types.Date, types.Timestamp}

// partitionsOf are the partition columns that the folders of files name.
func partitionsOf(files []filetable.File) []types.Field {
	if len(files) == 0 {
		return nil
	}
	names, _ := delta.HiveValues(files[0].Path)
	out := make([]types.Field, len(names))
	for i, n := range names {
		out[i] = types.Field{Name: n, Type: types.String, Nullable: true}
		for _, t := range partitionTypes {
			at, err := types.ToArrow(t)
			fits := err == nil && slices.ContainsFunc(files, func(f filetable.File) bool { _, v := delta.HiveValues(f.Path); return v[n] != "" })
			for _, f := range files {
				_, v := delta.HiveValues(f.Path)
				if fits {
					_, err := delta.PartitionScalar(at, v[n])
					fits = err == nil
				}
			}
			if fits {
				out[i].Type = t
				break
			}
		}
	}
	return out
}

// partition changes the partitions of a table of files.
func (e *Engine) partition(ctx context.Context, st *plan.Partition, opt Options) error {
	h, ok := st.Target.Handle.(*fileHandle)
	if !ok {
		return fmt.Errorf("query: %v is no table of files", st.Target.Name)
	}
	external := h.table.Type == catalog.External
	switch {
	case st.Action == "repair": // partitions are found in the folder each time
		return nil
	case st.Action == "truncate" && external:
		return fault(st.Pos, "CANNOT_TRUNCATE_EXTERNAL_TABLE", "0A000", h.table.FullName()+" is an external table, whose files TRUNCATE does not delete.", "INSERT OVERWRITE replaces its rows.")
	case st.Action == "drop" && external:
		return fault(st.Pos, "UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "the partitions of an external table are its folders, which DROP PARTITION does not delete.", "Delete the folder, or INSERT OVERWRITE ... PARTITION.")
	}
	specs := st.Specs
	if specs == nil {
		specs = []map[string]plan.Expr{nil}
	}
	files, empty, pin, err := h.folder.List(ctx)
	if err != nil {
		return err
	}
	pin.Release()
	there := slices.Clone(empty)
	for _, f := range files {
		there = append(there, path.Dir(f.Path))
	}
	var in []func(string) bool
	for _, s := range specs {
		values, err := e.partitionValues(ctx, s, opt)
		if err != nil {
			return err
		}
		match := h.within(values)
		found := s == nil || slices.ContainsFunc(there, func(p string) bool { return match(p + "/") })
		switch {
		case st.Action == "truncate" && len(s) < len(h.parts): // all that there are of these
		case st.Action != "add" && !found && !st.Lenient:
			return fault(st.Pos, "PARTITIONS_NOT_FOUND", "428FT", "the table "+h.table.FullName()+" has no partition "+pairs(values, "=", ", ")+".", "`SHOW PARTITIONS` lists them.")
		case st.Action == "add" && found && !st.Lenient:
			return fault(st.Pos, "PARTITIONS_ALREADY_EXIST", "428FT", "the table "+h.table.FullName()+" has a partition "+pairs(values, "=", ", ")+" already.", "ADD IF NOT EXISTS takes that.")
		case st.Action == "add" && !found:
			if err := h.folder.Mark(ctx, delta.HiveFolder(h.def.PartitionBy, values)); err != nil {
				return err
			}
		}
		in = append(in, match)
	}
	if st.Action == "add" {
		return nil
	}
	gone := func(p string) bool {
		return slices.ContainsFunc(in, func(m func(string) bool) bool { return m(p) }) && (st.Action != "truncate" || path.Base(p) != filetable.Marker)
	}
	if st.Action == "truncate" && len(h.parts) > 0 { // its partitions stay
		for _, f := range files {
			if gone(f.Path) {
				if err := h.folder.Mark(ctx, path.Dir(f.Path)); err != nil {
					return err
				}
			}
		}
	}
	w := h.folder.Begin()
	defer w.Abort(context.WithoutCancel(ctx)) // after Commit it does nothing
	return w.Commit(ctx, gone)
}
