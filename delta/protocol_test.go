package delta_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/go-cmp/cmp"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/delta/internal/logfile"
	"github.com/marisma/marisma/objstore"
)

func create(t *testing.T, store objstore.Store, props map[string]string, opts ...delta.Option) *delta.Table {
	t.Helper()
	return must[*delta.Table](t)(delta.Create(context.Background(), store, "", plain, append(opts, delta.WithProperties(props))...))
}

func reopen(t *testing.T, store objstore.Store, opts ...delta.Option) *delta.Table {
	t.Helper()
	return must[*delta.Table](t)(delta.Open(context.Background(), store, "", opts...))
}

func setProperties(t *testing.T, tab *delta.Table, props map[string]string) {
	t.Helper()
	must[delta.CommitResult](t)(tab.Commit(context.Background(), delta.Commit{ReadVersion: -1, Operation: "SET TBLPROPERTIES", Properties: props}))
}

func logFile(t *testing.T, store objstore.Store, name string) string {
	t.Helper()
	return string(must[[]byte](t)(objstore.ReadAll(context.Background(), store, logfile.Key("", name))))
}

func TestCommitsCarryTheirTimes(t *testing.T) {
	ctx := context.Background()
	store := objstore.Memory()
	now := time.UnixMilli(1_700_000_000_000)
	clock := delta.WithClock(func() time.Time { return now })
	tab := create(t, store, map[string]string{"delta.enableInCommitTimestamps": "true"}, clock)
	begun := now
	now = now.Add(time.Hour)
	r := must[delta.CommitResult](t)(tab.Commit(ctx, delta.Commit{ReadVersion: -1, Txn: &delta.Txn{AppID: "a", Version: 1}}))
	if !r.Time.Equal(now) {
		t.Errorf("committed at %s, not %s", r.Time, now)
	}
	now = begun.Add(-time.Hour) // the clock is set back
	appendRows(t, tab, 0, 1)
	if got, want := snap(t, tab).Timestamp(), begun.Add(time.Hour+time.Millisecond); !got.Equal(want) {
		t.Errorf("committed at %s, not %s", got, want)
	}
	if first, _, _ := strings.Cut(logFile(t, store, logfile.CommitName(2)), "\n"); !strings.HasPrefix(first, `{"commitInfo":{`) || !strings.Contains(first, `"inCommitTimestamp":1700003600001`) {
		t.Errorf("the first line is %s", first)
	}
	must[int64](t)(tab.Checkpoint(ctx))
	again := reopen(t, store, clock)
	if got := snap(t, again).Timestamp(); !got.Equal(begun.Add(time.Hour + time.Millisecond)) {
		t.Errorf("opened at the checkpoint: committed at %s", got)
	}
	appendRows(t, again, 1, 1)
	for at, want := range map[time.Duration]int64{0: 0, time.Minute: 0, time.Hour: 1, time.Hour + time.Millisecond: 2, 2 * time.Hour: 3} {
		if s := must[*delta.Snapshot](t)(again.SnapshotAsOf(ctx, begun.Add(at))); s.Version() != want {
			t.Errorf("after %s version %d, not %d", at, s.Version(), want)
		}
	}
	if p := snap(t, again).Protocol(); p.MinReaderVersion != 1 || !slices.Contains(p.WriterFeatures, "inCommitTimestamp") {
		t.Errorf("%+v", p)
	}
}

func TestTimesInCommitsAreSwitchedOnLater(t *testing.T) {
	ctx := context.Background()
	store := objstore.Memory()
	tab := create(t, store, nil)
	appendRows(t, tab, 0, 1)
	time.Sleep(2 * time.Millisecond)
	between := time.Now()
	time.Sleep(2 * time.Millisecond)
	setProperties(t, tab, map[string]string{"delta.enableInCommitTimestamps": "true"})
	s := snap(t, tab)
	conf := s.Metadata().Configuration
	if conf["delta.inCommitTimestampEnablementVersion"] != "2" {
		t.Errorf("%v", conf)
	}
	if ms := conf["delta.inCommitTimestampEnablementTimestamp"]; ms != json.Number(ms).String() || s.Timestamp().UnixMilli() == 0 {
		t.Errorf("%v", conf)
	}
	setProperties(t, tab, map[string]string{"a": "b"})
	if got := snap(t, tab).Metadata().Configuration["delta.inCommitTimestampEnablementVersion"]; got != "2" {
		t.Errorf("enabled since %s", got)
	}
	if s := must[*delta.Snapshot](t)(tab.SnapshotAsOf(ctx, between)); s.Version() != 1 {
		t.Errorf("version %d", s.Version())
	}
	d := must[*delta.Draft](t)(tab.Redefine(plain, delta.WithProperties(map[string]string{"delta.enableInCommitTimestamps": "true"})))
	if _, _, err := d.Commit(ctx, delta.Commit{ReadVersion: -1}); err != nil {
		t.Fatal(err)
	}
	if got := snap(t, tab).Metadata().Configuration["delta.inCommitTimestampEnablementVersion"]; got != "2" {
		t.Errorf("enabled since %s after the table was replaced", got)
	}
}

func bases(s *delta.Snapshot) (out [][2]int64) {
	for a := range s.All() {
		out = append(out, [2]int64{*a.BaseRowID, *a.DefaultRowCommitVersion})
	}
	return out
}

func TestRowsAreNumbered(t *testing.T) {
	ctx := context.Background()
	store := objstore.Memory()
	tab := create(t, store, map[string]string{"delta.enableRowTracking": "true", "delta.enableDeletionVectors": "true"})
	appendRows(t, tab, 0, 10)
	appendRows(t, tab, 10, 5)
	if d := cmp.Diff([][2]int64{{0, 1}, {10, 2}}, bases(snap(t, tab))); d != "" {
		t.Error(d)
	}
	other := reopen(t, store)
	appendRows(t, other, 15, 1)
	appendRows(t, tab, 16, 1) // loses the race and numbers anew
	want := [][2]int64{{0, 1}, {10, 2}, {15, 3}, {16, 4}}
	if d := cmp.Diff(want, bases(snap(t, tab))); d != "" {
		t.Error(d)
	}
	s := snap(t, tab)
	set := &delta.RowSet{}
	set.Add(0)
	for a := range s.All() {
		if *a.BaseRowID == 10 {
			adds, removes, err := s.DeleteRows(ctx, []delta.FileRows{{Add: a, Rows: set}})
			check(t, err)
			must[delta.CommitResult](t)(tab.Commit(ctx, delta.Commit{ReadVersion: s.Version(), DataChange: true, Adds: adds, Removes: removes}))
		}
	}
	must[int64](t)(tab.Checkpoint(ctx))
	again := reopen(t, store)
	must[int64](t)(again.Overwrite(ctx, delta.Batches(rows(0, 2))))
	if d := cmp.Diff([][2]int64{{17, 6}}, bases(snap(t, again))); d != "" {
		t.Error(d)
	}
	if log := logFile(t, store, logfile.CommitName(6)); !strings.Contains(log, `{"domain":"delta.rowTracking","configuration":"{\"rowIdHighWaterMark\":18}","removed":false}`) {
		t.Error(log)
	}
	conf := snap(t, again).Metadata().Configuration
	if conf["delta.rowTracking.materializedRowIdColumnName"] == "" || conf["delta.rowTracking.materializedRowCommitVersionColumnName"] == "" {
		t.Errorf("%v", conf)
	}
}

func TestRowsOfATableThatBeginsToTrackThemAreNumbered(t *testing.T) {
	tab := create(t, objstore.Memory(), nil)
	appendRows(t, tab, 0, 3)
	appendRows(t, tab, 3, 4)
	setProperties(t, tab, map[string]string{"delta.enableRowTracking": "true"})
	appendRows(t, tab, 7, 1)
	if d := cmp.Diff([][2]int64{{0, 3}, {3, 3}, {7, 4}}, bases(snap(t, tab))); d != "" {
		t.Error(d)
	}
	if n := len(ids(t, snap(t, tab))); n != 8 {
		t.Errorf("%d rows", n)
	}
}

func TestChecksumsAreWrittenAndChecked(t *testing.T) {
	ctx := context.Background()
	store := objstore.Memory()
	tab := create(t, store, map[string]string{"delta.enableInCommitTimestamps": "true"})
	appendRows(t, tab, 0, 3, delta.WithTxn("app", 7))
	var c struct {
		TxnID       string         `json:"txnId"`
		Bytes       int64          `json:"tableSizeBytes"`
		Files       int64          `json:"numFiles"`
		NumMetadata int64          `json:"numMetadata"`
		NumProtocol int64          `json:"numProtocol"`
		Time        int64          `json:"inCommitTimestampOpt"`
		Txns        []delta.Txn    `json:"setTransactions"`
		Metadata    delta.Metadata `json:"metadata"`
		Protocol    delta.Protocol `json:"protocol"`
	}
	text := logFile(t, store, logfile.ChecksumName(1))
	check(t, json.Unmarshal([]byte(text), &c))
	s := snap(t, tab)
	if c.Bytes != s.Bytes() || c.Files != 1 || c.NumMetadata != 1 || c.NumProtocol != 1 || c.Time != s.Timestamp().UnixMilli() || c.TxnID == "" ||
		len(c.Txns) != 1 || c.Metadata.ID != tab.ID() || c.Protocol.MinWriterVersion != 7 {
		t.Errorf("%s", text)
	}
	if !strings.Contains(logFile(t, store, logfile.ChecksumName(0)), `"numFiles":0`) {
		t.Error("version 0 has no checksum")
	}
	put := func(text string) {
		t.Helper()
		_, err := store.Put(ctx, logfile.Key("", logfile.ChecksumName(1)), strings.NewReader(text), objstore.PutOptions{})
		check(t, err)
	}
	for _, wrong := range []string{
		strings.Replace(text, `"numFiles":1`, `"numFiles":2`, 1), strings.Replace(text, `"tableSizeBytes":`, `"tableSizeBytes":1`, 1),
		strings.Replace(text, tab.ID(), "other", 1),
	} {
		put(wrong)
		if _, err := delta.Open(ctx, store, ""); !errors.Is(err, delta.ErrCorrupt) || !strings.Contains(err.Error(), logfile.ChecksumName(1)) {
			t.Errorf("%v", err)
		}
	}
	for _, useless := range []string{"", "{", "[]", "{}", text[:len(text)/2]} {
		put(useless)
		reopen(t, store)
	}
	put("kept")
	must[objstore.Info](t)(store.Put(ctx, logfile.Key("", logfile.ChecksumName(2)), strings.NewReader("kept"), objstore.PutOptions{}))
	appendRows(t, tab, 3, 1)
	if got := logFile(t, store, logfile.ChecksumName(2)); got != "kept" {
		t.Errorf("the checksum file was overwritten: %s", got)
	}
	quiet := create(t, objstore.Memory(), nil, delta.WithChecksums(false))
	appendRows(t, quiet, 0, 1)
}

func TestAChecksumTellsOfACheckpointThatLacksFiles(t *testing.T) {
	ctx := context.Background()
	store := objstore.Memory()
	tab := create(t, store, nil)
	appendRows(t, tab, 0, 3)
	must[int64](t)(tab.Checkpoint(ctx))
	lacking := must[[]byte](t)(objstore.ReadAll(ctx, store, logfile.Key("", logfile.CheckpointName(1))))
	appendRows(t, tab, 3, 3)
	_, err := store.Put(ctx, logfile.Key("", logfile.CheckpointName(2)), bytes.NewReader(lacking), objstore.PutOptions{})
	check(t, err)
	if s := snap(t, reopen(t, store)); s.NumFiles() != 2 {
		t.Errorf("%d files", s.NumFiles())
	}
}

var v2Policy = map[string]string{"delta.checkpointPolicy": "v2"}

func TestCheckpointsOfTheSecondKind(t *testing.T) {
	ctx := context.Background()
	store := objstore.Memory()
	now := time.Now()
	clock := delta.WithClock(func() time.Time { return now })
	tab := create(t, store, v2Policy, clock)
	appendRows(t, tab, 0, 3, delta.WithTxn("app", 1))
	must[int64](t)(tab.Overwrite(ctx, delta.Batches(rows(3, 4))))
	must[int64](t)(tab.Checkpoint(ctx))
	files := func() (manifests, sidecars int) {
		t.Helper()
		for _, n := range logNames(t, store) {
			switch {
			case strings.HasPrefix(n, "_sidecars/"):
				sidecars++
			case logfile.Parse(n).Kind == logfile.V2:
				manifests++
			case strings.Contains(n, "checkpoint.parquet"):
				t.Errorf("a classic checkpoint: %s", n)
			}
		}
		return manifests, sidecars
	}
	if m, s := files(); m != 1 || s != 1 {
		t.Errorf("%d manifests, %d sidecars", m, s)
	}
	for v := range int64(3) {
		check(t, store.Delete(ctx, logfile.Key("", logfile.CommitName(v))))
	}
	s := snap(t, reopen(t, store))
	if got := ids(t, s); len(got) != 4 || s.Version() != 2 {
		t.Errorf("version %d: %v", s.Version(), got)
	}
	if v, ok := s.Txn("app"); v != 1 || !ok {
		t.Errorf("txn %d, %v", v, ok)
	}
	if p := s.Protocol(); p.MinReaderVersion != 3 || !slices.Equal(p.ReaderFeatures, []string{"v2Checkpoint"}) {
		t.Errorf("%+v", p)
	}
	// The tombstone goes on into the next one.
	again := reopen(t, store, clock)
	appendRows(t, again, 7, 1)
	must[int64](t)(again.Checkpoint(ctx))
	if hint := logFile(t, store, logfile.Hint); !strings.Contains(hint, `"size":8,`) { // protocol, metadata, txn, version, sidecar, remove, 2 adds
		t.Error(hint)
	}
	now = now.Add(40 * 24 * time.Hour)
	must[int](t)(again.CleanupLog(ctx, delta.CleanupOptions{}))
	if m, s := files(); m != 1 || s != 1 {
		t.Errorf("cleaned up: %d manifests, %d sidecars", m, s)
	}
	if got := ids(t, snap(t, reopen(t, store))); len(got) != 5 {
		t.Errorf("%v", got)
	}
}

func TestPropertiesThatAskForTheUnknownAreRefused(t *testing.T) {
	ctx := context.Background()
	for k, v := range map[string]string{"delta.checkpointPolicy": "v3", "delta.columnMapping.mode": "place", "delta.feature.timeMachine": "supported"} {
		store := objstore.Memory()
		if _, err := delta.Create(ctx, store, "", plain, delta.WithProperties(map[string]string{k: v})); !errors.Is(err, delta.ErrUnsupportedFeature) {
			t.Errorf("%s=%s: %v", k, v, err)
		}
		for range store.List(ctx, "", "") {
			t.Errorf("%s=%s: something was written", k, v)
		}
	}
	if _, err := delta.Create(ctx, objstore.Memory(), "", arrow.NewSchema(nil, nil)); !errors.Is(err, delta.ErrSchemaMismatch) {
		t.Errorf("a table without columns: %v", err)
	}
}
