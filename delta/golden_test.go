package delta

import (
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/logfile"
	"github.com/marisma/marisma/delta/internal/parquetfile"
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

func lines(rec arrow.RecordBatch) []string {
	out := make([]string, rec.NumRows())
	for i := range out {
		var b strings.Builder
		for c := range int(rec.NumCols()) {
			b.WriteString(rec.Column(c).ValueStr(i) + "|")
		}
		out[i] = b.String()
	}
	return out
}

func expectedRows(t *testing.T, dir string, s *arrow.Schema) []string {
	t.Helper()
	var out []string
	var names []string
	for _, f := range s.Fields() {
		names = append(names, f.Name)
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.parquet"))
	if err != nil {
		t.Fatal(err)
	}
	store := objstore.Local(dir)
	for _, f := range files {
		info, err := store.Head(t.Context(), filepath.Base(f))
		if err != nil {
			t.Fatal(err)
		}
		err = parquetfile.Read(t.Context(), newInput(t.Context(), store, info.Key, info.Size), func(f arrow.Field) bool { return slices.Contains(names, f.Name) }, func(rec arrow.RecordBatch) error {
			fit, err := conform(rec, s)
			if err == nil {
				out = append(out, lines(fit)...)
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

func TestForeignTablesHaveTheirExpectedRows(t *testing.T) {
	root := filepath.Join(shared(t, "golden"), "kernel-rs-golden")
	tables, err := filepath.Glob(filepath.Join(root, "*", "expected"))
	if err != nil || len(tables) == 0 {
		t.Skip("no tables")
	}
	refused := 0
	for _, exp := range tables {
		name := filepath.Base(filepath.Dir(exp))
		t.Run(name, func(t *testing.T) {
			if name == "data-reader-partition-values" {
				t.Skip("its timestamps without zone are of the writer's zone, America/Los_Angeles, which the table does not tell")
			}
			tab, err := Open(t.Context(), objstore.Local(filepath.Join(root, name, "delta")), "")
			if errors.Is(err, ErrUnsupportedFeature) {
				refused++
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			s, err := tab.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if s.Bytes() > 500_000 {
				if testing.Short() || os.Getenv("GOLDEN") == "" {
					t.Skip("large; set GOLDEN to read it")
				}
			}
			got := []string{}
			for rec, err := range s.Read(t.Context(), nil) {
				if err != nil {
					t.Fatal(err)
				}
				got = append(got, lines(rec)...)
				rec.Release()
			}
			sort.Strings(got)
			want := expectedRows(t, exp, s.Schema())
			if !slices.Equal(got, want) {
				t.Errorf("%d rows, want %d\n%s", len(got), len(want), cmp.Diff(want[:min(3, len(want))], got[:min(3, len(got))]))
			}
		})
	}
	t.Logf("%d tables, %d refused for their features", len(tables), refused)
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

// answer is what Spark says of a table.
type answer struct {
	Folder    string              `json:"folder"`
	Table     string              `json:"table"`
	Version   *int64              `json:"version"`
	LiveFiles [][]json.RawMessage `json:"live_files"`
	NumFiles  *int                `json:"num_files"`
	Protocol  *Protocol           `json:"protocol"`
	Error     *struct {
		Class string `json:"class"`
		Phase string `json:"phase"`
	} `json:"error"`
}

func TestForeignTablesListTheFilesThatSparkLists(t *testing.T) {
	expected := filepath.Join(shared(t, "corpus"), "delta", "expected")
	golden := shared(t, "golden")
	err := filepath.WalkDir(expected, func(p string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.Contains(d.Name(), ".json") {
			return err
		}
		a, err := readAnswer(p)
		if err != nil {
			return err
		}
		t.Run(a.Table, func(t *testing.T) { compareAnswer(t, golden, a) })
		return nil
	})
	if err != nil {
		t.Fatal(err)
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

func compareAnswer(t *testing.T, golden string, a *answer) {
	s, err := openLatest(t.Context(), filepath.Join(golden, a.Folder, a.Table))
	if a.Error != nil && a.Error.Phase == "open" {
		if err == nil {
			t.Fatalf("opened; Spark refuses it with %s", a.Error.Class)
		}
		for _, family := range []error{ErrNotATable, ErrUnsupportedFeature, ErrCorrupt, ErrVersionNotFound} {
			if errors.Is(err, family) {
				return
			}
		}
		t.Fatalf("an error without family: %v", err)
	}
	if errors.Is(err, ErrUnsupportedFeature) && a.Protocol != nil && a.Protocol.MinReaderVersion > 1 {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	if s.Version() != *a.Version || s.NumFiles() != *a.NumFiles {
		t.Errorf("version %d with %d files, want %d with %d", s.Version(), s.NumFiles(), *a.Version, *a.NumFiles)
	}
	var got, want []string
	for f := range s.All() {
		got = append(got, fmt.Sprint(action.Canonical(f.Path), " ", f.Size))
	}
	for _, f := range a.LiveFiles {
		var path string
		if err := json.Unmarshal(f[0], &path); err != nil {
			t.Fatal(err)
		}
		want = append(want, fmt.Sprint(action.Canonical(path), " ", string(f[1])))
	}
	sort.Strings(got)
	sort.Strings(want)
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func openLatest(ctx context.Context, dir string) (*Snapshot, error) {
	tab, err := Open(ctx, objstore.Local(dir), "")
	if err != nil {
		return nil, err
	}
	return tab.Snapshot(ctx)
}
