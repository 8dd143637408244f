package main

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/marisma/marisma/internal/sparksql/format"
)

// fmtResult is what became of one file.
type fmtResult struct {
	File    string   `json:"file"`
	Changed bool     `json:"changed"`
	Kept    []string `json:"kept,omitempty"` // places of statements that were left as they are
	Error   string   `json:"error,omitempty"`

	text string
}

func (c *cli) fmtCmd() *cobra.Command {
	var check, write bool
	cmd := &cobra.Command{
		Use:   "fmt [file|folder|-]...",
		Short: "Format SQL files in one stable layout",
		Long: "Prints SQL in the project's layout: clauses on lines of their own, lists one\n" +
			"item a line where they are long, keywords in capitals. Comments, literals,\n" +
			"names and ${parameters} stay as they are written. Folders stand for the .sql\n" +
			"files below them, `-` for standard input, nothing for the project folder.\n\n" +
			"Without --check and --write the formatted text is printed. Exit codes: 0 all\n" +
			"is formatted, 1 --check found files that are not, or a file has a syntax error\n" +
			"(it is reported as file:line:column and left alone), 2 wrong usage.",
		Example: `  marisma fmt --write
  marisma fmt --check src
  marisma fmt - < report.sql`,
		RunE: func(_ *cobra.Command, a []string) error {
			if check && write {
				return usageError{errors.New("--check and --write exclude each other")}
			}
			if len(a) == 0 {
				a = []string{c.project}
			}
			files, err := sqlFiles(a)
			if err != nil {
				return err
			}
			return c.formatFiles(files, check, write)
		},
	}
	cmd.Flags().BoolVar(&check, "check", false, "list the files that are not formatted, and exit with 1 if there are any")
	cmd.Flags().BoolVar(&write, "write", false, "write the files in place, and list those that changed")
	return cmd
}

// sqlFiles are the files that the arguments name.
func sqlFiles(args []string) ([]string, error) {
	var out []string
	for _, a := range args {
		if a == "-" {
			out = append(out, a)
			continue
		}
		err := filepath.WalkDir(a, func(path string, d fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case d.IsDir():
				if n := d.Name(); path != a && (strings.HasPrefix(n, ".") || n == "node_modules") {
					return fs.SkipDir
				}
			case path == a || strings.EqualFold(filepath.Ext(path), ".sql"):
				out = append(out, path)
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (c *cli) formatFiles(files []string, check, write bool) error {
	results := make([]fmtResult, len(files))
	changed, failed := 0, 0
	for i, f := range files {
		r := c.formatFile(f)
		if r.Error == "" && r.Changed && write && f != "-" {
			if err := replaceFile(f, r.text); err != nil {
				r.Error = err.Error()
			}
		}
		if r.Changed {
			changed++
		}
		if r.Error != "" {
			failed++
		}
		results[i] = r
	}
	if err := c.printFormatted(results, check, write); err != nil {
		return err
	}
	switch {
	case failed > 0:
		return fmt.Errorf("%d of %d files could not be formatted", failed, len(files))
	case check && changed > 0:
		return fmt.Errorf("%d of %d files are not formatted; `marisma fmt --write` does it", changed, len(files))
	}
	return nil
}

func (c *cli) formatFile(name string) fmtResult {
	r := fmtResult{File: name}
	var text []byte
	var err error
	if name == "-" {
		r.File = "<stdin>"
		text, err = io.ReadAll(c.in)
	} else {
		text, err = os.ReadFile(name)
	}
	if err != nil {
		r.Error = err.Error()
		return r
	}
	out, err := format.File(r.File, string(text))
	if err != nil {
		r.Error = err.Error()
		return r
	}
	for _, st := range out.Kept {
		r.Kept = append(r.Kept, st.Pos().String())
	}
	r.text, r.Changed = out.Text, out.Text != string(text)
	return r
}

// replaceFile writes beside the file and renames, so that no crash leaves half
// of it.
func replaceFile(name, text string) error {
	st, err := os.Stat(name)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(name), ".fmt-*")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	err = errors.Join(err, f.Chmod(st.Mode().Perm()), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

func (c *cli) printFormatted(results []fmtResult, check, write bool) error {
	if c.format == "json" {
		return printJSON(c.out, results)
	}
	for _, r := range results {
		for _, k := range r.Kept {
			fmt.Fprintf(c.err, "%s: this statement was left as it is written\n", k)
		}
		var err error
		switch {
		case r.Error != "":
			_, err = fmt.Fprintln(c.err, r.Error)
		case !check && (!write || r.File == "<stdin>"):
			_, err = io.WriteString(c.out, r.text)
		case r.Changed:
			_, err = fmt.Fprintln(c.out, r.File)
		}
		if err != nil {
			return err
		}
	}
	return nil
}
