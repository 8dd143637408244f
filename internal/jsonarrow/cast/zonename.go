package cast

import (
	_ "embed" // of the names
	"strings"
	"sync"
	"time"
)

// zoneText has the names that Java 17 prints for zones (CLDR's, in English):
// short and long, standard and daylight, with the zones that have them; then,
// by zone, the names that are read as it.
//
//go:embed zonenames.txt
var zoneText string

// zoneNames are a zone's names: short and long, then those of daylight time.
type zoneNames [4]string

// nameTable is built at first use and only read afterwards.
type nameTable struct {
	of   map[string]zoneNames
	read map[string]string // a name in lower case: the zone
}

var zoneTable = sync.OnceValue(func() nameTable {
	t := nameTable{of: map[string]zoneNames{}, read: map[string]string{}}
	names, read, _ := strings.Cut(zoneText, "\n\n")
	for line := range strings.Lines(names) {
		p := strings.Split(strings.TrimSpace(line), "|")
		for id := range strings.FieldsSeq(p[4]) {
			t.of[id] = zoneNames(p[:4])
		}
	}
	for line := range strings.Lines(read) {
		p := strings.Split(strings.TrimSpace(line), "|")
		for _, n := range p[1:] {
			t.read[strings.ToLower(n)] = p[0]
		}
	}
	return t
})

// label is the name of the zone's time at an instant, short or long; a zone
// without names is called by its id.
func (z *Zone) label(us int64, long bool) string {
	n, ok := zoneTable().of[z.name]
	if !ok {
		return z.name
	}
	i := 0
	if long {
		i = 1
	}
	if !z.fixed && z.daylight(us) {
		i += 2
	}
	return n[i]
}

// generic is the name of the zone's time in summer and winter, short or long:
// that of daylight time without its word and letter for it.
func (z *Zone) generic(long bool) string {
	n, ok := zoneTable().of[z.name]
	if !ok {
		return z.name
	}
	for _, word := range []string{" Daylight", " Summer", " Standard"} {
		name, found := strings.CutSuffix(n[3], word+" Time")
		switch last := len(n[2]) - 2; {
		case !found:
		case long:
			return name + " Time"
		case last > 0 && n[2][last] == word[1]:
			return n[2][:last] + n[2][last+1:]
		}
	}
	if long {
		return n[1]
	}
	return n[0]
}

// daylight tells whether clocks are ahead. Where winter time is the exception
// by law, Java still calls the summer's daylight time.
func (z *Zone) daylight(us int64) bool {
	t := time.UnixMicro(us).In(z.loc)
	switch z.name {
	case "Europe/Dublin", "Eire", "Africa/Casablanca", "Africa/El_Aaiun":
		_, off := t.Zone()
		return off > 0
	}
	return t.IsDST()
}

// maxZoneName is the length of the longest name.
const maxZoneName = 48

// readZoneName finds the longest name of a zone that b begins with.
func readZoneName(b []byte, zones *Zones) (int, *Zone) {
	t := zoneTable()
	for end := min(len(b), maxZoneName); end > 1; end-- {
		if end < len(b) && isLetter(b[end]) {
			continue
		}
		if id, ok := t.read[strings.ToLower(str(b[:end]))]; ok {
			return end, zones.Load([]byte(id))
		}
	}
	return 0, nil
}
