package bundle

import (
	"math"
	"net"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Defaults of marisma.yml.
const (
	defaultPartitions = 4
	maxPartitions     = 256
	defaultTopic      = "telemetry"
	defaultRetention  = 7 * 24 * time.Hour
	defaultHTTP       = "127.0.0.1:8080"
	defaultMQTTS      = "127.0.0.1:8883"
	maxSeeds          = 100_000
)

// local reads marisma.yml into p, or its defaults where there is none.
func (l *loader) local(p *Project) {
	p.Hub = Hub{Name: hubName(p.Name), Partitions: defaultPartitions, Topic: defaultTopic, Retention: defaultRetention}
	p.Listeners = Listeners{HTTP: defaultHTTP, MQTTS: defaultMQTTS}
	p.Data = filepath.Join(l.dir, ".marisma")
	n := l.scope.substitute(l.read(localFile), 0)
	if !l.isMap(n, localFile) {
		return
	}
	l.strictKeys(n, localFile, "hub", "listeners", "devices", "memory", "data", "paths", "cache")
	l.hub(n.get("hub"), &p.Hub)
	l.listeners(n.get("listeners"), &p.Listeners)
	p.Devices = l.devices(n.get("devices"))
	if v := n.get("memory"); v != nil {
		p.Memory = l.bytes(v, "memory")
		if p.Memory > 0 && p.Memory < 128<<20 {
			l.errorf(v.pos, "memory: expected at least 128MiB, found %s", v.describe())
		}
	}
	p.Paths = l.paths(n.get("paths"))
	if v := n.get("cache"); v != nil {
		p.Cache = l.bytes(v, "cache")
	}
	if d := l.word(n.get("data"), "data"); d != "" {
		if d = filepath.FromSlash(d); !filepath.IsAbs(d) {
			d = filepath.Join(l.dir, d)
		}
		p.Data = filepath.Clean(d)
	}
}

// paths are the places that statements may open by their paths, local folders
// made absolute.
func (l *loader) paths(n *node) []string {
	if n.isEmpty() {
		return nil
	}
	if n.kind != list {
		l.errorf(n.pos, "paths: expected a list of folders and addresses, found %s", n.describe())
		return nil
	}
	var out []string
	for _, v := range n.items {
		w := l.word(v, "paths")
		scheme, _, remote := strings.Cut(w, "://")
		switch {
		case w == "":
		case remote && !slices.Contains([]string{"abfs", "abfss", "az", "s3", "s3a"}, strings.ToLower(scheme)):
			l.errorf(v.pos, "paths: expected a folder or an address that begins with abfss://, az:// or s3://, found %s", v.describe())
		case remote:
			out = append(out, w)
		case filepath.IsAbs(w):
			out = append(out, filepath.Clean(w))
		default:
			out = append(out, filepath.Join(l.dir, filepath.FromSlash(w)))
		}
	}
	return out
}

// strictKeys refuses keys that are not known.
func (l *loader) strictKeys(n *node, what string, known ...string) {
	for _, e := range n.keys {
		if !slices.Contains(known, e.key) {
			l.errorf(e.pos, "%s: the key %q is not known%s", what, e.key, meant(e.key, known))
		}
	}
}

// hubName makes a hub's name of a bundle's.
func hubName(bundle string) string {
	name := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(bundle))
	if name = strings.Trim(name, "-"); len(name) < 3 {
		name = strings.Trim("marisma-"+name, "-")
	}
	return strings.TrimRight(name[:min(len(name), 50)], "-")
}

func validHubName(s string) bool {
	return len(s) >= 3 && len(s) <= 50 && plainName(s) && !strings.Contains(s, "_") && s[0] != '-' && s[len(s)-1] != '-'
}

func (l *loader) hub(n *node, h *Hub) {
	if !l.isMap(n, "hub") {
		return
	}
	l.strictKeys(n, "hub", "name", "partitions", "topic", "retention", "retention_bytes", "host")
	if v := n.get("name"); !v.isEmpty() {
		if h.Name = l.word(v, "hub.name"); !validHubName(h.Name) {
			l.errorf(v.pos, "hub.name: expected 3 to 50 letters, digits and hyphens, found %s", v.describe())
		}
	}
	if v := n.get("partitions"); !v.isEmpty() {
		h.Partitions = l.number(v, "hub.partitions", 1, maxPartitions)
	}
	if v := n.get("topic"); !v.isEmpty() {
		h.Topic = l.word(v, "hub.topic")
		if len(h.Topic) > 249 || !plainName(strings.ReplaceAll(h.Topic, ".", "-")) {
			l.errorf(v.pos, "hub.topic: expected letters, digits, dots, - and _, found %s", v.describe())
		}
	}
	if v := n.get("retention"); !v.isEmpty() {
		h.Retention = l.duration(v, "hub.retention")
	}
	if v := n.get("retention_bytes"); !v.isEmpty() {
		h.RetentionBytes = l.bytes(v, "hub.retention_bytes")
	}
	if v := n.get("host"); !v.isEmpty() {
		h.Host = l.word(v, "hub.host")
		if strings.ContainsAny(h.Host, ":/ ") && net.ParseIP(h.Host) == nil {
			l.errorf(v.pos, "hub.host: expected a host name or an address without port, found %s", v.describe())
		}
	}
}

func (l *loader) number(v *node, what string, least, most int) int {
	n, err := strconv.Atoi(l.word(v, what))
	if err != nil || n < least || n > most {
		if v.kind == scalar {
			l.errorf(v.pos, "%s: expected a whole number from %d to %d, found %s", what, least, most, v.describe())
		}
		return least
	}
	return n
}

// duration reads Go's durations and whole days: 7d, 36h, 90m.
func (l *loader) duration(v *node, what string) time.Duration {
	s := l.word(v, what)
	d, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n int
		n, err = strconv.Atoi(days)
		d = time.Duration(min(n, 36500)) * 24 * time.Hour
	}
	if (err != nil || d <= 0) && v.kind == scalar {
		l.errorf(v.pos, "%s: expected a time such as 7d, 36h or 90m, found %s", what, v.describe())
	}
	return d
}

// bytes reads sizes: a number, or one with KB, MB, GB, TB (powers of 1000) or
// KiB, MiB, GiB, TiB (of 1024).
func (l *loader) bytes(v *node, what string) int64 {
	s := l.word(v, what)
	num := strings.TrimRight(s, "KMGTiB ")
	unit := strings.TrimSpace(s[len(num):])
	scale, ok := map[string]float64{
		"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12,
		"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	}[unit]
	n, err := strconv.ParseFloat(num, 64)
	if !ok || err != nil || !(n > 0) || n*scale > math.MaxInt64/2 {
		if v.kind == scalar {
			l.errorf(v.pos, "%s: expected a size such as 512MiB or 20GB, found %s", what, v.describe())
		}
		return 0
	}
	return int64(n * scale)
}

func (l *loader) listeners(n *node, out *Listeners) {
	if !l.isMap(n, "listeners") {
		return
	}
	l.strictKeys(n, "listeners", "http", "mqtts", "mqtt")
	l.address(n.get("http"), "listeners.http", &out.HTTP)
	l.address(n.get("mqtts"), "listeners.mqtts", &out.MQTTS)
	l.address(n.get("mqtt"), "listeners.mqtt", &out.MQTT)
	if v := n.get("mqtt"); out.MQTT != "" && !loopback(out.MQTT) {
		l.errorf(v.pos, "listeners.mqtt: MQTT without TLS is for 127.0.0.1, [::1] and localhost only; use mqtts for %s", out.MQTT)
	}
}

// address reads host:port; "off" listens not.
func (l *loader) address(v *node, what string, into *string) {
	if v.isEmpty() {
		return
	}
	s := l.word(v, what)
	if s == "off" || v.kind == scalar && s == "false" {
		*into = ""
		return
	}
	_, port, err := net.SplitHostPort(s)
	if n, perr := strconv.Atoi(port); err != nil || perr != nil || n < 0 || n > 65535 {
		if v.kind == scalar {
			l.errorf(v.pos, "%s: expected host:port such as 127.0.0.1:8080, or off, found %s", what, v.describe())
		}
		return
	}
	*into = s
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	ip := net.ParseIP(host)
	return err == nil && (host == "localhost" || ip != nil && ip.IsLoopback())
}

func (l *loader) devices(n *node) []DeviceSeed {
	var out []DeviceSeed
	total := 0
	seen := map[string]bool{}
	for _, item := range l.list(n, "devices") {
		d, ok := l.device(item)
		if !ok {
			continue
		}
		if total += max(d.Count, 1); total > maxSeeds {
			l.errorf(item.pos, "devices: more than %d devices", maxSeeds)
			return out
		}
		one := Project{Devices: []DeviceSeed{d}}
		for _, id := range one.DeviceIDs() {
			if seen[id] {
				l.errorf(item.pos, "devices: the device %s is here twice", id)
				break
			}
			seen[id] = true
		}
		out = append(out, d)
	}
	return out
}

func (l *loader) device(item *node) (DeviceSeed, bool) {
	const expected = "devices: expected an ID, {id: name} or {prefix: name-, count: 3}"
	if item.kind == scalar {
		return DeviceSeed{ID: item.text}, l.deviceID(item.text, item, 128)
	}
	if item.kind != mapping {
		l.errorf(item.pos, "%s, found %s", expected, item.describe())
		return DeviceSeed{}, false
	}
	l.strictKeys(item, "devices", "id", "prefix", "count")
	d := DeviceSeed{ID: l.word(item.get("id"), "devices: id"), Prefix: l.word(item.get("prefix"), "devices: prefix")}
	switch {
	case d.ID != "" && d.Prefix == "" && item.get("count") == nil:
		return d, l.deviceID(d.ID, item.get("id"), 128)
	case d.ID == "" && d.Prefix != "" && !item.get("count").isEmpty():
		d.Count = l.number(item.get("count"), "devices: count", 1, maxSeeds)
		return d, l.deviceID(d.Prefix, item.get("prefix"), 120)
	}
	l.errorf(item.pos, "%s", expected)
	return d, false
}

// deviceID checks an ID by IoT Hub's rule.
func (l *loader) deviceID(id string, at *node, most int) bool {
	bad := strings.ContainsFunc(id, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("-:.+%_#*?!(),=@;$'", r)
	})
	if bad || id == "" || len(id) > most {
		l.errorf(at.pos, "devices: expected an ID of 1 to %d letters, digits and any of - : . + %% _ # * ? ! ( ) , = @ ; $ ', found %s", most, at.describe())
		return false
	}
	return true
}
