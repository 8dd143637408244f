package delta

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/marisma/marisma/delta/internal/action"
)

// Row tracking (PROTOCOL.md, "Row Tracking"): the property that switches it on,
// those that name the columns in which rewritten files keep row ids, and the
// domain that holds the highest id given.
const (
	rowTrackingKey    = "delta.enableRowTracking"
	rowIDColumnKey    = "delta.rowTracking.materializedRowIdColumnName"
	rowVersionColumn  = "delta.rowTracking.materializedRowCommitVersionColumnName"
	rowTrackingDomain = "delta.rowTracking"
	// rowTrackingSuspended is the property that has writers give out no ids.
	rowTrackingSuspended = "delta.rowTrackingSuspended"
)

type highWaterMark struct {
	RowID int64 `json:"rowIdHighWaterMark"`
}

func tracksRows(p *Protocol) bool {
	return p != nil && p.MinWriterVersion >= 7 && slices.Contains(p.WriterFeatures, "rowTracking")
}

// nameRowColumns names the columns of row tracking where it is on.
func nameRowColumns(p *Protocol, props map[string]string) {
	if !tracksRows(p) || props[rowTrackingKey] != "true" {
		return
	}
	if props[rowIDColumnKey] == "" {
		props[rowIDColumnKey] = "_row-id-col-" + uuid.NewString()
	}
	if props[rowVersionColumn] == "" {
		props[rowVersionColumn] = "_row-commit-version-col-" + uuid.NewString()
	}
}

// trackRows numbers the rows of files that come to a table with row tracking,
// and those of all its files when it is switched on. version is the commit's.
func (t *Table) trackRows(before *state, set *action.Set, version int64) error {
	protocol := before.protocol
	if set.Protocol != nil {
		protocol = set.Protocol
	}
	meta := before.meta
	if set.Metadata != nil {
		meta = set.Metadata
	}
	if !tracksRows(protocol) || meta != nil && meta.Configuration[rowTrackingSuspended] == "true" {
		return nil
	}
	mark := highWaterMark{RowID: -1}
	if d, ok := before.domains[rowTrackingDomain]; ok {
		if err := json.Unmarshal([]byte(d.Configuration), &mark); err != nil {
			return fmt.Errorf("%w: the domain %s: %w", ErrCorrupt, rowTrackingDomain, err)
		}
	}
	if !tracksRows(before.protocol) {
		set.Adds = append(set.Adds, untouched(before, set)...)
	}
	old := mark
	for i := range set.Adds {
		a := &set.Adds[i]
		if a.DefaultRowCommitVersion == nil {
			a.DefaultRowCommitVersion = &version
		}
		if a.BaseRowID != nil {
			mark.RowID = max(mark.RowID, *a.BaseRowID+max(recordCount(a.Stats), 1)-1)
			continue
		}
		rows := recordCount(a.Stats)
		if rows < 0 {
			return fmt.Errorf("%w: rowTracking needs the row count of %s, which has no statistics", ErrUnsupportedFeature, a.Path)
		}
		base := mark.RowID + 1
		a.BaseRowID = &base
		mark.RowID += rows
	}
	if mark == old {
		return nil
	}
	text, err := json.Marshal(mark)
	set.Domains = append(set.Domains, action.Domain{Domain: rowTrackingDomain, Configuration: string(text)})
	return err
}

// untouched are the live files that a commit neither takes out nor adds, as
// adds that change no rows.
func untouched(before *state, set *action.Set) []Add {
	touched := map[string]bool{}
	for _, r := range set.Removes {
		touched[action.Key(r.Path, r.DeletionVector)] = true
	}
	for _, a := range set.Adds {
		touched[action.Key(a.Path, a.DeletionVector)] = true
	}
	var out []Add
	for _, e := range before.files {
		if e.gone.Load() == 0 && !touched[action.Key(e.add.Path, e.add.DeletionVector)] {
			a := e.add
			a.DataChange = false
			out = append(out, a)
		}
	}
	return out
}
