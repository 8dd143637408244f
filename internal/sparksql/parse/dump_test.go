package parse_test

import (
	"fmt"
	"math/big"
	"reflect"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// dump prints a tree as (Node field=value ...), without positions, texts and
// zero values, so that a test shows how operators bind.
func dump(x any) string {
	var b strings.Builder
	dumpValue(&b, reflect.ValueOf(x))
	return b.String()
}

func dumpValue(b *strings.Builder, v reflect.Value) {
	for v.Kind() == reflect.Pointer || v.Kind() == reflect.Interface {
		switch x := v.Interface().(type) {
		case types.Type:
			b.WriteString(x.String())
			return
		case *ast.Column:
			b.WriteString(strings.Join(x.Name.Strings(), "."))
			return
		case *ast.Literal:
			dumpLiteral(b, x)
			return
		case *ast.Binary:
			fmt.Fprintf(b, "(%s %s %s)", x.Op, dump(x.L), dump(x.R))
			return
		case *ast.Unary:
			fmt.Fprintf(b, "(%s %s)", x.Op, dump(x.X))
			return
		}
		v = v.Elem()
	}
	switch x := v.Interface().(type) {
	case types.Type:
		b.WriteString(x.String())
		return
	case ast.Ident:
		b.WriteString(x.Name)
		return
	case ast.Name:
		b.WriteString(strings.Join(x.Strings(), "."))
		return
	}
	switch v.Kind() {
	case reflect.Struct:
		dumpStruct(b, v)
	case reflect.Slice:
		b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				b.WriteByte(' ')
			}
			dumpValue(b, v.Index(i))
		}
		b.WriteByte(']')
	case reflect.String:
		fmt.Fprintf(b, "%q", v.String())
	default:
		fmt.Fprint(b, v.Interface())
	}
}

func dumpLiteral(b *strings.Builder, l *ast.Literal) {
	switch v := l.Value.(type) {
	case nil:
		b.WriteString("NULL")
	case string:
		fmt.Fprintf(b, "%q", v)
	case []byte:
		fmt.Fprintf(b, "x%x", v)
	case *big.Int:
		fmt.Fprintf(b, "%s:%s", v, l.Type)
	default:
		fmt.Fprintf(b, "%v", v)
		if l.Type != types.Int && l.Type != types.Boolean {
			fmt.Fprintf(b, ":%s", l.Type)
		}
	}
}

func dumpStruct(b *strings.Builder, v reflect.Value) {
	b.WriteString("(" + v.Type().Name())
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.Name == "At" || f.Name == "Text" || f.Name == "OpPos" || f.Name == "P" || v.Field(i).IsZero() {
			continue
		}
		if f.Anonymous {
			var in strings.Builder
			dumpStruct(&in, v.Field(i))
			if s := strings.TrimSuffix(strings.TrimPrefix(in.String(), "("+f.Name), ")"); s != "" {
				b.WriteString(s)
			}
			continue
		}
		b.WriteString(" " + strings.ToLower(f.Name) + "=")
		dumpValue(b, v.Field(i))
	}
	b.WriteByte(')')
}
