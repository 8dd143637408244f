package dml

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// Field metadata with which a Delta schema keeps what columns ask.
const (
	metaDefault   = "CURRENT_DEFAULT"
	metaExists    = "EXISTS_DEFAULT"
	metaGenerated = "delta.generationExpression"
	metaDeclared  = "__CHAR_VARCHAR_TYPE_STRING"
	metaComment   = "comment"
)

// Schema is the Delta schema of declared columns.
func Schema(cols []plan.TableColumn) (*arrow.Schema, error) {
	out := make([]arrow.Field, len(cols))
	for i, c := range cols {
		f, err := field(c)
		if err != nil {
			return nil, err
		}
		out[i] = f
	}
	return arrow.NewSchema(out, nil), nil
}

func field(c plan.TableColumn) (arrow.Field, error) {
	fs, err := types.ArrowFields([]types.Field{c.Field})
	if err != nil {
		return arrow.Field{}, err
	}
	f := fs[0]
	set := func(key, value string) { f.Metadata = WithMeta(f.Metadata, key, value) }
	if c.Declared != nil {
		set(metaDeclared, c.Declared.String())
	}
	if c.Default != "" {
		set(metaDefault, c.Default)
	}
	if c.Generated != "" {
		set(metaGenerated, c.Generated)
	}
	if id := c.Identity; id != nil {
		f = delta.WithIdentity(f, delta.Identity{Start: id.Start, Step: id.Step, ByDefault: id.Explicit})
	}
	return f, nil
}

// errPath says that an edit's path leads nowhere; analysis has checked it.
var errPath = errors.New("dml: no such column")

// Edit applies edits to a schema, one after the other.
func Edit(s *arrow.Schema, edits []plan.Edit) (*arrow.Schema, error) {
	fields := s.Fields()
	for _, e := range edits {
		var err error
		if fields, err = editFields(fields, e, e.Path); err != nil {
			return nil, err
		}
	}
	return arrow.NewSchema(fields, nil), nil
}

func indexOf(fields []arrow.Field, name string) int {
	return slices.IndexFunc(fields, func(f arrow.Field) bool { return strings.EqualFold(f.Name, name) })
}

func editFields(fields []arrow.Field, e plan.Edit, path []string) ([]arrow.Field, error) {
	out := slices.Clone(fields)
	i := indexOf(out, path[0])
	if len(path) == 1 {
		return editHere(out, i, e)
	}
	if i < 0 {
		return nil, fmt.Errorf("%w: %s", errPath, path[0])
	}
	t, err := editType(out[i].Type, e, path[1:])
	out[i].Type = t
	return out, err
}

// editType applies an edit below a type.
func editType(t arrow.DataType, e plan.Edit, path []string) (arrow.DataType, error) {
	inner := func(f arrow.Field) (arrow.Field, error) {
		var err error
		if len(path) > 1 {
			f.Type, err = editType(f.Type, e, path[1:])
			return f, err
		}
		if e.Kind == plan.EditType {
			f.Type, err = types.ToArrow(e.Column.Type)
		}
		return f, err
	}
	switch t := t.(type) {
	case *arrow.StructType:
		fs, err := editFields(t.Fields(), e, path)
		if err != nil {
			return nil, err
		}
		return arrow.StructOf(fs...), nil
	case *arrow.ListType:
		f, err := inner(t.ElemField())
		if err != nil {
			return nil, err
		}
		return arrow.ListOfField(f), nil
	case *arrow.MapType:
		k, v := t.KeyField(), t.ItemField()
		var err error
		if strings.EqualFold(path[0], "key") {
			k, err = inner(k)
		} else {
			v, err = inner(v)
		}
		if err != nil {
			return nil, err
		}
		m := arrow.MapOf(k.Type, v.Type)
		m.SetItemNullable(v.Nullable)
		return m, nil
	}
	return nil, fmt.Errorf("%w: %s", errPath, path[0])
}

// editHere applies an edit to field i of fields.
func editHere(fields []arrow.Field, i int, e plan.Edit) ([]arrow.Field, error) {
	if e.Kind == plan.EditAdd {
		f, err := field(e.Column)
		if err != nil {
			return nil, err
		}
		return place(fields, f, e), nil
	}
	if i < 0 {
		return nil, fmt.Errorf("%w: %s", errPath, e.Path[len(e.Path)-1])
	}
	f := &fields[i]
	switch e.Kind {
	case plan.EditDrop:
		return slices.Delete(fields, i, i+1), nil
	case plan.EditRename:
		f.Name = e.Name
	case plan.EditType:
		return fields, retype(f, e)
	case plan.EditComment:
		f.Metadata = WithMeta(f.Metadata, metaComment, e.Text)
	case plan.EditNotNull:
		f.Nullable = !e.On
	case plan.EditDefault:
		f.Metadata = WithMeta(f.Metadata, metaDefault, e.Text)
		if e.Text == "" {
			f.Metadata = WithMeta(f.Metadata, metaExists, "")
		}
	case plan.EditMove:
		moved := *f
		return place(slices.Delete(fields, i, i+1), moved, e), nil
	}
	return fields, nil
}

// place puts f where an edit wants it.
func place(fields []arrow.Field, f arrow.Field, e plan.Edit) []arrow.Field {
	switch e.Position {
	case "first":
		return slices.Insert(fields, 0, f)
	case "after":
		if i := indexOf(fields, e.After); i >= 0 {
			return slices.Insert(fields, i+1, f)
		}
	}
	return append(fields, f)
}

// retype widens a column's type; that it had another is noted by the commit.
func retype(f *arrow.Field, e plan.Edit) error {
	t, err := types.ToArrow(e.Column.Type)
	if err != nil {
		return err
	}
	if e.Column.Declared != nil {
		f.Metadata = WithMeta(f.Metadata, metaDeclared, e.Column.Declared.String())
	} else {
		f.Metadata = WithMeta(f.Metadata, metaDeclared, "")
	}
	f.Type = t
	return nil
}
