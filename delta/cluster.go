package delta

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/schema"
)

// clusterDomain is the metadata domain that names a table's clustering columns.
const clusterDomain = "delta.clustering"

// WithClusterBy clusters a new table by columns, each the path to a column or a
// field of one.
func WithClusterBy(columns ...[]string) Option {
	return func(o *options) { o.cluster = append([][]string{}, columns...) }
}

type clustering struct {
	Columns [][]string `json:"clusteringColumns"`
	Name    string     `json:"domainName"`
}

// clusterAction is the domain that clusters a table of this schema.
func clusterAction(s *arrow.Schema, m schema.Mapping, cols [][]string) (action.Domain, error) {
	c := clustering{Columns: [][]string{}, Name: clusterDomain}
	for _, path := range cols {
		fields := s.Fields()
		var names []string
		for _, p := range path {
			f, ok := fieldNamed(fields, p)
			if !ok {
				return action.Domain{}, fmt.Errorf("%w: no column %s to cluster by", ErrSchemaMismatch, strings.Join(path, "."))
			}
			names = append(names, m.Name(f))
			fields = nil
			if st, ok := f.Type.(*arrow.StructType); ok {
				fields = st.Fields()
			}
		}
		c.Columns = append(c.Columns, names)
	}
	b, err := json.Marshal(c)
	return action.Domain{Domain: clusterDomain, Configuration: string(b)}, err
}

func fieldNamed(fields []arrow.Field, name string) (arrow.Field, bool) {
	for _, f := range fields {
		if strings.EqualFold(f.Name, name) {
			return f, true
		}
	}
	return arrow.Field{}, false
}

// ClusterBy are the columns that the table is clustered by, each a path; nil
// where it is not.
func (s *Snapshot) ClusterBy() [][]string {
	d, ok := s.domains[clusterDomain]
	if !ok {
		return nil
	}
	var c clustering
	if json.Unmarshal([]byte(d.Configuration), &c) != nil {
		return nil
	}
	out := make([][]string, 0, len(c.Columns))
	for _, path := range c.Columns {
		fields := s.schema.Fields()
		var names []string
		for _, p := range path {
			name := p
			var next []arrow.Field
			for _, f := range fields {
				if s.mapping.Name(f) == p {
					name = f.Name
					if st, ok := f.Type.(*arrow.StructType); ok {
						next = st.Fields()
					}
				}
			}
			names, fields = append(names, name), next
		}
		out = append(out, names)
	}
	return out
}
