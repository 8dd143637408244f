// Package place opens the stores that the programs here are told by address:
// folders, and containers of real or imitated clouds.
package place
