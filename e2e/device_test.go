package e2e

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/marisma/marisma/internal/app"
	"github.com/marisma/marisma/internal/auth"
	"github.com/marisma/marisma/internal/fleet"
	"github.com/marisma/marisma/internal/mqtt"
	"github.com/marisma/marisma/internal/web/api"
)

// ackWait is how long publish waits; refuseWait how long no acknowledgement
// must come.
const (
	ackWait    = 30 * time.Second
	refuseWait = 3 * time.Second
)

// publish sends bodies as a device and waits for their acknowledgements; with
// ! in front none may come.
//
//	publish project device bag body...
func publish(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) < 4 {
		ts.Fatalf("usage: publish project device bag body...")
	}
	wait := ackWait
	if neg {
		wait = refuseWait
	}
	ctx, cancel := context.WithTimeout(context.Background(), wait)
	defer cancel()
	err := send(ctx, ts, args[0], args[1], args[2], args[3:])
	if neg != (err != nil) {
		ts.Fatalf("publish: %v", err)
	}
}

func send(ctx context.Context, ts *testscript.TestScript, project, device, bag string, bodies []string) error {
	data := dataDir(ts, project)
	cl := api.Unix(app.SocketPath(data))
	dial, err := app.Dialer(filepath.Join(data, "auth", "ca.pem"), ts.Getenv("MQTTS"), cl.Device)
	ts.Check(err)
	var conn fleet.Conn
	if conn, err = dial(ctx, device); err != nil {
		return err
	}
	defer conn.Close()
	for _, body := range bodies {
		if err := conn.Publish(ctx, "devices/"+device+"/messages/events/"+bag, []byte(body)); err != nil {
			return err
		}
	}
	return conn.Flush(ctx)
}

// connack connects as a device and wants a return code: 0 is accepted. how
// says what is wrong with its token: good, wrong-key, expired, foreign, none.
//
//	connack code project device how
func connack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: connack code project device how")
	}
	want, project, device, how := args[0], args[1], args[2], args[3]
	key := auth.NewKey()
	if how != "wrong-key" {
		d, err := api.Unix(app.SocketPath(dataDir(ts, project))).Device(context.Background(), device)
		if err == nil {
			key = d.PrimaryKey
		}
	}
	expiry, resource := time.Now().Add(time.Hour), "localhost/devices/"+device
	switch how {
	case "expired":
		expiry = time.Now().Add(-time.Hour)
	case "foreign":
		resource = "localhost/devices/" + device + "0"
	}
	password := auth.SignSAS(resource, key, "", expiry)
	if how == "none" {
		password = ""
	}
	ctx, cancel := context.WithTimeout(context.Background(), ackWait)
	defer cancel()
	c, err := mqtt.Dial(ctx, mqtt.ClientConfig{
		Addr: ts.Getenv("MQTTS"), TLS: clientTLS(ts), ClientID: device,
		Username: "localhost/" + device + "/?api-version=2021-04-12", Password: password,
	})
	got := "0"
	if err == nil {
		_ = c.Close()
	} else if e, ok := errors.AsType[*mqtt.ConnackError](err); ok {
		got = strconv.Itoa(int(e.Code))
	} else {
		ts.Fatalf("connack: %v", err)
	}
	if got != want {
		ts.Fatalf("CONNACK %s instead of %s", got, want)
	}
}

func clientTLS(ts *testscript.TestScript) *tls.Config {
	pem, err := os.ReadFile(ts.Getenv("CA"))
	ts.Check(err)
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		ts.Fatalf("no certificate in %s", ts.Getenv("CA"))
	}
	return &tls.Config{RootCAs: pool, ServerName: "localhost", MinVersion: tls.VersionTLS12}
}

// malformed connects as a device with a good token, sends bytes that are no
// MQTT packet (given in hexadecimal) and wants the server to close.
//
//	malformed project device hex
func malformed(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 3 {
		ts.Fatalf("usage: malformed project device hex")
	}
	device := args[1]
	d, err := api.Unix(app.SocketPath(dataDir(ts, args[0]))).Device(context.Background(), device)
	ts.Check(err)
	nc, err := tls.DialWithDialer(&net.Dialer{Timeout: ackWait}, "tcp", ts.Getenv("MQTTS"), clientTLS(ts))
	ts.Check(err)
	defer nc.Close()
	ts.Check(nc.SetDeadline(time.Now().Add(ackWait)))
	token := auth.SignSAS("localhost/devices/"+device, d.PrimaryKey, "", time.Now().Add(time.Hour))
	_, err = nc.Write(connectPacket(device, "localhost/"+device+"/?api-version=2021-04-12", token))
	ts.Check(err)
	ack := make([]byte, 4)
	_, err = io.ReadFull(nc, ack)
	ts.Check(err)
	if ack[0] != 0x20 || ack[3] != 0 {
		ts.Fatalf("CONNACK % x", ack)
	}
	raw := make([]byte, len(args[2])/2)
	for i := range raw {
		b, err := strconv.ParseUint(args[2][2*i:2*i+2], 16, 8)
		ts.Check(err)
		raw[i] = byte(b)
	}
	_, err = nc.Write(raw)
	ts.Check(err)
	_, err = nc.Read(ack)
	if ne, ok := errors.AsType[net.Error](err); err == nil || ok && ne.Timeout() {
		ts.Fatalf("the server did not close the connection: %v", err)
	}
}

// connectPacket is an MQTT 3.1.1 CONNECT written by hand.
func connectPacket(id, user, password string) []byte {
	str := func(b []byte, s string) []byte {
		return append(append(b, byte(len(s)>>8), byte(len(s))), s...)
	}
	body := str(nil, "MQTT")
	body = append(body, 4, 0xc2, 0, 60) // level, user name + password + clean session, keep alive
	body = str(str(str(body, id), user), password)
	n := len(body)
	out := []byte{0x10}
	for {
		b := byte(n % 128)
		if n /= 128; n > 0 {
			b |= 0x80
		}
		out = append(out, b)
		if n == 0 {
			return append(out, body...)
		}
	}
}

// flood sends many messages of a size and wants all acknowledged.
//
//	flood project device count bytes
func flood(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: flood project device count bytes")
	}
	count, err := strconv.Atoi(args[2])
	ts.Check(err)
	size, err := strconv.Atoi(args[3])
	ts.Check(err)
	bodies := make([]string, count)
	for i := range bodies {
		bodies[i] = strings.Repeat("x", size)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 2*ackWait)
	defer cancel()
	ts.Check(send(ctx, ts, args[0], args[1], "", bodies))
}
