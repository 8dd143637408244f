package spatial

import (
	_ "embed" // of the registry
	"sort"
	"strconv"
	"strings"
	"sync"
)

// The numbers that EPSG and Esri gave to reference systems, as PROJ 9.8.1 has
// them and Spark takes them: ranges after the word projected (or otherwise not
// in degrees), then after geographic.
//
//go:embed srid.txt
var registryText string

type span struct{ from, to int }

type spans []span

func (s spans) holds(n int) bool {
	i := sort.Search(len(s), func(i int) bool { return s[i].to >= n })
	return i < len(s) && s[i].from <= n
}

var registry = sync.OnceValue(func() (out struct{ projected, geographic spans }) {
	into := &out.projected
	for w := range strings.FieldsSeq(registryText) {
		switch w {
		case "projected":
		case "geographic":
			into = &out.geographic
		default:
			a, b, ranged := strings.Cut(w, "-")
			if !ranged {
				b = a
			}
			from, _ := strconv.Atoi(a)
			to, _ := strconv.Atoi(b)
			*into = append(*into, span{from, to})
		}
	}
	return out
})

// Known tells whether a spatial reference system of the number is known: for a
// geography one of degrees, for a geometry any, and 0, which is none.
func Known(geography bool, srid int) bool {
	r := registry()
	return r.geographic.holds(srid) || !geography && (srid == 0 || r.projected.holds(srid))
}
