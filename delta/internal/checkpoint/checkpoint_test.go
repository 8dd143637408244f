package checkpoint

import (
	"bytes"
	"context"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/marisma/marisma/delta/internal/action"
)

func sample(t testing.TB, p *action.Protocol) ([]byte, *action.Set) {
	t.Helper()
	set := &action.Set{
		Protocol: p,
		Metadata: &action.Metadata{
			ID: "id", Name: "n", Format: action.Format{Provider: "parquet", Options: map[string]string{}}, SchemaString: "{}",
			PartitionColumns: []string{"p"}, Configuration: map[string]string{"a": "", "b": "c"}, CreatedTime: 5,
		},
		Txns:    []action.Txn{{AppID: "a", Version: 3}, {AppID: "b", Version: 4, LastUpdated: 9}},
		Removes: []action.Remove{{Path: "old", DeletionTimestamp: 4, ExtendedFileMetadata: true, PartitionValues: action.Values{"p": "x"}, Size: 8}},
		Adds: []action.Add{
			{Path: "one", PartitionValues: action.Values{"p": ""}, Size: 1, ModificationTime: 2, Stats: `{"numRecords":3}`},
			{Path: "two", PartitionValues: action.Values{"p": "y"}, Size: 1, ModificationTime: 2, Tags: map[string]string{"t": "u"}},
		},
	}
	if p.MinWriterVersion >= 7 {
		off, n := int32(4), int64(8)
		set.Domains = []action.Domain{{Domain: "d", Configuration: "c"}}
		set.Adds[1].DeletionVector = &action.DeletionVector{StorageType: "u", PathOrInlineDv: "v", Offset: &off, SizeInBytes: 5, Cardinality: 6}
		set.Adds[1].BaseRowID, set.Adds[1].ClusteringProvider = &n, "liquid"
	}
	var b bytes.Buffer
	w, err := NewWriter(&b, p, Whole)
	if err != nil {
		t.Fatal(err)
	}
	errs := []error{w.Metadata(set.Metadata)}
	for i := range set.Txns {
		errs = append(errs, w.Txn(&set.Txns[i]))
	}
	for i := range set.Domains {
		errs = append(errs, w.Domain(&set.Domains[i]))
	}
	for i := range set.Removes {
		errs = append(errs, w.Remove(&set.Removes[i]))
	}
	for i := range set.Adds {
		errs = append(errs, w.Add(&set.Adds[i]))
	}
	_, _, err = w.Close()
	for _, e := range append(errs, err) {
		if e != nil {
			t.Fatal(e)
		}
	}
	return b.Bytes(), set
}

func collect(data []byte) (*action.Set, error) {
	got := &action.Set{}
	return got, Read(context.Background(), bytes.NewReader(data), &Visitor{
		Protocol: func(p *action.Protocol) error { got.Protocol = p; return nil },
		Metadata: func(m *action.Metadata) error { got.Metadata = m; return nil },
		Txn:      func(x action.Txn) error { got.Txns = append(got.Txns, x); return nil },
		Domain:   func(d action.Domain) error { got.Domains = append(got.Domains, d); return nil },
		Add:      func(a action.Add) error { got.Adds = append(got.Adds, a); return nil },
		Remove:   func(r action.Remove) error { got.Removes = append(got.Removes, r); return nil },
	})
}

func TestACheckpointIsReadAsWritten(t *testing.T) {
	for _, p := range []*action.Protocol{
		{MinReaderVersion: 1, MinWriterVersion: 2},
		{MinReaderVersion: 1, MinWriterVersion: 7, WriterFeatures: []string{"appendOnly"}},
		{MinReaderVersion: 3, MinWriterVersion: 7, ReaderFeatures: []string{}, WriterFeatures: []string{"x"}},
	} {
		data, want := sample(t, p)
		got, err := collect(data)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want, got, cmpopts.EquateEmpty()); d != "" {
			t.Errorf("protocol %d/%d: %s", p.MinReaderVersion, p.MinWriterVersion, d)
		}
	}
}

func TestManyActionsGoThroughSeveralRowGroups(t *testing.T) {
	var b bytes.Buffer
	w, err := NewWriter(&b, &action.Protocol{MinReaderVersion: 1, MinWriterVersion: 2}, Whole)
	if err != nil {
		t.Fatal(err)
	}
	const n = groupRows + 3*batchRows + 7
	for i := range n {
		if err := w.Add(&action.Add{Path: "p", Size: int64(i)}); err != nil {
			t.Fatal(err)
		}
	}
	if rows, adds, err := w.Close(); err != nil || adds != n || rows != n+1 {
		t.Fatal(rows, adds, err)
	}
	next := int64(0)
	err = Read(t.Context(), bytes.NewReader(b.Bytes()), &Visitor{Add: func(a action.Add) error {
		if a.Size != next {
			t.Fatalf("add %d instead of %d", a.Size, next)
		}
		next++
		return nil
	}})
	if err != nil || next != n {
		t.Fatal(next, err)
	}
}

func FuzzRead(f *testing.F) {
	for _, p := range []*action.Protocol{{MinReaderVersion: 1, MinWriterVersion: 2}, {MinReaderVersion: 3, MinWriterVersion: 7}} {
		data, _ := sample(f, p)
		f.Add(data)
		f.Add(data[:len(data)/2])
	}
	f.Add([]byte("PAR1PAR1"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := collect(data)
		if err != nil {
			return
		}
		for _, a := range got.Adds {
			if a.Path == "" {
				t.Fatal("an add without path was accepted")
			}
		}
	})
}

func FuzzPointer(f *testing.F) {
	for _, s := range []string{`{"version":10,"size":3}`, `{"version":1,"size":1,"parts":2,"checksum":"x"}`, `{"vers`, ``, `{"version":-1}`, `[]`, `null`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := ParsePointer(data)
		if err == nil && (p.Version < 0 || p.Parts != nil && *p.Parts < 1) {
			t.Fatalf("%+v was accepted", p)
		}
	})
}

func TestADamagedFileIsRefusedOrReadButNothingWorse(t *testing.T) {
	data, _ := sample(t, &action.Protocol{MinReaderVersion: 3, MinWriterVersion: 7})
	r := rand.New(rand.NewPCG(5, 6))
	refused := 0
	for range 400 {
		bad := bytes.Clone(data)
		for range 1 + r.IntN(4) {
			at := r.IntN(len(bad))
			if r.IntN(2) == 0 {
				at = len(bad) - 1 - r.IntN(min(len(bad), 2500)) // the footer
			}
			bad[at] = byte(r.Uint32())
		}
		if r.IntN(8) == 0 {
			bad = bad[:r.IntN(len(bad))]
		}
		if _, err := collect(bad); err != nil {
			refused++
		}
	}
	t.Logf("%d of 400 refused", refused)
	if refused < 100 {
		t.Errorf("only %d of 400 damaged files were refused", refused)
	}
}
