package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/marisma/marisma/internal/auth"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/web"
	"github.com/marisma/marisma/internal/web/api"
)

// lineRows is how many rows go into one line of an SQL answer.
const lineRows = 1000

// SQL runs a statement and sends its result as lines of text values.
func (b *backend) SQL(ctx context.Context, p auth.Principal, req api.SQLRequest, send func(api.SQLLine) error) error {
	if err := checkOne(req.Statement); err != nil {
		return err
	}
	start := time.Now()
	sess, done, err := b.session(ctx, p, req)
	if err != nil {
		return err
	}
	defer done()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	res, err := b.engines.query.RunText(ctx, sess, req.Statement)
	if err != nil {
		return err
	}
	defer res.Close()
	cols := make([]api.Column, len(res.Columns))
	for i, c := range res.Columns {
		cols[i] = api.Column{Name: c.Name, Type: c.Type.String(), Nullable: c.Nullable}
	}
	if err := send(api.SQLLine{Columns: cols}); err != nil {
		return err
	}
	out := &lines{limit: int64(req.Limit), send: send}
	for !out.truncated {
		rec, err := res.Next(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		err = out.batch(rec)
		rec.Release()
		if err != nil {
			return err
		}
	}
	return send(api.SQLLine{Done: &api.SQLDone{
		Rows: out.rows, Seconds: time.Since(start).Seconds(), Truncated: out.truncated,
		Catalog: sess.Catalog, Schema: sess.Schema, Conf: sess.Conf,
	}})
}

// Bounds on the SQL sessions that are kept between requests.
const (
	maxSessions = 256
	sessionIdle = time.Hour
)

// session is the one that a request belongs to; a principal meets none but its
// own.
func (b *backend) session(ctx context.Context, p auth.Principal, req api.SQLRequest) (*query.Session, func(), error) {
	begin := func() *query.Session {
		sess := &query.Session{Principal: p, Catalog: req.Catalog, Schema: req.Schema, Conf: req.Conf}
		if sess.Catalog == "" || sess.Schema == "" {
			sess.Catalog, sess.Schema = b.app.cfg.Project.DefaultSchema()
		}
		return sess
	}
	if req.Session == "" {
		return begin(), func() {}, nil
	}
	if len(req.Session) > maxSessionName {
		return nil, nil, web.As(web.ErrInvalid, fmt.Errorf("a session's name has at most %d bytes", maxSessionName))
	}
	return b.sessions.Take(ctx, p.Name+"\x00"+req.Session, begin)
}

// maxSessionName bounds the names that clients give to sessions.
const maxSessionName = 100

// lines cuts batches of text columns into lines.
type lines struct {
	limit     int64 // 0: none
	rows      int64
	truncated bool
	send      func(api.SQLLine) error
}

func (l *lines) batch(rec arrow.RecordBatch) error {
	n := rec.NumRows()
	if l.limit > 0 && l.rows+n > l.limit {
		n = l.limit - l.rows
		l.truncated = true
	}
	for from := int64(0); from < n; from += lineRows {
		to := min(from+lineRows, n)
		rows := make([][]*string, 0, to-from)
		for i := from; i < to; i++ {
			rows = append(rows, textRow(rec, int(i)))
		}
		if err := l.send(api.SQLLine{Rows: rows}); err != nil {
			return err
		}
	}
	l.rows += n
	return nil
}

func textRow(rec arrow.RecordBatch, row int) []*string {
	out := make([]*string, rec.NumCols())
	for j := range out {
		if c, ok := rec.Column(j).(*array.String); ok && c.IsValid(row) {
			// The batch is released before the line is sent everywhere: copy.
			v := string([]byte(c.Value(row)))
			out[j] = &v
		}
	}
	return out
}
