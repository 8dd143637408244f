package delta

import (
	"strconv"
	"strings"
)

// targetSizeKey is the property that says how large a table's files should be.
const targetSizeKey = "delta.targetFileSize"

// byteSize reads a size such as "134217728", "128m" or "1 gb"; units are
// powers of 1024. 0 where the text is none.
func byteSize(text string) int64 {
	s := strings.ToLower(strings.TrimSpace(text))
	digits := strings.TrimRight(s, "bkmgtp ")
	n, err := strconv.ParseInt(digits, 10, 64)
	if err != nil || n < 0 {
		return 0
	}
	unit := strings.TrimSuffix(strings.TrimSpace(s[len(digits):]), "b")
	shift := strings.Index(" kmgtp", unit)
	switch {
	case unit == "":
		return n
	case len(unit) > 1 || shift < 1 || n > 1<<62>>(10*shift):
		return 0
	}
	return n << (10 * shift)
}

// targetSize is the size of files that a table asks for, 0 where it does not.
func targetSize(m *Metadata) int64 { return byteSize(m.Configuration[targetSizeKey]) }
