package sketch

// The families of sketches that are written here, as their third byte names
// them (Apache DataSketches, Family).
const (
	FamilyTheta = 3
	FamilyTuple = 9
)

// families are the names by number, from 1.
var families = [...]string{"ALPHA", "QUICKSELECT", "COMPACT", "UNION", "INTERSECTION", "A_NOT_B", "HLL", "QUANTILES", "TUPLE", "FREQUENCY", "RESERVOIR",
	"RESERVOIR_UNION", "VAROPT", "VAROPT_UNION", "KLL", "CPC", "REQ", "COUNTMIN", "EBPPS", "TDIGEST", "BLOOMFILTER"}

// OtherFamily is the family that b names when it is not the wanted one; false
// where b names none or the wanted one.
func OtherFamily(b []byte, wanted int) (string, bool) {
	if len(b) < 3 || b[2] == 0 || int(b[2]) > len(families) || int(b[2]) == wanted {
		return "", false
	}
	return families[b[2]-1], true
}
