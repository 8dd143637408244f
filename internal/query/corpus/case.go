package corpus

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"github.com/marisma/marisma/internal/query"
)

// Case is an object of the corpus: one statement, or Steps.
type Case struct {
	ID    string `json:"id"`
	Steps []Step `json:"steps"`
	Step
	Group string `json:"-"` // folder/file that it stands in
}

// Step is a statement with its answer: Error, or Names, Types and Rows.
type Step struct {
	SQL       string            `json:"sql"`
	Conf      map[string]string `json:"conf"`
	Args      json.RawMessage   `json:"args"`
	Names     []string          `json:"names"`
	Types     []string          `json:"types"`
	Ordered   bool              `json:"ordered"`
	Tolerance float64           `json:"tolerance"`
	Rows      [][]any           `json:"rows"`
	Keep      []string          `json:"keep"`
	DropRows  map[string][]any  `json:"drop_rows"`
	Layout    bool              `json:"layout"`
	Error     *WantError        `json:"error"`
}

// WantError is the error that Spark gave.
type WantError struct {
	Class    string          `json:"class"`
	SQLState string          `json:"sqlstate"`
	Phase    string          `json:"phase"`
	Message  string          `json:"message"`
	Loose    json.RawMessage `json:"loose"`
}

// any tells whether the statement only has to fail.
func (w *WantError) any() bool {
	loose := len(w.Loose) > 0 && string(w.Loose) != "false" && string(w.Loose) != "null"
	return loose || strings.HasPrefix(w.Class, "JAVA:")
}

// Load reads every *.jsonl file below dir, in the order of names.
func Load(dir string) ([]Case, error) {
	var files []string
	err := filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error { //nolint:gosec // the caller names the folder
		if err == nil && !d.IsDir() && strings.HasSuffix(p, ".jsonl") {
			files = append(files, p)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	sort.Strings(files)
	var out []Case
	for _, f := range files {
		group, err := filepath.Rel(dir, f)
		if err != nil {
			return nil, err
		}
		cases, err := loadFile(f)
		if err != nil {
			return nil, err
		}
		for i := range cases {
			cases[i].Group = strings.TrimSuffix(filepath.ToSlash(group), ".jsonl")
		}
		out = append(out, cases...)
	}
	return out, nil
}

func loadFile(path string) ([]Case, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	sc := bufio.NewScanner(f)
	sc.Buffer(nil, 64<<20)
	var out []Case
	for line := 1; sc.Scan(); line++ {
		if len(bytes.TrimSpace(sc.Bytes())) == 0 {
			continue
		}
		c, err := Parse(sc.Bytes())
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, line, err)
		}
		out = append(out, c)
	}
	return out, sc.Err()
}

// Parse reads one object of the corpus.
func Parse(line []byte) (Case, error) {
	dec := json.NewDecoder(bytes.NewReader(line))
	dec.UseNumber()
	var c Case
	if err := dec.Decode(&c); err != nil {
		return c, err
	}
	if c.ID == "" || c.Error == nil && c.Names == nil && len(c.Steps) == 0 {
		return c, errors.New("no answer")
	}
	return c, nil
}

// Line is the object of a single statement, without an answer: what
// spark_record takes.
func (c *Case) Line() ([]byte, error) {
	return json.Marshal(struct {
		ID        string            `json:"id"`
		SQL       string            `json:"sql"`
		Conf      map[string]string `json:"conf,omitempty"`
		Ordered   bool              `json:"ordered,omitempty"`
		Tolerance float64           `json:"tolerance,omitempty"`
	}{c.ID, c.SQL, c.Conf, c.Ordered, c.Tolerance})
}

// args are the values of the step's parameter markers as SQL text.
func (s *Step) args() (query.Args, error) {
	var out query.Args
	if len(s.Args) == 0 {
		return out, nil
	}
	dec := json.NewDecoder(bytes.NewReader(s.Args))
	dec.UseNumber()
	var v any
	if err := dec.Decode(&v); err != nil {
		return out, err
	}
	switch v := v.(type) {
	case nil:
	case map[string]any:
		out.Named = map[string]string{}
		for name, x := range v {
			t, err := literal(x)
			if err != nil {
				return out, err
			}
			out.Named[name] = t
		}
	case []any:
		for _, x := range v {
			t, err := literal(x)
			if err != nil {
				return out, err
			}
			out.Positional = append(out.Positional, t)
		}
	default:
		return out, errors.New("corpus: args are neither an object nor a list")
	}
	return out, nil
}

// literal is the SQL text of a JSON value as a Spark client sends it.
func literal(v any) (string, error) {
	switch v := v.(type) {
	case nil:
		return "NULL", nil
	case bool:
		return fmt.Sprint(v), nil
	case string:
		return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(v) + "'", nil
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			return v.String() + "D", nil
		}
		return v.String(), nil
	case map[string]any:
		if t, ok := v["sql"].(string); ok && len(v) == 1 {
			return t, nil
		}
	}
	return "", fmt.Errorf("corpus: no literal for %v", v)
}
