package delta

import (
	"fmt"
	"slices"
	"sort"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta/internal/schema"
)

// readFeatures are the reader features that this library knows. Names with
// -preview are those that writers used before a feature was settled.
var readFeatures = []string{
	"columnMapping", "deletionVectors", "geospatial", "timestampNtz", "typeWidening", "typeWidening-preview",
	"v2Checkpoint", "vacuumProtocolCheck", "variantShredding", "variantShredding-preview", "variantType", "variantType-preview",
}

// writeFeatures are the writer features that this library honours, or that
// ask for nothing as long as properties and schema do not use them.
var writeFeatures = []string{
	"appendOnly", "changeDataFeed", "checkConstraints", "checkpointProtection", "columnMapping", "deletionVectors", "domainMetadata",
	"generatedColumns", "identityColumns", "inCommitTimestamp", "invariants", "rowTracking", "timestampNtz", "typeWidening",
	"typeWidening-preview", "v2Checkpoint", "vacuumProtocolCheck", "variantShredding", "variantShredding-preview", "variantType", "variantType-preview",
}

// mappingOf is the column mapping in force: the property counts where the
// protocol has the feature, if only among those of writers, as Delta 3.1 wrote
// it.
func mappingOf(p *Protocol, m *Metadata) schema.Mapping {
	if p.MinReaderVersion == 2 || slices.Contains(p.ReaderFeatures, "columnMapping") || slices.Contains(p.WriterFeatures, "columnMapping") {
		return schema.MappingOf(m.Configuration)
	}
	return schema.Unmapped
}

func readable(p *Protocol) error {
	var missing []string
	switch {
	case p.MinReaderVersion < 1 || p.MinReaderVersion > 3:
		missing = append(missing, fmt.Sprintf("reader version %d", p.MinReaderVersion))
	case p.MinReaderVersion == 3 && p.MinWriterVersion < 7:
		return fmt.Errorf("%w: protocol %d/%d", ErrCorrupt, p.MinReaderVersion, p.MinWriterVersion)
	case p.MinReaderVersion == 3:
		for _, f := range p.ReaderFeatures {
			if !slices.Contains(readFeatures, f) {
				missing = append(missing, f)
			}
		}
	}
	return unsupported(missing, p, false)
}

func writable(p *Protocol, m *Metadata, s *arrow.Schema) error {
	var missing []string
	if p.MinWriterVersion < 1 || p.MinWriterVersion > 7 {
		missing = append(missing, fmt.Sprintf("writer version %d", p.MinWriterVersion))
	}
	if p.MinWriterVersion == 7 {
		for _, f := range p.WriterFeatures {
			if !slices.Contains(writeFeatures, f) {
				missing = append(missing, f)
			}
		}
	}
	for k := range m.Configuration {
		if strings.HasPrefix(k, constraintKey) {
			missing = append(missing, "checkConstraints")
			break
		}
	}
	for key, feature := range map[string]string{
		invariantKey: "invariants", generationKey: "generatedColumns", schema.Geospatial: "geospatial",
	} {
		if usesKey(arrow.StructOf(s.Fields()...), key) {
			missing = append(missing, feature)
		}
	}
	return unsupported(missing, p, true)
}

func usesKey(t arrow.DataType, key string) bool {
	n, ok := t.(arrow.NestedType)
	if !ok {
		return false
	}
	for _, f := range n.Fields() {
		if _, ok := f.Metadata.GetValue(key); ok {
			return true
		}
		if _, ok := f.Metadata.GetValue("json:" + key); ok || usesKey(f.Type, key) {
			return true
		}
	}
	return false
}

func unsupported(missing []string, p *Protocol, writing bool) error {
	if len(missing) == 0 {
		return nil
	}
	sort.Strings(missing)
	return &UnsupportedFeatureError{Writing: writing, Features: slices.Compact(missing), Protocol: *p}
}

// featurePrefix marks table properties that switch a feature on.
const featurePrefix = "delta.feature."
