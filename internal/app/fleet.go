package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/marisma/marisma/internal/auth"
	"github.com/marisma/marisma/internal/fleet"
	"github.com/marisma/marisma/internal/mqtt"
	"github.com/marisma/marisma/internal/web/api"
)

// tokenLife is how long a played device's token is good.
const tokenLife = 24 * time.Hour

// deviceWindow is how many messages of a played device may wait for their
// acknowledgement.
const deviceWindow = 256

// Dialer connects devices to the hub at addr as their SDK does: TLS checked
// against the CA, a SAS token of the device's own key. lookup gives a device
// with its keys.
func Dialer(caFile, addr string, lookup func(context.Context, string) (api.Device, error)) (fleet.Dialer, error) {
	pem, err := os.ReadFile(caFile)
	if err != nil {
		return nil, fmt.Errorf("the server's CA: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", caFile)
	}
	conf := &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS12}
	return func(ctx context.Context, id string) (fleet.Conn, error) {
		d, err := lookup(ctx, id)
		if err != nil {
			return nil, err
		}
		return dialDevice(ctx, addr, conf, d)
	}, nil
}

func dialDevice(ctx context.Context, addr string, conf *tls.Config, d api.Device) (fleet.Conn, error) {
	const host = "localhost"
	c, err := mqtt.Dial(ctx, mqtt.ClientConfig{
		Addr: addr, TLS: conf, ClientID: d.ID, Username: host + "/" + d.ID + "/?api-version=2021-04-12",
		Password: auth.SignSAS(host+"/devices/"+d.ID, d.PrimaryKey, "", time.Now().Add(tokenLife)),
		Window:   deviceWindow,
	})
	if err != nil {
		return nil, fmt.Errorf("device %s: %w", d.ID, err)
	}
	return c, nil
}

// play plays the project's devices until ctx is done. History is for an empty
// hub only: a second start goes on where the first stopped.
func (a *App) play(ctx context.Context, s *stores, l *listeners) error {
	p := a.cfg.Project
	ids := p.DeviceIDs()
	if len(ids) == 0 {
		return errors.New("--simulate: marisma.yml names no devices")
	}
	dial, err := Dialer(p.CAFile(), l.addresses["mqtts"], func(_ context.Context, id string) (api.Device, error) {
		d, ok := s.registry.Get(id)
		if !ok {
			return api.Device{}, fmt.Errorf("device %s is not registered", id)
		}
		return api.Device{ID: d.ID, PrimaryKey: d.PrimaryKey}, nil
	})
	if err != nil {
		return err
	}
	history := a.cfg.Fleet.History
	for i := range s.log.Partitions() {
		if s.log.End(i) > 0 {
			history = 0
		}
	}
	_, err = fleet.Simulate(ctx, fleet.SimulateConfig{
		Devices: ids, Interval: a.cfg.Fleet.Interval, History: history, Dirt: fleet.HonestDirt,
		Dial: dial, Logger: a.log.With("part", "fleet"),
	})
	return err
}
