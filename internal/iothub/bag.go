package iothub

import (
	"bytes"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/marisma/marisma/internal/eventlog"
)

// Property is one property of a message as the device sent it, decoded. Null
// is a key without '='.
type Property struct {
	Name, Value string
	Null        bool
}

// system gives the short names of system properties the names under which
// Event Hubs shows them.
func systemName(short string) (string, bool) {
	switch short {
	case "$.mid":
		return "message-id", true
	case "$.cid":
		return "correlation-id", true
	case "$.uid":
		return "user-id", true
	case "$.ct":
		return "content-type", true
	case "$.ce":
		return "content-encoding", true
	case "$.exp":
		return "absolute-expiry-time", true
	case "$.to":
		return "to", true
	case "$.on":
		return "iothub-outputname", true
	case "$.ifid":
		return "iothub-interface-id", true
	case "$.sub":
		return "dt-subject", true
	case "$.ctime":
		return "iothub-creation-time-utc", true
	case "$.diagid":
		return "Diagnostic-Id", true
	case "$.diagctx":
		return "Correlation-Context", true
	}
	return "", false
}

// stampedName tells the names that only the hub sets: a device cannot pass for
// another by sending them.
func stampedName(name string) bool {
	switch strings.ToLower(name) {
	case "iothub-connection-device-id", "iothub-connection-module-id", "iothub-connection-auth-method",
		"iothub-connection-auth-generation-id", "iothub-enqueuedtime", "iothub-message-source":
		return true
	}
	return false
}

// ParseBag reads the property bag at the end of a telemetry topic: k=v pairs
// with '&' between, in any order, with an optional '/' after and '?' before
// them. Names and values are percent-encoded and '+' is a plus; a text that is
// not so encoded (some SDKs send values as they are) is kept as it came. A
// name that comes more than once keeps its last value. bag must be UTF-8.
func ParseBag(bag []byte) []Property {
	bag = bytes.TrimSuffix(bag, []byte{'/'})
	bag = bytes.TrimPrefix(bag, []byte{'?'})
	var out []Property
	for pair := range bytes.SplitSeq(bag, []byte{'&'}) {
		if len(pair) == 0 {
			continue
		}
		k, v, has := strings.Cut(string(pair), "=")
		out = set(out, Property{Name: decode(k), Value: decode(v), Null: !has})
	}
	return out
}

func decode(s string) string {
	d, err := url.PathUnescape(s)
	if err != nil || !utf8.ValidString(d) {
		return s
	}
	return d
}

func set(list []Property, p Property) []Property {
	for i := range list {
		if list[i].Name == p.Name {
			list[i] = p
			return list
		}
	}
	return append(list, p)
}

// propertyHeaders are the record headers of a message's properties and the
// bytes that count towards the message's size: the names of application
// properties and all values.
func propertyHeaders(props []Property) (h []eventlog.Header, size int) {
	for _, p := range props {
		name, system := systemName(p.Name)
		switch {
		case p.Name == "$.cdid" || p.Name == "$.cmid" || stampedName(p.Name):
			continue // the hub's stamps say who the sender is
		case !system:
			name = p.Name
			size += len(name)
		}
		size += len(p.Value)
		v := amqpNull()
		if !p.Null {
			v = amqpString(p.Value)
		}
		h = append(h, eventlog.Header{Key: name, Value: v})
	}
	return h, size
}
