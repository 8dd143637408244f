package worker

import (
	"context"
	"errors"
	"io"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/array"
	"go.uber.org/goleak"
)

// TestMain is also the worker itself: the pool starts the test binary.
func TestMain(m *testing.M) {
	if os.Getenv("MARISMA_TEST_WORKER") == "1" {
		if err := Serve(context.Background(), os.Stdin, os.Stdout); err != nil {
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

func pool(t *testing.T, cfg Config) *Pool {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cfg.Command, cfg.Env = []string{self}, []string{"MARISMA_TEST_WORKER=1"}
	p := New(cfg)
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// ints runs sql and gives the first column, BIGINT.
func ints(t *testing.T, p *Pool, req Request) ([]int64, error) {
	t.Helper()
	rows, err := p.Query(t.Context(), req)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var out []int64
	for {
		rec, err := rows.Next(t.Context())
		if errors.Is(err, io.EOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		out = append(out, rec.Column(0).(*array.Int64).Int64Values()...)
		rec.Release()
	}
}

func TestResultsComeInBatches(t *testing.T) {
	p := pool(t, Config{})
	got, err := ints(t, p, Request{SQL: "SELECT i FROM range(100000) t(i) ORDER BY i"})
	if err != nil || len(got) != 100000 || got[99999] != 99999 {
		t.Fatalf("%d rows, %v", len(got), err)
	}
	got, err = ints(t, p, Request{SQL: "SELECT 1::BIGINT WHERE false"})
	if err != nil || len(got) != 0 {
		t.Fatalf("empty result: %v, %v", got, err)
	}
}

func TestErrorLeavesTheWorkerForTheNext(t *testing.T) {
	p := pool(t, Config{Size: 1})
	for range 3 {
		_, err := ints(t, p, Request{SQL: "SELECT error('MARISMA:[DIVIDE_BY_ZERO] no. SQLSTATE: 22012')::BIGINT"})
		q, ok := errors.AsType[*QueryError](err)
		if !ok || q.Class != "DIVIDE_BY_ZERO" || q.SQLState != "22012" {
			t.Fatalf("%#v", err)
		}
		if got, err := ints(t, p, Request{SQL: "SELECT 7::BIGINT"}); err != nil || got[0] != 7 {
			t.Fatalf("after an error: %v, %v", got, err)
		}
	}
	if n := len(p.idle); n != 1 {
		t.Fatalf("%d processes are kept instead of 1", n)
	}
}

func TestOnlyListedFilesCanBeRead(t *testing.T) {
	p := pool(t, Config{})
	file := t.TempDir() + "/a.csv"
	if err := os.WriteFile(file, []byte("x\n1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	sql := "SELECT x::BIGINT FROM read_csv('" + file + "')"
	if _, err := ints(t, p, Request{SQL: sql}); err == nil || !strings.Contains(err.Error(), "Permission") {
		t.Fatalf("an unlisted file: %v", err)
	}
	if got, err := ints(t, p, Request{SQL: sql, Files: []string{file}}); err != nil || got[0] != 1 {
		t.Fatalf("a listed file: %v, %v", got, err)
	}
}

func TestCancelEndsTheStatementAndNotThePool(t *testing.T) {
	p := pool(t, Config{Size: 1})
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	_, err := p.Query(ctx, Request{SQL: "SELECT count(*) FROM range(100000000000) a, range(1000) b"})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Fatalf("cancelled: %v", err)
	}
	if got, err := ints(t, p, Request{SQL: "SELECT 7::BIGINT"}); err != nil || got[0] != 7 {
		t.Fatalf("after a cancel: %v, %v", got, err)
	}
}

func TestLeavingAResultEarlyFreesTheSlot(t *testing.T) {
	p := pool(t, Config{Size: 1})
	rows, err := p.Query(t.Context(), Request{SQL: "SELECT i FROM range(10000000) t(i)"})
	if err != nil {
		t.Fatal(err)
	}
	rec, err := rows.Next(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rec.Release()
	rows.Close()
	rows.Close()
	if got, err := ints(t, p, Request{SQL: "SELECT 7::BIGINT"}); err != nil || got[0] != 7 {
		t.Fatalf("%v, %v", got, err)
	}
}

func TestMemoryLimitIsToldApart(t *testing.T) {
	p := pool(t, Config{})
	_, err := ints(t, p, Request{SQL: "SELECT len(list(i)) FROM range(100000000) t(i)", Memory: 64 << 20, TempDir: t.TempDir()})
	q, ok := errors.AsType[*QueryError](err)
	if !ok || !q.Memory {
		t.Fatalf("%#v", err)
	}
}

func TestDeadWorkerIsAnError(t *testing.T) {
	p := pool(t, Config{Size: 1})
	rows, err := p.Query(t.Context(), Request{SQL: "SELECT i FROM range(100000000) t(i)"})
	if err != nil {
		t.Fatal(err)
	}
	_ = rows.proc.cmd.Process.Kill()
	for err == nil {
		rec, nerr := rows.Next(t.Context())
		if err = nerr; err == nil {
			rec.Release()
		}
	}
	rows.Close()
	if !errors.Is(err, ErrDied) {
		t.Fatalf("killed worker: %v", err)
	}
	if _, err := ints(t, p, Request{SQL: "SELECT 7::BIGINT"}); err != nil {
		t.Fatalf("after a death: %v", err)
	}
}
