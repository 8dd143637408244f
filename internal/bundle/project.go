package bundle

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// Project is a project folder as one target of it runs.
type Project struct {
	Dir       string // absolute
	Name      string
	Target    string
	Pipelines []Pipeline // in the order of their keys
	Hub       Hub
	Listeners Listeners
	Devices   []DeviceSeed
	Memory    int64  // budget in bytes, 0: chosen by the machine's
	Data      string // data folder of marisma.yml, absolute; see DataDir
	// Paths are the folders (absolute) and addresses of cloud stores of
	// marisma.yml whose tables and files statements may open by their paths.
	Paths []string
	// Cache bounds the local copies of what lies below one address of Paths, in
	// bytes; 0: the default.
	Cache    int64
	Warnings []Problem
}

// Pipeline is a pipeline with its SQL files.
type Pipeline struct {
	Key, Name       string
	Catalog, Schema string
	Continuous      bool
	Development     bool
	Configuration   map[string]string // reaches SQL as ${key}
	Files           []SourceFile      // in the order of their paths
	Pos             Pos
}

// SourceFile is an SQL file; Path is relative to the project folder, with slashes.
type SourceFile struct{ Path, Text string }

// Hub is what devices connect to.
type Hub struct {
	Name           string
	Partitions     int
	Topic          string // name under which Kafka readers see the hub's events
	Retention      time.Duration
	RetentionBytes int64 // 0: no bound
	Host           string
}

// Listeners are addresses, host:port; "" listens not.
type Listeners struct{ HTTP, MQTTS, MQTT string }

// DeviceSeed is a device that exists from the start, or Count devices whose
// IDs are Prefix and a number from 01 on.
type DeviceSeed struct {
	ID     string
	Prefix string
	Count  int
}

// dataEnv names the data folder and wins over marisma.yml.
const dataEnv = "MARISMA_DATA"

// DataDir is the data folder: $MARISMA_DATA, else `data` of marisma.yml, else
// .marisma in the project folder. It is absolute.
func (p *Project) DataDir() string {
	if env := os.Getenv(dataEnv); env != "" {
		if abs, err := filepath.Abs(env); err == nil {
			return abs
		}
		return env
	}
	return p.Data
}

// CAFile is the certificate that devices are to trust, once the project ran.
func (p *Project) CAFile() string { return filepath.Join(p.DataDir(), "auth", "ca.pem") }

// WarningTexts are the warnings as lines.
func (p *Project) WarningTexts() []string {
	out := make([]string, len(p.Warnings))
	for i, w := range p.Warnings {
		out[i] = w.Error()
	}
	return out
}

// DefaultSchema is where unqualified names of ad-hoc SQL lie: the first
// pipeline's catalog and schema.
func (p *Project) DefaultSchema() (catalog, schema string) {
	if len(p.Pipelines) == 0 {
		return defaultCatalog, defaultSchema
	}
	return p.Pipelines[0].Catalog, p.Pipelines[0].Schema
}

// Qualify gives a table name of one to three parts its three.
func (p *Project) Qualify(table string) string {
	catalog, schema := p.DefaultSchema()
	switch strings.Count(table, ".") {
	case 0:
		return catalog + "." + schema + "." + table
	case 1:
		return catalog + "." + table
	}
	return table
}

// DeviceIDs are the IDs of the seeded devices, in the order of the file.
func (p *Project) DeviceIDs() []string {
	var out []string
	for _, d := range p.Devices {
		if d.ID != "" {
			out = append(out, d.ID)
			continue
		}
		width := max(2, len(fmt.Sprint(d.Count)))
		for i := range d.Count {
			out = append(out, fmt.Sprintf("%s%0*d", d.Prefix, width, i+1))
		}
	}
	return out
}
