package analyze

import (
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/marisma/marisma/internal/sparksql"
)

// deltaProperties are the keys below "delta." that tables know, with the kind
// of their values: "bool", "interval", "int", "size" or "".
var deltaProperties = map[string]string{
	"appendOnly": "bool", "autoOptimize": "", "autoOptimize.autoCompact": "", "autoOptimize.optimizeWrite": "bool",
	"checkpoint.writeStatsAsJson": "bool", "checkpoint.writeStatsAsStruct": "bool", "checkpointInterval": "int", "checkpointPolicy": "",
	"checkpointRetentionDuration": "interval", "columnMapping.maxColumnId": "int", "columnMapping.mode": "", "compatibility.symlinkFormatManifest.enabled": "bool",
	"dataSkippingNumIndexedCols": "int", "dataSkippingStatsColumns": "", "deletedFileRetentionDuration": "interval", "enableChangeDataFeed": "bool",
	"enableDeletionVectors": "bool", "enableExpiredLogCleanup": "bool", "enableFullRetentionRollback": "bool", "enableIcebergCompatV1": "bool",
	"enableIcebergCompatV2": "bool", "enableInCommitTimestamps": "bool", "enableRowTracking": "bool", "enableTypeWidening": "bool", "enableVariantShredding": "bool",
	"inCommitTimestampEnablementTimestamp": "", "inCommitTimestampEnablementVersion": "", "isolationLevel": "", "logRetentionDuration": "interval",
	"minReaderVersion": "int", "minWriterVersion": "int", "parquet.compression.codec": "", "parquet.format.version": "", "randomizeFilePrefixes": "bool",
	"randomPrefixLength": "int", "sampling.enabled": "bool", "setTransactionRetentionDuration": "interval", "targetFileSize": "size", "tuneFileSizesForRewrites": "bool",
	"universalFormat.enabledFormats": "", "requireCheckpointProtectionBeforeVersion": "int", "rowTracking.materializedRowIdColumnName": "", "rowTrackingSuspended": "bool", "rowTracking.materializedRowCommitVersionColumnName": "",
}

// sizeText is a number of bytes, or of larger units.
var sizeText = regexp.MustCompile(`(?i)^\s*0*[1-9]\d*\s*(b|[kmgtp]b?)?\s*$`)

// properties checks table properties that are set.
func (a *analyzer) properties(props map[string]string, pos sparksql.Pos) error {
	if strings.EqualFold(props["delta.enableRowTracking"], "true") && strings.EqualFold(props["delta.rowTrackingSuspended"], "true") {
		return a.errorf(pos, "DELTA_ROW_TRACKING_ILLEGAL_PROPERTY_COMBINATION", "42616", "Row tracking cannot be both enabled and suspended.")
	}
	for k, v := range maps.Clone(props) {
		if k == "clusteringColumns" {
			return a.errorf(pos, "DELTA_CANNOT_MODIFY_TABLE_PROPERTY", "42939", "The property %s is the table's own.", k).hint("ALTER TABLE ... CLUSTER BY sets the columns.")
		}
		low, ok := strings.CutPrefix(strings.ToLower(k), "delta.")
		if !ok || strings.HasPrefix(low, "feature.") || strings.HasPrefix(low, "constraints.") || strings.HasPrefix(low, "universalformat.config.") {
			continue
		}
		name, known := deltaProperty(low)
		if !known {
			return a.errorf(pos, "DELTA_UNKNOWN_CONFIGURATION", "F0000", "Delta has no table property %s.", k)
		}
		if k != "delta."+name {
			delete(props, k)
			props["delta."+name] = v
		}
		switch deltaProperties[name] {
		case "bool":
			if !slices.Contains([]string{"true", "false"}, strings.ToLower(v)) {
				return a.badProperty(pos, k, v)
			}
		case "size":
			if !sizeText.MatchString(v) {
				return a.badProperty(pos, k, v)
			}
		case "interval":
			if !intervalText(v) {
				return a.errorf(pos, "DELTA_INVALID_INTERVAL", "22006", "%s is no interval, the value of %s.", quote(v), k).hint("Write one such as 'interval 7 days'.")
			}
		case "int":
			if !wholeProperty(name, v) {
				return a.badProperty(pos, k, v)
			}
		}
		if name == "isolationLevel" && !strings.EqualFold(v, "Serializable") {
			if slices.Contains([]string{"writeserializable", "snapshotisolation"}, strings.ToLower(v)) {
				return a.badProperty(pos, k, v)
			}
			return a.errorf(pos, "DELTA_INVALID_ISOLATION_LEVEL", "25000", "%s is no isolation level.", quote(v)).hint("The level of tables is Serializable.")
		}
	}
	return a.retention(props, pos)
}

// deltaProperty is the name below "delta." of a property as Delta spells it.
func deltaProperty(name string) (string, bool) {
	for k := range deltaProperties {
		if strings.EqualFold(k, name) {
			return k, true
		}
	}
	return name, false
}

// wholeProperty tells whether a property that is a number can be v.
func wholeProperty(name, v string) bool {
	n, err := strconv.ParseInt(v, 10, 64)
	if err != nil {
		return false
	}
	switch name {
	case "checkpointInterval", "randomPrefixLength":
		return n > 0
	case "dataSkippingNumIndexedCols":
		return n >= -1
	case "minReaderVersion":
		return n >= 1 && n <= 3
	case "minWriterVersion":
		return n >= 1 && n <= 7
	}
	return true
}

// retention refuses a log that is kept for less time than the files it names.
func (a *analyzer) retention(props map[string]string, pos sparksql.Pos) error {
	const logKey, fileKey = "delta.logRetentionDuration", "delta.deletedFileRetentionDuration"
	log, file := 30*24*time.Hour, 7*24*time.Hour
	given := false
	for k, d := range map[string]*time.Duration{logKey: &log, fileKey: &file} {
		v, ok := props[k]
		if !ok {
			continue
		}
		given = true
		n, whole := intervalLength(v)
		if !whole {
			return a.badProperty(pos, k, v)
		}
		*d = n
	}
	if given && log < file {
		return a.errorf(pos, "UNSUPPORTED_TABLE_CHANGE", "0A000", "%s must be at least %s.", logKey, fileKey)
	}
	return nil
}

// intervalLength is how long an interval is that intervalText takes; false for
// one of months or years, which have no length of their own.
func intervalLength(v string) (time.Duration, bool) {
	f := strings.Fields(strings.ToLower(v))
	if len(f) > 0 && f[0] == "interval" {
		f = f[1:]
	}
	units := map[string]time.Duration{
		"week": 7 * 24 * time.Hour, "day": 24 * time.Hour, "hour": time.Hour, "minute": time.Minute, "second": time.Second,
		"millisecond": time.Millisecond, "microsecond": time.Microsecond,
	}
	var sum time.Duration
	for i := 0; i+1 < len(f); i += 2 {
		n, err := strconv.ParseInt(f[i], 10, 32)
		unit, ok := units[strings.TrimSuffix(f[i+1], "s")]
		if err != nil || !ok {
			return 0, false
		}
		sum += time.Duration(n) * unit
	}
	return sum, true
}

// badProperty is the error of a value that a property cannot have.
func (a *analyzer) badProperty(pos sparksql.Pos, k, v string) error {
	return a.errorf(pos, "UNSUPPORTED_TABLE_CHANGE", "0A000", "%s cannot be the value of %s.", quote(v), k)
}

// intervalText tells whether v reads "[interval] n unit ...".
func intervalText(v string) bool {
	f := strings.Fields(strings.ToLower(v))
	if len(f) > 0 && f[0] == "interval" {
		f = f[1:]
	}
	if len(f) < 2 || len(f)%2 != 0 {
		return false
	}
	units := []string{"week", "day", "hour", "minute", "second", "millisecond", "microsecond", "month", "year"}
	for i := 0; i < len(f); i += 2 {
		if strings.Trim(f[i], "0123456789") != "" || !slices.Contains(units, strings.TrimSuffix(f[i+1], "s")) {
			return false
		}
	}
	return true
}
