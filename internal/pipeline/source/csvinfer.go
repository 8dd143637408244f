package source

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/marisma/marisma/internal/sparksql/types"
)

// inferRows is how many records of a file are looked at.
const inferRows = 10_000

// ladder is the order in which types are tried; a column gets the first that
// all of its values fit, integers widening to DOUBLE.
var ladder = [...]types.Primitive{types.Int, types.BigInt, types.Double, types.Date, types.Timestamp, types.Boolean}

// infer finds names and types from the first records of every file.
func infer(opt CSVOptions, files []File) ([]types.Field, error) {
	var names []string
	var guesses []*guess
	for _, f := range files {
		if err := inferFile(opt, f, &names, &guesses); err != nil {
			return nil, err
		}
	}
	cols := make([]types.Field, len(guesses))
	for i, g := range guesses {
		name := "_c" + strconv.Itoa(i)
		if i < len(names) && names[i] != "" {
			name = names[i]
		}
		cols[i] = types.Field{Name: name, Type: g.result(), Nullable: true}
	}
	if len(cols) == 0 {
		return nil, fmt.Errorf("source: [UNABLE_TO_INFER_SCHEMA] the files at %s hold no records; give a schema", opt.Path)
	}
	return cols, nil
}

func inferFile(opt CSVOptions, f File, names *[]string, guesses *[]*guess) error {
	file, err := os.Open(f.Path)
	if err != nil {
		return err
	}
	defer file.Close() //nolint:errcheck // read only
	s := opt.scan(file)
	for n := range inferRows {
		fields, err := s.next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		for len(*guesses) < len(fields) {
			*guesses = append(*guesses, newGuess())
		}
		if n == 0 && opt.Header {
			if *names == nil {
				for _, h := range fields {
					*names = append(*names, strings.TrimSpace(string(h.text)))
				}
			}
			continue
		}
		for i := range fields {
			if len(fields[i].text) > 0 && string(fields[i].text) != opt.NullValue {
				(*guesses)[i].see(fields[i].text)
			}
		}
	}
	return nil
}

// guess holds which types still fit all the values of a column.
type guess struct {
	seen bool
	fits [len(ladder)]bool
}

func newGuess() *guess {
	g := &guess{}
	for i := range g.fits {
		g.fits[i] = true
	}
	return g
}

func (g *guess) see(text []byte) {
	g.seen = true
	for i, t := range ladder {
		if g.fits[i] {
			g.fits[i] = fits(t, text)
		}
	}
}

func (g *guess) result() types.Type {
	if g.seen {
		for i, t := range ladder {
			if g.fits[i] {
				return t
			}
		}
	}
	return types.String
}

// fits tries the conversion on a throw-away builder.
func fits(t types.Primitive, text []byte) bool {
	dt, err := types.ToArrow(t)
	if err != nil {
		return false
	}
	b := array.NewBuilder(memory.DefaultAllocator, dt)
	defer b.Release()
	c := cellOf(t)
	return c != nil && c(b, text, time.UTC)
}
