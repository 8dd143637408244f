package iothub

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"github.com/marisma/marisma/internal/auth"
	"github.com/marisma/marisma/internal/mqtt"
)

// Rights are what a policy's key allows.
type Rights uint8

// The rights of IoT Hub's shared access policies.
const (
	RegistryRead Rights = 1 << iota
	RegistryWrite
	ServiceConnect
	DeviceConnect
)

// Policy is a shared access policy of the hub.
type Policy struct {
	Name                     string
	PrimaryKey, SecondaryKey string
	Rights                   Rights
}

// Refusals of CONNECT; all are answered with "not authorized", the log tells
// them apart.
var (
	ErrUserName      = errors.New("user name is not that of an IoT Hub device")
	ErrForeignHost   = errors.New("host name of another hub")
	ErrUnknownDevice = errors.New("unknown device")
	ErrDisabled      = errors.New("device is disabled")
	ErrNoToken       = errors.New("no SAS token: X.509 devices are not served")
	ErrToken         = errors.New("token does not fit")
	ErrForeignWill   = errors.New("will topic is not the device's telemetry topic")
)

// identity is who a connection says it is.
type identity struct {
	host, device, module string
}

// name is the registry's key, "device" or "device/module", and the client
// identifier.
func (id identity) name() string {
	if id.module == "" {
		return id.device
	}
	return id.device + "/" + id.module
}

// resource is what a token must cover.
func (id identity) resource() string {
	r := id.host + "/devices/" + id.device
	if id.module != "" {
		r += "/modules/" + id.module
	}
	return r
}

// parseUserName reads "{host}/{device}[/{module}][/?query]": the forms of all
// SDKs, with or without '?' and in any order of the query's parameters, none
// of which decides anything here. Ids are not percent-encoded in it.
func parseUserName(user, clientID string) (identity, error) {
	host, rest, ok := strings.Cut(user, "/")
	if !ok || host == "" {
		return identity{}, ErrUserName
	}
	id := identity{host: host}
	id.device, id.module, _ = strings.Cut(clientID, "/")
	after, ok := strings.CutPrefix(rest, clientID)
	if id.device == "" || !ok || after != "" && after[0] != '/' && after[0] != '?' {
		return identity{}, fmt.Errorf("%w: it names another device than the client identifier", ErrUserName)
	}
	if tail := strings.TrimPrefix(after, "/"); tail != "" && tail[0] != '?' && !strings.Contains(tail, "=") {
		return identity{}, fmt.Errorf("%w: it names a module, the client identifier none", ErrUserName)
	}
	return id, nil
}

// grant is an accepted connection's right to be.
type grant struct {
	id      identity
	device  Device
	method  string // how it showed who it is: the auth-method annotation
	expires time.Time
}

// authMethods as IoT Hub stamps them.
const (
	methodDevice = `{"scope":"device","type":"sas","issuer":"iothub","acceptingIpFilterRule":null}`
	methodModule = `{"scope":"module","type":"sas","issuer":"iothub","acceptingIpFilterRule":null}`
	methodHub    = `{"scope":"hub","type":"sas","issuer":"iothub","acceptingIpFilterRule":null}`
)

// authenticate checks a CONNECT at a time. The error never holds the token.
func (h *Hub) authenticate(p *mqtt.Connect, now time.Time) (grant, error) {
	id, err := parseUserName(p.Username, p.ClientID)
	if err != nil {
		return grant{}, err
	}
	g := grant{id: id, method: methodDevice}
	if id.module != "" {
		g.method = methodModule
	}
	if !h.ownHost(id.host) {
		return g, fmt.Errorf("%w: %q", ErrForeignHost, id.host)
	}
	if !p.HasPassword {
		return g, ErrNoToken
	}
	sas, err := auth.ParseSAS(string(p.Password))
	if err != nil {
		return g, errors.Join(ErrToken, err)
	}
	d, ok := h.cfg.Registry.Get(id.name())
	if !ok {
		return g, ErrUnknownDevice
	}
	g.device, g.expires = d, sas.Expiry
	if !h.covers(sas, id) {
		return g, fmt.Errorf("%w: it is for another resource", ErrToken)
	}
	keys := [2]string{d.PrimaryKey, d.SecondaryKey}
	if sas.KeyName != "" {
		pol, ok := h.policies[sas.KeyName]
		if !ok {
			return g, fmt.Errorf("%w: unknown policy", ErrToken)
		}
		if pol.Rights&DeviceConnect == 0 {
			return g, fmt.Errorf("%w: policy %s does not allow DeviceConnect", ErrToken, pol.Name)
		}
		keys = [2]string{pol.PrimaryKey, pol.SecondaryKey}
		g.method = methodHub
	}
	err = errors.Join(ErrToken, auth.ErrBadSignature)
	for _, k := range keys {
		if k == "" {
			continue
		}
		if err = sas.Verify(k, now); err == nil || errors.Is(err, auth.ErrExpired) {
			break
		}
	}
	if err != nil {
		return g, err
	}
	if d.Status != Enabled { // told only to who holds the key
		return g, ErrDisabled
	}
	return g, nil
}

// covers tells whether the token is for the identity, under any name that the
// hub has: a gateway's device signs for the hub's name, others for the host
// of their connection string.
func (h *Hub) covers(sas auth.SAS, id identity) bool {
	if sas.Covers(id.resource()) {
		return true
	}
	for host := range h.hosts {
		if sas.Covers(identity{host, id.device, id.module}.resource()) {
			return true
		}
	}
	return false
}

// ownHost tells whether a host name is the hub's.
func (h *Hub) ownHost(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return h.hosts[strings.ToLower(host)]
}
