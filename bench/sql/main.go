package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/sparksql/analyze"
	"github.com/marisma/marisma/internal/sparksql/lower"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// Targets of the figures.
const (
	maxRatio   = 1.15
	maxCompile = 2 * time.Millisecond
	compiles   = 21
)

func main() {
	rows := flag.Int("rows", 10_000_000, "rows of the table")
	dir := flag.String("dir", ".cache/bench-sql", "folder of the table")
	times := flag.Int("times", 3, "runs of each query")
	only := flag.String("only", "", "a part of the names of the queries to run")
	flag.Parse()
	if err := run(context.Background(), *dir, *rows, *times, *only); err != nil {
		fmt.Fprintln(os.Stderr, "bench/sql:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, dir string, rows, times int, only string) (err error) {
	b, err := open(ctx, dir, rows)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.close()) }()
	if err := b.queries(ctx, times, only); err != nil {
		return err
	}
	return b.kernels(ctx, times, only)
}

func (b *bench) queries(ctx context.Context, times int, only string) error {
	fmt.Printf("%-28s %9s %9s %7s %11s\n", "query", "ours", "DuckDB", "ratio", "compilation")
	var ratios []float64
	var all []time.Duration
	for _, q := range dashboard() {
		if !strings.Contains(q.name, only) {
			continue
		}
		ours, theirs, err := b.pair(ctx, q.spark, q.duck, times)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		c, err := b.compile(ctx, q.spark)
		if err != nil {
			return fmt.Errorf("%s: %w", q.name, err)
		}
		ratio := ours.Seconds() / theirs.Seconds()
		ratios, all = append(ratios, ratio), append(all, c)
		fmt.Printf("%-28s %6d ms %6d ms %7.2f %8d µs\n", q.name, ours.Milliseconds(), theirs.Milliseconds(), ratio, c.Microseconds())
	}
	if len(ratios) > 0 {
		fmt.Printf("median ratio %.2f (target <= %.2f), median compilation %s (target < %s)\n", median(ratios), maxRatio, median(all), maxCompile)
	}
	return nil
}

// pair runs both statements in turn and gives the medians.
func (b *bench) pair(ctx context.Context, spark, duckSQL string, times int) (ours, theirs time.Duration, err error) {
	var x, y []time.Duration
	for i := range times + 1 {
		began := time.Now()
		n, err := b.engineRows(ctx, spark)
		if err != nil {
			return 0, 0, err
		}
		a := time.Since(began)
		began = time.Now()
		m, err := b.duckRows(ctx, duckSQL)
		if err != nil {
			return 0, 0, err
		}
		if n != m {
			return 0, 0, fmt.Errorf("%d rows here, %d from DuckDB", n, m)
		}
		if i > 0 { // the first run warms the files
			x, y = append(x, a), append(y, time.Since(began))
		}
	}
	return median(x), median(y), nil
}

func (b *bench) engineRows(ctx context.Context, text string) (int64, error) {
	res, err := b.engine.Run(ctx, b.session(), text)
	if err != nil {
		return 0, err
	}
	defer res.Close()
	var rows int64
	for {
		rec, err := res.Next(ctx)
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return 0, err
		}
		rows += rec.NumRows()
		rec.Release()
	}
}

func (b *bench) duckRows(ctx context.Context, text string) (int64, error) {
	conn, err := b.pool.Get(ctx)
	if err != nil {
		return 0, err
	}
	defer conn.Put()
	rd, err := conn.Query(ctx, b.overFiles(text))
	if err != nil {
		return 0, err
	}
	defer rd.Close()
	var rows int64
	for {
		rec, err := rd.Next()
		if errors.Is(err, io.EOF) {
			return rows, nil
		}
		if err != nil {
			return 0, err
		}
		rows += rec.NumRows()
		rec.Release()
	}
}

// compile is the median time of parse, analysis and lowering.
func (b *bench) compile(ctx context.Context, text string) (time.Duration, error) {
	var out []time.Duration
	for range compiles {
		began := time.Now()
		st, err := parse.Statement("", text)
		if err != nil {
			return 0, err
		}
		s := b.session()
		ps, err := analyze.Statement(ctx, st, s.Env(query.NewResolver(b.catalog, b.tables, s.Catalog, s.Schema), began))
		if err != nil {
			return 0, err
		}
		q, ok := ps.(*plan.Query)
		if !ok {
			return 0, errors.New("no query")
		}
		_, err = lower.Query(q.Plan, lower.Options{TimeZone: "UTC", Now: began, ANSI: true, Scan: func(*plan.Scan) (string, error) { return "t", nil }})
		if err != nil {
			return 0, err
		}
		out = append(out, time.Since(began))
	}
	return median(out), nil
}

func (b *bench) kernels(ctx context.Context, times int, only string) error {
	fmt.Printf("\n%-34s %10s %10s   ns per row on one thread\n", "expression", "ours", "DuckDB")
	bare := "SELECT count(%s) FROM readings"
	for _, k := range expressions() {
		if !strings.Contains(k.spark, only) {
			continue
		}
		base1, base2, err := b.pair(ctx, fmt.Sprintf(bare, k.column), fmt.Sprintf(bare, k.column), times)
		if err != nil {
			return err
		}
		ours, theirs, err := b.pair(ctx, fmt.Sprintf(bare, k.spark), fmt.Sprintf(bare, k.duck), times)
		if err != nil {
			return fmt.Errorf("%s: %w", k.spark, err)
		}
		per := func(t, base time.Duration) float64 {
			return float64((t - base).Nanoseconds()) * threads / float64(b.rows)
		}
		fmt.Printf("%-34s %10.1f %10.1f\n", k.spark, per(ours, base1), per(theirs, base2))
	}
	return nil
}

func median[T interface{ ~int64 | ~float64 }](v []T) T {
	v = slices.Clone(v)
	slices.Sort(v)
	return v[len(v)/2]
}
