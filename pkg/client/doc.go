// Package client is the Go SDK of the aggregator: it dials it, calls fleet.v1 and turns the streams into iterators.
//
// A [Client] holds one connection and is safe for concurrent use. Each call but
// a watch carries a deadline: the context's own, or [DefaultTimeout]. A fan-out call returns a [Stream], an iterator of results that knows what was expected and, once it
// ended, how the whole call went:
//
//	probes := c.ProbeClusters(ctx, &fleetv1.ProbeClustersRequest{})
//	for result, err := range probes.Results() {
//		if err != nil {
//			return err // the call failed; a cluster's failure is data: result.GetError()
//		}
//		fmt.Println(result.GetCluster(), result.GetObservation().GetVerdict().GetState())
//	}
//	fmt.Println(probes.Summary().GetSucceeded(), "healthy")
//
// Leaving the loop early cancels the call, here and in the aggregator.
//
// [Client.Watch] tells the health of clusters as it changes, for as long as it is ranged over: where the call breaks off it
// is made again and goes on behind the last event.
//
// Errors are gRPC statuses; [Reason], [Hint], [RetryAfter] and [Violations] read their details. An aggregator that cannot
// be reached is a [ConnectError].
package client
