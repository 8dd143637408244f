package analyze

import (
	"errors"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/ast"
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
)

// fileProvider tells whether USING asks for a table of files.
func fileProvider(provider string) bool {
	return provider != "" && !strings.EqualFold(provider, "delta")
}

// likeFiles takes the format of LIKE's table where the statement names none.
func (k *creator) likeFiles() error {
	if k.ast.Provider != "" || k.ast.Like.Name == nil && k.ast.Like.NameExpr == nil {
		return nil
	}
	src, _, _, err := k.a.source(k.ast.Like)
	if err != nil || src == nil || src.Files == nil {
		return err
	}
	c := *k.ast
	c.Provider = src.Files.Format
	for o, v := range src.Files.Options {
		c.Options = append(slices.Clone(c.Options), ast.Property{Key: o, Value: v})
	}
	k.ast = &c
	return nil
}

// files analyses the CREATE TABLE of a table of files.
func (k *creator) files() (plan.Statement, error) {
	if err := k.refusedFiles(); err != nil {
		return nil, err
	}
	f := &plan.FileTable{Format: strings.ToLower(k.ast.Provider), Options: map[string]string{}}
	k.out.Files, k.out.Properties = f, map[string]string{}
	for _, p := range k.ast.Options {
		if strings.EqualFold(p.Key, "path") {
			k.out.Location = p.Value
			continue
		}
		f.Options[p.Key] = p.Value
	}
	for _, p := range k.ast.Properties {
		k.out.Properties[p.Key] = p.Value
	}
	if err := k.columns(); err != nil {
		return nil, fileTypes(err)
	}
	k.out.PartitionBy = nil // LIKE's
	if err := k.fileKeys(); err != nil {
		return nil, err
	}
	if err := k.fileColumns(f); err != nil {
		return nil, err
	}
	if k.out.Rows != nil {
		var err error
		k.out.Lines, err = k.a.lines(k.out.Rows, f, k.out.Fields(), k.ast.At)
		return k.out, err
	}
	return k.out, nil
}

// fileTypes gives the error of a type that files do not hold its class.
func fileTypes(err error) error {
	if e, ok := errors.AsType[*sparksql.Error](err); ok && (e.Class == "DELTA_UNSUPPORTED_DATA_TYPES" || e.Class == "DELTA_GEOSPATIAL_NOT_SUPPORTED") {
		e.Class, e.SQLState = "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "0A000"
	}
	return err
}

// refusedFiles are clauses that tables of files do not have.
func (k *creator) refusedFiles() error {
	c, a := k.ast, k.a
	not := func(what string) error {
		return a.errorf(c.Pos(), "UNSUPPORTED_FEATURE.TABLE_OPERATION", "0A000", "A table of %s files does not support %s.", c.Provider, what)
	}
	switch strings.ToLower(c.Provider) {
	case "csv", "json", "parquet", "text":
	case "avro", "orc", "binaryfile", "xml", "jdbc", "hive":
		return a.errorf(c.Pos(), "UNSUPPORTED_FEATURE.TABLE_PROVIDER", "0A000", "Tables are not kept as %s here.", c.Provider).hint("Write USING delta, parquet, csv, json or text.")
	default:
		return a.errorf(c.Pos(), "DATA_SOURCE_NOT_FOUND", "42K02", "There is no format %s.", quote(c.Provider)).hint("Write USING delta, parquet, csv, json or text.")
	}
	switch {
	case c.Replace && c.Query != nil:
		return not("REPLACE TABLE AS SELECT")
	case c.Replace:
		return not("REPLACE TABLE")
	case c.Clone != nil:
		return not("CLONE")
	case c.Buckets:
		return not("buckets")
	case c.Constraint != "":
		return not(c.Constraint)
	case len(c.ClusterBy) > 0:
		return a.errorf(c.Pos(), "UNSUPPORTED_PARTITION_TRANSFORM", "0A000", "CLUSTER BY is for Delta tables.")
	case k.out.Path:
		return not("a path for its name")
	}
	for _, d := range c.Columns {
		switch {
		case d.Generated != nil:
			return not("generated columns")
		case d.Identity != nil:
			return not("identity columns")
		}
	}
	for _, p := range c.PartitionBy {
		if p.Transform != "" {
			return a.errorf(p.Pos(), "UNSUPPORTED_PARTITION_TRANSFORM", "0A000", "Tables are partitioned by columns, not by %s(...).", p.Transform)
		}
	}
	return nil
}

// fileKeys finds the partition columns and puts them last.
func (k *creator) fileKeys() error {
	var parts []plan.TableColumn
	like := k.ast.Like
	if like.Name != nil || like.NameExpr != nil {
		if src, _, _, err := k.a.source(like); err == nil && src != nil {
			switch {
			case src.Files != nil:
				k.out.PartitionBy = src.Files.PartitionBy
			case src.Rules != nil:
				k.out.PartitionBy = src.Rules.PartitionBy
			}
		}
	}
	for _, it := range k.ast.PartitionBy {
		name := it.Name[len(it.Name)-1].Name
		if it.Type != nil {
			k.out.Columns = append(k.out.Columns, plan.TableColumn{Field: types.Field{Name: name, Type: it.Type, Nullable: true}})
		}
		i := k.column(name)
		if i < 0 && len(k.out.Columns) == 0 {
			return k.a.errorf(it.Pos(), "SPECIFY_PARTITION_IS_NOT_ALLOWED", "42601", "Where no columns are written the partition columns are those of the folders.")
		}
		if i < 0 {
			return k.a.errorf(it.Pos(), "COLUMN_NOT_DEFINED_IN_TABLE", "42703", "There is no column %s to partition by.", quote(name))
		}
		if slices.ContainsFunc(k.out.PartitionBy, func(p string) bool { return strings.EqualFold(p, name) }) {
			return k.a.errorf(it.Pos(), "COLUMN_ALREADY_EXISTS", "42711", "The column %s is named twice.", quote(name))
		}
		if !partitions(k.out.Columns[i].Type) {
			return k.a.errorf(it.Pos(), "INVALID_PARTITION_COLUMN_DATA_TYPE", "0A000", "%s cannot be a partition column: it is %s.", quote(name), k.out.Columns[i].Type.SQL())
		}
		k.out.PartitionBy = append(k.out.PartitionBy, k.out.Columns[i].Name)
	}
	if n := len(k.out.PartitionBy); n > 0 && n == len(k.out.Columns) {
		return k.a.errorf(k.ast.Pos(), "ALL_PARTITION_COLUMNS_NOT_ALLOWED", "KD005", "At least one column must be left that the table is not partitioned by.")
	}
	if len(k.out.PartitionBy) == 0 {
		return nil
	}
	order := make([]int, 0, len(k.out.Columns))
	var last []int
	for _, p := range k.out.PartitionBy {
		last = append(last, k.column(p))
	}
	for i := range k.out.Columns {
		if !slices.Contains(last, i) {
			order = append(order, i)
		}
	}
	order = append(order, last...)
	for _, i := range order {
		parts = append(parts, k.out.Columns[i])
	}
	k.out.Columns = parts
	k.reorder(order)
	return nil
}

// reorder gives the rows of AS SELECT the table's order.
func (k *creator) reorder(order []int) {
	if k.out.Rows == nil {
		return
	}
	in := k.out.Rows.Plan
	p := &plan.Project{Input: in}
	out := in.Output()
	for _, i := range order {
		p.Exprs = append(p.Exprs, plan.NamedExpr{X: &plan.Column{Attr: out[i]}, Attr: out[i]})
	}
	k.out.Rows.Plan = p
}

// fileColumns checks the columns of a table of files.
func (k *creator) fileColumns(f *plan.FileTable) error {
	f.PartitionBy = k.out.PartitionBy
	seen := map[string]bool{}
	data := len(k.out.Columns) - len(f.PartitionBy)
	if f.Format == "text" && len(k.out.Columns) > 0 && data != 1 {
		return k.a.errorf(k.ast.Pos(), "_LEGACY_ERROR_TEMP_1290", "", "A table of text files has one column besides its partition columns, not %d.", data)
	}
	for i := range k.out.Columns {
		c := &k.out.Columns[i]
		c.Nullable, c.Generated, c.Identity, c.Invariant = true, "", nil, ""
		c.Type = stored(c.Type)
		low := strings.ToLower(c.Name)
		if seen[low] {
			return k.a.errorf(k.ast.Pos(), "COLUMN_ALREADY_EXISTS", "42711", "The table has two columns %s.", quote(c.Name))
		}
		seen[low] = true
		if err := fileTypes(k.a.storable(c.Type, k.ast.Pos())); err != nil {
			return err
		}
		if i < data {
			if err := k.a.fileType(f.Format, c.Field, k.ast.Pos()); err != nil {
				return err
			}
		}
		f.Columns = append(f.Columns, c.ColumnRule)
	}
	return k.rulesOfFiles()
}

// rulesOfFiles checks the columns' defaults.
func (k *creator) rulesOfFiles() error {
	for _, c := range k.out.Columns {
		if c.Default == "" {
			continue
		}
		if _, err := k.a.alone().text(c.Default, nil); err != nil {
			return err
		}
	}
	return nil
}

// fileType refuses types that files of a format do not hold.
func (a *analyzer) fileType(format string, f types.Field, pos sparksql.Pos) error {
	bad := false
	switch format {
	case "text":
		bad = !types.IsString(f.Type)
	case "csv":
		switch f.Type.(type) {
		case types.Array, types.Map, types.Struct:
			bad = true
		}
		bad = bad || f.Type == types.Variant
	}
	if bad {
		return a.errorf(pos, "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "0A000", "Files of the format %s do not hold the column %s of the type %s.", format, quote(f.Name), f.Type.SQL())
	}
	return nil
}
