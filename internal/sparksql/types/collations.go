package types

import (
	"encoding/json"
	"strings"
)

// collationsKey is where a Delta table's schema keeps the collations of a
// field's texts: a JSON object from the place of a text, "name" or
// "name.element.key", to its provider and name, "icu.UNICODE_CI".
const collationsKey = "json:__COLLATIONS" // as package delta names metadata that is no text

// collate gives the texts of a field their collations. Those of the fields of
// structs are with these.
func collate(name string, t Type, text string) (Type, error) {
	var at map[string]string
	if err := json.Unmarshal([]byte(text), &at); err != nil {
		return nil, err
	}
	return collated(name, t, at), nil
}

func collated(place string, t Type, at map[string]string) Type {
	switch t := t.(type) {
	case Array:
		t.Elem = collated(place+".element", t.Elem, at)
		return t
	case Map:
		t.Key, t.Value = collated(place+".key", t.Key, at), collated(place+".value", t.Value, at)
		return t
	}
	provided, ok := at[place]
	if _, name, dotted := strings.Cut(provided, "."); ok && dotted && t == String {
		return Collated{Name: name}
	}
	return t
}
