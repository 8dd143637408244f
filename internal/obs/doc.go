// Package obs is how Marisma is seen from outside: the logger, the metrics
// registry with its HTTP handler, and what the binary was built from. It
// holds no state; components are handed a *slog.Logger and a
// prometheus.Registerer.
package obs
