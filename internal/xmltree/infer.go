package xmltree

import (
	"strconv"
	"strings"
	"time"
)

// Names are the words of Spark's XML options that both inference and reading
// need.
type Names struct {
	AttributePrefix, ValueTag string
	ExcludeAttributes         bool
	KeepSpaces                bool // ignoreSurroundingSpaces is false
	IgnoreNamespace           bool
	NullValue                 *string // a text that is NULL
}

// NamesOf reads the names out of options with lower-case keys.
func NamesOf(o map[string]string) Names {
	n := Names{AttributePrefix: "_", ValueTag: "_VALUE"}
	if v, ok := o["attributeprefix"]; ok {
		n.AttributePrefix = v
	}
	if v, ok := o["valuetag"]; ok {
		n.ValueTag = v
	}
	if v, ok := o["nullvalue"]; ok {
		n.NullValue = &v
	}
	n.ExcludeAttributes = strings.EqualFold(o["excludeattribute"], "true")
	n.KeepSpaces = strings.EqualFold(o["ignoresurroundingspaces"], "false")
	n.IgnoreNamespace = strings.EqualFold(o["ignorenamespace"], "true")
	return n
}

func (o *Names) name(s string) string {
	if o.IgnoreNamespace {
		if _, local, ok := strings.Cut(s, ":"); ok {
			return local
		}
	}
	return s
}

func (o *Names) text(s string) string {
	if o.KeepSpaces {
		return s
	}
	return strings.TrimSpace(s)
}

// Class is what the text of a scalar looks like.
type Class uint8

// Classes of scalars.
const (
	Empty Class = iota
	Whole
	Real
	Flag
	Day
	Moment
	Words
)

// Classify tells what a text looks like.
func Classify(s string) Class {
	if s == "" {
		return Empty
	}
	if _, err := strconv.ParseInt(s, 10, 64); err == nil {
		return Whole
	}
	if strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune("0123456789+-.eE", r) }) < 0 {
		if _, err := strconv.ParseFloat(s, 64); err == nil {
			return Real
		}
	}
	if strings.EqualFold(s, "true") || strings.EqualFold(s, "false") {
		return Flag
	}
	if _, err := time.Parse(time.DateOnly, s); err == nil {
		return Day
	}
	for _, layout := range []string{"2006-01-02T15:04:05.999999999Z07:00", "2006-01-02T15:04:05.999999999", "2006-01-02 15:04:05.999999999Z07:00",
		"2006-01-02 15:04:05.999999999", "2006-01-02 15:04", "2006-01-02T15:04", "15:04", "15:04:05"} {
		if _, err := time.Parse(layout, s); err == nil {
			return Moment
		}
	}
	return Words
}
