package types

import (
	"fmt"
	"strings"
)

// AnySRID stands for GEOMETRY(ANY) and GEOGRAPHY(ANY), whose values say
// themselves what spatial reference system they are in.
const AnySRID = -1

// Spatial is GEOMETRY(SRID) or GEOGRAPHY(SRID).
type Spatial struct {
	Geography bool
	SRID      int
}

func (Spatial) isType() {}

// String is Spark's simpleString.
func (s Spatial) String() string {
	name, srid := "geometry", "any"
	if s.Geography {
		name = "geography"
	}
	if s.SRID != AnySRID {
		srid = fmt.Sprint(s.SRID)
	}
	return name + "(" + srid + ")"
}

// SQL is the CAST target's text.
func (s Spatial) SQL() string { return strings.ToUpper(s.String()) }

// IsSpatial tells whether t is a GEOMETRY or GEOGRAPHY.
func IsSpatial(t Type) bool { _, ok := t.(Spatial); return ok }
