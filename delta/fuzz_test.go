package delta

import (
	"testing"

	"github.com/marisma/marisma/delta/internal/action"
)

func FuzzChecksum(f *testing.F) {
	for _, s := range []string{
		`{"txnId":"a","tableSizeBytes":10,"numFiles":1,"numMetadata":1,"numProtocol":1,"metadata":{"id":"x"},"protocol":{"minReaderVersion":1,"minWriterVersion":2}}`,
		`{"tableSizeBytes":null}`, `{"numFiles":-1}`, `{"metadata":null,"setTransactions":[{}]}`, `{`, ``, `[]`, `null`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parseChecksum(data)
		if err != nil {
			return
		}
		st := newState()
		st.apply(0, &action.Set{Protocol: &Protocol{MinReaderVersion: 1, MinWriterVersion: 2}, Metadata: &Metadata{ID: "x"}}, st.time)
		if c.Files != nil && *c.Files != 0 && c.differs(st) == nil {
			t.Fatalf("%d files are taken for none", *c.Files)
		}
	})
}
