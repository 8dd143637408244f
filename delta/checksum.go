package delta

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/marisma/marisma/delta/internal/action"
	"github.com/marisma/marisma/delta/internal/logfile"
	"github.com/marisma/marisma/objstore"
)

// checksum is the content of a version's .crc file (PROTOCOL.md, "Version
// Checksum File"). Nil fields are those that a writer left out.
type checksum struct {
	TxnID       string          `json:"txnId,omitempty"`
	Bytes       *int64          `json:"tableSizeBytes"`
	Files       *int64          `json:"numFiles"`
	NumMetadata int64           `json:"numMetadata"`
	NumProtocol int64           `json:"numProtocol"`
	Time        *int64          `json:"inCommitTimestampOpt,omitempty"`
	Txns        []Txn           `json:"setTransactions,omitempty"`
	Domains     []action.Domain `json:"domainMetadata,omitempty"`
	Metadata    *Metadata       `json:"metadata"`
	Protocol    *Protocol       `json:"protocol"`

	version int64
}

// mostListed bounds the transactions and domains that a checksum lists.
const mostListed = 100

// checksum describes the state; its owner holds it.
func (s *state) checksum(txnID string) *checksum {
	files, size := int64(len(s.index)), s.bytes
	m := *s.meta
	if m.Format.Options == nil {
		m.Format.Options = map[string]string{}
	}
	if m.PartitionColumns == nil {
		m.PartitionColumns = []string{}
	}
	if m.Configuration == nil {
		m.Configuration = map[string]string{}
	}
	c := &checksum{TxnID: txnID, Bytes: &size, Files: &files, NumMetadata: 1, NumProtocol: 1, Metadata: &m, Protocol: s.protocol, version: s.version}
	if s.stamped() {
		ms := s.time.UnixMilli()
		c.Time = &ms
	}
	if len(s.txns) <= mostListed {
		for _, k := range slices.Sorted(maps.Keys(s.txns)) {
			c.Txns = append(c.Txns, s.txns[k])
		}
	}
	if len(s.domains) <= mostListed {
		for _, k := range slices.Sorted(maps.Keys(s.domains)) {
			c.Domains = append(c.Domains, s.domains[k])
		}
	}
	return c
}

// enter takes an own commit in and describes the table after it; nil where the
// handle is further already.
func (t *Table) enter(version int64, set *action.Set, at time.Time, txnID string) *checksum {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.tip.version != version-1 {
		return nil
	}
	t.tip.apply(version, set, at)
	t.seen = time.Now()
	if !t.opt.checksums || t.tip.check() != nil {
		return nil
	}
	return t.tip.checksum(txnID)
}

// putChecksum writes a version's checksum file. It is a help for readers: where
// it cannot be written the commit stands, and one that is there stays.
func (t *Table) putChecksum(ctx context.Context, c *checksum) {
	if c == nil || !t.opt.checksums {
		return
	}
	data, err := action.Marshal(c)
	if err == nil {
		_, err = t.store.Put(ctx, t.logKey(logfile.ChecksumName(c.version)), bytes.NewReader(data), objstore.PutOptions{IfAbsent: true, Spare: true})
	}
	if err != nil && !errors.Is(err, objstore.ErrExists) {
		t.opt.logger.WarnContext(ctx, "checksum file not written", "table", t.root, "version", c.version, "err", err)
	}
}

// verify compares a state with its version's checksum file, if the log has
// one. A checksum that cannot be read says nothing.
func (t *Table) verify(ctx context.Context, st *state, l *listing) error {
	for _, f := range l.Rest {
		if f.Kind != logfile.Checksum || f.Version != st.version {
			continue
		}
		data, err := objstore.ReadAll(ctx, t.store, f.Key)
		if errors.Is(err, objstore.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		c, err := parseChecksum(data)
		if err != nil {
			t.opt.logger.WarnContext(ctx, "checksum file cannot be read", "table", t.root, "file", f.Key, "err", err)
			return nil
		}
		if err := c.differs(st); err != nil {
			return fmt.Errorf("%w: %s contradicts the log: %w", ErrCorrupt, f.Key, err)
		}
	}
	return nil
}

func parseChecksum(data []byte) (*checksum, error) {
	c := &checksum{}
	if err := json.Unmarshal(data, c); err != nil {
		return nil, err
	}
	return c, nil
}

// differs tells in what the state is not what the checksum says.
func (c *checksum) differs(st *state) error {
	switch {
	case c.Files != nil && *c.Files != int64(len(st.index)):
		return fmt.Errorf("%d files, not %d", len(st.index), *c.Files)
	case c.Bytes != nil && *c.Bytes != st.bytes:
		return fmt.Errorf("%d bytes, not %d", st.bytes, *c.Bytes)
	case c.Metadata != nil && c.Metadata.ID != st.meta.ID:
		return fmt.Errorf("the table's id is %s, not %s", st.meta.ID, c.Metadata.ID)
	case c.Metadata != nil && c.Metadata.SchemaString != "" && c.Metadata.SchemaString != st.meta.SchemaString:
		return errors.New("the schema is another")
	}
	return nil
}
