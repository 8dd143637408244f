package checkpoint

import (
	"slices"
	"testing"
)

// Spark resolves the columns of file actions in a manifest, too, though it
// finds nothing in them.
func TestAManifestHasTheColumnsOfFileActions(t *testing.T) {
	names := func(p Part) (out []string) {
		for _, f := range schemaFor(p, true).Fields() {
			out = append(out, f.Name)
		}
		return out
	}
	if got := names(Manifest); !slices.Contains(got, "add") || !slices.Contains(got, "remove") || !slices.Contains(got, "sidecar") {
		t.Errorf("a manifest has %v", got)
	}
	if got := names(Sidecar); !slices.Equal(got, []string{"add", "remove"}) {
		t.Errorf("a sidecar has %v", got)
	}
	if got := names(Whole); slices.Contains(got, "sidecar") || slices.Contains(got, "checkpointMetadata") {
		t.Errorf("a classic checkpoint has %v", got)
	}
}
