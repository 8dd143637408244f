package parse_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/internal/sparksql/parse"
)

// corpusDir holds what Spark answered; it is not part of the repository.
func corpusDir(t *testing.T) string {
	dir := os.Getenv("MARISMA_CORPUS")
	if dir == "" {
		t.Skip("MARISMA_CORPUS names no folder")
	}
	return dir
}

type corpusCase struct {
	ID    string       `json:"id"`
	SQL   string       `json:"sql"`
	Steps []corpusCase `json:"steps"`
	Error *struct {
		Class string `json:"class"`
		Phase string `json:"phase"`
	} `json:"error"`
}

func readCorpus(t *testing.T, dir string) map[string][]corpusCase {
	files, err := filepath.Glob(filepath.Join(dir, "sql", "*", "*.jsonl"))
	if err != nil || len(files) == 0 {
		t.Skipf("no corpus in %s", dir)
	}
	out := map[string][]corpusCase{}
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		sc := bufio.NewScanner(f)
		sc.Buffer(nil, 16<<20)
		for sc.Scan() {
			var c corpusCase
			if err := json.Unmarshal(sc.Bytes(), &c); err != nil {
				t.Fatal(err)
			}
			list := []corpusCase{c}
			if len(c.Steps) > 0 {
				list = c.Steps
			}
			for _, s := range list {
				s.ID = c.ID
				out[filepath.Base(name)] = append(out[filepath.Base(name)], s)
			}
		}
		_ = f.Close()
	}
	return out
}

// Every statement that Spark parses must parse, and what Spark refuses at the
// parse phase must be refused.
func TestCorpusParses(t *testing.T) {
	total, good, rejected, shouldReject, classes := 0, 0, 0, 0, 0
	for file, cases := range readCorpus(t, corpusDir(t)) {
		for _, c := range cases {
			_, err := parse.Statement("", c.SQL)
			if c.Error != nil && c.Error.Phase == "parse" {
				shouldReject++
				if err != nil {
					rejected++
					if sparksql.ClassOf(err) == c.Error.Class {
						classes++
					}
				} else if testing.Verbose() {
					t.Logf("%s %s: accepted, Spark says %s: %s", file, c.ID, c.Error.Class, c.SQL)
				}
				continue
			}
			total++
			if err == nil {
				good++
			} else if testing.Verbose() {
				t.Logf("%s %s: %v: %s", file, c.ID, err, c.SQL)
			}
		}
	}
	t.Logf("parsed %d of %d; rejected %d of %d that Spark rejects (%d with its class)", good, total, rejected, shouldReject, classes)
	if good*100 < total*99 {
		t.Errorf("only %d of %d statements parse", good, total)
	}
}
