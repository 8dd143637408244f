package app

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/marisma/marisma/internal/vfs"
)

// ready is the banner as JSON, and the content of the ready file.
type ready struct {
	Project   string            `json:"project"`
	Target    string            `json:"target"`
	PID       int               `json:"pid"`
	DataDir   string            `json:"data_dir"`
	Addresses map[string]string `json:"addresses"`
	Socket    string            `json:"socket"`
	CAFile    string            `json:"ca_file"`
	Token     string            `json:"token,omitempty"` // the first start's; shown once
	StartedMS int64             `json:"started_in_ms"`
}

// readyFile tells scripts that the server listens and where. It holds no secret.
const readyFile = "ready.json"

// announce prints where everything is.
func (a *App) announce(s *stores, l *listeners) error {
	p := a.cfg.Project
	r := ready{
		Project: p.Name, Target: p.Target, PID: os.Getpid(), DataDir: p.DataDir(), Addresses: l.addresses,
		Socket: l.socket, CAFile: p.CAFile(), StartedMS: time.Since(a.started).Milliseconds(),
	}
	b, err := json.Marshal(r)
	if err != nil {
		return err
	}
	if err := vfs.WriteFile(s.folder.FS(), readyFile, b); err != nil {
		return err
	}
	if a.cfg.Banner == nil {
		return nil
	}
	r.Token = s.first
	if a.cfg.BannerJSON {
		return json.NewEncoder(a.cfg.Banner).Encode(r)
	}
	_, err = fmt.Fprint(a.cfg.Banner, a.block(r))
	return err
}

// block is the text that a person reads.
func (a *App) block(r ready) string {
	var b strings.Builder
	line := func(what, format string, v ...any) {
		fmt.Fprintf(&b, "  %-9s %s\n", what, fmt.Sprintf(format, v...))
	}
	p := a.cfg.Project
	project := shellPath(p.Dir)
	fmt.Fprintf(&b, "\n%s (target %s) runs, ready in %.1f s\n\n", r.Project, r.Target, float64(r.StartedMS)/1000)
	page := "http://" + r.Addresses["http"]
	if r.Token != "" {
		line("page", "%s/#token=%s", page, r.Token)
	} else {
		line("page", "%s", page)
	}
	line("devices", "mqtts://%s (and wss at /$iothub/websocket), CA %s", r.Addresses["mqtts"], shellPath(r.CAFile))
	if plain, ok := r.Addresses["mqtt"]; ok {
		line("", "mqtt://%s without TLS", plain)
	}
	line("data", "%s", shellPath(r.DataDir))
	if r.Token != "" {
		line("token", "%s  (admin, shown this once; more with `marisma token`)", r.Token)
	}
	fmt.Fprintf(&b, "\n  a device: marisma device add sensor-01 -C %s\n", project)
	fmt.Fprintf(&b, "  a query:  marisma sql -C %s -e \"SHOW TABLES\"\n", project)
	fmt.Fprintf(&b, "  stop:     Ctrl-C\n\n")
	return b.String()
}

// shellPath is a path as one would type it here: relative if that is shorter.
func shellPath(path string) string {
	wd, err := os.Getwd()
	if err != nil {
		return path
	}
	if rel, err := filepath.Rel(wd, path); err == nil && len(rel) < len(path) {
		return rel
	}
	return path
}
