package kernel

import (
	"encoding/binary"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/spatial"
)

// A geometry is EWKB here: well-known binary, the least significant byte
// first, with a flag in its type that the number of its spatial reference
// system follows.
const (
	ewkbFlag = 0x20000000
	ewkbHead = 9 // byte order, type, SRID
)

// spatialKernel makes a kernel of a geography's or a geometry's function.
func spatialKernel(g *sig, op func(r *row, geography bool) (any, error)) (kernel, error) {
	var p struct {
		failing
		Geography bool
	}
	if err := g.param(&p); err != nil {
		return kernel{}, err
	}
	return rowKernel(g, p.failing, func(r *row) (any, error) { return op(r, p.Geography) }), nil
}

func knownSRID(geography bool, n int64) error {
	if !spatial.Known(geography, int(n)) {
		return raisef("ST_INVALID_SRID_VALUE", "22023", "There is no spatial reference system %d for this value.", n)
	}
	return nil
}

func wkbProblem(err error) error {
	return raisef("WKB_PARSE_ERROR", "22023", "A value is no well-known binary of a geometry: %v.", err)
}

// spatialFromWKB is (WKB, SRID).
func spatialFromWKB(g *sig) (kernel, error) {
	return spatialKernel(g, func(r *row, geography bool) (any, error) {
		srid := r.long(1)
		if err := knownSRID(geography, srid); err != nil {
			return nil, err
		}
		wkb, err := spatial.Recode(r.bytes(0), geography, false)
		if err != nil {
			return nil, wkbProblem(err)
		}
		out := binary.LittleEndian.AppendUint32([]byte{1}, binary.LittleEndian.Uint32(wkb[1:])|ewkbFlag)
		return append(binary.LittleEndian.AppendUint32(out, uint32(srid)), wkb[5:]...), nil
	})
}

// spatialSRID is (value).
func spatialSRID(g *sig) (kernel, error) {
	return spatialKernel(g, func(r *row, _ bool) (any, error) {
		v := r.bytes(0)
		if len(v) < ewkbHead {
			return nil, errShape
		}
		return int64(int32(binary.LittleEndian.Uint32(v[5:]))), nil
	})
}

// spatialSetSRID is (value, SRID).
func spatialSetSRID(g *sig) (kernel, error) {
	return spatialKernel(g, func(r *row, geography bool) (any, error) {
		if err := knownSRID(geography, r.long(1)); err != nil {
			return nil, err
		}
		v := slices.Clone(r.bytes(0))
		if len(v) < ewkbHead {
			return nil, errShape
		}
		binary.LittleEndian.PutUint32(v[5:], uint32(r.long(1)))
		return v, nil
	})
}

// spatialBinary is (value, 'NDR' or 'XDR').
func spatialBinary(g *sig) (kernel, error) {
	return spatialKernel(g, func(r *row, _ bool) (any, error) {
		order := string(r.bytes(1))
		if !strings.EqualFold(order, "NDR") && !strings.EqualFold(order, "XDR") {
			return nil, raisef("ST_INVALID_ENDIANNESS_VALUE", "22023", "The byte order is 'NDR' (little-endian) or 'XDR' (big-endian), not %q.", order)
		}
		v := r.bytes(0)
		if len(v) < ewkbHead {
			return nil, errShape
		}
		wkb := binary.LittleEndian.AppendUint32([]byte{1}, binary.LittleEndian.Uint32(v[1:])&^ewkbFlag)
		wkb = append(wkb, v[ewkbHead:]...)
		if strings.EqualFold(order, "NDR") {
			return wkb, nil
		}
		out, err := spatial.Recode(wkb, false, true)
		if err != nil {
			return nil, wkbProblem(err)
		}
		return out, nil
	})
}
