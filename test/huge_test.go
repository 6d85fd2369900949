package test_test

import (
	"context"
	"iter"
	"testing"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
)

// TestHugeListsDoNotFillTheMemory has twenty clusters that ignore the limit and send 500 MB each.
func TestHugeListsDoNotFillTheMemory(t *testing.T) {
	const (
		most = 512 << 20 // bytes resident
		read = 600 << 20 // bytes read by each call: they would not fit if they were kept
	)
	shipped := product.Shipped(t)
	simulation := shipped.Simulation(t, "faults:\n- {clusters: 100%, fault: huge-list, bytes: 500000000}\n",
		"--clusters", "20", "--object-bytes", "100000", "--pods", "1", "--secrets", "1", "--services", "1")
	a := shipped.Aggregator(t, simulation.Kubeconfig, product.Unwatched)
	c := a.Client(t)
	configMaps := &fleetv1.ResourceType{Version: "v1", Resource: "configmaps"}
	for name, call := range map[string]func(context.Context) error{
		"fetched": func(ctx context.Context) error {
			stream := c.FetchManifests(ctx, &fleetv1.FetchManifestsRequest{ResourceType: configMaps})
			return drain(stream.Results())
		},
		"selected": func(ctx context.Context) error {
			stream := c.FetchManifests(ctx, &fleetv1.FetchManifestsRequest{ResourceType: configMaps, Where: `object.metadata.name == "nobody"`})
			return drain(stream.Results())
		},
		"compared": func(ctx context.Context) error {
			stream := c.CompareManifests(ctx, &fleetv1.CompareManifestsRequest{ResourceType: configMaps})
			return drain(stream.Results())
		},
		"searched for what sleeps": func(ctx context.Context) error {
			stream := c.SummarizeHibernation(ctx, &fleetv1.SummarizeHibernationRequest{})
			return drain(stream.Results())
		},
	} {
		t.Run(name, func(t *testing.T) {
			enough := simulation.Traffic(t, "").BytesWritten + read
			ctx, cancel := context.WithCancel(t.Context())
			ended := make(chan error)
			go func() { ended <- call(ctx) }()
			simulation.AwaitTraffic(t, "", "much is read", func(now product.Traffic) bool { return now.BytesWritten > enough })
			resident := a.PeakRSS(t)
			cancel()
			if err := <-ended; status.Code(err) != codes.Canceled {
				t.Errorf("the call ended before its caller left: %v", err)
			}
			t.Logf("%d MiB resident at most", resident>>20)
			if resident > most {
				t.Error("that is too much")
			}
		})
	}
}

// drain reads a stream to its end.
func drain[M any](results iter.Seq2[M, error]) error {
	for _, err := range results {
		if err != nil {
			return err
		}
	}
	return nil
}
