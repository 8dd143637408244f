package delta_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/objstore"
)

func made(t *testing.T, n int, props map[string]string) *delta.Table {
	t.Helper()
	d := must[*delta.Table](t)(delta.Create(t.Context(), objstore.Local(t.TempDir()), "t", plain, delta.WithProperties(props)))
	appendRows(t, d, 0, n)
	return d
}

// A feature goes with what uses it, and the rows stay.
func TestDropFeatureKeepsTheRows(t *testing.T) {
	for feature, props := range map[string]map[string]string{
		"columnMapping":     {"delta.columnMapping.mode": "name"},
		"deletionVectors":   {"delta.enableDeletionVectors": "true"},
		"inCommitTimestamp": {"delta.enableInCommitTimestamps": "true"},
		"rowTracking":       {"delta.enableRowTracking": "true"},
		"v2Checkpoint":      {"delta.checkpointPolicy": "v2"},
	} {
		t.Run(feature, func(t *testing.T) {
			d := made(t, 10, props)
			want := ids(t, snap(t, d))
			if err := d.DropFeature(t.Context(), feature, delta.DropFeatureOptions{}); err != nil {
				t.Fatal(err)
			}
			s, err := d.Snapshot(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if fs := delta.Features(s.Protocol()); slices.Contains(fs, feature) {
				t.Errorf("the table still has %s: %v", feature, fs)
			}
			if got := ids(t, snap(t, d)); !slices.Equal(got, want) {
				t.Errorf("rows %v became %v", want, got)
			}
			if err := d.DropFeature(t.Context(), feature, delta.DropFeatureOptions{}); !errors.Is(err, delta.ErrFeatureAbsent) {
				t.Errorf("dropped twice: %v", err)
			}
		})
	}
}

func TestDropFeatureRefuses(t *testing.T) {
	d := made(t, 3, map[string]string{"delta.enableDeletionVectors": "true"})
	for feature, want := range map[string]error{"appendOnly": delta.ErrFeatureFixed, "typeWidening": delta.ErrFeatureAbsent, "nosuch": delta.ErrFeatureAbsent} {
		if err := d.DropFeature(t.Context(), feature, delta.DropFeatureOptions{}); !errors.Is(err, want) {
			t.Errorf("%s: %v instead of %v", feature, err, want)
		}
	}
	if err := d.DropFeature(t.Context(), "deletionVectors", delta.DropFeatureOptions{TruncateHistory: true}); !errors.Is(err, delta.ErrFeatureHistory) {
		t.Errorf("young history: %v", err)
	}
}
