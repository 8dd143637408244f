package dml_test

import (
	"testing"

	"github.com/marisma/marisma/internal/query/corpus"
)

// TestStatementsAnswerAsSpark runs what testdata has of Spark's answers.
func TestStatementsAnswerAsSpark(t *testing.T) {
	cases, err := corpus.Load("testdata")
	if err != nil {
		t.Fatal(err)
	}
	lab, err := corpus.Open(t.Context(), t.TempDir(), t.TempDir())
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
			t.Fatal(err)
		}
		if f != nil {
			t.Error(f.String())
		}
	}
}
