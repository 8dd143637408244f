package delta

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Families of errors. Errors that the package returns wrap one of them or the
// store's.
var (
	// ErrNotATable: there is no Delta log at the place.
	ErrNotATable = errors.New("delta: not a table")
	// ErrTableExists: Create met a table.
	ErrTableExists = errors.New("delta: table exists already")
	// ErrConflict: a concurrent commit contradicts this one. Nothing was
	// committed; read the table again and decide anew.
	ErrConflict = errors.New("delta: conflicting commit")
	// ErrTableChanged: a concurrent commit changed the schema, the partitioning
	// or the protocol. It is an ErrConflict, too.
	ErrTableChanged = fmt.Errorf("%w: the table's definition changed", ErrConflict)
	// ErrCommitStateUnknown: the commit may or may not have happened, and
	// reading it back failed.
	ErrCommitStateUnknown = errors.New("delta: commit outcome unknown")
	// ErrAlreadyCommitted: the Txn is recorded in the table; see AlreadyCommittedError.
	ErrAlreadyCommitted = errors.New("delta: transaction is committed already")
	// ErrUnsupportedFeature: the table needs what this library does not do; see UnsupportedFeatureError.
	ErrUnsupportedFeature = errors.New("delta: unsupported feature")
	// ErrCorrupt: the log contradicts the protocol.
	ErrCorrupt = errors.New("delta: corrupt log")
	// ErrVersionNotFound: the version does not exist, or its log is cleaned up.
	ErrVersionNotFound = errors.New("delta: version not found")
	// ErrSchemaMismatch: data does not fit the table's schema.
	ErrSchemaMismatch = errors.New("delta: data does not fit the schema")
	// ErrConstraint: a value breaks a constraint, such as NOT NULL.
	ErrConstraint = errors.New("delta: constraint violated")
)

// UnsupportedFeatureError names what a table needs and this library lacks.
type UnsupportedFeatureError struct {
	// Writing tells that reading would work.
	Writing  bool
	Features []string
	Protocol Protocol
}

// Error names the features.
func (e *UnsupportedFeatureError) Error() string {
	verb := "reading"
	if e.Writing {
		verb = "writing"
	}
	text := fmt.Sprintf("%v: %s the table (protocol %d/%d) needs %s", ErrUnsupportedFeature, verb,
		e.Protocol.MinReaderVersion, e.Protocol.MinWriterVersion, strings.Join(e.Features, ", "))
	for _, f := range e.Features {
		if a := advice(f); a != "" {
			return text + "; " + a
		}
	}
	return text
}

// advice is what can be done about a feature that is not supported.
func advice(feature string) string {
	switch {
	case strings.HasPrefix(feature, "icebergCompat"), feature == icebergFormat:
		return "it keeps an Iceberg copy of the table in step (UniForm), which is not written here: leave delta.enableIcebergCompatV1 to V3 and " +
			icebergFormat + " unset, or drop the feature where it was switched on (ALTER TABLE ... DROP FEATURE in Spark or Databricks)"
	case strings.HasPrefix(feature, "catalogManaged"), strings.HasPrefix(feature, "catalogOwned"), strings.HasPrefix(feature, "coordinatedCommits"):
		return "the commits of the table go through its catalog: read and write it there, or drop the feature there"
	case feature == "identityColumns":
		return "have the Writer number the rows (WriterOptions.Identity) and hand its Identity to the Commit, or use Append; or number them and say so by WithRowRules"
	case slices.Contains(rowRules, feature):
		return "give a RowEngine, which computes what the table asks of its rows, or do it and say so by WithRowRules"
	}
	return ""
}

// icebergFormat is the property that asks for copies of a table in other formats.
const icebergFormat = "delta.universalFormat.enabledFormats"

// Is reports the family.
func (e *UnsupportedFeatureError) Is(target error) bool { return target == ErrUnsupportedFeature }

// AlreadyCommittedError says how far an application's transactions are recorded.
type AlreadyCommittedError struct {
	AppID string
	// Recorded is the transaction version in the table, at least the one tried.
	Recorded int64
	// Version is a version of the table that has it.
	Version int64
}

// Error says which transaction.
func (e *AlreadyCommittedError) Error() string {
	return fmt.Sprintf("%v: %s is at %d in version %d", ErrAlreadyCommitted, e.AppID, e.Recorded, e.Version)
}

// Is reports the family.
func (e *AlreadyCommittedError) Is(target error) bool { return target == ErrAlreadyCommitted }

// OrphanError names data files that a failed write left behind and could not
// delete. No version of the table names them.
type OrphanError struct {
	Keys []string
	Err  error
}

// Error says what failed and which files are left.
func (e *OrphanError) Error() string {
	return fmt.Sprintf("%v (files left behind: %s)", e.Err, strings.Join(e.Keys, ", "))
}

// Unwrap gives what failed.
func (e *OrphanError) Unwrap() error { return e.Err }
