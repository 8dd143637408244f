package format_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/marisma/marisma/internal/sparksql/format"
	"github.com/marisma/marisma/internal/sparksql/parse"
)

// FuzzFile formats whatever parses: the same tree and the same comments come
// back, and formatting the result changes nothing. What does not parse is an
// error of the parser's, not a panic.
func FuzzFile(f *testing.F) {
	files, err := filepath.Glob("testdata/*.in.sql")
	if err != nil || len(files) == 0 {
		f.Fatal("no testdata", err)
	}
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		src, err := parse.Template(name, string(text))
		if err != nil {
			f.Fatal(err)
		}
		for _, st := range src.Statements {
			f.Add(st.Source())
		}
	}
	f.Add("SELECT a -- c\n, /* d */ b FROM t /*+ BROADCAST(x) */ WHERE `q``q` = \"s\"")
	f.Fuzz(func(t *testing.T, text string) {
		if _, err := parse.Template("f", text); err != nil {
			if _, err := format.File("f", text); err == nil {
				t.Fatalf("%q does not parse, and was formatted", text)
			}
			return
		}
		stable(t, "f", text)
	})
}
