package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"regexp"

	"github.com/marisma/marisma/internal/query/corpus"
	"github.com/marisma/marisma/internal/query/corpus/gen"
)

// config is what the command line says.
type config struct {
	seed           uint64
	exprs, queries int
	only           *regexp.Regexp
	python, setup  string
	out            string
	shrink         int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "sparkfuzz:", err)
		os.Exit(1)
	}
}

func flags() (config, error) {
	var c config
	flag.Uint64Var(&c.seed, "seed", 1, "the same seed makes the same statements")
	flag.IntVar(&c.exprs, "exprs", 10_000, "number of expressions")
	flag.IntVar(&c.queries, "queries", 1_000, "number of queries")
	only := flag.String("only", "", "regular expression over group and text: which statements are asked")
	flag.StringVar(&c.python, "python", ".cache/venv/bin/python", "Python with pyspark")
	flag.StringVar(&c.setup, "setup", "internal/query/corpus/testdata/recorded", "folder with setup.sql")
	flag.StringVar(&c.out, "out", ".cache/spark-fuzz", "folder for the differences")
	flag.IntVar(&c.shrink, "shrink", 40, "how many differing expressions, each of a shape of its own, are made smaller")
	flag.Parse()
	var err error
	c.only, err = regexp.Compile(*only)
	return c, err
}

func run(ctx context.Context) (err error) {
	cfg, err := flags()
	if err != nil {
		return err
	}
	fmt.Printf("seed %d\n", cfg.seed)
	dir, err := os.MkdirTemp("", "sparkfuzz-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	lab, err := corpus.Open(ctx, cfg.setup, dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, lab.Close()) }()
	sp, err := openKept(ctx, cfg)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, sp.close()) }()
	return (&rig{cfg: cfg, lab: lab, spark: sp}).run(ctx)
}

// statements are those that the command line chooses.
func (c config) statements() []gen.Statement {
	g := gen.New(c.seed)
	var out []gen.Statement
	add := func(s gen.Statement) {
		if c.only.MatchString(s.Group + " " + s.Text + s.SQL) {
			out = append(out, s)
		}
	}
	for n := range c.exprs {
		add(g.Expression(n))
	}
	for n := range c.queries {
		add(g.Query(n))
	}
	return out
}
