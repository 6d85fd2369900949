package server_test

import (
	"strings"
	"testing"
	"time"

	statuspb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/codes"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/internal/server"
	"github.com/clusterfleet/clusterfleet/internal/simulator"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// lost returns the record of a cluster that is confirmed to be unreachable.
func lost(name string) *health.Record {
	r := failing(name)
	now := time.Now()
	r.Since, r.At, r.LastSuccess = now.Add(-4*time.Minute), now.Add(-10*time.Second), now.Add(-5*time.Minute)
	return r
}

func mustBeUntried(t *testing.T, about string, e *statuspb.Status) {
	t.Helper()
	if e == nil {
		t.Errorf("%s: no error", about)
		return
	}
	info, _, _ := detailsOf(t, e)
	if codes.Code(e.GetCode()) != codes.Unavailable || info.GetReason() != "CONNECT_TIMEOUT" || info.GetMetadata()["blame"] != "NETWORK" { //nolint:gosec // a code
		t.Errorf("%s: %v", about, e)
	}
	for _, part := range []string{
		"known to be unreachable for 4m", "no answer from 10.2.0.17:6443 within 3 s", "found 10s ago", "healthy 5m ago", "--include-unreachable",
	} {
		if !strings.Contains(e.GetMessage(), part) {
			t.Errorf("%s: %q does not say %q", about, e.GetMessage(), part)
		}
	}
}

func TestClustersThatTheMonitorKnowsToBeUnreachableAreNotTried(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 2})
	dead, living := sim.Names()[0], sim.Names()[1]
	long := lost(living)
	long.State, long.Known = cluster.Healthy, cluster.Healthy
	conn := serve(t, f, server.Options{Monitor: newMonitor(lost(dead), long)})
	service := fleetv1.NewManifestServiceClient(conn)

	got := fetch(t.Context(), t, conn, &fleetv1.FetchManifestsRequest{ResourceType: configMaps()})
	mustBeUntried(t, "fetch", got.clusters[dead].completion.GetError())
	if c := got.clusters[living]; c.items != 20 || c.completion.GetError() != nil {
		t.Errorf("%d objects of the living cluster, %v", c.items, c.completion)
	}
	if s := got.summary; s.GetFailed() != 1 || s.GetSucceeded() != 1 {
		t.Errorf("%v", s)
	}
	if c := got.clusters[dead].completion; c.GetDuration().AsDuration() > 10*time.Millisecond {
		t.Errorf("it took %v", c)
	}

	request := &fleetv1.GetManifestsRequest{References: []*fleetv1.Reference{{Cluster: dead, ResourceType: configMaps(), Namespace: "default", Name: "any"}}}
	getting, err := service.GetManifests(t.Context(), request)
	results, err := receive(t, getting, err)
	if err != nil || len(results) != 3 {
		t.Fatalf("%d messages, %v", len(results), err)
	}
	mustBeUntried(t, "get", results[1].GetResult().GetError())
	if c, _ := sim.ClusterStats(dead); c.AcceptedConnections != 0 {
		t.Errorf("it was tried: %+v", c)
	}

	got = fetch(t.Context(), t, conn, &fleetv1.FetchManifestsRequest{ResourceType: configMaps(), IncludeUnreachable: true})
	if c := got.clusters[dead]; c.items != 20 || c.completion.GetError() != nil {
		t.Errorf("tried anyway: %d objects, %v", c.items, c.completion)
	}
	request.IncludeUnreachable = true
	getting, err = service.GetManifests(t.Context(), request)
	if results, err = receive(t, getting, err); err != nil || results[1].GetResult().GetError().GetCode() != int32(codes.NotFound) {
		t.Errorf("tried anyway: %v, %v", results, err)
	}
}

func TestClustersThatMayBeReachableAreTried(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	name := sim.Names()[0]
	for about, change := range map[string]func(*health.Record){
		"it is only known from before the start": func(r *health.Record) { r.Restored = true },
		"its state is out of date":               func(r *health.Record) { r.State = cluster.Unknown },
		"the latest probe got an answer":         func(r *health.Record) { r.Verdict = &cluster.Verdict{State: cluster.Healthy} },
		"nothing is known of the latest probe":   func(r *health.Record) { r.Verdict = nil },
		"it answers and is not ready":            func(r *health.Record) { r.State = cluster.Degraded },
	} {
		t.Run(about, func(t *testing.T) {
			r := lost(name)
			change(r)
			conn := serve(t, f, server.Options{Monitor: newMonitor(r)})
			got := fetch(t.Context(), t, conn, &fleetv1.FetchManifestsRequest{ResourceType: configMaps()})
			if c := got.clusters[name]; c.items != 20 || c.completion.GetError() != nil {
				t.Errorf("%d objects, %v", c.items, c.completion)
			}
		})
	}
}

func TestWhyAClusterIsNotTriedFitsIntoAnError(t *testing.T) {
	sim, f := fleettest.Start(t, simulator.Config{Clusters: 1})
	name := sim.Names()[0]
	r := lost(name)
	v := *r.Verdict
	v.Message = strings.Repeat("x", 1024)
	r.Verdict, r.Since, r.LastSuccess = &v, time.Time{}, time.Time{}
	conn := serve(t, f, server.Options{Monitor: newMonitor(r)})
	got := fetch(t.Context(), t, conn, &fleetv1.FetchManifestsRequest{ResourceType: configMaps()})
	text := got.clusters[name].completion.GetError().GetMessage()
	if len(text) > 1024 || !strings.Contains(text, "known to be unreachable: xxx") || !strings.Contains(text, "never healthy") || !strings.HasSuffix(text, "tries it anyway") {
		t.Errorf("%d bytes: %s", len(text), text)
	}
}
