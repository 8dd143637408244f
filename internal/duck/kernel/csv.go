package kernel

import (
	"errors"
	"fmt"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/jsonarrow/cast"
)

// ErrOption is the family of options of CSV that need one character.
var ErrOption = errors.New("one character is needed")

// csvParam are the options, with Spark's defaults filled in by the caller.
type csvParam struct {
	cast.CSV
	First bool // the field begins the record
}

func (g *sig) csv() (csvParam, error) {
	var p csvParam
	if err := g.param(&p); err != nil {
		return p, err
	}
	if p.Sep == "" {
		return p, fmt.Errorf("%w: the separator is empty", ErrOption)
	}
	for _, o := range [][2]string{{"quote", p.Quote}, {"escape", p.Escape}, {"comment", p.Comment}} {
		if len(o[1]) > 1 {
			return p, fmt.Errorf("%w: %s is %q", ErrOption, o[0], o[1])
		}
	}
	return p, nil
}

// csvSplit cuts a record into its fields; a field that is NULL comes as the
// empty text with a mark before it: "-" for NULL, "+" for a value.
func csvSplit(g *sig) (kernel, error) {
	p, err := g.csv()
	if err != nil {
		return kernel{}, err
	}
	return kernel{run: func(c *call) error {
		out := newList(&c.out, c.n)
		clear(out.rows)
		for i, s := range c.strs(0) {
			if c.null(i) {
				continue
			}
			first := len(out.ends)
			p.Fields(s.Bytes(), func(f []byte, null bool) {
				if null {
					out.add([]byte("-"))
				} else {
					out.add(append([]byte("+"), f...))
				}
			})
			out.end(i, first)
		}
		return out.close()
	}}, g.want(duckdb.TypeList, duckdb.TypeVarchar)
}

// csvField writes one field.
func csvField(g *sig) (kernel, error) {
	p, err := g.csv()
	if err != nil {
		return kernel{}, err
	}
	return kernel{run: rowText(func(b []byte, c *call, i int) ([]byte, bool) {
		return p.Append(b, string(str(c, 0, i)), p.First), true
	})}, g.want(duckdb.TypeVarchar, duckdb.TypeVarchar)
}
