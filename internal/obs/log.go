package obs

import (
	"io"
	"log/slog"
	"strings"
)

// NewLogger makes a logger that writes lines to w: level is debug, info, warn
// or error ("" is info), format is text or json ("" is text). A word it does
// not know is taken as the default and said so in the first line.
func NewLogger(w io.Writer, level, format string) *slog.Logger {
	var l slog.Level
	err := l.UnmarshalText([]byte(level))
	opt := &slog.HandlerOptions{Level: l}
	var h slog.Handler = slog.NewTextHandler(w, opt)
	if strings.EqualFold(format, "json") {
		h = slog.NewJSONHandler(w, opt)
	}
	log := slog.New(h)
	if err != nil && level != "" {
		log.Warn("unknown log level, using info", "level", level)
	}
	if format != "" && !strings.EqualFold(format, "json") && !strings.EqualFold(format, "text") {
		log.Warn("unknown log format, using text", "format", format)
	}
	return log
}
