package kernel

import (
	"errors"
	"fmt"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/vector"
	"github.com/marisma/marisma/internal/jsonarrow/cast"
	"github.com/marisma/marisma/internal/jsonarrow/variant"
)

// VARIANT values are BLOBs here, as package variant encodes them.

// ErrPath says that a path into a VARIANT is malformed.
var ErrPath = errors.New("path of a VARIANT")

// parseVariant reads JSON; NULL for what is malformed.
func parseVariant(b, s []byte) ([]byte, bool) {
	v, err := variant.ParseJSON(s)
	if err != nil {
		return b, false
	}
	return variant.Encode(b, v), true
}

func variantToJSON(g *sig) (kernel, error) {
	var p zoneParam
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	zone, err := p.load()
	if err != nil {
		return kernel{}, err
	}
	return kernel{run: func(c *call) error {
		z := zone.Clone()
		return rowText(func(b []byte, c *call, i int) ([]byte, bool) {
			v, err := variant.Decode(str(c, 0, i))
			if err != nil {
				return b, false
			}
			return variant.AppendJSON(b, v, z), true
		})(c)
	}}, g.want(duckdb.TypeVarchar, duckdb.TypeBlob)
}

func schemaOfVariant(b, s []byte) ([]byte, bool) {
	v, err := variant.Decode(s)
	if err != nil {
		return b, false
	}
	return append(b, variant.SchemaOf(v).String()...), true
}

// schemaOfVariants is the merged schema of a list.
func schemaOfVariants(g *sig) (kernel, error) {
	if err := g.want(duckdb.TypeVarchar, duckdb.TypeList); err != nil {
		return kernel{}, err
	}
	return kernel{run: func(c *call) error {
		flat := c.args[0].Flat(&g.args[0], c.n)
		defer flat.Destroy()
		root := openTree(flat, &g.args[0])
		return rowText(func(b []byte, _ *call, i int) ([]byte, bool) {
			var s *variant.Schema
			from, to := root.entries(i)
			for j := from; j < to; j++ {
				if root.kids[0].vec.Null(j) {
					continue
				}
				v, err := variant.Decode(root.kids[0].bytes(j))
				if err != nil {
					return b, false
				}
				s = s.Merge(variant.SchemaOf(v))
			}
			return append(b, s.String()...), true
		})(c)
	}}, nil
}

// variantGet finds a part; NULL where there is none. The path is a parameter or
// the second argument, where a malformed one finds nothing.
func variantGet(g *sig) (kernel, error) {
	var p struct{ Path *string }
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	get := func(b, s []byte, path variant.Path) ([]byte, bool) {
		v, err := variant.Decode(s)
		if err != nil {
			return b, false
		}
		part, ok := path.Get(v)
		if !ok {
			return b, false
		}
		return variant.Encode(b, part), true
	}
	if p.Path == nil {
		return kernel{run: rowText(func(b []byte, c *call, i int) ([]byte, bool) {
			path, ok := variant.ParsePath(string(str(c, 1, i)))
			if !ok {
				return b, false
			}
			return get(b, str(c, 0, i), path)
		})}, g.want(duckdb.TypeBlob, duckdb.TypeBlob, duckdb.TypeVarchar)
	}
	path, ok := variant.ParsePath(*p.Path)
	if !ok {
		return kernel{}, fmt.Errorf("%w %q", ErrPath, *p.Path)
	}
	return kernel{run: rowText(func(b []byte, c *call, i int) ([]byte, bool) { return get(b, str(c, 0, i), path) })},
		g.want(duckdb.TypeBlob, duckdb.TypeBlob)
}

// variantParam is the parameter of the casts: the Spark type on the other side.
type variantParam struct {
	Type sparkType
	Zone string
	Duck string // the DuckDB type, where the signature does not say it
}

// toVariant casts any value.
func toVariant(g *sig) (kernel, error) {
	var p variantParam
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	return kernel{run: func(c *call) error {
		flat := c.args[0].Flat(&g.args[0], c.n)
		defer flat.Destroy()
		root := openTree(flat, &g.args[0])
		return rowText(func(b []byte, _ *call, i int) ([]byte, bool) {
			return variant.Encode(b, p.Type.toVariant(&root, i)), true
		})(c)
	}}, g.want(duckdb.TypeBlob, 0)
}

// variantCast casts to any type. VARIANT null is NULL; what does not fit is
// NULL, too, and castable tells it apart.
func variantCast(g *sig) (kernel, error) {
	p, zone, err := g.variantParam()
	if err != nil {
		return kernel{}, err
	}
	at, err := g.ret.Arrow()
	if err != nil {
		return kernel{}, err
	}
	var pool cast.ZonePool
	return kernel{nulls: true, run: func(c *call) error {
		zones := pool.Get()
		defer pool.Put(zones)
		caster := variant.Caster{Zone: zone.Clone(), Zones: zones}
		b := array.NewBuilder(vector.Allocator{}, at)
		defer b.Release()
		for i := range c.n {
			if c.args[0].Null(i) {
				b.AppendNull()
				continue
			}
			v, err := variant.Decode(str(c, 0, i))
			if err != nil || !p.Type.castVariant(b, v, caster, true) {
				b.AppendNull()
			}
		}
		a := b.NewArray()
		defer a.Release()
		return vector.Write(&c.out, &g.ret, a, 0, c.n)
	}}, g.want(0, duckdb.TypeBlob)
}

// variantCastable tells whether the cast to a type loses nothing.
func variantCastable(g *sig) (kernel, error) {
	p, zone, err := g.variantParam()
	if err != nil {
		return kernel{}, err
	}
	t, err := vector.ParseType(p.Duck)
	if err != nil {
		return kernel{}, err
	}
	at, err := t.Arrow()
	if err != nil {
		return kernel{}, err
	}
	var zonePool cast.ZonePool
	return kernel{run: func(c *call) error {
		zones := zonePool.Get()
		defer zonePool.Put(zones)
		caster := variant.Caster{Zone: zone.Clone(), Zones: zones}
		b := array.NewBuilder(vector.Allocator{}, at)
		defer b.Release()
		out := vector.Data[bool](&c.out, c.n)
		for i := range out {
			if c.null(i) {
				continue
			}
			v, err := variant.Decode(str(c, 0, i))
			out[i] = err == nil && p.Type.castVariant(b, v, caster, false)
		}
		return nil
	}}, g.want(duckdb.TypeBoolean, duckdb.TypeBlob)
}

func (g *sig) variantParam() (variantParam, *cast.Zone, error) {
	var p variantParam
	if err := g.param(&p); err != nil {
		return p, nil, err
	}
	if err := p.Type.known(); err != nil {
		return p, nil, err
	}
	zone, err := zoneParam{p.Zone}.load()
	return p, zone, err
}

// isVariantNull tells VARIANT null; SQL NULL is false.
func isVariantNull(g *sig) (kernel, error) {
	return kernel{nulls: true, run: func(c *call) error {
		out := vector.Data[bool](&c.out, c.n)
		for i := range out {
			out[i] = false
			if !c.args[0].Null(i) {
				v, err := variant.Decode(str(c, 0, i))
				out[i] = err == nil && v == nil
			}
		}
		return nil
	}}, g.want(duckdb.TypeBoolean, duckdb.TypeBlob)
}

// variantEntries are the elements of an array or the fields of an object, an
// empty list for all else.
func variantEntries(g *sig) (kernel, error) {
	at, err := g.ret.Arrow()
	if err != nil {
		return kernel{}, err
	}
	if _, ok := at.(*arrow.ListType); !ok {
		return kernel{}, fmt.Errorf("result is %s", g.ret)
	}
	entry := &sparkType{name: "array", elem: &sparkType{name: "struct", fields: []sparkField{
		{"pos", &sparkType{name: "integer"}}, {"key", &sparkType{name: "string"}}, {"value", &sparkType{name: "variant"}}}}}
	return kernel{nulls: true, run: func(c *call) error {
		b := array.NewBuilder(vector.Allocator{}, at)
		defer b.Release()
		for i := range c.n {
			rows := []variant.Value{}
			if !c.args[0].Null(i) {
				v, _ := variant.Decode(str(c, 0, i))
				rows = entriesOf(v)
			}
			if !entry.castVariant(b, rows, variant.Caster{Zone: cast.UTC()}, true) {
				b.AppendNull()
			}
		}
		a := b.NewArray()
		defer a.Release()
		return vector.Write(&c.out, &g.ret, a, 0, c.n)
	}}, g.want(duckdb.TypeList, duckdb.TypeBlob)
}

func entriesOf(v variant.Value) []variant.Value {
	rows := []variant.Value{}
	row := func(i int, key, val variant.Value) {
		rows = append(rows, &variant.Object{Keys: []string{"key", "pos", "value"}, Values: []variant.Value{key, int64(i), val}})
	}
	switch v := v.(type) {
	case []variant.Value:
		for i, e := range v {
			row(i, nil, e)
		}
	case *variant.Object:
		for i, k := range v.Keys {
			row(i, k, v.Values[i])
		}
	}
	return rows
}
