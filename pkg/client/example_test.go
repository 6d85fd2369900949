package client_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"time"

	"google.golang.org/grpc"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

func ExampleClient_ProbeClusters() {
	address, stop := demoFleet()
	defer stop()
	c, err := client.Dial(address)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	probes := c.ProbeClusters(ctx, &fleetv1.ProbeClustersRequest{
		Selector: &fleetv1.ClusterSelector{LabelSelector: "env in (prod, staging)"},
		Depth:    fleetv1.Verdict_DEPTH_QUICK,
	})
	for result, err := range probes.Results() {
		if err != nil {
			log.Fatal(err) // the call failed
		}
		if err := client.StatusError(result.GetError()); err != nil {
			fmt.Printf("%s: %s\n", result.GetCluster(), client.Message(err)) // one cluster failed
			continue
		}
		fmt.Printf("%s is healthy\n", result.GetCluster())
	}
	fmt.Printf("%d of %d healthy\n", probes.Summary().GetSucceeded(), probes.Summary().GetExpected())
	// Output:
	// prod-1 is healthy
	// 1 of 1 healthy
}

func ExampleClient_FetchManifests() {
	address, stop := demoFleet()
	defer stop()
	c, err := client.Dial(address)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	fetch := c.FetchManifests(context.Background(), &fleetv1.FetchManifestsRequest{
		ResourceType: &fleetv1.ResourceType{Group: "apps", Resource: "deployments"},
		Namespace:    "shop",
	})
	for batch, err := range fetch.Results() {
		if err != nil {
			log.Fatal(err)
		}
		for _, object := range batch.GetManifests() {
			fmt.Println(batch.GetCluster(), object.GetNamespace(), object.GetName())
		}
	}
	// Output:
	// prod-1 shop web
}

func ExampleClient_Watch() {
	address, stop := demoFleet()
	defer stop()
	c, err := client.Dial(address)
	if err != nil {
		log.Fatal(err)
	}
	defer c.Close()

	states := map[string]fleetv1.Verdict_State{}
	for event, err := range c.Watch(context.Background(), &fleetv1.WatchClusterHealthRequest{}) {
		if err != nil {
			log.Fatal(err) // it does not go away
		}
		switch {
		case event.GetStarted().GetReset_():
			clear(states) // all are sent anew
		case event.GetChanged() != nil:
			states[event.GetChanged().GetCluster()] = event.GetChanged().GetState()
		case event.GetRemoved() != nil:
			delete(states, event.GetRemoved().GetCluster())
		case event.GetSynced() != nil:
			fmt.Println(states)
			return // or go on, for the changes
		}
	}
	// Output:
	// map[prod-1:STATE_HEALTHY]
}

func ExampleDial_mutualTLS() {
	c, err := client.Dial("fleet.example:7443", client.WithTLS(client.TLS{
		CAFile:   "/etc/clusterfleet/ca.pem",
		CertFile: "/etc/clusterfleet/me.pem",
		KeyFile:  "/etc/clusterfleet/me.key",
	}))
	if err != nil {
		fmt.Println("the files must exist")
		return
	}
	defer c.Close()
	// Output: the files must exist
}

// demoFleet serves a fleet of one cluster with one deployment.
func demoFleet() (address string, stop func()) {
	address, stop, err := clienttest.Start(clienttest.Script{
		ProbeClusters: send(nil, probeStarted(1), probeResult("prod-1"), probeSummary(1)),
		WatchClusterHealth: func(_ *watchRequest, out watchServer) error {
			prod := watchChanged("prod-1", "t1")
			prod.GetChanged().State = fleetv1.Verdict_STATE_HEALTHY
			return errors.Join(out.Send(watchStarted(true, "t1")), out.Send(prod), out.Send(watchSynced("t1")))
		},
		FetchManifests: func(_ *fleetv1.FetchManifestsRequest, out grpc.ServerStreamingServer[fleetv1.FetchManifestsResponse]) error {
			batch := &fleetv1.ManifestBatch{Cluster: "prod-1", Manifests: []*fleetv1.Manifest{{Namespace: "shop", Name: "web"}}}
			if err := out.Send(&fleetv1.FetchManifestsResponse{Event: &fleetv1.FetchManifestsResponse_Batch{Batch: batch}}); err != nil {
				return err
			}
			return out.Send(&fleetv1.FetchManifestsResponse{Event: &fleetv1.FetchManifestsResponse_Summary{Summary: &fleetv1.Summary{Expected: 1, Succeeded: 1}}})
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	return address, stop
}
