package schema

import (
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
)

// Plain is a schema without the ids and physical names of column mapping.
func Plain(s *arrow.Schema) *arrow.Schema { return Without(s, idKey, physicalKey) }

// Without is a schema whose fields, at every depth, lack some metadata.
func Without(s *arrow.Schema, keys ...string) *arrow.Schema {
	return arrow.NewSchema(stripFields(s.Fields(), keys), nil)
}

func stripFields(fields []arrow.Field, keys []string) []arrow.Field {
	out := make([]arrow.Field, len(fields))
	for i, f := range fields {
		out[i] = stripField(f, keys)
	}
	return out
}

func stripField(f arrow.Field, keys []string) arrow.Field {
	var names, values []string
	for i, k := range f.Metadata.Keys() {
		if !slices.ContainsFunc(keys, func(x string) bool { return k == x || k == rawPrefix+x }) {
			names, values = append(names, k), append(values, f.Metadata.Values()[i])
		}
	}
	f.Metadata = arrow.NewMetadata(names, values)
	switch t := f.Type.(type) {
	case *arrow.StructType:
		f.Type = arrow.StructOf(stripFields(t.Fields(), keys)...)
	case *arrow.ListType:
		f.Type = arrow.ListOfField(stripField(t.ElemField(), keys))
	case *arrow.MapType:
		m := arrow.MapOf(stripField(t.KeyField(), keys).Type, stripField(t.ItemField(), keys).Type)
		m.SetItemNullable(t.ItemField().Nullable)
		f.Type = m
	}
	return f
}

// Raw is the JSON text of a field's metadata other than a string, "" for none.
func Raw(m arrow.Metadata, key string) string {
	v, _ := m.GetValue(rawPrefix + key)
	return v
}

// With is metadata in which a key has a value that is JSON other than a string.
func With(m arrow.Metadata, key, text string) arrow.Metadata {
	keys, values := append([]string{}, m.Keys()...), append([]string{}, m.Values()...)
	for i, k := range keys {
		if k == rawPrefix+key {
			values[i] = text
			return arrow.NewMetadata(keys, values)
		}
	}
	return arrow.NewMetadata(append(keys, rawPrefix+key), append(values, text))
}
