package funcs

import (
	"github.com/marisma/marisma/internal/sparksql/plan"
	"github.com/marisma/marisma/internal/sparksql/types"
	"github.com/marisma/marisma/internal/spatial"
)

// wgs84 is the reference system of geographies that do not name one.
const wgs84 = 4326

// spatialDefs are the functions of GEOMETRY and GEOGRAPHY.
func spatialDefs() []*Def {
	wSpatial := kindOf(`("GEOGRAPHY" or "GEOMETRY")`, types.IsSpatial, types.Spatial{Geography: true, SRID: wgs84}, nil)
	return []*Def{
		fn("st_asbinary", types.Binary, "", wSpatial, wStr()).optional(1).defaults(litStr("NDR")).always(),
		fn("st_geogfromwkb", types.Spatial{Geography: true, SRID: wgs84}, "", wBin()).always(),
		fnOf("st_geomfromwkb", konstSpatial, "", wBin(), wInt()).optional(1).defaults(litInt(0)).srid().always(),
		fnOf("st_setsrid", konstSpatial, "", wSpatial, wInt()).defaults().srid().always(),
		fn("st_srid", types.Int, "", wSpatial),
	}
}

func konstSpatial(c *call) types.Type { return c.konst.(types.Spatial) }

// srid takes the result's type from the second argument: where that is an INT
// in the text, the values are of its system, else each has one of its own.
func (d *Def) srid() *Def {
	inner := d.fit
	d.fit = func(c *call) error {
		n, written := int64(0), len(c.args) == 1
		if !written {
			if l, ok := c.args[1].(*plan.Literal); ok && l.Typ == types.Int {
				n, written = l.Value.(int64)
			}
		}
		if err := inner(c); err != nil {
			return err
		}
		of, _ := c.args[0].Type().(types.Spatial)
		if written && !spatial.Known(of.Geography, int(n)) {
			return errf(c.ctx, "ST_INVALID_SRID_VALUE", "22023", "%q: there is no spatial reference system %d for it.", c.text(), n)
		}
		if !written {
			n = types.AnySRID
		}
		c.konst = types.Spatial{Geography: of.Geography, SRID: int(n)}
		return nil
	}
	return d
}

// commonSpatial is the type of two geometries, or of two geographies, in
// different systems.
func commonSpatial(a, b types.Type) (types.Type, bool) {
	x, ok1 := a.(types.Spatial)
	y, ok2 := b.(types.Spatial)
	return types.Spatial{Geography: x.Geography, SRID: types.AnySRID}, ok1 && ok2 && x.Geography == y.Geography
}

// canCastSpatial: a value of one system is one of any, and geometries and
// geographies of one system become each other.
func canCastSpatial(from, to types.Type) bool {
	x, ok1 := from.(types.Spatial)
	y, ok2 := to.(types.Spatial)
	switch {
	case !ok1 || !ok2:
		return false
	case x.Geography == y.Geography:
		return y.SRID == types.AnySRID
	}
	return x.SRID == y.SRID && x.SRID != types.AnySRID
}
