package api

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
)

// ErrNotRunning says that nothing answers at the server's address.
var ErrNotRunning = errors.New("no server is running here")

// maxLine bounds one line of a result.
const maxLine = 64 << 20

// Client speaks to a running server. It is safe for concurrent use.
type Client struct {
	http  *http.Client
	base  string
	token string
}

// Unix is a client over the server's local socket, which needs no token: who
// may open the file is the owner of the data folder.
func Unix(path string) *Client {
	var d net.Dialer
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return d.DialContext(ctx, "unix", path)
	}
	return &Client{http: &http.Client{Transport: &http.Transport{DialContext: dial}}, base: "http://marisma"}
}

// HTTP is a client over an address such as http://127.0.0.1:8080 with a token.
func HTTP(base, token string) *Client {
	return &Client{http: &http.Client{}, base: base, token: token}
}

func (c *Client) send(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, c.base+"/api/v1"+path, body)
	if err != nil {
		return nil, err
	}
	if in != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		req.Header.Set("Authorization", "Bearer "+c.token)
	}
	res, err := c.http.Do(req)
	if err != nil {
		if _, ok := errors.AsType[*net.OpError](err); ok && ctx.Err() == nil {
			return nil, fmt.Errorf("%w: %w", ErrNotRunning, err)
		}
		return nil, err
	}
	if res.StatusCode >= 300 {
		defer func() { _ = res.Body.Close() }()
		return nil, readError(res)
	}
	return res, nil
}

func readError(res *http.Response) error {
	b, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return fmt.Errorf("%s: %w", res.Status, err)
	}
	var e struct {
		Error *Error `json:"error"`
	}
	if json.Unmarshal(b, &e) == nil && e.Error != nil {
		return e.Error
	}
	return fmt.Errorf("%s: %s", res.Status, bytes.TrimSpace(b))
}

// Do sends in (nil for none) and decodes the answer into out (nil to drop it).
// Error answers are *Error; ErrNotRunning where nobody listens.
func (c *Client) Do(ctx context.Context, method, path string, in, out any) error {
	res, err := c.send(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	if out == nil {
		_, err = io.Copy(io.Discard, res.Body)
		return err
	}
	return json.NewDecoder(res.Body).Decode(out)
}

// Status asks who runs.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var s Status
	return s, c.Do(ctx, http.MethodGet, "/status", nil, &s)
}

// Pipelines lists the pipelines with their graphs.
func (c *Client) Pipelines(ctx context.Context) ([]Pipeline, error) {
	var p []Pipeline
	return p, c.Do(ctx, http.MethodGet, "/pipelines", nil, &p)
}

// PipelineAction does run, stop or reset. Tables of a reset may be empty: all.
func (c *Client) PipelineAction(ctx context.Context, key, action string, tables []string) error {
	in := map[string]any{"tables": tables}
	return c.Do(ctx, http.MethodPost, "/pipelines/"+url.PathEscape(key)+"/"+action, in, nil)
}

// Devices lists the registry, ordered by ID.
func (c *Client) Devices(ctx context.Context) ([]Device, error) {
	var d []Device
	return d, c.Do(ctx, http.MethodGet, "/devices", nil, &d)
}

// AddDevice makes a device; the answer holds its keys.
func (c *Client) AddDevice(ctx context.Context, id string) (Device, error) {
	var d Device
	return d, c.Do(ctx, http.MethodPut, "/devices/"+url.PathEscape(id), map[string]string{}, &d)
}

// Device gives one device with its keys.
func (c *Client) Device(ctx context.Context, id string) (Device, error) {
	var d Device
	return d, c.Do(ctx, http.MethodGet, "/devices/"+url.PathEscape(id), nil, &d)
}

// RemoveDevice takes a device out of the registry and closes its connection.
func (c *Client) RemoveDevice(ctx context.Context, id string) error {
	return c.Do(ctx, http.MethodDelete, "/devices/"+url.PathEscape(id), nil, nil)
}

// History lists a table's commits, newest first.
func (c *Client) History(ctx context.Context, table string, limit int) ([]Commit, error) {
	var h []Commit
	path := fmt.Sprintf("/tables/%s/history?limit=%d", url.PathEscape(table), limit)
	return h, c.Do(ctx, http.MethodGet, path, nil, &h)
}

// Lineage tells where a table's columns come from; through follows them down
// to the sources that no table of the catalog is.
func (c *Client) Lineage(ctx context.Context, table string, through bool) (Lineage, error) {
	var l Lineage
	path := fmt.Sprintf("/tables/%s/lineage?through=%t", url.PathEscape(table), through)
	return l, c.Do(ctx, http.MethodGet, path, nil, &l)
}

// NewToken mints an admin token.
func (c *Client) NewToken(ctx context.Context) (string, error) {
	var t struct {
		Token string `json:"token"`
	}
	return t.Token, c.Do(ctx, http.MethodPost, "/tokens", map[string]string{}, &t)
}

// SQL runs a statement and hands each line of the answer to f. The line is
// f's; an error of the statement is returned, not handed over.
func (c *Client) SQL(ctx context.Context, req SQLRequest, f func(SQLLine) error) error {
	res, err := c.send(ctx, http.MethodPost, "/sql", req)
	if err != nil {
		return err
	}
	defer func() { _ = res.Body.Close() }()
	sc := bufio.NewScanner(res.Body)
	sc.Buffer(make([]byte, 64<<10), maxLine)
	done := false
	for sc.Scan() {
		var l SQLLine
		if err := json.Unmarshal(sc.Bytes(), &l); err != nil {
			return fmt.Errorf("result line: %w", err)
		}
		if l.Error != nil {
			return l.Error
		}
		done = done || l.Done != nil
		if err := f(l); err != nil {
			return err
		}
	}
	if err := sc.Err(); err != nil {
		return err
	}
	if !done {
		return errors.New("the result ended early: the server stopped or the connection broke")
	}
	return nil
}
