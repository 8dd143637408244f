package delta

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/logfile"
	"github.com/marisma/marisma/delta/internal/parquetfile"
	"github.com/marisma/marisma/delta/internal/schema"
	"github.com/marisma/marisma/objstore"
)

// shared finds a folder of foreign tables: below $GOLDEN/.. or beside the repository.
func shared(t *testing.T, name string) string {
	t.Helper()
	places := []string{"../../shared", "../../../shared"}
	if g := os.Getenv("GOLDEN"); g != "" {
		places = []string{filepath.Dir(g)}
	}
	for _, p := range places {
		if st, err := os.Stat(filepath.Join(p, name)); err == nil && st.IsDir() {
			return filepath.Join(p, name)
		}
	}
	t.Skip("the golden tables are not here")
	return ""
}

// answer is what Spark says of a table (the corpus' README gives the form).
type answer struct {
	Version   *int64              `json:"version"`
	NumFiles  *int                `json:"num_files"`
	LiveFiles [][]json.RawMessage `json:"live_files"`
	Schema    json.RawMessage     `json:"delta_schema"`
	Error     *refusal            `json:"error"`
	Latest    *contents           `json:"latest"`
	Changes   *struct {
		contents
		Start, End int64
		Schema     json.RawMessage
	} `json:"changes"`
	Versions []contents `json:"versions"`
}

// refusal is the error that Spark gives where it opens the table or reads its
// latest rows, nil where it reads them.
func (a *answer) refusal() *refusal {
	switch {
	case a == nil:
		return nil
	case a.Error != nil:
		return a.Error
	case a.Latest != nil:
		return a.Latest.Error
	}
	return nil
}

type refusal struct {
	Class string `json:"class"`
	Phase string `json:"phase"`
}

type contents struct {
	Version int64             `json:"version"`
	Count   *int64            `json:"rows_count"`
	Digest  string            `json:"digest"`
	Rows    []json.RawMessage `json:"rows"`
	Error   *refusal          `json:"error"`
}

// TestForeignTables reads every table below $GOLDEN (by default the shared
// golden tables, where they are) and compares it with what is expected of it:
// a file below $EXPECTED, Parquet files in a folder "expected" beside it, or
// both. `make golden` asks for the outcome of each in
// the file $GOLDEN_TABLE.
func TestForeignTables(t *testing.T) {
	root, expected := os.Getenv("GOLDEN"), os.Getenv("EXPECTED")
	report := os.Getenv("GOLDEN_TABLE")
	var lines []string
	if root == "" {
		root = shared(t, "golden")
	}
	if expected == "" {
		expected = filepath.Join(filepath.Dir(root), "corpus", "delta", "expected")
	}
	passed, failed := 0, 0
	for _, table := range foreignTables(t, root, expected) {
		t.Run(table, func(t *testing.T) {
			g := &goldenTable{dir: filepath.Join(root, table), large: report != ""}
			why := g.check(t.Context(), t, expected, table)
			switch {
			case why != "":
				failed++
				t.Error(why)
			case g.skipped != "":
				t.Skip(g.skipped)
			default:
				passed++
			}
			state := "ok  "
			if why != "" {
				state = "FAIL"
			}
			lines = append(lines, fmt.Sprintf("%s  %-70s  %s", state, table, strings.TrimRight(strings.Join(append(g.did, why), ", "), ", ")))
		})
	}
	lines = append(lines, fmt.Sprintf("%d passed, %d failed\n", passed, failed))
	if report != "" {
		if err := os.WriteFile(report, []byte(strings.Join(lines, "\n")), 0o600); err != nil {
			t.Fatal(err)
		}
	}
}

// foreignTables are the folders below root that have a log or an expected answer.
func foreignTables(t *testing.T, root, expected string) []string {
	t.Helper()
	found := map[string]bool{}
	err := filepath.WalkDir(root, func(p string, d os.DirEntry, err error) error {
		if err == nil && d.IsDir() && d.Name() == logfile.Folder {
			rel, err := filepath.Rel(root, filepath.Dir(p))
			if err != nil {
				return err
			}
			found[rel] = true
			return filepath.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	_ = filepath.WalkDir(expected, func(p string, d os.DirEntry, err error) error { // it may be absent
		if err == nil && !d.IsDir() && strings.Contains(d.Name(), ".json") {
			rel, err := filepath.Rel(expected, p)
			if err != nil {
				return err
			}
			if rel, _, _ = strings.Cut(rel, ".json"); isDir(filepath.Join(root, rel)) {
				found[rel] = true
			}
		}
		return nil
	})
	return slices.Sorted(maps.Keys(found))
}

func isDir(p string) bool {
	st, err := os.Stat(p)
	return err == nil && st.IsDir()
}

// goldenTable is one table under test.
type goldenTable struct {
	dir     string
	large   bool     // read tables of many rows, too
	did     []string // what was compared
	skipped string
}

func (g *goldenTable) note(format string, args ...any) {
	if n := fmt.Sprintf(format, args...); !slices.Contains(g.did, n) {
		g.did = append(g.did, n)
	}
}

// check gives what differs, "" if nothing does.
func (g *goldenTable) check(ctx context.Context, t *testing.T, expected, table string) string {
	var a *answer
	for _, p := range []string{
		filepath.Join(expected, table+".json"), filepath.Join(expected, table+".json.gz"),
		filepath.Join(expected, filepath.Base(filepath.Dir(g.dir)), filepath.Base(g.dir)+".json"),
	} {
		if _, err := os.Stat(p); err == nil {
			if a, err = readAnswer(p); err != nil {
				return err.Error()
			}
			break
		}
	}
	s, err := openLatest(ctx, g.dir)
	if want := a.refusal(); want != nil && (err != nil || want.Phase == "open") {
		g.note("refused as %s", want.Class)
		return refused(err, want)
	}
	if err != nil {
		return err.Error()
	}
	if a != nil {
		if why := g.answer(ctx, s, a); why != "" {
			return why
		}
	}
	if exp := filepath.Join(filepath.Dir(g.dir), "expected"); filepath.Base(g.dir) == "delta" && len(parquetFiles(t, exp)) > 0 {
		return g.parquet(ctx, t, s, exp)
	}
	if a == nil {
		_, err := readRows(ctx, s)
		if err != nil {
			return err.Error()
		}
		g.note("read; nothing to compare with")
	}
	return ""
}

func refused(err error, want *refusal) string {
	if err == nil {
		return "opened; Spark refuses it with " + want.Class
	}
	for _, family := range []error{ErrNotATable, ErrUnsupportedFeature, ErrCorrupt, ErrVersionNotFound, ErrSchemaMismatch, objstore.ErrNotFound} {
		if errors.Is(err, family) {
			return ""
		}
	}
	return "an error without family: " + err.Error()
}

func (g *goldenTable) answer(ctx context.Context, s *Snapshot, a *answer) string {
	if a.Version != nil && s.Version() != *a.Version || a.NumFiles != nil && s.NumFiles() != *a.NumFiles {
		return fmt.Sprintf("version %d with %d files, want %d with %d", s.Version(), s.NumFiles(), *a.Version, *a.NumFiles)
	}
	if why := sameFiles(s, a.LiveFiles); why != "" {
		return why
	}
	g.note("%d files", s.NumFiles())
	if len(a.Schema) > 0 && string(a.Schema) != "null" {
		want, err := schema.Parse(string(a.Schema))
		if err != nil {
			return err.Error()
		}
		if !s.Schema().Equal(want) {
			return fmt.Sprintf("schema %s, want %s", s.Schema(), want)
		}
	}
	latest := a.Latest
	if latest == nil && a.Error != nil {
		latest = &contents{Error: a.Error}
	}
	if latest != nil {
		if why := g.contents(ctx, s, latest); why != "" {
			return why
		}
	}
	if a.Changes != nil && a.Changes.Count != nil {
		if why := g.changes(ctx, s, a); why != "" {
			return "change feed: " + why
		}
	}
	for i := range a.Versions {
		v := &a.Versions[i]
		if v.Version == s.Version() {
			continue
		}
		old, err := s.table.SnapshotAt(ctx, v.Version)
		if err != nil {
			if v.Error != nil && refused(err, v.Error) == "" {
				continue
			}
			return fmt.Sprintf("version %d: %v", v.Version, err)
		}
		if why := g.contents(ctx, old, v); why != "" {
			return fmt.Sprintf("version %d: %s", v.Version, why)
		}
	}
	return ""
}

func sameFiles(s *Snapshot, files [][]json.RawMessage) string {
	if files == nil {
		return ""
	}
	var got, want []string
	for f := range s.All() {
		got = append(got, fmt.Sprint(action.Canonical(f.Path), " ", f.Size))
	}
	for _, f := range files {
		var path string
		if err := json.Unmarshal(f[0], &path); err != nil {
			return err.Error()
		}
		want = append(want, fmt.Sprint(action.Canonical(path), " ", string(f[1])))
	}
	sort.Strings(got)
	sort.Strings(want)
	return cmp.Diff(want, got)
}

func (g *goldenTable) contents(ctx context.Context, s *Snapshot, want *contents) string {
	rows, err := readRows(ctx, s)
	if want.Error != nil {
		g.note("refused as %s", want.Error.Class)
		return refused(err, want.Error)
	}
	if err != nil {
		return err.Error()
	}
	g.note("%d rows of version %d", len(rows), s.Version())
	if want.Count != nil && int64(len(rows)) != *want.Count {
		return fmt.Sprintf("%d rows, want %d", len(rows), *want.Count)
	}
	if want.Digest == "" || digest(rows) == want.Digest {
		return ""
	}
	if want.Rows == nil {
		return fmt.Sprintf("digest %s, want %s; a row: %s", digest(rows), want.Digest, rows[0])
	}
	return sameRows(rows, want.Rows, s.Schema())
}

// changes compares the change feed, whose answers leave the commit's time out.
func (g *goldenTable) changes(ctx context.Context, s *Snapshot, a *answer) string {
	want := a.Changes
	sc, err := schema.Parse(string(want.Schema))
	if err != nil {
		return err.Error()
	}
	var rows []string
	for rec, err := range s.table.ReadChanges(ctx, want.Start, want.End) {
		if err != nil {
			return err.Error()
		}
		last := int(rec.NumCols()) - 1
		cut := array.NewRecordBatch(arrow.NewSchema(rec.Schema().Fields()[:last], nil), rec.Columns()[:last], rec.NumRows())
		for i := range int(cut.NumRows()) {
			text, err := canonical(cut, i)
			if err != nil {
				return err.Error()
			}
			rows = append(rows, text)
		}
		cut.Release()
		rec.Release()
	}
	g.note("%d changes", len(rows))
	if int64(len(rows)) != *want.Count || digest(rows) != want.Digest && (want.Rows == nil || sameRows(rows, want.Rows, sc) != "") {
		return fmt.Sprintf("%d rows, want %d: %v", len(rows), *want.Count, rows[:min(3, len(rows))])
	}
	return ""
}

func readRows(ctx context.Context, s *Snapshot) ([]string, error) {
	var rows []string
	for rec, err := range s.Read(ctx, nil) {
		if err != nil {
			return nil, err
		}
		for i := range int(rec.NumRows()) {
			r, err := canonical(rec, i)
			if err != nil {
				return nil, err
			}
			rows = append(rows, r)
		}
		rec.Release()
	}
	return rows, nil
}

// parquet compares with the rows of plain Parquet files.
func (g *goldenTable) parquet(ctx context.Context, t *testing.T, s *Snapshot, exp string) string {
	if strings.Contains(g.dir, "data-reader-partition-values") {
		g.skipped = "its timestamps without zone are of the writer's zone, America/Los_Angeles, which the table does not tell"
		return ""
	}
	if s.Bytes() > 500_000 && !g.large {
		g.skipped = "large; set GOLDEN to read it"
		return ""
	}
	got, err := readRows(ctx, s)
	if err != nil {
		return err.Error()
	}
	sort.Strings(got)
	want := expectedRows(t, exp, s.Schema())
	g.note("%d rows", len(want))
	if !slices.Equal(got, want) {
		return fmt.Sprintf("%d rows, want %d\n%s", len(got), len(want), cmp.Diff(want[:min(3, len(want))], got[:min(3, len(got))]))
	}
	return ""
}

// parquetFiles are the files of the expected latest rows: in the folder itself,
// or where delta-incubator/dat has them.
func parquetFiles(t *testing.T, expected string) []string {
	t.Helper()
	var files []string
	for _, where := range []string{"", "latest/table_content"} {
		abs, err := filepath.Abs(filepath.Join(expected, where))
		if err != nil {
			t.Fatal(err)
		}
		found, err := filepath.Glob(filepath.Join(abs, "*.parquet"))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	return files
}

func expectedRows(t *testing.T, dir string, s *arrow.Schema) []string {
	t.Helper()
	var out []string
	var names []string
	for _, f := range s.Fields() {
		names = append(names, f.Name)
	}
	store := objstore.Local("/")
	for _, f := range parquetFiles(t, dir) {
		info, err := store.Head(t.Context(), strings.TrimPrefix(f, "/"))
		if err != nil {
			t.Fatal(err)
		}
		err = parquetfile.Read(t.Context(), newInput(t.Context(), store, info.Key, info.Size), parquetfile.ReadOptions{Want: func(f arrow.Field) bool { return slices.Contains(names, f.Name) }}, func(rec arrow.RecordBatch) error {
			fit, err := conform(rec, s)
			if err == nil {
				for i := range int(fit.NumRows()) {
					text, err := canonical(fit, i)
					if err != nil {
						return err
					}
					out = append(out, text)
				}
			}
			return err
		})
		if err != nil {
			t.Fatalf("expected rows in %s: %v", f, err)
		}
	}
	sort.Strings(out)
	return out
}

// Without the commits before them, the checkpoints are all there is.
func TestForeignCheckpointsOfTheSecondKind(t *testing.T) {
	root := filepath.Join(shared(t, "golden"), "kernel-rs-golden")
	for _, name := range []string{"v2-checkpoint-json", "v2-checkpoint-parquet"} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS(filepath.Join(root, name, "delta"))); err != nil {
				t.Fatal(err)
			}
			for v := range int64(2) {
				if err := os.Remove(filepath.Join(dir, logfile.Folder, logfile.CommitName(v))); err != nil {
					t.Fatal(err)
				}
			}
			s, err := openLatest(t.Context(), dir)
			if err != nil {
				t.Fatal(err)
			}
			rows := 0
			for rec, err := range s.Read(t.Context(), nil) {
				if err != nil {
					t.Fatal(err)
				}
				rows += int(rec.NumRows())
				rec.Release()
			}
			if s.Version() != 2 || s.NumFiles() != 4 || rows != 10 {
				t.Errorf("version %d, %d files, %d rows", s.Version(), s.NumFiles(), rows)
			}
		})
	}
}

func readAnswer(p string) (*answer, error) {
	f, err := os.Open(p)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var r io.Reader = f
	if strings.HasSuffix(p, ".gz") {
		if r, err = gzip.NewReader(f); err != nil {
			return nil, err
		}
	}
	a := &answer{}
	return a, json.NewDecoder(r).Decode(a)
}

func openLatest(ctx context.Context, dir string) (*Snapshot, error) {
	tab, err := Open(ctx, objstore.Local(dir), "")
	if err != nil {
		return nil, err
	}
	return tab.Snapshot(ctx)
}
