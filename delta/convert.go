package delta

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"golang.org/x/sync/errgroup"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/schema"
	"github.com/marisma/marisma/delta/internal/stats"
	"github.com/marisma/marisma/objstore"
)

// Errors of ConvertFromParquet.
var (
	// ErrNoParquet: there are no Parquet files at the place.
	ErrNoParquet = errors.New("delta: no Parquet files")
	// ErrPartitions: folders are not named as the partition columns say.
	ErrPartitions = errors.New("delta: folders do not fit the partition columns")
)

// ConvertOptions say how Parquet files become a table.
type ConvertOptions struct {
	// PartitionBy are the columns whose values the folders' names hold, such as
	// year=2024, from the outermost on.
	PartitionBy []arrow.Field
	// NoStatistics leaves the minima, maxima and numbers of NULLs out, so that
	// only the files' footers are read.
	NoStatistics bool
}

// ConvertFromParquet makes a table of the Parquet files below root, which stay
// where they are and as they are. Names that begin with "_" or "." are passed
// over. Where there is a table already it is opened and nothing changes. Nobody
// may write files there meanwhile. ErrNoParquet, ErrPartitions,
// ErrSchemaMismatch where files do not go together.
func ConvertFromParquet(ctx context.Context, store objstore.Store, root string, o ConvertOptions, opts ...Option) (*Table, error) {
	t, err := Open(ctx, store, root, opts...)
	if err == nil || !errors.Is(err, ErrNotATable) {
		return t, err
	}
	c := &converter{store: store, root: strings.Trim(root, "/"), opt: o}
	if err := c.list(ctx); err != nil {
		return nil, err
	}
	s, err := c.schema(ctx)
	if err != nil {
		return nil, err
	}
	names := make([]string, len(o.PartitionBy))
	for i, f := range o.PartitionBy {
		names[i] = f.Name
	}
	made := append(slices.Clone(opts), WithPartitionBy(names...))
	if schema.HasNTZ(s) {
		made = append(made, func(o *options) {
			props := map[string]string{featurePrefix + "timestampNtz": "supported"}
			maps.Copy(props, o.properties)
			o.properties = props
		})
	}
	d, err := NewDraft(store, root, s, made...)
	if err != nil {
		return nil, err
	}
	if err := c.collect(ctx, d.table); err != nil {
		return nil, err
	}
	t, _, err = d.Commit(ctx, Commit{
		Adds: c.adds, ReadVersion: -1, DataChange: true, Operation: "CONVERT",
		Parameters: map[string]string{
			"numFiles": strconv.Itoa(len(c.adds)), "partitionedBy": jsonText(names), "collectStats": strconv.FormatBool(!o.NoStatistics), "sourceFormat": "parquet",
		},
		Metrics: map[string]string{"numFiles": "", "numOutputRows": "", "numOutputBytes": "", "numConvertedFiles": strconv.Itoa(len(c.adds))},
	})
	return t, err
}

// converter makes a table of files.
type converter struct {
	store objstore.Store
	root  string
	opt   ConvertOptions
	adds  []Add
}

// filesAtOnce is how many files are read at the same time.
const filesAtOnce = 4

// list finds the files and the partition values that their folders say.
func (c *converter) list(ctx context.Context) error {
	prefix := c.root
	if prefix != "" {
		prefix += "/"
	}
	for o, err := range c.store.List(ctx, prefix, "") {
		if err != nil {
			return fmt.Errorf("delta: %w", err)
		}
		rel := strings.TrimPrefix(o.Key, prefix)
		if hidden(rel) {
			continue
		}
		values, err := c.values(rel)
		if err != nil {
			return err
		}
		c.adds = append(c.adds, Add{
			Path: action.Encode(rel), PartitionValues: values, Size: o.Size, ModificationTime: o.ModTime.UnixMilli(), DataChange: true,
		})
	}
	if len(c.adds) == 0 {
		return fmt.Errorf("%w: below %s", ErrNoParquet, c.root)
	}
	return nil
}

// values are the partition values in a file's path.
func (c *converter) values(rel string) (Values, error) {
	var names []string
	out := Values{}
	dir := path.Dir(rel)
	for seg := range strings.SplitSeq(dir, "/") {
		name, value, ok := strings.Cut(seg, "=")
		if !ok {
			continue
		}
		names = append(names, unescaped(name))
		i := len(names) - 1
		if i >= len(c.opt.PartitionBy) || !strings.EqualFold(names[i], c.opt.PartitionBy[i].Name) {
			continue
		}
		f := c.opt.PartitionBy[i]
		if value = unescaped(value); value == hiveNull {
			value = ""
		}
		if value != "" {
			if _, err := partitionScalar(f.Type, value); err != nil {
				return nil, fmt.Errorf("%w: %s: %q is no %s", ErrPartitions, rel, value, f.Type)
			}
		}
		out[f.Name] = value
	}
	if len(names) != len(c.opt.PartitionBy) || len(out) != len(names) {
		return nil, fmt.Errorf("%w: %d columns are given, and the path %s has %d: %s", ErrPartitions, len(c.opt.PartitionBy), rel, len(names), strings.Join(names, ", "))
	}
	return out, nil
}

func unescaped(s string) string {
	if d, err := url.PathUnescape(s); err == nil {
		return d
	}
	return s
}

// schema is that of all files together, with the partition columns last.
func (c *converter) schema(ctx context.Context) (*arrow.Schema, error) {
	schemas := make([]*arrow.Schema, len(c.adds))
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(filesAtOnce)
	for i, a := range c.adds {
		g.Go(func() error {
			s, err := fileSchema(gctx, c.store, c.key(a), a.Size)
			if err == nil {
				s, err = schema.Normal(bareSchema(s))
			}
			if err != nil {
				return fmt.Errorf("delta: %s: %w", c.key(a), err)
			}
			schemas[i] = s
			return nil
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var fields []arrow.Field
	for i, s := range schemas {
		for _, f := range s.Fields() {
			if slices.ContainsFunc(c.opt.PartitionBy, func(p arrow.Field) bool { return strings.EqualFold(p.Name, f.Name) }) {
				continue
			}
			at := slices.IndexFunc(fields, func(g arrow.Field) bool { return strings.EqualFold(g.Name, f.Name) })
			switch {
			case at < 0:
				fields = append(fields, f)
			case fields[at].Name != f.Name || !arrow.TypeEqual(fields[at].Type, f.Type):
				return nil, fmt.Errorf("%w: the column %s is %s in %s and %s in others", ErrSchemaMismatch, f.Name, f.Type, c.key(c.adds[i]), fields[at].Type)
			}
		}
	}
	for _, p := range c.opt.PartitionBy {
		p.Nullable = true
		fields = append(fields, p)
	}
	return arrow.NewSchema(fields, nil), nil
}

func (c *converter) key(a Add) string {
	if c.root == "" {
		return action.Canonical(a.Path)
	}
	return c.root + "/" + action.Canonical(a.Path)
}

// bareSchema is a file's schema without its metadata; everything may be NULL.
func bareSchema(s *arrow.Schema) *arrow.Schema {
	out := make([]arrow.Field, s.NumFields())
	for i, f := range s.Fields() {
		out[i] = arrow.Field{Name: f.Name, Type: f.Type, Nullable: true}
	}
	return schema.Without(arrow.NewSchema(out, nil), "PARQUET:field_id")
}

// collect gives the files their statistics.
func (c *converter) collect(ctx context.Context, t *Table) error {
	s := t.current()
	want := stored(s.schema, s.meta.PartitionColumns)
	sel := stats.FromProperties(s.schema, s.mapping, s.meta.Configuration)
	g, gctx := errgroup.WithContext(ctx)
	g.SetLimit(filesAtOnce)
	for i := range c.adds {
		g.Go(func() error {
			a := &c.adds[i]
			if c.opt.NoStatistics {
				return nil
			}
			st := stats.New(s.mapping.Files(s.schema, s.meta.PartitionColumns), sel)
			err := s.readFile(gctx, *a, want, func(rec arrow.RecordBatch) error {
				defer rec.Release()
				st.Add(rec)
				return nil
			})
			if err != nil {
				return fmt.Errorf("delta: %s: %w", c.key(*a), err)
			}
			a.Stats = st.JSON()
			return nil
		})
	}
	return g.Wait()
}
