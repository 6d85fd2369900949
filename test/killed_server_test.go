package test_test

import (
	"fmt"
	"strings"
	"testing"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
	"github.com/clusterfleet/clusterfleet/test/internal/product"
	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

// Bulk is what a killed server holds: much more than all buffers on the way from it to a caller who does not read.
const (
	bulkObjects = 32
	bulkBytes   = 900 << 10
)

func serverKilledMidStream(t *testing.T, fleet *realkube.Fleet) {
	doomed := realkube.Start(t, 1)
	victim := doomed.Servers[0]
	createNamespace(t, victim, "bulk")
	text := strings.Repeat("0123456789abcdef", bulkBytes/16)
	createMany(t, victim, "/api/v1/namespaces/bulk/configmaps", bulkObjects, func(n int) object {
		return configMap(fmt.Sprintf("bulk-%02d", n), map[string]string{"text": text})
	})
	for _, server := range fleet.Servers[:2] {
		createNamespace(t, server, "bulk")
		create(t, server, "/api/v1/namespaces/bulk/configmaps", configMap("small", nil))
	}
	a := programs.Aggregator(t, writeKubeconfig(t,
		contextOf("good-1", fleet.Servers[0]), contextOf("good-2", fleet.Servers[1]), contextOf("victim", victim)), product.Unwatched)
	// A window that does not grow: what the caller does not read stays with the server.
	const window = 64 << 10
	caller, err := client.Dial(a.GRPC, client.WithGRPC(grpc.WithInitialWindowSize(window), grpc.WithInitialConnWindowSize(window)))
	if err != nil {
		t.Fatal(err)
	}
	defer caller.Close()

	stream := caller.FetchManifests(t.Context(), &fleetv1.FetchManifestsRequest{
		ResourceType: &fleetv1.ResourceType{Resource: "configmaps"}, Namespace: "bulk",
	})
	reads := map[string]*read{"good-1": {}, "good-2": {}, "victim": {}}
	for batch, err := range stream.Results() {
		if err != nil {
			t.Fatal(err)
		}
		if batch.GetCluster() == "victim" && reads["victim"].batches == 0 {
			doomed.Kill(0)
		}
		reads[batch.GetCluster()].add(t, batch)
	}

	for _, name := range []string{"good-1", "good-2"} {
		if r := reads[name]; r.completion.GetError() != nil || len(r.objects) != 1 || r.completion.GetItems() != 1 {
			t.Errorf("%s is not whole: %d objects, %v", name, len(r.objects), r.completion)
		}
	}
	end := reads["victim"].completion
	if got := reads["victim"].reason(); got != "CONNECTION_RESET" || codes.Code(end.GetError().GetCode()) != codes.Unavailable || end.GetError().GetMessage() == "" {
		t.Errorf("the victim's reading ended with %v", end.GetError())
	}
	if n := len(reads["victim"].objects); n == 0 || n >= bulkObjects || end.GetItems() != int64(n) {
		t.Errorf("got %d of the victim's %d objects, its completion says %d", n, bulkObjects, end.GetItems())
	}
	summary := stream.Summary()
	if summary.GetExpected() != 3 || summary.GetSucceeded() != 2 || summary.GetFailed() != 1 || summary.GetDeadlineExceeded() ||
		summary.GetItems() != int64(2+len(reads["victim"].objects)) {
		t.Errorf("got %v", summary)
	}

	t.Run("is unreachable afterwards", func(t *testing.T) {
		results, _ := probe(t, a, 3)
		verdict(t, results["victim"], fleetv1.Verdict_STATE_UNREACHABLE, fleetv1.Verdict_REASON_CONNECTION_REFUSED)
		verdict(t, results["good-1"], fleetv1.Verdict_STATE_HEALTHY, 0)
		exits(t, a.Fleetctl(t, "get", "configmaps", "-n", "bulk", "-o", "name"), 0, "good-2\tconfigmap/small", "victim")
		exits(t, a.Fleetctl(t, "get", "configmaps", "-n", "bulk", "--require-complete"), 3, "small", "victim")
	})
}
