package delta

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta/internal/schema"
)

// WithRowRules says that whoever writes evaluates what the table asks of its
// rows: CHECK constraints, invariants, generated columns, defaults and
// identity columns. Without it a table that has such rules is not written to,
// but for identity columns, which are numbered.
func WithRowRules() Option { return func(o *options) { o.rowRules = true } }

// rowRules are the features that WithRowRules takes over, and those of
// clustered tables, whose files are written as others are.
var rowRules = []string{
	"allowColumnDefaults", "checkConstraints", "clustering", "generatedColumns", "invariants",
}

// computed are the features that a RowEngine makes possible.
var computed = []string{
	"allowColumnDefaults", "checkConstraints", "clustering", "generatedColumns", "invariants",
}

// takes tells whether this handle honours a feature that is not in writeFeatures.
func (t *Table) takes(feature string) bool {
	return t.opt.rowRules && slices.Contains(rowRules, feature) || t.opt.rows != nil && slices.Contains(computed, feature)
}

// writable tells whether this handle may write to a table of that protocol.
func (t *Table) writable(p *Protocol, m *Metadata, s *arrow.Schema) error {
	return without(writable(p, m, s), p, t.takes)
}

// keepable tells whether checkpoints, log clean-up and the like can be done on
// a table: what it asks of new rows does not matter to them.
func keepable(p *Protocol, m *Metadata, s *arrow.Schema) error {
	return without(writable(p, m, s), p, func(f string) bool { return slices.Contains(rowRules, f) })
}

// without leaves features out of an error that names them.
func without(err error, p *Protocol, taken func(feature string) bool) error {
	u, ok := errors.AsType[*UnsupportedFeatureError](err)
	if !ok {
		return err
	}
	return unsupported(slices.DeleteFunc(slices.Clone(u.Features), taken), p, true)
}

// RecordCount is how many rows a file has, as its statistics say; false where
// they do not.
func RecordCount(a Add) (int64, bool) {
	n := recordCount(a.Stats)
	if n >= 0 && a.DeletionVector != nil {
		n -= a.DeletionVector.Cardinality
	}
	return n, n >= 0
}

// legacy are the features that a writer version below 7 stands for, each
// version with those before it.
var legacy = map[int][]string{
	2: {"appendOnly", "invariants"}, 3: {"checkConstraints"}, 4: {"changeDataFeed", "generatedColumns"}, 5: {"columnMapping"}, 6: {"identityColumns"},
}

// bothSides are the features that readers must know, too; columnMapping is one
// of them where a table has feature lists for readers.
var bothSides = []string{
	"columnMapping", "deletionVectors", "timestampNtz", "typeWidening", "typeWidening-preview", "v2Checkpoint",
	"vacuumProtocolCheck", "variantShredding", "variantShredding-preview", "variantType", "variantType-preview",
}

// preview ends the names that features had before they were settled.
const preview = "-preview"

// wideningKey is the property that lets columns get wider types.
const wideningKey = "delta.enableTypeWidening"

// features are what a protocol names or its versions stand for.
func features(p *Protocol) map[string]bool {
	out := map[string]bool{}
	for _, f := range p.WriterFeatures {
		out[f] = true
	}
	for _, f := range p.ReaderFeatures {
		out[f] = true
	}
	if p.MinWriterVersion < 7 {
		for v, fs := range legacy {
			for _, f := range fs {
				if v <= p.MinWriterVersion {
					out[f] = true
				}
			}
		}
	}
	return out
}

// lowest is the lowest protocol that has exactly these features.
func lowest(want map[string]bool) *Protocol {
	names := make([]string, 0, len(want))
	var read []string
	for f := range want {
		names = append(names, f)
		if slices.Contains(bothSides, f) {
			read = append(read, f)
		}
	}
	slices.Sort(names)
	slices.Sort(read)
	reader := 1
	switch {
	case len(read) == 1 && read[0] == "columnMapping":
		reader, read = 2, nil
	case len(read) > 0:
		reader = 3
	}
	var implied []string
	for v := 2; v <= 6 && reader < 3; v++ {
		implied = append(implied, legacy[v]...)
		slices.Sort(implied)
		if slices.Equal(implied, names) {
			return &Protocol{MinReaderVersion: reader, MinWriterVersion: v}
		}
	}
	return &Protocol{MinReaderVersion: reader, MinWriterVersion: 7, ReaderFeatures: read, WriterFeatures: names}
}

// versionProperty is the writer version that a property asks for, all of whose
// features the table gets then, as in Delta; 0 where it asks for a reader's, or
// for one that has lists of features.
func versionProperty(key, value string) (version int, ok bool) {
	switch strings.ToLower(key) {
	case "delta.minreaderversion":
		return 0, true
	case "delta.minwriterversion":
		n, err := strconv.Atoi(value)
		if err != nil || n > 6 {
			n = 0
		}
		return n, true
	}
	return 0, false
}

// asked are the features that properties and columns need. Properties that ask
// for a feature by name are taken out of props.
func (t *Table) asked(s *arrow.Schema, props map[string]string) (map[string]bool, error) {
	want := map[string]bool{"appendOnly": true, "invariants": true}
	for k, v := range props {
		if n, ok := versionProperty(k, v); ok {
			for at, fs := range legacy {
				for _, f := range fs {
					want[f] = want[f] || at <= n
				}
			}
			maps.DeleteFunc(want, func(_ string, wanted bool) bool { return !wanted })
			delete(props, k)
			continue
		}
		f, ok := strings.CutPrefix(k, featurePrefix)
		if ok {
			if !slices.Contains(writeFeatures, f) && !t.takes(f) || v != "supported" && v != "enabled" {
				return nil, unsupported([]string{f}, &Protocol{MinReaderVersion: 1, MinWriterVersion: 2}, true)
			}
			want[f] = true
			delete(props, k)
		}
		if strings.HasPrefix(k, constraintKey) {
			want["checkConstraints"] = true
		}
	}
	for k, f := range map[string]string{
		"delta.enableChangeDataFeed": "changeDataFeed", "delta.enableDeletionVectors": "deletionVectors",
		wideningKey: "typeWidening", "delta.enableVariantShredding": "variantShredding-preview", rowTrackingKey: "rowTracking", ictKey: "inCommitTimestamp",
	} {
		if strings.EqualFold(props[k], "true") {
			want[f] = true
		}
	}
	for _, v := range []string{"V1", "V2", "V3"} {
		if strings.EqualFold(props["delta.enableIcebergCompat"+v], "true") {
			return nil, unsupported([]string{"icebergCompat" + v}, &Protocol{MinReaderVersion: 1, MinWriterVersion: 7}, true)
		}
	}
	if strings.Contains(strings.ToLower(props[icebergFormat]), "iceberg") {
		return nil, unsupported([]string{icebergFormat}, &Protocol{MinReaderVersion: 1, MinWriterVersion: 7}, true)
	}
	switch mode := props[schema.ModeKey]; mode {
	case "", "none":
	case "name", "id":
		want["columnMapping"] = true
	default:
		return nil, fmt.Errorf("%w: %s is %q; it can be none, name or id", ErrUnsupportedFeature, schema.ModeKey, mode)
	}
	switch policy := props[policyKey]; policy {
	case "", "classic":
	case "v2":
		want["v2Checkpoint"] = true
	default:
		return nil, fmt.Errorf("%w: %s is %q; it can be classic or v2", ErrUnsupportedFeature, policyKey, policy)
	}
	if want["rowTracking"] {
		want["domainMetadata"] = true // of the high-water mark
	}
	if want["variantShredding"] {
		delete(want, "variantShredding"+preview)
	}
	if (schema.HasVariant(s) || want["variantShredding"]) && !want["variantType"+preview] {
		want["variantType"] = true
	}
	if t.opt.cluster != nil {
		want["clustering"], want["domainMetadata"] = true, true
	}
	all := arrow.StructOf(s.Fields()...)
	for key, f := range map[string]string{generationKey: "generatedColumns", identityKey: "identityColumns"} {
		if usesKey(all, key) {
			want[f] = true
		}
	}
	return want, nil
}

// protocolOf is the protocol of a table of this schema that has had the
// features of old; nil old is a new table. What readers must know of is never
// switched on silently: a type that needs it needs its property.
func (t *Table) protocolOf(old *Protocol, s *arrow.Schema, props map[string]string) (*Protocol, error) {
	want, err := t.asked(s, props)
	if err != nil {
		return nil, err
	}
	if old != nil {
		before := features(old)
		for f := range want {
			if base, early := strings.CutSuffix(f, preview); before[f+preview] || early && before[base] {
				delete(want, f) // the table has it under its other name
			}
		}
		grown := false
		for f := range want {
			grown = grown || !before[f]
		}
		if !grown && (!schema.HasNTZ(s) || before["timestampNtz"]) {
			return old, nil
		}
		for f := range before {
			want[f] = true
		}
	}
	if schema.HasNTZ(s) && !want["timestampNtz"] {
		return nil, fmt.Errorf("%w: a timestamp without time zone needs the property delta.feature.timestampNtz=supported", ErrUnsupportedFeature)
	}
	return lowest(want), nil
}

// Features are the table features that a protocol names or its versions stand
// for, by name.
func Features(p Protocol) []string { return slices.Sorted(maps.Keys(features(&p))) }
