package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/auth"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/iothub"
	"github.com/marisma/marisma/internal/obs"
	"github.com/marisma/marisma/internal/pipeline"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/sparksql/parse"
	"github.com/marisma/marisma/internal/web"
	"github.com/marisma/marisma/internal/web/api"
)

// backend is what the HTTP door stands on.
type backend struct {
	app       *App
	stores    *stores
	engines   *engines
	listeners *listeners
	sessions  *query.Sessions
}

var _ web.Backend = (*backend)(nil)

// Status tells who runs and how the hub is doing.
func (b *backend) Status() api.Status {
	p := b.app.cfg.Project
	st := b.engines.hub.Stats()
	var records int64
	for i := range b.stores.log.Partitions() {
		records += b.stores.log.End(i) - b.stores.log.Start(i)
	}
	return api.Status{
		Version: obs.Build().Version, Project: p.Name, Target: p.Target, PID: os.Getpid(), DataDir: p.DataDir(),
		Started: b.app.started.UTC(), Addresses: b.listeners.addresses, Memory: obs.RSS(),
		Hub: api.Hub{
			Name: p.Hub.Name, Topic: p.Hub.Topic, Partitions: b.stores.log.Partitions(),
			Devices: len(b.stores.registry.List()), Connected: st.Connected, Accepted: st.Accepted, Rejected: st.Rejected,
			PerSecond: b.engines.meter.rate(), Records: records, Problem: b.stores.log.Problem(),
		},
	}
}

// Pipelines gives each pipeline's graph with its state.
func (b *backend) Pipelines() []api.Pipeline {
	out := make([]api.Pipeline, len(b.engines.pipelines))
	for i, p := range b.engines.pipelines {
		out[i] = apiPipeline(p.Status())
	}
	return out
}

func apiPipeline(s pipeline.Status) api.Pipeline {
	p := api.Pipeline{
		Key: s.Key, Name: s.Name, State: s.State, Continuous: s.Continuous, UpdateID: s.UpdateID,
		Started: s.Started, Error: s.Error,
	}
	for _, n := range s.Nodes {
		p.Nodes = append(p.Nodes, apiNode(n))
	}
	for _, e := range s.Edges {
		p.Edges = append(p.Edges, api.Edge(e))
	}
	return p
}

func apiNode(n pipeline.Node) api.Node {
	out := api.Node{
		ID: n.ID, Name: n.Name, Kind: n.Kind, State: n.State, Error: n.Error,
		RowsIn: n.RowsIn, RowsOut: n.RowsOut, RowsDropped: n.RowsDropped, RowsQuarantine: n.RowsQuarantine,
		PerSecond: n.PerSecond, Backlog: n.Backlog, LagSeconds: n.LagSeconds, Version: n.Version,
		Batch: n.Batch, BatchSeconds: n.BatchSeconds, LastCommit: n.LastCommit, Comment: n.Comment,
	}
	for _, e := range n.Expectations {
		out.Expectations = append(out.Expectations, api.Expectation(e))
	}
	return out
}

// PipelineAction does run, stop or reset.
func (b *backend) PipelineAction(ctx context.Context, key, action string, tables []string) error {
	i := slices.IndexFunc(b.engines.pipelines, func(p *pipeline.Pipeline) bool { return p.Status().Key == key })
	if i < 0 {
		return web.As(web.ErrNotFound, fmt.Errorf("there is no pipeline %q", key))
	}
	p := b.engines.pipelines[i]
	switch action {
	case "run":
		return p.Update(ctx)
	case "stop":
		return p.Stop(ctx)
	case "reset":
		err := p.Reset(ctx, tables)
		if errors.Is(err, pipeline.ErrUnknownTable) {
			return web.As(web.ErrInvalid, err)
		}
		return err
	}
	return web.As(web.ErrInvalid, fmt.Errorf("a pipeline can run, stop or reset, not %q", action))
}

func apiDevice(d iothub.Device) api.Device {
	return api.Device{ID: d.ID, Status: d.Status, Connected: d.Connected, Created: d.Created, LastActivity: d.LastActivity}
}

// Devices lists the registry without keys.
func (b *backend) Devices() []api.Device {
	all := b.stores.registry.List()
	out := make([]api.Device, len(all))
	for i, d := range all {
		out[i] = apiDevice(d)
	}
	return out
}

// withKeys is a device with what it needs to connect.
func (b *backend) withKeys(d iothub.Device) api.Device {
	out := apiDevice(d)
	out.PrimaryKey, out.SecondaryKey = d.PrimaryKey, d.SecondaryKey
	out.ConnectionString = b.engines.hub.ConnectionString(d)
	return out
}

// Device gives one device with its keys.
func (b *backend) Device(id string) (api.Device, error) {
	d, ok := b.stores.registry.Get(id)
	if !ok {
		return api.Device{}, web.As(web.ErrNotFound, fmt.Errorf("there is no device %q", id))
	}
	return b.withKeys(d), nil
}

// AddDevice registers a device.
func (b *backend) AddDevice(ctx context.Context, id string) (api.Device, error) {
	if err := iothub.CheckID(id); err != nil {
		return api.Device{}, web.As(web.ErrInvalid, err)
	}
	d, err := b.stores.registry.Add(ctx, id)
	if errors.Is(err, iothub.ErrExists) {
		return api.Device{}, web.As(web.ErrConflict, err)
	}
	if err != nil {
		return api.Device{}, err
	}
	return b.withKeys(d), nil
}

// RemoveDevice forgets a device and closes its connection.
func (b *backend) RemoveDevice(ctx context.Context, id string) error {
	if _, ok := b.stores.registry.Get(id); !ok {
		return web.As(web.ErrNotFound, fmt.Errorf("there is no device %q", id))
	}
	if err := b.stores.registry.Remove(ctx, id); err != nil {
		return err
	}
	b.engines.hub.Disconnect(id)
	return nil
}

// Tables lists all tables and views. Grants come with a later version: until
// then each principal sees all.
func (b *backend) Tables(ctx context.Context, _ auth.Principal) ([]api.Table, error) {
	all, err := b.stores.catalog.AllTables(ctx)
	if err != nil {
		return nil, err
	}
	out := make([]api.Table, len(all))
	for i, t := range all {
		out[i] = api.Table{Name: t.FullName(), Type: string(t.Type), Owner: t.Owner, Comment: t.Comment, Updated: t.Updated}
		for _, c := range t.Columns {
			out[i].Columns = append(out[i].Columns, api.Column{Name: c.Name, Type: c.Type, Nullable: c.Nullable, Comment: c.Comment})
		}
		if t.Type != catalog.View {
			out[i].Path = b.stores.tables.Place(t)
		}
	}
	return out, nil
}

// History lists a table's commits, newest first.
func (b *backend) History(ctx context.Context, _ auth.Principal, table string, limit int) ([]api.Commit, error) {
	t, err := b.lookup(ctx, table)
	if err != nil {
		return nil, err
	}
	dt, err := b.stores.tables.Open(ctx, t)
	if err != nil {
		return nil, err
	}
	h, err := dt.History(ctx, limit)
	if err != nil {
		return nil, err
	}
	out := make([]api.Commit, len(h))
	for i, c := range h {
		out[i] = apiCommit(c)
	}
	return out, nil
}

func apiCommit(c delta.HistoryEntry) api.Commit {
	return api.Commit{
		Version: c.Version, Time: c.Time, Operation: c.Info.Operation, Parameters: c.Info.OperationParameters,
		Metrics: c.Info.OperationMetrics, Engine: c.Info.EngineInfo,
	}
}

// lookup finds a table that has commits.
func (b *backend) lookup(ctx context.Context, name string) (catalog.Table, error) {
	t, err := b.find(ctx, name)
	if err == nil && t.Type == catalog.View {
		return t, web.As(web.ErrInvalid, fmt.Errorf("%s is a view and has no commits of its own", name))
	}
	return t, err
}

// NewToken mints an admin token.
func (b *backend) NewToken() (string, error) { return b.stores.tokens.Mint(admin) }

// Verify names the principal of a token.
func (b *backend) Verify(token string) (auth.Principal, error) { return b.stores.tokens.Verify(token) }

// checkOne: the API takes one statement at a time.
func checkOne(text string) error {
	stmts, err := parse.Split("", text)
	if err != nil {
		return err
	}
	if len(stmts) != 1 {
		return web.As(web.ErrInvalid, fmt.Errorf("one statement at a time is run here, not %d", len(stmts)))
	}
	return nil
}
