package bundle

import (
	"errors"
	"strings"
	"testing"
	"testing/fstest"
)

func FuzzLoadYAML(f *testing.F) {
	f.Add("bundle: {name: x}\n", "hub: {}\n")
	f.Fuzz(func(t *testing.T, databricks, local string) {
		fsys := fstest.MapFS{
			bundleFile:  {Data: []byte(databricks)},
			localFile:   {Data: []byte(local)},
			"r/p.yml":   {Data: []byte("resources: {}\n")},
			"src/a.sql": {Data: []byte("SELECT 1")},
		}
		p, err := load(fsys, "/project", "", nil)
		if err == nil {
			if p.Name == "" || p.Hub.Partitions < 1 || p.Hub.Retention <= 0 || p.Hub.RetentionBytes < 0 || p.Memory < 0 {
				t.Errorf("loaded without what it needs: %+v", p)
			}
			if n := len(p.DeviceIDs()); n > maxSeeds {
				t.Errorf("%d devices", n)
			}
			return
		}
		all, ok := errors.AsType[Errors](err)
		if !ok {
			t.Fatalf("not Errors: %v", err)
		}
		for _, e := range all {
			// A message may quote the input, which may hold what fmt writes for a wrong verb.
			broken := strings.Contains(e.Message, "%!") && !strings.Contains(databricks+local, "%!")
			if e.File == "" || e.Line < 0 || e.Message == "" || broken {
				t.Errorf("problem without a place or with broken words: %+v", e)
			}
		}
	})
}
