package source

import (
	"sort"
	"strings"
	"time"

	"github.com/marisma/marisma/internal/sparksql"
)

// CSVOptions are the arguments of read_files(..., format => 'csv').
type CSVOptions struct {
	Path      string
	Header    bool
	Delimiter byte
	Quote     byte // 0: none
	Escape    byte
	Comment   byte // 0: none
	NullValue string
	MultiLine bool
	Mode      string // PERMISSIVE, DROPMALFORMED, FAILFAST
	Rescued   string // name of the rescued data column, "" without
	Corrupt   string // name of the column for malformed records
	TrimLead  bool
	TrimTrail bool
	Recursive bool
	Glob      string
	Schema    string // DDL, "" to infer
	Zone      *time.Location
}

// ParseCSVOptions reads the arguments of read_files (keys in lower case, the
// path as "0" or "path").
func ParseCSVOptions(args map[string]string, zone *time.Location, pos sparksql.Pos) (CSVOptions, error) {
	o := CSVOptions{
		Delimiter: ',', Quote: '"', Escape: '\\', Mode: "PERMISSIVE",
		Corrupt: "_corrupt_record", Recursive: true, Zone: zone,
	}
	keys := make([]string, 0, len(args))
	for k := range args {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	for _, key := range keys {
		if err := o.set(key, args[key], pos); err != nil {
			return o, err
		}
	}
	switch {
	case o.Path == "":
		return o, optionError(pos, "MISSING_OPTION", "read_files needs a path as its first argument.")
	case !strings.EqualFold(args["format"], "csv"):
		return o, optionError(pos, "UNSUPPORTED_OPTION", "read_files reads format => 'csv' here, not %q.", args["format"])
	case o.Schema == "" && o.Rescued == "":
		if _, given := args["rescueddatacolumn"]; !given {
			o.Rescued = "_rescued_data"
		}
	}
	return o, nil
}

func (o *CSVOptions) set(key, value string, pos sparksql.Pos) error {
	var err error
	switch key {
	case "0", "path":
		o.Path = value
	case "format", "inferschema", "inferschemaincolumntypes", "infercolumntypes", "enforceschema", "ignoremissingfiles", "ignorecorruptfiles":
	case "header":
		o.Header, err = boolOption(key, value, pos)
	case "multiline":
		o.MultiLine, err = boolOption(key, value, pos)
	case "ignoreleadingwhitespace":
		o.TrimLead, err = boolOption(key, value, pos)
	case "ignoretrailingwhitespace":
		o.TrimTrail, err = boolOption(key, value, pos)
	case "recursivefilelookup":
		o.Recursive, err = boolOption(key, value, pos)
	case "sep", "delimiter":
		o.Delimiter, err = byteOption(key, value, pos)
	case "quote":
		o.Quote, err = byteOption(key, value, pos)
	case "escape":
		o.Escape, err = byteOption(key, value, pos)
	case "comment":
		o.Comment, err = byteOption(key, value, pos)
	case "nullvalue":
		o.NullValue = value
	case "schema":
		o.Schema = value
	case "rescueddatacolumn":
		o.Rescued = value
	case "columnnameofcorruptrecord":
		o.Corrupt = value
	case "pathglobfilter", "filenamepattern":
		o.Glob = value
	case "mode":
		o.Mode = strings.ToUpper(value)
		if o.Mode != "PERMISSIVE" && o.Mode != "DROPMALFORMED" && o.Mode != "FAILFAST" {
			err = optionError(pos, "INVALID_PARAMETER_VALUE", "mode is PERMISSIVE, DROPMALFORMED or FAILFAST, not %q.", value)
		}
	case "encoding", "charset":
		if e := strings.ToLower(value); e != "utf-8" && e != "utf8" {
			err = optionError(pos, "UNSUPPORTED_OPTION", "CSV files are read as UTF-8, not %s.", value)
		}
	default:
		err = optionError(pos, "UNSUPPORTED_OPTION", "read_files has no argument %s for CSV here.", key)
	}
	return err
}

// byteOption reads a character option; "" is none, \t a tab.
func byteOption(key, value string, pos sparksql.Pos) (byte, error) {
	switch {
	case value == "" || value == `\0`:
		return 0, nil
	case value == `\t`:
		return '\t', nil
	case len(value) == 1:
		return value[0], nil
	}
	return 0, optionError(pos, "INVALID_PARAMETER_VALUE", "%s is one character, not %q.", key, value)
}
