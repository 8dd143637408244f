package ast

import "reflect"

// Resolve gives st with every name that holds IDENTIFIER(x) replaced by what f
// makes of it; st itself where it holds none. st is not changed.
func Resolve(st Statement, f func(Name) (Name, error)) (Statement, error) {
	if d, ok := st.(interface{ HasDynamic() bool }); !ok || !d.HasDynamic() {
		return st, nil
	}
	r := resolver{f: f}
	out, err := r.copy(reflect.ValueOf(st))
	if err != nil {
		return nil, err
	}
	res, _ := out.Interface().(Statement) // a copy has the type of st
	return res, nil
}

// Dynamic tells whether a part of n is IDENTIFIER(x).
func (n Name) Dynamic() bool {
	for _, p := range n {
		if p.X != nil {
			return true
		}
	}
	return false
}

// resolver copies a tree and replaces names on the way.
type resolver struct {
	f func(Name) (Name, error)
}

var nameType = reflect.TypeFor[Name]()

// copy is a deep copy of what may hold names.
func (r resolver) copy(v reflect.Value) (reflect.Value, error) {
	if v.Type() == nameType {
		n, _ := v.Interface().(Name)
		if !n.Dynamic() {
			return v, nil
		}
		n, err := r.f(n)
		return reflect.ValueOf(n), err
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || !inTree(v.Type().Elem()) {
			return v, nil
		}
		x, err := r.copy(v.Elem())
		if err != nil {
			return v, err
		}
		out := reflect.New(v.Type().Elem())
		out.Elem().Set(x)
		return out, nil
	case reflect.Interface:
		if v.IsNil() || v.Elem().Kind() != reflect.Pointer {
			return v, nil
		}
		return r.copy(v.Elem())
	case reflect.Slice:
		if v.IsNil() {
			return v, nil
		}
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			x, err := r.copy(v.Index(i))
			if err != nil {
				return v, err
			}
			out.Index(i).Set(x)
		}
		return out, nil
	case reflect.Struct:
		if !inTree(v.Type()) {
			return v, nil
		}
		out := reflect.New(v.Type()).Elem()
		out.Set(v)
		for i := range v.NumField() {
			x, err := r.copy(v.Field(i))
			if err != nil {
				return v, err
			}
			out.Field(i).Set(x)
		}
		return out, nil
	}
	return v, nil
}

// inTree tells whether t is one of this package's types, the only ones that
// hold names.
func inTree(t reflect.Type) bool { return t.PkgPath() == nameType.PkgPath() }
