package logfile

import "testing"

func TestNamesAreTakenApart(t *testing.T) {
	for name, want := range map[string]Name{
		CommitName(7):     {Kind: Commit, Version: 7},
		CheckpointName(8): {Kind: Checkpoint, Version: 8},
		ChecksumName(9):   {Kind: Checksum, Version: 9},
		V2Name(10, "5c4e9a0a-1f0e-4a52-8d2a-3f8a6d3a5f11"):              {Kind: V2, Version: 10},
		"00000000000000000011.checkpoint.0000000002.0000000003.parquet": {Kind: Checkpoint, Version: 11, Part: 2, Parts: 3},
		"00000000000000000001.00000000000000000004.compacted.json":      {Kind: Compacted, Version: 1},
		"00000000000000000011.checkpoint.0000000004.0000000003.parquet": {Version: 11},
		"_last_checkpoint": {}, ".00000000000000000001.json.crc": {}, "1.json": {}, "0000000000000000000x.json": {}, "": {},
	} {
		if got := Parse(name); got != want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{CommitName(1), CheckpointName(2), ChecksumName(3), V2Name(4, "x"), "00000000000000000001.checkpoint.0000000001.0000000001.parquet"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if n := Parse(name); n.Version < 0 || n.Part < 0 || n.Part > n.Parts {
			t.Fatalf("%q is %+v", name, n)
		}
	})
}
