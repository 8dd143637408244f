package delta

import (
	"strconv"

	"github.com/marisma/marisma/delta/internal/action"
)

// stampCommit gives a commit after the state before its time in the table's
// order, where the table has in-commit timestamps: now, and later than the
// commit before. A commit that switches them on says from which version they
// count. before is empty for a table's first commit.
func stampCommit(before *state, set *action.Set, now int64) {
	after := before.meta
	if set.Metadata != nil {
		after = set.Metadata
	}
	if after.Configuration[ictKey] != "true" {
		return
	}
	when := now
	if before.version >= 0 {
		when = max(now, before.time.UnixMilli()+1)
	}
	set.Info.InCommitTimestamp = &when
	if set.Metadata == nil || before.meta == nil {
		return
	}
	if before.stamped() { // since when does not change
		for _, k := range []string{ictVersionKey, ictTimeKey} {
			if v, ok := before.meta.Configuration[k]; ok {
				set.Metadata.Configuration[k] = v
			}
		}
		return
	}
	set.Metadata.Configuration[ictVersionKey] = strconv.FormatInt(before.version+1, 10)
	set.Metadata.Configuration[ictTimeKey] = strconv.FormatInt(when, 10)
}

// stamped tells whether the table has in-commit timestamps.
func (s *state) stamped() bool { return s.meta != nil && s.meta.Configuration[ictKey] == "true" }
