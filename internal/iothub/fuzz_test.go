package iothub

import (
	"context"
	"io"
	"net"
	"testing"
	"time"

	"github.com/marisma/marisma/internal/auth"
	"github.com/marisma/marisma/internal/mqtt"
	"github.com/marisma/marisma/internal/vfs"
)

// FuzzConnection sends any bytes after a good CONNECT: the hub neither panics
// nor hangs, and each acknowledgement of a message has its record.
func FuzzConnection(f *testing.F) {
	topic := "devices/press-07/messages/events/a=b"
	f.Add(mqtt.AppendPublish(mqtt.AppendPublish(nil, topic, []byte("x"), 1, 1, false, true), topic, []byte("y"), 0, 0, false, false), uint8(3))
	f.Add(mqtt.AppendPublish(mqtt.AppendSubscribe(nil, 1, mqtt.Subscription{Filter: twinAnswers, QoS: 2}), "$iothub/twin/GET/?$rid=1", nil, 2, 1, false, false), uint8(200))
	f.Add(mqtt.AppendEmpty(mqtt.AppendEmpty(mqtt.AppendUnsubscribe(nil, 4, "a"), mqtt.PINGREQ), mqtt.DISCONNECT), uint8(1))
	f.Add(mqtt.AppendPublish(nil, "devices/other/messages/events/", nil, 1, 1, true, false), uint8(50))
	reg, err := OpenRegistry(vfs.NewMem(), "hub")
	if err != nil {
		f.Fatal(err)
	}
	dev, err := reg.Add(f.Context(), "press-07")
	if err != nil {
		f.Fatal(err)
	}
	sas := auth.SignSAS(hostName+"/devices/press-07", dev.PrimaryKey, "", time.Now().Add(24*time.Hour))
	hello := mqtt.AppendConnect(nil, &mqtt.Connect{ClientID: "press-07", Username: hostName + "/press-07", HasUsername: true, Password: []byte(sas), HasPassword: true})
	f.Fuzz(func(t *testing.T, in []byte, cut uint8) {
		log := &fakeLog{auto: true}
		h, err := New(Config{HubName: "plant", Registry: reg, Log: log, HoldTime: time.Millisecond})
		if err != nil {
			t.Fatal(err)
		}
		peer, mine := net.Pipe()
		done := make(chan struct{})
		go func() {
			defer close(done)
			h.server.ServeConn(context.Background(), mine)
		}()
		answers := make(chan []byte)
		go func() {
			b, _ := io.ReadAll(peer)
			answers <- b
		}()
		all := append(hello[:len(hello):len(hello)], in...)
		step := int(cut) + 1
		for len(all) > 0 {
			n := min(len(all), max(step, len(all)-len(in)))
			if _, err := peer.Write(all[:n]); err != nil {
				break
			}
			all = all[n:]
		}
		peer.Close()
		<-done
		acks := 0
		for b := <-answers; len(b) > 0; {
			fr, n, err := mqtt.Split(b, 1<<20)
			if err != nil || n == 0 || n > len(b) {
				break
			}
			if fr.Type == mqtt.PUBACK {
				acks++
			}
			b = b[n:]
		}
		h.mu.Lock()
		open := len(h.sessions)
		h.mu.Unlock()
		if requests := acks - len(log.all()); open != 0 || requests > len(in)/10 {
			t.Fatalf("%d sessions open, %d acknowledgements, %d records", open, acks, len(log.all()))
		}
	})
}
