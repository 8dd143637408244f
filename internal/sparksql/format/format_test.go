package format_test

import (
	"bufio"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/internal/sparksql/format"
	"github.com/marisma/marisma/internal/sparksql/parse"
)

var rewrite = flag.Bool("rewrite", false, "write what the formatter gives into testdata")

// check formats text and tells what is wrong with the result: a lost comment,
// or one at another place, another tree, a second formatting that changes
// something.
func check(t *testing.T, name, text string) string {
	t.Helper()
	out, before, after := stable(t, name, text)
	if d := cmp.Diff(comments(before), comments(after)); d != "" {
		t.Errorf("%s: other comments after formatting:\n%s\n---\n%s\n%s", name, text, out, d)
	}
	return out
}

// stable is check without the order of comments: one that ends its line goes
// behind another that stands between the words printed on that line.
func stable(t *testing.T, name, text string) (out string, before, after *parse.Source) {
	t.Helper()
	r, err := format.File(name, text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, st := range r.Kept {
		t.Errorf("%s: the tree of %T has no printer that takes all of its tokens:\n%s", name, st, st.Source())
	}
	if before, err = parse.Template(name, text); err != nil {
		t.Fatal(err)
	}
	if after, err = parse.Template(name, r.Text); err != nil {
		t.Fatalf("%s: the formatted text does not parse: %v\n%s", name, err, r.Text)
	}
	if !same(reflect.ValueOf(before.Statements), reflect.ValueOf(after.Statements)) {
		t.Errorf("%s: another tree after formatting:\n%s\n---\n%s", name, text, r.Text)
	}
	if d := cmp.Diff(slices.Sorted(slices.Values(comments(before))), slices.Sorted(slices.Values(comments(after)))); d != "" {
		t.Errorf("%s: lost comments:\n%s\n---\n%s\n%s", name, text, r.Text, d)
	}
	again, err := format.File(name, r.Text)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(r.Text, again.Text); d != "" {
		t.Errorf("%s: formatting again changes:\n%s", name, d)
	}
	return r.Text, before, after
}

// comments are a source's comments, with how many tokens stand before them in
// another source of the same tokens left out of account.
func comments(s *parse.Source) []string {
	var out []string
	for _, c := range s.Comments {
		out = append(out, strings.TrimRight(c.Text, " \t\r"))
	}
	return out
}

func TestLayout(t *testing.T) {
	files, err := filepath.Glob("testdata/*.in.sql")
	if err != nil || len(files) == 0 {
		t.Fatal("no testdata", err)
	}
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		got := check(t, filepath.Base(f), string(text))
		golden := strings.TrimSuffix(f, ".in.sql") + ".out.sql"
		if *rewrite {
			if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(string(want), got); d != "" {
			t.Errorf("%s: (-want +got)\n%s", golden, d)
		}
	}
}

// The examples are in the layout.
func TestExamples(t *testing.T) {
	n := 0
	err := filepath.WalkDir("../../../examples", func(path string, _ os.DirEntry, err error) error {
		if err != nil || filepath.Ext(path) != ".sql" {
			return err
		}
		n++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if d := cmp.Diff(string(text), check(t, path, string(text))); d != "" {
			t.Errorf("%s is not formatted; run marisma fmt --write on it:\n%s", path, d)
		}
		return nil
	})
	if err != nil || n == 0 {
		t.Fatal(n, err)
	}
}

// Whatever gets comments between any two of its tokens keeps them.
func TestCommentsAnywhere(t *testing.T) {
	text, err := os.ReadFile("testdata/language.in.sql")
	if err != nil {
		t.Fatal(err)
	}
	src, err := parse.Template("", string(text))
	if err != nil {
		t.Fatal(err)
	}
	for _, comment := range []string{" -- c\n", "\n-- c\n", " /* c */ ", "\n/* c\n   d */\n"} {
		for _, st := range src.Statements {
			var b strings.Builder
			from := st.Pos().Offset
			for i, tok := range src.Tokens {
				if tok.Off < from || tok.End > from+len(st.Source()) {
					continue
				}
				if i > 0 && src.Tokens[i-1].End == tok.Off || glued(src.Tokens, i) {
					b.WriteString(tok.Text) // may be one lexical unit for the parser: >>, x:y
				} else {
					b.WriteString(comment + tok.Text)
				}
			}
			in := b.String()
			if _, err := parse.Template("", in); err != nil {
				continue
			}
			check(t, "", in+";")
		}
	}
}

func glued(toks []parse.Token, i int) bool {
	return i > 0 && (toks[i-1].Text == "SET" || toks[i-1].Text == "RESET" || toks[i-1].Text == "QUERY")
}

func TestSyntaxErrorHasItsPlace(t *testing.T) {
	_, err := format.File("a.sql", "SELECT 1;\nSELECT (2;\n")
	if err == nil || !strings.HasPrefix(err.Error(), "a.sql:2:10") {
		t.Errorf("got %v", err)
	}
}

// All statements of the corpus, where it is at hand.
func TestCorpus(t *testing.T) {
	dir := os.Getenv("CORPUS")
	if dir == "" {
		dir = "../../../../shared/corpus/sql"
	}
	files, _ := filepath.Glob(filepath.Join(dir, "*", "*.jsonl"))
	if len(files) == 0 {
		t.Skip("CORPUS names no folder of the corpus")
	}
	n := 0
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		sc := bufio.NewScanner(f)
		sc.Buffer(nil, 16<<20)
		for sc.Scan() {
			var c struct {
				ID    string `json:"id"`
				SQL   string `json:"sql"`
				Steps []struct {
					SQL string `json:"sql"`
				} `json:"steps"`
			}
			if err := json.Unmarshal(sc.Bytes(), &c); err != nil {
				t.Fatal(err)
			}
			texts := []string{c.SQL}
			for _, s := range c.Steps {
				texts = append(texts, s.SQL)
			}
			for _, text := range texts {
				if _, err := parse.Statement("", text); err == nil {
					n++
					check(t, c.ID, text)
				}
			}
		}
		_ = f.Close()
	}
	t.Logf("%d statements", n)
}
