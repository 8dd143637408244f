package app

import (
	"os"
	"runtime/debug"

	"github.com/marisma/marisma/internal/duck"
)

// gcPercent has the collector run earlier than Go's default: the live heap is
// small, since batches lie outside it, and what the files of a batch leave
// behind would double it.
const gcPercent = 75

// tuneMemory trades a little CPU for a smaller process; GOGC has the last word.
func tuneMemory() {
	duck.TuneMemory()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
}
