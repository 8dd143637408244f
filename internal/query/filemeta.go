package query

import (
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql/lower"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Fields of _metadata, by Spark's names.
const (
	metaPath     = "file_path"
	metaName     = "file_name"
	metaSize     = "file_size"
	metaStart    = "file_block_start"
	metaLength   = "file_block_length"
	metaModified = "file_modification_time"
	metaRow      = "row_index"
	metaRowID    = "row_id"
	metaBase     = "base_row_id"
	metaDefault  = "default_row_commit_version"
	metaVersion  = "row_commit_version"
)

// FileMetadata are the fields of _metadata of rows that come from files:
// plan.Source.Metadata.
func FileMetadata() []types.Field {
	return []types.Field{
		{Name: metaPath, Type: types.String}, {Name: metaName, Type: types.String}, {Name: metaSize, Type: types.BigInt},
		{Name: metaStart, Type: types.BigInt}, {Name: metaLength, Type: types.BigInt}, {Name: metaModified, Type: types.Timestamp},
	}
}

// tableMetadata are those of a table's rows: where they lie in their files only
// counts for tables that tell rows apart.
func tableMetadata(r *plan.Rules) []types.Field {
	out := FileMetadata()
	if r == nil {
		return out
	}
	if r.TracksRows() || slices.Contains(r.Features, "deletionVectors") {
		out = append(out, types.Field{Name: metaRow, Type: types.BigInt})
	}
	if r.TracksRows() {
		for _, n := range []string{metaRowID, metaBase, metaDefault, metaVersion} {
			out = append(out, types.Field{Name: n, Type: types.BigInt, Nullable: true})
		}
	}
	return out
}

// FileFacts are what _metadata tells of a file.
type FileFacts struct {
	// URI is where the file is, percent-encoded as Spark does.
	URI string
	// Size is in bytes, Modified in milliseconds since the epoch.
	Size, Modified int64
}

// structSQL is the struct of a scan's metadata, of which the fields that nothing
// uses are NULL.
func structSQL(s *plan.Scan, field func(name string) string) (string, error) {
	parts := make([]string, len(s.Source.Metadata))
	for i, f := range s.Source.Metadata {
		t, err := lower.DuckType(f.Type)
		if err != nil {
			return "", err
		}
		x := "NULL"
		if s.Metadata == nil || slices.Contains(s.Metadata, f.Name) {
			x = field(f.Name)
		}
		parts[i] = ident(f.Name) + " := CAST(" + x + " AS " + t + ")"
	}
	return "struct_pack(" + strings.Join(parts, ", ") + ")", nil
}

// metadata is a field of _metadata for the rows of files.
func (f *fileScan) metadata(name string) string {
	switch name {
	case metaStart:
		return "0"
	case metaRow:
		return "f.file_row_number"
	case metaRowID:
		return f.trackedColumn(plan.RowIDOrdinal)
	case metaVersion:
		return f.trackedColumn(plan.RowVersionOrdinal)
	case metaBase:
		f.tracked = true
		return `p."marisma base"`
	case metaDefault:
		f.tracked = true
		return `p."marisma version"`
	}
	f.facts = true
	switch name {
	case metaPath:
		return `p."marisma uri"`
	case metaName:
		return `p."marisma name"`
	case metaModified:
		return `make_timestamptz(p."marisma time")`
	}
	return `p."marisma size"`
}

// factColumns are the columns of logSQL for metadata.
var factColumns = []string{`"marisma uri"`, `"marisma name"`, `"marisma size"`, `"marisma time"`}

func (x FileFacts) literals() []string {
	return []string{str(x.URI), str(path.Base(x.URI)), bigint(&x.Size), "CAST(" + strconv.FormatInt(x.Modified*1000, 10) + " AS BIGINT)"}
}

// MetadataColumn is the name under which a source of batches gives a field of
// _metadata; such columns stand behind those of its rows.
func MetadataColumn(field string) string { return "_metadata." + field }

// Address is where a file of a snapshot is, as _metadata.file_path tells it.
func (t *Tables) Address(s *delta.Snapshot, a delta.Add) string {
	return t.fileURI(s.Store(), s.Locate(a))
}

// FileURI is a local path as a URI.
func FileURI(p string) string { return "file:" + quoteURI(p) }

// quoteURI percent-encodes what cannot stand in a path of a URI, as java.net.URI
// does: other letters than ASCII's stay.
func quoteURI(p string) string {
	const hex = "0123456789ABCDEF"
	var b strings.Builder
	for _, r := range p {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', strings.ContainsRune("_-!.~'()*:@&=+$,;/", r), r > 0xa0:
			b.WriteRune(r)
		default:
			for _, c := range []byte(string(r)) {
				b.WriteByte('%')
				b.WriteByte(hex[c>>4])
				b.WriteByte(hex[c&15])
			}
		}
	}
	return b.String()
}
