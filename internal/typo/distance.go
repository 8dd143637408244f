package typo

// farName is the distance of names too long to be compared.
const farName = 64

// Distance is the number of edits (Levenshtein) between two names, for hints
// at the nearest one; names of more than 64 bytes count as 64 apart.
func Distance(a, b string) int {
	if len(a) > farName || len(b) > farName {
		return farName
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diag := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diag, row[j+1] = row[j+1], min(row[j+1]+1, row[j]+1, diag+cost)
		}
	}
	return row[len(b)]
}
