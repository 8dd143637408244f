package schema

import (
	"encoding/json"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
)

// The metadata of Arrow fields by which GeoArrow tells what well-known binary
// means.
const (
	extensionName = "ARROW:extension:name"
	extensionMeta = "ARROW:extension:metadata"
	wkb           = "geoarrow.wkb"
)

// defaultCRS is the reference system of a geometry or geography that names none.
const defaultCRS = "OGC:CRS84"

// geospatial reads names such as geometry(OGC:CRS84) and geography(OGC:CRS84,
// spherical), false for other types.
func geospatial(name string) (arrow.Metadata, bool) {
	kind, args, _ := strings.Cut(strings.ToLower(strings.TrimSpace(name)), "(")
	kind = strings.TrimSpace(kind)
	if kind != "geometry" && kind != "geography" {
		return arrow.Metadata{}, false
	}
	args = strings.TrimSpace(name)[len(strings.TrimSpace(name))-len(args):] // as it is written
	args, closed := strings.CutSuffix(args, ")")
	if args != "" && !closed {
		return arrow.Metadata{}, false
	}
	crs, edges, _ := strings.Cut(args, ",")
	about := map[string]string{}
	switch crs = strings.TrimSpace(crs); {
	case crs == "":
		about["crs"], about["crs_type"] = defaultCRS, "authority_code"
	case strings.EqualFold(crs, "any"): // each value may have its own
	case strings.Contains(crs, ":"):
		about["crs"], about["crs_type"] = crs, "authority_code"
	default:
		about["crs"], about["crs_type"] = crs, "srid"
	}
	if kind == "geography" {
		if about["edges"] = strings.ToLower(strings.TrimSpace(edges)); about["edges"] == "" {
			about["edges"] = "spherical"
		}
	}
	text, err := json.Marshal(about)
	if err != nil {
		return arrow.Metadata{}, false
	}
	return arrow.NewMetadata([]string{extensionName, extensionMeta}, []string{wkb, string(text)}), true
}

// Geospatial is the key of metadata that fields with geometries and geographies
// have.
const Geospatial = extensionName

// located is m with what the JSON text of a field's type says of geometries.
func located(m arrow.Metadata, typ json.RawMessage) arrow.Metadata {
	var name string
	if json.Unmarshal(typ, &name) != nil {
		return m
	}
	geo, ok := geospatial(name)
	if !ok {
		return m
	}
	return arrow.NewMetadata(append(append([]string{}, m.Keys()...), geo.Keys()...), append(append([]string{}, m.Values()...), geo.Values()...))
}
