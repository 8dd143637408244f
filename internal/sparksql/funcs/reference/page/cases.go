package page

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/sparksql/funcs/reference"
)

// Answer is a recorded case: an example and what Spark answered.
type Answer struct {
	ID      string            `json:"id"`
	SQL     string            `json:"sql"`
	Ordered bool              `json:"ordered"`
	Conf    map[string]string `json:"conf,omitempty"`
	Names   []string          `json:"names,omitempty"`
	Types   []string          `json:"types,omitempty"`
	Rows    [][]any           `json:"rows,omitempty"`
	// Error is set instead where Spark refuses the statement.
	Error *struct {
		Class string `json:"class"`
	} `json:"error,omitempty"`
}

// caseID is the id of a function's example among the recorded cases.
func caseID(function string) string { return "fn " + function }

// answers reads recorded cases by id.
func answers(recorded []byte) (map[string]Answer, error) {
	out := map[string]Answer{}
	for l := range bytes.Lines(recorded) {
		if len(bytes.TrimSpace(l)) == 0 {
			continue
		}
		d := json.NewDecoder(bytes.NewReader(l))
		d.UseNumber()
		var a Answer
		if err := d.Decode(&a); err != nil {
			return nil, fmt.Errorf("recorded cases: %w", err)
		}
		out[a.ID] = a
	}
	return out, nil
}

// Cases are the recorded cases of all examples, sorted by function: one whose
// statement has changed, or that is new, has no answer yet.
func Cases(recorded []byte) ([]byte, error) {
	have := map[string][]byte{}
	for l := range bytes.Lines(recorded) {
		var a Answer
		if json.Unmarshal(l, &a) == nil {
			have[a.ID+"\n"+a.SQL] = bytes.TrimSpace(l)
		}
	}
	entries, err := reference.Entries()
	if err != nil {
		return nil, err
	}
	slices.SortFunc(entries, func(a, b reference.Entry) int { return strings.Compare(a.Name, b.Name) })
	var out bytes.Buffer
	for _, e := range entries {
		line := have[caseID(e.Name)+"\n"+e.Example]
		if line == nil {
			a := Answer{ID: caseID(e.Name), SQL: e.Example}
			if strings.Contains(strings.ToLower(e.Example), "time") {
				a.Conf = map[string]string{"spark.sql.timeType.enabled": "true"}
			}
			if line, err = json.Marshal(a); err != nil {
				return nil, err
			}
		}
		out.Write(line)
		out.WriteByte('\n')
	}
	return out.Bytes(), nil
}
