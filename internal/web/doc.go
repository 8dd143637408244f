// Package web is Marisma's HTTP door: the API under /api/v1 (package api has
// its shape), the page built from ui/, /metrics, /healthz, and the hub's
// WebSocket for devices.
//
// The same handlers serve two listeners. The TCP one asks for a token: as
// bearer, or as the cookie that the page gets by opening the link that the
// start printed. The local socket asks for none, since only the owner of the
// data folder can open it. The package holds no state of its own but the
// event streams that are open; it is safe for concurrent use.
package web
