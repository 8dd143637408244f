package app

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/marisma/marisma/internal/bundle"
	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/objstore"
	"github.com/marisma/marisma/objstore/azure"
	"github.com/marisma/marisma/objstore/cache"
	"github.com/marisma/marisma/objstore/s3"
)

// dirCache holds copies of what lies in cloud stores, by the store's address.
const dirCache = "cache"

// defaultCache bounds the copies of one store where marisma.yml says nothing.
const defaultCache = 4 << 30

// openRoots opens the places that statements may name by their paths: the
// project folder and those of marisma.yml. dirs are the folders among them and
// those of copies, which DuckDB must be allowed to read. Copies of other places
// are removed.
func openRoots(ctx context.Context, p *bundle.Project, cacheDir string) (roots []query.Root, dirs []string, err error) {
	limit := p.Cache
	if limit == 0 {
		limit = defaultCache
	}
	for _, address := range append([]string{p.Dir}, p.Paths...) {
		if !strings.Contains(address, "://") {
			r, err := query.LocalRoot(address)
			if err != nil {
				return nil, nil, err
			}
			roots, dirs = append(roots, r), append(dirs, r.Address)
			continue
		}
		sum := sha256.Sum256([]byte(address))
		dir := filepath.Join(cacheDir, hex.EncodeToString(sum[:8]))
		r, err := remoteRoot(ctx, address, dir, limit)
		if err != nil {
			return nil, nil, fmt.Errorf("paths of marisma.yml: %s: %w", address, err)
		}
		roots, dirs = append(roots, r), append(dirs, dir)
	}
	return roots, dirs, sweep(cacheDir, dirs)
}

// sweep removes the folders below dir that are not in keep.
func sweep(dir string, keep []string) error {
	found, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	for _, f := range found {
		if at := filepath.Join(dir, f.Name()); !slices.Contains(keep, at) {
			err = errors.Join(err, os.RemoveAll(at))
		}
	}
	return err
}

// remoteRoot is a place in a cloud store behind a cache. Its credentials are
// those of the environment, under the names that the services' command lines
// and SDKs read.
func remoteRoot(ctx context.Context, address, dir string, limit int64) (query.Root, error) {
	loc, err := objstore.Parse(address)
	if err != nil {
		return query.Root{}, err
	}
	var store objstore.Store
	switch loc.Kind {
	case objstore.S3:
		endpoint := os.Getenv("AWS_ENDPOINT_URL_S3")
		if endpoint == "" {
			endpoint = os.Getenv("AWS_ENDPOINT_URL")
		}
		store, err = s3.Open(ctx, address, s3.Options{Endpoint: endpoint, PathStyle: endpoint != ""})
	default:
		o := azure.Options{ConnectionString: objstore.Secret(os.Getenv("AZURE_STORAGE_CONNECTION_STRING"))}
		if o.ConnectionString == "" {
			o.Account, o.Endpoint = os.Getenv("AZURE_STORAGE_ACCOUNT"), os.Getenv("AZURE_STORAGE_ENDPOINT")
			o.AccountKey, o.SAS = objstore.Secret(os.Getenv("AZURE_STORAGE_KEY")), objstore.Secret(os.Getenv("AZURE_STORAGE_SAS_TOKEN"))
		}
		if loc.Account == "" && o.Account == "" && o.Endpoint == "" && o.ConnectionString == "" {
			return query.Root{}, fmt.Errorf("the address names no account: set AZURE_STORAGE_ACCOUNT, or write abfss://%s@<account>.dfs.core.windows.net/%s", loc.Container, loc.Prefix)
		}
		store, err = azure.Open(ctx, address, o)
	}
	if err != nil {
		return query.Root{}, err
	}
	c, err := cache.Open(store, dir, cache.Options{MaxBytes: limit})
	if err != nil {
		return query.Root{}, err
	}
	return query.Root{Address: address, Store: c}, nil
}
