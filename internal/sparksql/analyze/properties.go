package analyze

import (
	"regexp"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
)

// deltaProperties are the keys below "delta." that tables know, with the kind
// of their values: "bool", "interval", "int", "size" or "".
var deltaProperties = map[string]string{
	"appendonly": "bool", "autooptimize": "", "autooptimize.autocompact": "", "autooptimize.optimizewrite": "bool",
	"checkpoint.writestatsasjson": "bool", "checkpoint.writestatsasstruct": "bool", "checkpointinterval": "int", "checkpointpolicy": "",
	"checkpointretentionduration": "interval", "columnmapping.maxcolumnid": "int", "columnmapping.mode": "", "compatibility.symlinkformatmanifest.enabled": "bool",
	"dataskippingnumindexedcols": "int", "dataskippingstatscolumns": "", "deletedfileretentionduration": "interval", "enablechangedatafeed": "bool",
	"enabledeletionvectors": "bool", "enableexpiredlogcleanup": "bool", "enablefullretentionrollback": "bool", "enableicebergcompatv1": "bool",
	"enableicebergcompatv2": "bool", "enableincommittimestamps": "bool", "enablerowtracking": "bool", "enabletypewidening": "bool", "enablevariantshredding": "bool",
	"incommittimestampenablementtimestamp": "", "incommittimestampenablementversion": "", "isolationlevel": "", "logretentionduration": "interval",
	"minreaderversion": "int", "minwriterversion": "int", "parquet.compression.codec": "", "parquet.format.version": "", "randomizefileprefixes": "bool",
	"randomprefixlength": "int", "sampling.enabled": "bool", "settransactionretentionduration": "interval", "targetfilesize": "size", "tunefilesizesforrewrites": "bool",
	"universalformat.enabledformats": "", "requirecheckpointprotectionbeforeversion": "int", "rowtracking.materializedrowidcolumnname": "", "rowtrackingsuspended": "bool", "rowtracking.materializedrowcommitversioncolumnname": "",
}

// sizeText is a number of bytes, or of larger units.
var sizeText = regexp.MustCompile(`(?i)^\s*0*[1-9]\d*\s*(b|[kmgtp]b?)?\s*$`)

// properties checks table properties that are set.
func (a *analyzer) properties(props map[string]string, pos sparksql.Pos) error {
	if strings.EqualFold(props["delta.enableRowTracking"], "true") && strings.EqualFold(props["delta.rowTrackingSuspended"], "true") {
		return a.errorf(pos, "DELTA_ROW_TRACKING_ILLEGAL_PROPERTY_COMBINATION", "42616", "Row tracking cannot be both enabled and suspended.")
	}
	for k, v := range props {
		low, ok := strings.CutPrefix(strings.ToLower(k), "delta.")
		if !ok || strings.HasPrefix(low, "feature.") || strings.HasPrefix(low, "constraints.") || strings.HasPrefix(low, "universalformat.config.") {
			continue
		}
		kind, known := deltaProperties[low]
		if !known {
			return a.errorf(pos, "DELTA_UNKNOWN_CONFIGURATION", "F0000", "Delta has no table property %s.", k)
		}
		switch kind {
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
		}
	}
	return nil
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
