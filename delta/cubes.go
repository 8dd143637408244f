package delta

import (
	"encoding/json"
	"slices"
	"sort"

	"github.com/google/uuid"
)

// What marks the files of a clustered table that were ordered together, a
// cube: the implementation, which is Spark's as well, the cube's id and the
// columns.
const (
	clusterProvider = "liquid"
	cubeIDTag       = "ZCUBE_ID"
	cubeColumnsTag  = "ZCUBE_ZORDER_BY"
)

// Cubes counts the files of a clustered table by what they were before an
// Optimize: of a cube by the table's columns, or others. Merged are those that
// were written anew.
type Cubes struct {
	Cubed, Other, Merged FileCount
	// Before and After are how many cubes there were and were made.
	Before, After int
}

// FileCount is how many files there are and of how many bytes.
type FileCount struct {
	Files int
	Bytes int64
}

func (c *FileCount) add(a Add) {
	c.Files++
	c.Bytes += a.Size
}

// cubeOf is the cube that a file belongs to, "" for none, and its columns.
func cubeOf(a Add) (id string, columns []string) {
	if a.Tags[cubeIDTag] == "" || json.Unmarshal([]byte(a.Tags[cubeColumnsTag]), &columns) != nil {
		return "", nil
	}
	return a.Tags[cubeIDTag], columns
}

// cubes plans the new cubes of a clustered table: files of none, and those of
// cubes that are not large enough yet, as long as that joins anything.
func (o *OptimizeOptions) cubes(files []Add, res *OptimizeResult) []bin {
	by := res.ClusterBy
	sort.SliceStable(files, func(i, j int) bool { return files[i].Tags[cubeIDTag] < files[j].Tags[cubeIDTag] })
	size := map[string]int64{}
	var ours, foreign []Add
	for _, a := range files {
		id, cols := cubeOf(a)
		if id != "" && (o.Full || slices.Equal(cols, by)) {
			if size[id] == 0 {
				res.Cubes.Before++
			}
			res.Cubes.Cubed.add(a)
		} else {
			res.Cubes.Other.add(a)
		}
		size[id] += a.Size
		if other := a.ClusteringProvider != "" && a.ClusteringProvider != clusterProvider; other || id != "" && !slices.Equal(cols, by) {
			foreign = append(foreign, a)
		} else {
			ours = append(ours, a)
		}
	}
	left := slices.DeleteFunc(ours, func(a Add) bool {
		id, _ := cubeOf(a)
		return id != "" && size[id] >= o.CubeBytes
	})
	if o.Full {
		left = append(left, foreign...)
	}
	if !o.Full || len(foreign) == 0 {
		if one, _ := cubeOf(first(left)); one != "" && !slices.ContainsFunc(left, func(a Add) bool { id, _ := cubeOf(a); return id != one }) {
			left = nil
		}
	}
	var bins []bin
	for _, files := range packed(left, o.CubeBytes*3/2) {
		for _, a := range files {
			res.Cubes.Merged.add(a)
		}
		bins = append(bins, bin{files: files, provider: clusterProvider, tags: map[string]string{
			cubeIDTag: uuid.NewString(), cubeColumnsTag: jsonText(by),
		}})
	}
	res.Cubes.After = len(bins)
	return bins
}

func first(files []Add) Add {
	if len(files) == 0 {
		return Add{}
	}
	return files[0]
}
