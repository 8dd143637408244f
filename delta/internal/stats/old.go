package stats

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta/internal/schema"
)

// Old tells whether files may hold dates or timestamps before 1900, those that
// the calendars of writers see differently.
type Old struct {
	tests []test
	blind bool // some are in arrays or maps, of which no statistics tell
}

// bound1900 is the first instant that all calendars and zones agree on, as a
// value of a type; nil for types that have none.
func bound1900(t arrow.DataType) *value {
	const days = -25567
	switch t := t.(type) {
	case *arrow.Date32Type:
		return &value{i: days}
	case *arrow.TimestampType:
		if t.TimeZone != "" {
			return &value{i: days * 86400_000_000}
		}
	}
	return nil
}

// NewOld looks for such columns in a table's schema; nil if it has none.
func NewOld(s *arrow.Schema, m schema.Mapping, partition []string) *Old {
	o := &Old{}
	for _, f := range s.Fields() {
		if !slices.Contains(partition, f.Name) {
			o.add(f, nil, m)
		}
	}
	if len(o.tests) == 0 && !o.blind {
		return nil
	}
	return o
}

func (o *Old) add(f arrow.Field, path []string, m schema.Mapping) {
	path = append(slices.Clip(path), m.Name(f))
	if v := bound1900(f.Type); v != nil {
		o.tests = append(o.tests, test{op: Lt, values: []value{*v}, typ: f.Type, path: path})
		return
	}
	switch t := f.Type.(type) {
	case *arrow.StructType:
		for _, c := range t.Fields() {
			o.add(c, path, m)
		}
	case *arrow.MapType:
		o.blind = o.blind || NewOld(arrow.NewSchema([]arrow.Field{t.KeyField(), t.ItemField()}, nil), m, nil) != nil
	case *arrow.ListType:
		o.blind = o.blind || NewOld(arrow.NewSchema([]arrow.Field{t.ElemField()}, nil), m, nil) != nil
	}
}

// May tells whether a file of these statistics may hold old values.
func (o *Old) May(text string) bool {
	if o.blind || text == "" {
		return true
	}
	parts := split(text)
	return parts == nil || slices.ContainsFunc(o.tests, func(t test) bool { return t.stats(parts) })
}
