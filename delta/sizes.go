package delta

import (
	"fmt"
	"strconv"
	"strings"
)

// The properties that say how a table's files are laid out: how large they should
// be, whether those that are written anew should be smaller, and whether writes
// gather rows by partition.
const (
	targetSizeKey    = "delta.targetFileSize"
	tuneSizeKey      = "delta.tuneFileSizesForRewrites"
	optimizeWriteKey = "delta.autoOptimize.optimizeWrite"
)

// Sizes of files where nothing else is asked for.
const (
	writeBytes = 128 << 20
	// tunedBytes are for tables whose files are often written anew: smaller files
	// have less in them that does not change. Databricks does not tell its number.
	tunedBytes = 64 << 20
)

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

// targetSize is the size of files that a table asks for where they are laid out
// anew, 0 where it does not.
func targetSize(m *Metadata) int64 {
	if n := byteSize(m.Configuration[targetSizeKey]); n > 0 || !isTrue(m.Configuration[tuneSizeKey]) {
		return n
	}
	return tunedBytes
}

// fileSize is when a writer closes a file.
func fileSize(m *Metadata, o *WriterOptions) int64 {
	if o.TargetFileBytes > 0 {
		return o.TargetFileBytes
	}
	n := byteSize(m.Configuration[targetSizeKey])
	if o.KeepRows || o.Rearranged || gathers(m, o) {
		n = targetSize(m)
	}
	if n <= 0 {
		n = writeBytes
	}
	return n
}

func isTrue(text string) bool { return strings.EqualFold(text, "true") }

// checkLayout refuses properties of the layout that say nothing.
func checkLayout(set map[string]string) error {
	for _, k := range []string{tuneSizeKey, optimizeWriteKey} {
		if v := set[k]; v != "" && !isTrue(v) && !strings.EqualFold(v, "false") {
			return fmt.Errorf("%w: %s is %q; it can be true or false", ErrUnsupportedFeature, k, v)
		}
	}
	if v := set[targetSizeKey]; v != "" && byteSize(v) <= 0 {
		return fmt.Errorf("%w: %s is %q; it is a size such as 134217728 or 128mb", ErrUnsupportedFeature, targetSizeKey, v)
	}
	return nil
}
