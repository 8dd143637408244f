package app

import (
	"context"
	"fmt"
	"log/slog"
	"path"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/auth"
	"github.com/marisma/marisma/internal/bundle"
	"github.com/marisma/marisma/internal/catalog"
	"github.com/marisma/marisma/internal/catalog/folder"
	"github.com/marisma/marisma/internal/eventlog"
	"github.com/marisma/marisma/internal/iothub"
	"github.com/marisma/marisma/internal/obs"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/objstore"
)

// Names in the data folder; docs/formats/folder.md describes it.
const (
	dirAuth      = "auth"
	dirHub       = "hub"
	dirLog       = "log"
	dirTables    = "tables"
	dirPipelines = "pipelines"
	dirTemp      = "tmp"
	fileCatalog  = "catalog.db"
)

// stores is everything durable.
type stores struct {
	folder   *folder.Folder
	ca       *auth.CA
	tokens   *auth.Tokens
	first    string // the admin token where this start made the first one
	catalog  *catalog.Catalog
	tables   *query.Tables
	dirs     []string // that DuckDB may read besides the tables' folder
	registry *iothub.Registry
	log      *eventlog.Log
	metrics  *prometheus.Registry
}

func openStores(ctx context.Context, p *bundle.Project, log *slog.Logger) (_ *stores, err error) {
	s := &stores{metrics: obs.NewRegistry()}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if s.folder, err = folder.Open(p.DataDir()); err != nil {
		return nil, err
	}
	fs := s.folder.FS()
	// What a query that was killed had spilled is of no use.
	if err := fs.RemoveAll(dirTemp); err != nil {
		return nil, err
	}
	if err := fs.MkdirAll(dirTemp); err != nil {
		return nil, err
	}
	if s.ca, err = auth.OpenCA(fs, dirAuth, hosts(p)); err != nil {
		return nil, fmt.Errorf("certificates: %w", err)
	}
	if s.tokens, err = auth.OpenTokens(fs, dirAuth); err != nil {
		return nil, fmt.Errorf("tokens: %w", err)
	}
	if s.tokens.Empty() {
		if s.first, err = s.tokens.Mint(admin); err != nil {
			return nil, err
		}
	}
	if s.catalog, err = catalog.Open(ctx, s.folder.Path(fileCatalog)); err != nil {
		return nil, err
	}
	s.tables = query.NewTables(objstore.LocalOn(fs, dirTables), delta.WithEngine("Marisma/"+obs.Build().Version))
	roots, dirs, err := openRoots(ctx, p, s.folder.Path(dirCache))
	if err != nil {
		return nil, err
	}
	s.tables.Allow(roots...)
	s.dirs = dirs
	if s.registry, err = iothub.OpenRegistry(fs, dirHub); err != nil {
		return nil, fmt.Errorf("device registry: %w", err)
	}
	s.log, err = eventlog.Open(eventlog.Config{
		FS: fs, Dir: path.Join(dirLog, p.Hub.Topic), Partitions: p.Hub.Partitions,
		Retention: p.Hub.Retention, RetentionBytes: p.Hub.RetentionBytes,
		Logger: log.With("part", "log"), Metrics: s.metrics,
	})
	if err != nil {
		return nil, fmt.Errorf("event log: %w", err)
	}
	return s, s.seed(ctx, p)
}

// admin is who the printed tokens stand for.
var admin = auth.Principal{Name: "admin", Kind: auth.User, Admin: true}

// hosts are the names under which devices and clients may reach the server;
// the first stands in connection strings.
func hosts(p *bundle.Project) []string {
	first := p.Hub.Host
	if first == "" {
		first = "localhost"
	}
	return []string{first, p.Hub.Name + iothub.Domain, p.Hub.Name}
}

// seed registers the project's devices that the hub does not know yet, and makes
// the schema that statements without another begin in.
func (s *stores) seed(ctx context.Context, p *bundle.Project) error {
	cat, schema := p.DefaultSchema()
	if err := s.catalog.EnsureSchema(ctx, cat, schema, admin.Name); err != nil {
		return err
	}
	if _, err := s.registry.Ensure(ctx, p.DeviceIDs()...); err != nil {
		return fmt.Errorf("devices of marisma.yml: %w", err)
	}
	return nil
}

func (s *stores) close() {
	// Everything durable was synced when it was written: an error of a close
	// can lose nothing.
	if s.registry != nil {
		_ = s.registry.Close()
	}
	if s.catalog != nil {
		_ = s.catalog.Close()
	}
	if s.folder != nil {
		_ = s.folder.Close()
	}
}
