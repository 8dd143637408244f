package query_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/marisma/marisma/internal/query"
	"github.com/marisma/marisma/internal/sparksql"
	"github.com/marisma/marisma/objstore"
	"github.com/marisma/marisma/objstore/cache"
)

// far is a store that is no folder of this machine, and may answer with an error.
type far struct {
	objstore.Store
	err error
}

func (f *far) Get(ctx context.Context, key string, offset, length int64) (io.ReadCloser, objstore.Info, error) {
	if f.err != nil {
		return nil, objstore.Info{}, f.err
	}
	return f.Store.Get(ctx, key, offset, length)
}

func (f *far) List(ctx context.Context, prefix, after string) iter.Seq2[objstore.Info, error] {
	if f.err != nil {
		return func(yield func(objstore.Info, error) bool) { yield(objstore.Info{}, f.err) }
	}
	return f.Store.List(ctx, prefix, after)
}

// farDoor has a place s3://b whose copies take at most limit bytes.
func farDoor(t *testing.T, limit int64) (*door, *far) {
	t.Helper()
	r := newRig(t, t.TempDir())
	f := &far{Store: objstore.Memory()}
	c, err := cache.Open(f, filepath.Join(r.dir, "tables", "copies"), cache.Options{MaxBytes: limit})
	if err != nil {
		t.Fatal(err)
	}
	r.tabs.Allow(query.Root{Address: "s3://b", Store: c})
	return openDoor(t, r), f
}

// Statements change tables in stores that are no folder, by their name and by
// their path.
func TestStatementsChangeTablesThatAreFar(t *testing.T) {
	for _, vectors := range []bool{false, true} {
		d, _ := farDoor(t, 1<<20)
		d.must(fmt.Sprintf("CREATE TABLE t (id INT, s STRING) LOCATION 's3://b/x/t' TBLPROPERTIES ('delta.enableDeletionVectors' = '%t')", vectors),
			"INSERT INTO t VALUES (1, 'a'), (2, 'b')", "INSERT INTO t VALUES (3, 'c'), (4, 'd')",
			"UPDATE t SET s = 'u' WHERE id = 1", "DELETE FROM delta.`s3://b/x/t` WHERE id = 4",
			"MERGE INTO t USING (SELECT * FROM VALUES (2, 'm'), (9, 'n') AS v(id, s)) v ON t.id = v.id WHEN MATCHED THEN UPDATE SET s = v.s WHEN NOT MATCHED THEN INSERT *",
			"OPTIMIZE t")
		got, err := d.run(t.Context(), "SELECT * FROM delta.`s3://b/x/t`")
		if want := []string{"1|u", "2|m", "3|c", "9|n"}; err != nil || !slices.Equal(got, want) {
			t.Errorf("with deletion vectors %t: %q, %v", vectors, got, err)
		}
		if got, err := d.run(t.Context(), "SHOW CREATE TABLE t"); err != nil || !strings.Contains(strings.Join(got, ""), "LOCATION 's3://b/x/t'") {
			t.Errorf("%q, %v", got, err)
		}
		d.must("DROP TABLE t")
		if got, err := d.run(t.Context(), "SELECT count(*) FROM delta.`s3://b/x/t`"); err != nil || !slices.Equal(got, []string{"4"}) {
			t.Errorf("after DROP: %q, %v", got, err)
		}
	}
}

// Rows that the log counts need no copies of their files.
func TestFilesThatAreOnlyCountedAreNotFetched(t *testing.T) {
	d, _ := farDoor(t, 100)
	d.must("CREATE TABLE t LOCATION 's3://b/t' AS SELECT id FROM range(10)")
	if got, err := d.run(t.Context(), "SELECT count(*) FROM t"); err != nil || !slices.Equal(got, []string{"10"}) {
		t.Errorf("%q, %v", got, err)
	}
	_, err := d.run(t.Context(), "SELECT max(id) FROM t")
	if e, ok := errors.AsType[*sparksql.Error](err); !ok || e.Class != "CLOUD_PROVIDER_ERROR" || !strings.Contains(e.Hint, "`cache`") {
		t.Errorf("%v", err)
	}
}

// What a store answers says what to do.
func TestErrorsOfStoresSayWhatToDo(t *testing.T) {
	d, f := farDoor(t, 1<<20)
	for _, c := range []struct {
		err                error
		class, state, hint string
	}{
		{&objstore.ServiceError{Op: "get", Where: "s3://b/t", Family: objstore.ErrDenied, Status: 403}, "UNAUTHORIZED_ACCESS", "42501", "AWS_ACCESS_KEY_ID"},
		{&objstore.ServiceError{Op: "get", Where: "https://a/b/t", Family: objstore.ErrDenied, Status: 403}, "UNAUTHORIZED_ACCESS", "42501", "AZURE_STORAGE_KEY"},
		{&objstore.ServiceError{Op: "get", Where: "s3://b/t", Family: objstore.ErrNoContainer, Status: 404}, "PATH_NOT_FOUND", "42K03", "make it first"},
		{&objstore.ServiceError{Op: "get", Where: "s3://b/t", Family: objstore.ErrThrottled, Status: 503}, "CLOUD_PROVIDER_ERROR", "58000", "later"},
		{&objstore.ServiceError{Op: "get", Where: "s3://b/t", Message: "cannot connect"}, "CLOUD_PROVIDER_ERROR", "58000", "network"},
		{&objstore.ServiceError{Op: "get", Where: "s3://b/t", Status: 400, Code: "Odd"}, "CLOUD_PROVIDER_ERROR", "58000", "request's id"},
	} {
		f.err = c.err
		for _, sql := range []string{"SELECT * FROM delta.`s3://b/t`", "CREATE TABLE x (id INT) LOCATION 's3://b/t'", "CREATE TABLE delta.`s3://b/t` (id INT)"} {
			_, err := d.run(t.Context(), sql)
			e, ok := errors.AsType[*sparksql.Error](err)
			if !ok || e.Class != c.class || e.SQLState != c.state || !strings.Contains(e.Hint, c.hint) || !strings.Contains(e.Message, "/b/t") && !strings.Contains(e.Message, "a/b/t") {
				t.Errorf("%s with %v: %v", sql, c.err, err)
			}
		}
	}
}
