package duck

import (
	"context"
	"fmt"
	"slices"
	"time"

	duckdb "github.com/duckdb/duckdb-go-bindings"

	"github.com/marisma/marisma/internal/duck/kernel"
	"github.com/marisma/marisma/internal/duck/vector"
)

// Conn is an instance taken from the pool, for one goroutine.
type Conn struct {
	pool   *Pool
	in     *instance // nil after Put
	reader *Reader   // open result
	bound  []*binding
}

// Column describes a column of a result.
type Column struct {
	Name string
	Type string // as DuckDB prints it; compare with SameType
}

// SameType tells whether two texts name one DuckDB type ("INT" and "INTEGER",
// "TIMESTAMPTZ" and "TIMESTAMP WITH TIME ZONE"). Names of fields count.
func SameType(a, b string) bool {
	if a == b {
		return true
	}
	x, err := vector.ParseType(a)
	if err != nil {
		return false
	}
	y, err := vector.ParseType(b)
	return err == nil && x.Equal(y)
}

// Put gives the instance back to the pool; an open Reader is closed and bound
// sources are released. A second Put does nothing.
func (c *Conn) Put() {
	if c.in == nil {
		return
	}
	if c.reader != nil {
		c.reader.Close()
	}
	for _, b := range c.bound {
		c.in.scans.drop(b)
	}
	c.bound = nil
	in := c.in
	c.in = nil
	c.pool.put(in)
}

// Register adds a scalar function to the instance. It does nothing when the
// instance has it already, and fails when it has another one of that name.
func (c *Conn) Register(k kernel.Spec) error {
	if c.in == nil {
		return ErrClosed
	}
	return registerError(c.in.kernels.Register(k))
}

// Bind makes src readable in the queries of this Conn: from is the text to
// put behind FROM. release ends that and releases what the scan still holds;
// Put does it too. The source is read only while a query runs.
func (c *Conn) Bind(src Source) (from string, release func(), err error) {
	if c.in == nil {
		return "", nil, ErrClosed
	}
	b, err := c.in.scans.bind(src)
	if err != nil {
		return "", nil, err
	}
	c.bound = append(c.bound, b)
	in := c.in
	return fmt.Sprintf("%s(%d)", scanFunction, b.id), func() {
		if i := slices.Index(c.bound, b); i >= 0 {
			c.bound = slices.Delete(c.bound, i, i+1)
			in.scans.drop(b)
		}
	}, nil
}

// sourceError is the error with which a bound source failed, if one did.
func (c *Conn) sourceError() error {
	for _, b := range c.bound {
		if err := b.failed(); err != nil {
			return err
		}
	}
	return nil
}

// Query runs one statement and gives its result as a stream. ctx covers the
// whole life of the Reader: when it is done, Next fails with its cause.
func (c *Conn) Query(ctx context.Context, sql string) (*Reader, error) {
	stmt, err := c.prepare(ctx, sql)
	if err != nil {
		return nil, err
	}
	r, err := newReader(ctx, c, stmt)
	if err != nil {
		duckdb.DestroyPrepare(&stmt)
		return nil, err
	}
	c.reader = r
	return r, nil
}

func (c *Conn) prepare(ctx context.Context, sql string) (duckdb.PreparedStatement, error) {
	var stmt duckdb.PreparedStatement
	switch {
	case c.in == nil:
		return stmt, ErrClosed
	case c.reader != nil:
		return stmt, ErrBusy
	}
	for _, b := range c.bound {
		b.forget()
	}
	if ctx.Err() != nil {
		return stmt, context.Cause(ctx)
	}
	c.in.scans.enter(ctx)
	if duckdb.Prepare(c.in.conn, sql, &stmt) == duckdb.StateError {
		err := c.fail(ctx, duckdb.PrepareError(stmt))
		duckdb.DestroyPrepare(&stmt)
		return stmt, err
	}
	if c.pool.cfg.ReadOnlySandbox {
		switch duckdb.PreparedStatementType(stmt) {
		case duckdb.StatementTypeSelect, duckdb.StatementTypeExplain:
		default:
			duckdb.DestroyPrepare(&stmt)
			return stmt, ErrRefused
		}
	}
	return stmt, nil
}

// Exec runs one statement for its effect.
func (c *Conn) Exec(ctx context.Context, sql string) error {
	r, err := c.Query(ctx, sql)
	if err != nil {
		return err
	}
	defer r.Close()
	return r.drain()
}

// Describe gives the columns of a query without running it.
func (c *Conn) Describe(ctx context.Context, sql string) ([]Column, error) {
	stmt, err := c.prepare(ctx, sql)
	if err != nil {
		return nil, err
	}
	defer duckdb.DestroyPrepare(&stmt)
	out := make([]Column, duckdb.PreparedStatementColumnCount(stmt))
	for i := range out {
		l := duckdb.PreparedStatementColumnLogicalType(stmt, duckdb.IdxT(i))
		out[i] = Column{duckdb.PreparedStatementColumnName(stmt, duckdb.IdxT(i)), vector.FromLogical(l).String()}
		duckdb.DestroyLogicalType(&l)
	}
	return out, nil
}

// interruptEvery is how often a query is interrupted until it has ended:
// DuckDB forgets an interrupt that comes just before the query begins.
const interruptEvery = 2 * time.Millisecond

// watch interrupts the connection from when ctx is done until stop is called,
// which waits until no interrupt can follow.
func (c *Conn) watch(ctx context.Context) (stop func()) {
	over, idle := make(chan struct{}), make(chan struct{})
	conn := c.in.conn
	cancel := context.AfterFunc(ctx, func() {
		defer close(idle)
		t := time.NewTicker(interruptEvery)
		defer t.Stop()
		for {
			select {
			case <-over:
				return
			default:
			}
			duckdb.Interrupt(conn)
			select {
			case <-over:
				return
			case <-t.C:
			}
		}
	})
	return func() {
		close(over)
		if !cancel() {
			<-idle
		}
	}
}
