package delta

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"sort"
	"strings"
	"testing"

	"github.com/cockroachdb/datadriven"

	"github.com/marisma/marisma/delta/internal/logfile"
	"github.com/marisma/marisma/objstore"
)

// TestLogReplay runs the scripts in testdata/replay against a log made by hand:
//
//	commit V          write V.json; the input is its text
//	file NAME         write a log file
//	checkpoint        let a handle write a checkpoint of the newest version
//	delete NAME       remove a log file
//	open [at=V]       replay and tell what is there
//	changes after=V   tell what versions did
//	clean             delete log files past their retention
func TestLogReplay(t *testing.T) {
	datadriven.Walk(t, "testdata/replay", func(t *testing.T, path string) {
		ctx := context.Background()
		store := objstore.Memory()
		put := func(name, text string) {
			if _, err := store.Put(ctx, logfile.Key("t", name), strings.NewReader(text), objstore.PutOptions{}); err != nil {
				t.Fatal(err)
			}
		}
		datadriven.RunTest(t, path, func(t *testing.T, d *datadriven.TestData) string {
			arg := func() string {
				if len(d.CmdArgs) == 0 {
					t.Fatalf("%s: %s needs an argument", d.Pos, d.Cmd)
				}
				return d.CmdArgs[0].Key
			}
			switch d.Cmd {
			case "commit":
				var v int64
				if _, err := fmt.Sscan(arg(), &v); err != nil {
					t.Fatal(err)
				}
				put(logfile.CommitName(v), expand(d.Input))
				return "ok\n"
			case "file":
				put(arg(), d.Input)
				return "ok\n"
			case "delete":
				if err := store.Delete(ctx, logfile.Key("t", arg())); err != nil {
					return err.Error() + "\n"
				}
				return "ok\n"
			case "open":
				at := int64(-1)
				d.MaybeScanArgs(t, "at", &at)
				return describe(ctx, store, at)
			}
			tab, err := Open(ctx, store, "t")
			if err != nil {
				return err.Error() + "\n"
			}
			switch d.Cmd {
			case "checkpoint":
				v, err := tab.Checkpoint(ctx)
				return fmt.Sprintln(v, err)
			case "clean":
				n, err := tab.CleanupLog(ctx, CleanupOptions{Retention: 1})
				return fmt.Sprintln(n, err)
			case "changes":
				var after int64
				d.ScanArgs(t, "after", &after)
				return tell(ctx, tab, after)
			}
			return "unknown command\n"
		})
	})
}

// expand fills in what each table needs.
func expand(text string) string {
	return strings.NewReplacer(
		"PROTOCOL", `{"protocol":{"minReaderVersion":1,"minWriterVersion":2}}`,
		"METADATA", `{"metaData":{"id":"one","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[{\"name\":\"a\",\"type\":\"long\",\"nullable\":true,\"metadata\":{}}]}","partitionColumns":[],"configuration":{}}}`,
	).Replace(text)
}

func family(err error) string {
	for _, f := range []error{ErrNotATable, ErrUnsupportedFeature, ErrVersionNotFound, ErrCorrupt, ErrTableChanged} {
		if errors.Is(err, f) {
			return fmt.Sprintf("error (%s)\n", strings.TrimPrefix(f.Error(), "delta: "))
		}
	}
	return err.Error() + "\n"
}

func describe(ctx context.Context, store objstore.Store, at int64) string {
	tab := newTable(store, "t", newOptions(nil))
	st, err := tab.load(ctx, at)
	if err != nil {
		return family(err)
	}
	s := st.snapshot(tab)
	var b bytes.Buffer
	fmt.Fprintf(&b, "version %d, %d files, %d bytes\n", s.Version(), s.NumFiles(), s.Bytes())
	var names []string
	for a := range s.All() {
		line := s.Locate(a)
		if a.DeletionVector != nil {
			line += " with " + a.DeletionVector.PathOrInlineDv
		}
		names = append(names, line)
	}
	sort.Strings(names)
	for _, n := range names {
		fmt.Fprintln(&b, " ", n)
	}
	for _, x := range sortedTxns(s) {
		fmt.Fprintf(&b, "  txn %s at %d\n", x.AppID, x.Version)
	}
	return b.String()
}

func tell(ctx context.Context, tab *Table, after int64) string {
	var b bytes.Buffer
	for c, err := range tab.Changes(ctx, after) {
		if err != nil {
			b.WriteString(family(err))
			break
		}
		fmt.Fprintf(&b, "%d %s:", c.Version, c.Operation)
		for _, a := range c.Adds {
			fmt.Fprintf(&b, " +%s", a.Path)
		}
		for _, r := range c.Removes {
			fmt.Fprintf(&b, " -%s", r.Path)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
