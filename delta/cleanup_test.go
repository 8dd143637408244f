package delta_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

// The log is cut before a whole checkpoint only: one whose end is missing keeps
// what stands before it.
func TestCleanupTrustsNoBrokenCheckpoint(t *testing.T) {
	for _, policy := range []string{"classic", "v2"} {
		dir := t.TempDir()
		props := delta.WithProperties(map[string]string{"delta.checkpointPolicy": policy})
		d := must[*delta.Table](t)(delta.Create(t.Context(), objstore.Local(dir), "t", plain, props))
		for i := range 3 {
			appendRows(t, d, i, 1)
		}
		must[int64](t)(d.Checkpoint(t.Context()))
		parts := filepath.Join(dir, "t", "_delta_log", "_sidecars", "*")
		before := must[[]string](t)(filepath.Glob(parts))
		for i := range 3 {
			appendRows(t, d, 3+i, 1)
		}
		must[int64](t)(d.Checkpoint(t.Context()))
		appendRows(t, d, 6, 1)
		long := time.Now().Add(-time.Hour)
		logs, err := filepath.Glob(filepath.Join(dir, "t", "_delta_log", "*"))
		if err != nil {
			t.Fatal(err)
		}
		var broken []string
		for _, f := range logs {
			if strings.HasPrefix(filepath.Base(f), fmt.Sprintf("%020d.checkpoint", 6)) {
				broken = append(broken, f)
			}
			if err := os.Chtimes(f, long, long); err != nil {
				t.Fatal(err)
			}
		}
		if policy == "v2" {
			broken = slices.DeleteFunc(must[[]string](t)(filepath.Glob(parts)), func(f string) bool { return slices.Contains(before, f) })
		}
		for _, f := range broken {
			b, err := os.ReadFile(f)
			if err != nil {
				t.Fatal(err)
			}
			if policy == "v2" {
				err = os.Remove(f)
			} else {
				err = os.WriteFile(f, bytes.TrimSuffix(b, []byte("PAR1")), 0o600)
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if len(broken) == 0 {
			t.Fatalf("%s: no checkpoint to break", policy)
		}
		must[int](t)(d.CleanupLog(t.Context(), delta.CleanupOptions{Retention: time.Minute}))
		if oldest, _, err := d.LogBounds(t.Context()); err != nil || oldest > 3 {
			t.Errorf("%s: the log begins with %d, %v", policy, oldest, err)
		}
		again := must[*delta.Table](t)(delta.Open(t.Context(), objstore.Local(dir), "t"))
		if got := ids(t, snap(t, again)); len(got) != 7 {
			t.Errorf("%s: %v", policy, got)
		}
	}
}

// What keeps other formats in step is refused by name, with what to do.
func TestUniFormIsRefusedByName(t *testing.T) {
	for k, v := range map[string]string{
		"delta.enableIcebergCompatV1": "true", "delta.enableIcebergCompatV2": "true", "delta.enableIcebergCompatV3": "TRUE",
		"delta.universalFormat.enabledFormats": "iceberg", "delta.feature.icebergCompatV2": "supported",
	} {
		_, err := delta.Create(t.Context(), objstore.Memory(), "t", plain, delta.WithProperties(map[string]string{k: v}))
		if !errors.Is(err, delta.ErrUnsupportedFeature) || !strings.Contains(err.Error(), "UniForm") || !strings.Contains(err.Error(), "DROP FEATURE") {
			t.Errorf("%s: %v", k, err)
		}
		d := made(t, 1, nil)
		if _, err := d.Commit(t.Context(), delta.Commit{ReadVersion: -1, Properties: map[string]string{k: v}}); !errors.Is(err, delta.ErrUnsupportedFeature) {
			t.Errorf("%s later: %v", k, err)
		}
	}
}
