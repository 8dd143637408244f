package iothub

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/marisma/marisma/internal/auth"
	"github.com/marisma/marisma/internal/eventlog"
	"github.com/marisma/marisma/internal/mqtt"
	"github.com/marisma/marisma/internal/vfs"
)

func cpu() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// benchHub is a hub over a log on the disk with n connected clients, all in
// this process.
func benchHub(b *testing.B, n, window int, secure bool) []*mqtt.Client {
	b.Helper()
	fs := vfs.NewOS(b.TempDir())
	l, err := eventlog.Open(eventlog.Config{FS: fs, Dir: "log", Partitions: 4, RetentionBytes: 4 << 30})
	if err != nil {
		b.Fatal(err)
	}
	reg, err := OpenRegistry(vfs.NewMem(), "hub")
	if err != nil {
		b.Fatal(err)
	}
	policy := Policy{Name: "device", PrimaryKey: auth.NewKey(), Rights: DeviceConnect}
	h, err := New(Config{HubName: "plant", Registry: reg, Log: l, Policies: []Policy{policy}})
	if err != nil {
		b.Fatal(err)
	}
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr := ln.Addr().String()
	var clientTLS *tls.Config
	if secure {
		ca, err := auth.OpenCA(fs, "auth", nil)
		if err != nil {
			b.Fatal(err)
		}
		ln, clientTLS = tls.NewListener(ln, ca.ServerTLS()), ca.ClientTLS()
		clientTLS.ServerName = "localhost"
	}
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	wg.Go(func() { _ = l.Run(ctx) })
	wg.Go(func() { _ = h.Serve(ctx, ln) })
	b.Cleanup(func() { cancel(); wg.Wait() })
	password := auth.SignSAS(hostName, policy.PrimaryKey, "device", time.Now().Add(time.Hour))
	clients := make([]*mqtt.Client, n)
	for i := range clients {
		id := fmt.Sprintf("dev-%05d", i)
		if _, err := reg.Ensure(ctx, id); err != nil {
			b.Fatal(err)
		}
		clients[i], err = mqtt.Dial(ctx, mqtt.ClientConfig{Addr: addr, TLS: clientTLS, ClientID: id, Username: hostName + "/" + id, Password: password, Window: window})
		if err != nil {
			b.Fatal(err)
		}
		b.Cleanup(func() { clients[i].Close() })
	}
	return clients
}

// BenchmarkIngest sends 200-byte messages at QoS 1 from many clients in this
// process to a log on the disk; an operation is a message acknowledged.
func BenchmarkIngest(b *testing.B) {
	for _, c := range []struct {
		clients, window int
		tls             bool
	}{{500, 16, false}, {500, 16, true}, {2000, 16, false}, {500, 1, false}} {
		b.Run(fmt.Sprintf("clients=%d/window=%d/tls=%v", c.clients, c.window, c.tls), func(b *testing.B) {
			clients := benchHub(b, c.clients, c.window, c.tls)
			body := make([]byte, 200)
			each := b.N/c.clients + 1
			b.ReportAllocs()
			b.ResetTimer()
			before := cpu()
			var wg sync.WaitGroup
			for i, cl := range clients {
				topic := fmt.Sprintf("devices/dev-%05d/messages/events/%%24.ct=application%%2Fjson", i)
				wg.Go(func() {
					for range each {
						if err := cl.Publish(b.Context(), topic, body); err != nil {
							b.Error(err)
							return
						}
					}
					if err := cl.Flush(b.Context()); err != nil {
						b.Error(err)
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			total := float64(each * c.clients)
			b.ReportMetric(total/b.Elapsed().Seconds(), "msg/s")
			b.ReportMetric(float64((cpu()-before).Microseconds())/total, "cpu-us/msg")
		})
	}
}
