package broadcast_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/clusterfleet/clusterfleet/internal/broadcast"
)

// BenchmarkPublish publishes to a thousand subscribers who wait, and waits until all have got the value.
func BenchmarkPublish(b *testing.B) {
	const subscribers = 1000
	h := broadcast.New[int]()
	var got atomic.Int64
	all := make(chan struct{})
	var following sync.WaitGroup
	for range subscribers {
		s := h.Subscribe(nil, broadcast.Token{})
		following.Go(func() {
			for {
				events, err := s.Next(context.Background(), 100)
				if errors.Is(err, broadcast.ErrClosed) {
					return
				}
				if got.Add(int64(len(events)))%subscribers == 0 {
					all <- struct{}{}
				}
			}
		})
	}
	b.ReportAllocs()
	for b.Loop() {
		h.Publish("a", 1)
		<-all
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/subscribers, "ns/delivery")
	h.Close()
	following.Wait()
}
