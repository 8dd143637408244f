package delta

import (
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/google/uuid"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/schema"
)

// alter is the tip's metadata with c's changes, and the protocol where they
// need another one.
func (t *Table) alter(tip *state, c *Commit) (*Metadata, *Protocol, error) {
	if c.define != nil {
		m := *c.define.meta
		m.Configuration = maps.Clone(m.Configuration)
		return &m, c.define.newer(tip.protocol), c.count(&m)
	}
	m := *tip.meta
	m.Configuration = maps.Clone(m.Configuration)
	if m.Configuration == nil {
		m.Configuration = map[string]string{}
	}
	if err := checkLayout(c.Properties); err != nil {
		return nil, nil, err
	}
	for k, v := range c.Properties {
		if v == "" {
			delete(m.Configuration, k)
		} else {
			m.Configuration[k] = v
		}
	}
	if c.Description != nil {
		m.Description, m.Described = *c.Description, true
	}
	sc := tip.schema
	if c.SchemaTo != nil {
		var err error
		if sc, err = schema.Normal(c.SchemaTo); err != nil {
			return nil, nil, fmt.Errorf("delta: %w", err)
		}
		if sc, err = c.widened(tip, sc, &m); err != nil {
			return nil, nil, err
		}
		m.PartitionColumns = partitionNames(tip, sc)
		if err := checkPartition(sc, m.PartitionColumns); err != nil {
			return nil, nil, err
		}
	}
	sc, err := c.numbered(tip.schema, sc)
	if err != nil {
		return nil, nil, err
	}
	if c.ClusterBy != nil {
		m.Configuration[featurePrefix+"clustering"], m.Configuration[featurePrefix+"domainMetadata"] = "supported", "supported"
	}
	p, err := t.protocolOf(tip.protocol, sc, m.Configuration)
	if err != nil {
		return nil, nil, err
	}
	if schema.MappingOf(m.Configuration) != schema.Unmapped {
		names := newPhysicalName
		if schema.MappingOf(tip.meta.Configuration) == schema.Unmapped {
			names = func(column string) string { return column } // the files that are there have it
		}
		var last int32
		sc, last = schema.Assign(sc, maxID(tip.meta), names)
		m.Configuration[schema.MaxIDKey] = strconv.Itoa(int(last))
	}
	if c.drop != "" {
		p = c.dropped(tip.protocol, &m, tip.version+1)
	}
	nameRowColumns(p, m.Configuration)
	if m.SchemaString, err = schema.Text(sc); err != nil {
		return nil, nil, fmt.Errorf("delta: %w", err)
	}
	if err := t.writable(p, &m, sc); err != nil {
		return nil, nil, err
	}
	if p == tip.protocol {
		p = nil
	}
	return &m, p, nil
}

// count notes the numbers given out in the metadata of a draft.
func (c *Commit) count(m *Metadata) error {
	if len(c.Identity) == 0 {
		return nil
	}
	sc, err := schema.Parse(m.SchemaString)
	if err != nil {
		return fmt.Errorf("delta: %w", err)
	}
	if sc, err = c.numbered(sc, sc); err != nil {
		return err
	}
	if m.SchemaString, err = schema.Text(sc); err != nil {
		return fmt.Errorf("delta: %w", err)
	}
	return nil
}

// widened is the schema that c gives the table, whose fields remember the types
// that files have them in. m is the table's metadata to be.
func (c *Commit) widened(tip *state, to *arrow.Schema, m *Metadata) (*arrow.Schema, error) {
	if c.restores {
		return to, nil
	}
	out, first, err := mappingOf(tip.protocol, tip.meta).Widen(tip.schema, to)
	switch {
	case first == "" && err == nil:
		return to, nil
	case c.ReplaceAll && (err != nil || !strings.EqualFold(m.Configuration[wideningKey], "true")):
		return to, nil // no file is left that has the old type
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrSchemaMismatch, err)
	case !strings.EqualFold(m.Configuration[wideningKey], "true"):
		return nil, fmt.Errorf("%w: the type of %s changes, for which the table needs the property %s=true", ErrSchemaMismatch, first, wideningKey)
	}
	return out, nil
}

func newPhysicalName(string) string { return "col-" + uuid.NewString() }

func maxID(m *Metadata) int32 {
	n, err := strconv.ParseInt(m.Configuration[schema.MaxIDKey], 10, 32)
	if err != nil {
		return 0
	}
	return int32(n)
}

// partitionNames are the tip's partition columns under the names that they
// have in s: with column mapping a column may have been renamed.
func partitionNames(tip *state, s *arrow.Schema) []string {
	m := schema.MappingOf(tip.meta.Configuration)
	out := make([]string, len(tip.meta.PartitionColumns))
	for i, name := range tip.meta.PartitionColumns {
		out[i] = name
		old, ok := tip.schema.FieldsByName(name)
		if s.HasField(name) || !ok || m == schema.Unmapped {
			continue
		}
		for _, f := range s.Fields() {
			if m.Name(f) == m.Name(old[0]) {
				out[i] = f.Name
			}
		}
	}
	return out
}

// Extend is a schema that a commit may give the table (Commit.SchemaTo), and
// its files (WriterOptions.SchemaTo): columns that the table does not have yet
// get what column mapping, where it is on, needs of them.
func (s *Snapshot) Extend(to *arrow.Schema) (*arrow.Schema, error) {
	sc, err := schema.Normal(to)
	if err != nil {
		return nil, fmt.Errorf("delta: %w", err)
	}
	if s.mapping != schema.Unmapped {
		sc, _ = schema.Assign(sc, maxID(s.meta), newPhysicalName)
	}
	return sc, nil
}

// clusters are the domains that change with the definition.
func (c *Commit) clusters(tip *state, m *Metadata) ([]action.Domain, error) {
	cols := c.ClusterBy
	if c.define != nil {
		if _, had := tip.domains[clusterDomain]; !had && c.define.table.opt.cluster == nil {
			return nil, nil
		}
		cols = &c.define.table.opt.cluster
	}
	if cols == nil {
		return nil, nil
	}
	sc, err := schema.Parse(m.SchemaString)
	if err != nil {
		return nil, fmt.Errorf("delta: %w", err)
	}
	d, err := clusterAction(sc, schema.MappingOf(m.Configuration), *cols)
	return []action.Domain{d}, err
}
