package delta

import (
	"maps"
)

// vectorCounts are the deletion vectors that a commit brings, takes away and
// replaces.
type vectorCounts struct{ added, removed, updated int64 }

// moved tells the files that a commit writes and takes away from those that
// only get another vector.
func moved(c *Commit) (adds []Add, gone []Remove, n vectorCounts) {
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

// measure gives the commit the numbers that Delta's history has for its
// operation, besides those that the caller has.
func (r *Rewrite) measure(c *Commit) {
	adds, gone, v := moved(c)
	var bytesAdded, bytesGone int64
	for _, a := range adds {
		bytesAdded += a.Size
	}
	for _, x := range gone {
		bytesGone += x.Size
	}
	n := r.counts
	added, removed, feed := num(int64(len(adds))), num(int64(len(gone))), num(int64(len(c.Changes)))
	m := map[string]string{
		"numAddedFiles": added, "numRemovedFiles": removed, "numAddedBytes": num(bytesAdded), "numRemovedBytes": num(bytesGone),
		"numCopiedRows": num(n.Copied), "numAddedChangeFiles": feed,
		"numDeletionVectorsAdded": num(v.added), "numDeletionVectorsRemoved": num(v.removed), "numDeletionVectorsUpdated": num(v.updated),
		"numFiles": "", "numOutputRows": "", "numOutputBytes": "",
	}
	switch c.Operation {
	case "MERGE":
		m = map[string]string{
			"numTargetRowsInserted": num(n.Inserted), "numTargetRowsUpdated": num(n.Updated), "numTargetRowsDeleted": num(n.Deleted),
			"numTargetRowsCopied": num(n.Copied), "numOutputRows": num(n.Copied + n.Inserted + n.Updated),
			"numTargetFilesAdded": added, "numTargetFilesRemoved": removed, "numTargetBytesAdded": num(bytesAdded),
			"numTargetBytesRemoved": num(bytesGone), "numTargetChangeFilesAdded": feed,
			"numTargetDeletionVectorsAdded": num(v.added), "numTargetDeletionVectorsRemoved": num(v.removed),
			"numTargetDeletionVectorsUpdated": num(v.updated), "numFiles": "", "numOutputBytes": "", "numRemovedFiles": "",
		}
	case "UPDATE":
		m["numUpdatedRows"] = num(n.Updated)
		m["numRemovedFiles"] = num(int64(len(c.Removes))) // UPDATE counts those that only lose rows, too
	case "DELETE":
		m["numDeletedRows"] = num(n.Deleted)
	default: // rows come and go
		m = map[string]string{
			"numFiles": added, "numOutputBytes": num(bytesAdded), "numOutputRows": num(n.Copied + n.Inserted), "numCopiedRows": num(n.Copied),
			"numDeletedRows": num(n.Deleted), "numRemovedFiles": removed, "numRemovedBytes": num(bytesGone), "numAddedChangeFiles": feed,
		}
	}
	maps.Copy(m, c.Metrics)
	c.Metrics = m
}
