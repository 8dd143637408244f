package corpus

import (
	"os"
	"regexp"
	"testing"
)

// TestCorpus runs the folder that CORPUS names. CORPUS_RUN is a regular
// expression that chooses cases by "group/id", CORPUS_OUT the file for the
// failures, CORPUS_TABLE one for the table by group.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("CORPUS")
	if p := os.Getenv("CORPUS_TABLE"); p != "" {
		_ = os.Remove(p) // an old one must not be taken for this run's
	}
	if dir == "" {
		t.Skip("CORPUS names no folder of Spark's answers; run `make corpus CORPUS=<folder>`")
	}
	if _, err := os.Stat(dir); err != nil {
		t.Skipf("there is no corpus to run: %v", err)
	}
	chosen, err := regexp.Compile(os.Getenv("CORPUS_RUN"))
	if err != nil {
		t.Fatalf("CORPUS_RUN: %v", err)
	}
	cases, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatalf("%s has no *.jsonl files", dir)
	}
	lab, err := Open(t.Context(), dir, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := lab.Close(); err != nil {
			t.Error(err)
		}
	}()
	out, err := outFile()
	if err != nil {
		t.Fatal(err)
	}
	report := NewReport(out)
	for _, c := range cases {
		if !chosen.MatchString(c.Group + "/" + c.ID) {
			continue
		}
		f, err := lab.Run(t.Context(), c)
		if err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		if err := report.Add(c, f); err != nil {
			t.Fatal(err)
		}
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if p := os.Getenv("CORPUS_TABLE"); p != "" {
		if err := os.WriteFile(p, []byte(report.Table()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("failures are in %s\n%s", out.Name(), report.Table())
	if report.Failed() > 0 {
		t.Fail()
	}
}

// TestRecorded runs our own statements with the answers that
// `make spark-record` wrote beside them.
func TestRecorded(t *testing.T) {
	const dir = "testdata/recorded"
	cases, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatal("there are no recorded answers")
	}
	lab, err := Open(t.Context(), dir, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := lab.Close(); err != nil {
			t.Error(err)
		}
	}()
	for _, c := range cases {
		f, err := lab.Run(t.Context(), c)
		if err != nil {
			t.Fatalf("%s: %v", c.ID, err)
		}
		if f != nil {
			t.Error(f)
		}
	}
}

func outFile() (*os.File, error) {
	if p := os.Getenv("CORPUS_OUT"); p != "" {
		return os.Create(p)
	}
	return os.CreateTemp("", "corpus-failures-*.txt")
}
