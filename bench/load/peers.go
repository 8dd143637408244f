package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/marisma/marisma/internal/web/api"
)

func deviceKey(ctx context.Context, socket, id string) (string, error) {
	d, err := api.Unix(socket).Device(ctx, id)
	if err != nil {
		return "", fmt.Errorf("%w for %s: %w", errKey, id, err)
	}
	return d.PrimaryKey, nil
}

// kafka sends the same messages to a Kafka topic, for the peer.
func kafka(ctx context.Context, o options) (result, error) {
	cl, err := kgo.NewClient(kgo.SeedBrokers(o.addr), kgo.DefaultProduceTopic(o.topic), kgo.ProducerLinger(20*time.Millisecond),
		kgo.AllowAutoTopicCreation(), kgo.MaxBufferedRecords(50_000))
	if err != nil {
		return result{}, err
	}
	defer cl.Close()
	start := time.Now()
	var failed atomic.Pointer[error]
	for n := range o.count {
		i := int(n % int64(o.clients))
		if o.rate > 0 {
			ahead := time.Duration(float64(n)/float64(o.rate)*float64(time.Second)) - time.Since(start)
			if ahead > time.Millisecond {
				time.Sleep(ahead)
			}
		}
		rec := &kgo.Record{Key: []byte(device(i)), Value: message(nil, device(i), n, time.Now())}
		cl.Produce(ctx, rec, func(_ *kgo.Record, err error) {
			if err != nil {
				failed.CompareAndSwap(nil, &err)
			}
		})
	}
	if err := cl.Flush(ctx); err != nil {
		return result{}, err
	}
	if p := failed.Load(); p != nil {
		return result{}, *p
	}
	took := time.Since(start).Seconds()
	return result{Sent: o.count, Seconds: took, PerSecond: float64(o.count) / took}, nil
}
