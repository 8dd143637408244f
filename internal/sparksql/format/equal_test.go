package format_test

import (
	"math/big"
	"reflect"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/types"
)

// same compares two trees without places and without the source's texts.
func same(a, b reflect.Value) bool {
	if a.IsValid() != b.IsValid() {
		return false
	}
	if !a.IsValid() {
		return true
	}
	if a.Type() != b.Type() {
		return false
	}
	if a.Kind() == reflect.Pointer || a.Kind() == reflect.Interface {
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		if x, ok := a.Interface().(types.Type); ok {
			return types.Equal(x, b.Interface().(types.Type))
		}
		if x, ok := a.Interface().(*big.Int); ok {
			return x.Cmp(b.Interface().(*big.Int)) == 0
		}
		return same(a.Elem(), b.Elem())
	}
	switch a.Kind() {
	case reflect.Struct:
		for i := range a.NumField() {
			switch f := a.Type().Field(i); f.Name {
			case "At", "P", "OpPos", "BodyText", "DefaultText":
				continue
			case "Text", "ReplaceText", "WhereText":
				// The text of a literal is its value; all else is the source's.
				if n := a.Type().Name(); n != "Literal" && n != "TypedLiteral" {
					continue
				}
			}
			if !same(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		if a.Len() != b.Len() || a.IsNil() != b.IsNil() {
			return false
		}
		for i := range a.Len() {
			if !same(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Map:
		if a.Len() != b.Len() {
			return false
		}
		for _, k := range a.MapKeys() {
			if !same(a.MapIndex(k), b.MapIndex(k)) {
				return false
			}
		}
		return true
	case reflect.String:
		// Commands keep the text of what they do not parse.
		return strings.Join(strings.Fields(a.String()), " ") == strings.Join(strings.Fields(b.String()), " ")
	}
	return a.Interface() == b.Interface()
}
