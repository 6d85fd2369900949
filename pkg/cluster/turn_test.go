package cluster_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestHandshakesThatWaitForTheirServerTakeNoTurn(t *testing.T) {
	t.Parallel()
	const hanging = 6 // more than there are turns
	accepted := make(chan struct{}, hanging)
	dead := rawListener(t, newAuthority("x"), func(conn net.Conn) {
		_, _ = conn.Read(make([]byte, 1))
		accepted <- struct{}{}
		silent(conn)
	})
	shared := cluster.Options{Handshakes: oneTurn()}
	ctx, cancel := context.WithCancel(t.Context())
	var group sync.WaitGroup
	for range hanging {
		client, err := cluster.New(cluster.Definition{Name: "dead", Config: dead}, shared)
		must(err)
		group.Go(func() {
			defer client.Close()
			_, _ = client.Probe(ctx, cluster.Quick, time.Minute)
		})
	}
	for range hanging {
		<-accepted
	}
	living, err := cluster.New(cluster.Definition{Name: "living", Config: newAPI(t).config()}, shared)
	must(err)
	defer living.Close()
	probe(t, living, cluster.Full)
	cancel()
	group.Wait()
}

func TestTheWaitForAHandshakesTurnIsNotTheClustersFault(t *testing.T) {
	t.Parallel()
	turns := oneTurn()
	if !turns.TryAcquire(1) {
		t.Fatal("no turn")
	}
	client, err := cluster.New(cluster.Definition{Name: "c", Config: newAPI(t).config()}, cluster.Options{Handshakes: turns})
	must(err)
	defer client.Close()
	for _, depth := range []cluster.Depth{cluster.Quick, cluster.Full} {
		v, err := client.Probe(t.Context(), depth, shortly/4)
		if err != nil || v.State != cluster.Unknown || v.Reason != cluster.QueueTimeout || v.Blame != cluster.BlameObserver {
			t.Errorf("%+v, %v", v, err)
		}
		checkVerdict(t, v)
	}
}

func oneTurn() *semaphore.Weighted { return semaphore.NewWeighted(1) }
