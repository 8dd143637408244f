package dml

import (
	"maps"

	"github.com/marisma/marisma/delta"
	"github.com/marisma/marisma/internal/sparksql/plan"
)

// vectorCounts are the deletion vectors that a commit brings, takes away and
// replaces.
type vectorCounts struct{ added, removed, updated int64 }

// moved tells the files that a commit writes and takes away from those that
// only get another vector.
func moved(c *delta.Commit) (adds []delta.Add, gone []delta.Remove, n vectorCounts) {
	stays := map[string]bool{}
	for _, a := range c.Adds {
		if a.DeletionVector == nil {
			adds = append(adds, a)
			continue
		}
		stays[a.Path] = true
		n.added++
	}
	for _, r := range c.Removes {
		if r.DeletionVector != nil {
			n.removed++
		}
		switch {
		case !stays[r.Path]:
			gone = append(gone, r)
		case r.DeletionVector != nil:
			n.updated++
		}
	}
	return adds, gone, n
}

// metrics are the numbers that Delta's history has for the operation.
func metrics(k plan.ChangeKind, c *delta.Commit, n Counts, s *sink) map[string]string {
	var copied int64
	if s != nil {
		copied = s.counts[plan.RowCopied]
	}
	out := map[string]string{"numFiles": "", "numOutputRows": "", "numOutputBytes": "", "numRemovedFiles": ""}
	adds, gone, v := moved(c)
	added, removed, feed := num(int64(len(adds))), num(int64(len(gone))), num(int64(len(c.Changes)))
	if k == plan.ChangeMerge {
		maps.Copy(out, map[string]string{
			"numTargetRowsInserted": num(n.Inserted), "numTargetRowsUpdated": num(n.Updated), "numTargetRowsDeleted": num(n.Deleted),
			"numTargetRowsCopied": num(copied), "numOutputRows": num(copied + n.Inserted + n.Updated),
			"numTargetFilesAdded": added, "numTargetFilesRemoved": removed, "numTargetBytesAdded": addBytes(adds),
			"numTargetBytesRemoved": removeBytes(gone), "numTargetChangeFilesAdded": feed,
			"numTargetDeletionVectorsAdded": num(v.added), "numTargetDeletionVectorsRemoved": num(v.removed), "numTargetDeletionVectorsUpdated": num(v.updated),
		})
		return out
	}
	maps.Copy(out, map[string]string{
		"numAddedFiles": added, "numRemovedFiles": removed, "numAddedBytes": addBytes(adds), "numRemovedBytes": removeBytes(gone),
		"numCopiedRows": num(copied), "numAddedChangeFiles": feed,
		"numDeletionVectorsAdded": num(v.added), "numDeletionVectorsRemoved": num(v.removed), "numDeletionVectorsUpdated": num(v.updated),
	})
	if k == plan.ChangeUpdate {
		out["numUpdatedRows"] = num(n.Updated)
		out["numRemovedFiles"] = num(int64(len(c.Removes))) // UPDATE counts those that only lose rows, too
	} else {
		out["numDeletedRows"] = num(n.Deleted)
	}
	return out
}
