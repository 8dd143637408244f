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
	"columnMapping", "deletionVectors", "timestampNtz", "typeWidening", "typeWidening-preview",
	"v2Checkpoint", "vacuumProtocolCheck", "variantShredding", "variantShredding-preview", "variantType", "variantType-preview",
}

// writeFeatures are the writer features that this library honours, or that
// ask for nothing as long as properties and schema do not use them.
var writeFeatures = []string{
	"appendOnly", "changeDataFeed", "checkConstraints", "columnMapping", "deletionVectors", "generatedColumns",
	"invariants", "timestampNtz", "typeWidening", "typeWidening-preview", "v2Checkpoint", "vacuumProtocolCheck",
	"variantType", "variantType-preview",
}

// mappingOf is the column mapping in force: the property counts where the
// protocol has the feature.
func mappingOf(p *Protocol, m *Metadata) schema.Mapping {
	if p.MinReaderVersion == 2 || p.MinReaderVersion == 3 && slices.Contains(p.ReaderFeatures, "columnMapping") {
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
		if strings.HasPrefix(k, "delta.constraints.") {
			missing = append(missing, "checkConstraints")
			break
		}
	}
	if m.Configuration["delta.enableRowTracking"] == "true" {
		missing = append(missing, "rowTracking")
	}
	for key, feature := range map[string]string{
		"delta.invariants": "invariants", "delta.generationExpression": "generatedColumns",
		"delta.identity.start": "identityColumns",
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

// protocolFor is the protocol of a new table: 1/2, more only where properties
// ask for it. The properties that ask are consumed.
func protocolFor(s *arrow.Schema, props map[string]string) (*Protocol, error) {
	want := map[string]bool{}
	for k, v := range props {
		if f, ok := strings.CutPrefix(k, featurePrefix); ok {
			if !slices.Contains(writeFeatures, f) || v != "supported" && v != "enabled" {
				return nil, &UnsupportedFeatureError{Writing: true, Features: []string{f}, Protocol: Protocol{MinReaderVersion: 1, MinWriterVersion: 2}}
			}
			want[f] = true
			delete(props, k)
		}
	}
	if schema.HasVariant(s) {
		want["variantType"] = true
	}
	if schema.HasNTZ(s) && !want["timestampNtz"] {
		return nil, fmt.Errorf("%w: a timestamp without time zone needs the property delta.feature.timestampNtz=supported", ErrUnsupportedFeature)
	}
	for p, f := range map[string]string{"delta.enableChangeDataFeed": "changeDataFeed", "delta.enableDeletionVectors": "deletionVectors"} {
		if props[p] == "true" {
			want[f] = true
		}
	}
	switch mode := props[schema.ModeKey]; mode {
	case "", "none":
	case "name", "id":
		want["columnMapping"] = true
	default:
		return nil, fmt.Errorf("%w: %s is %q; it can be none, name or id", ErrUnsupportedFeature, schema.ModeKey, mode)
	}
	if len(want) == 0 {
		return &Protocol{MinReaderVersion: 1, MinWriterVersion: 2}, nil
	}
	want["appendOnly"], want["invariants"] = true, true
	p := &Protocol{MinReaderVersion: 1, MinWriterVersion: 7}
	for f := range want {
		p.WriterFeatures = append(p.WriterFeatures, f)
		if slices.Contains(readFeatures, f) {
			p.MinReaderVersion = 3
			p.ReaderFeatures = append(p.ReaderFeatures, f)
		}
	}
	sort.Strings(p.ReaderFeatures)
	sort.Strings(p.WriterFeatures)
	return p, nil
}
