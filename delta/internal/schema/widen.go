package schema

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// change is one of the changes that a field remembers.
type change struct {
	From string `json:"fromType"`
	To   string `json:"toType"`
	Path string `json:"fieldPath,omitempty"`
}

// Widen is to, a schema that is to take from's place, whose fields remember what
// types they had (PROTOCOL.md, "Type Change Metadata"). It names the first field
// whose type changes, "" for none. The error is an ErrType where the protocol
// does not know a change.
func (m Mapping) Widen(from, to *arrow.Schema) (_ *arrow.Schema, first string, _ error) {
	w := widener{mapping: m}
	fields, err := w.fields(from.Fields(), to.Fields(), "")
	if err != nil || w.first == "" {
		return to, w.first, err
	}
	return arrow.NewSchema(fields, nil), w.first, nil
}

type widener struct {
	mapping Mapping
	first   string
}

func (w *widener) fields(from, to []arrow.Field, below string) ([]arrow.Field, error) {
	out := slices.Clone(to)
	for i := range out {
		f := &out[i]
		for _, old := range from {
			if w.mapping.Name(old) != w.mapping.Name(*f) && (w.mapping != Unmapped || !strings.EqualFold(old.Name, f.Name)) {
				continue
			}
			var changes []change
			var err error
			if f.Type, err = w.compare(old.Type, f.Type, below+f.Name, nil, &changes); err != nil {
				return nil, err
			}
			if f.Metadata, err = remember(f.Metadata, changes); err != nil {
				return nil, fmt.Errorf("field %s: %s: %w", below+f.Name, ChangesKey, err)
			}
			break
		}
	}
	return out, nil
}

// compare adds the changes between two types of a field, outside of structs in
// it, and gives the new type with what structs in it remember.
func (w *widener) compare(from, to arrow.DataType, name string, path []string, changes *[]change) (arrow.DataType, error) {
	in := func(f arrow.Field, old arrow.DataType, step string) (arrow.Field, error) {
		var err error
		f.Type, err = w.compare(old, f.Type, name+"."+step, append(slices.Clone(path), step), changes)
		return f, err
	}
	switch t := to.(type) {
	case *arrow.StructType:
		if old, ok := from.(*arrow.StructType); ok {
			fields, err := w.fields(old.Fields(), t.Fields(), name+".")
			return arrow.StructOf(fields...), err
		}
	case *arrow.ListType:
		if old, ok := from.(*arrow.ListType); ok {
			e, err := in(t.ElemField(), old.Elem(), "element")
			return arrow.ListOfField(e), err
		}
	case *arrow.MapType:
		old, ok := from.(*arrow.MapType)
		if !ok {
			break
		}
		k, err := in(t.KeyField(), old.KeyType(), "key")
		if err != nil {
			return nil, err
		}
		v, err := in(t.ItemField(), old.ItemType(), "value")
		m := arrow.MapOf(k.Type, v.Type)
		m.SetItemNullable(v.Nullable)
		return m, err
	}
	if from.ID() == arrow.NULL || arrow.TypeEqual(from, to) {
		return to, nil
	}
	was, err1 := Name(from)
	is, err2 := Name(to)
	if err1 != nil || err2 != nil || !canWiden(from, to) {
		return nil, fmt.Errorf("field %s: %w: a change from %s to %s", name, ErrType, from, to)
	}
	if w.first == "" {
		w.first = name
	}
	*changes = append(*changes, change{was, is, strings.Join(path, ".")})
	return to, nil
}

// remember adds changes to what a field's metadata has of them, but for those
// that came last there already.
func remember(m arrow.Metadata, changes []change) (arrow.Metadata, error) {
	if len(changes) == 0 {
		return m, nil
	}
	var all []json.RawMessage
	keys, values := slices.Clone(m.Keys()), slices.Clone(m.Values())
	at := slices.Index(keys, rawPrefix+ChangesKey)
	if at < 0 {
		at = len(keys)
		keys, values = append(keys, rawPrefix+ChangesKey), append(values, "")
	} else if err := json.Unmarshal([]byte(values[at]), &all); err != nil {
		return m, err
	}
	known := slices.Clone(all)
	for _, c := range changes {
		if lastOf(known, c.Path) == c {
			continue
		}
		text, err := json.Marshal(c)
		if err != nil {
			return m, err
		}
		all = append(all, text)
	}
	text, err := json.Marshal(all)
	if err != nil {
		return m, err
	}
	values[at] = string(text)
	return arrow.NewMetadata(keys, values), nil
}

// lastOf is the last change at a path.
func lastOf(all []json.RawMessage, path string) change {
	for _, text := range slices.Backward(all) {
		var c change
		if json.Unmarshal(text, &c) == nil && c.Path == path {
			return c
		}
	}
	return change{}
}
