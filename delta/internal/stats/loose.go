package stats

import (
	"bytes"
	"encoding/json"

	"github.com/marisma/marisma/delta/internal/action"
)

// Loose marks a statistics text's bounds as wider than the live rows, as those
// of a file with a deletion vector are. The other members stay as they are.
func Loose(text string) (string, error) {
	var m map[string]json.RawMessage
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	if err := d.Decode(&m); err != nil {
		return "", err
	}
	m["tightBounds"] = json.RawMessage("false")
	out, err := action.Marshal(m)
	return string(out), err
}
