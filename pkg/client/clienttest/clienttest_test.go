package clienttest_test

import (
	"testing"

	"go.uber.org/goleak"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
	"github.com/clusterfleet/clusterfleet/pkg/client"
	"github.com/clusterfleet/clusterfleet/pkg/client/clienttest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAMethodWithoutScriptIsUnimplemented(t *testing.T) {
	c, err := client.Dial(clienttest.Serve(t, clienttest.Script{}))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, get := c.GetCluster(t.Context(), "c1")
	calls := map[string]error{"GetCluster": get}
	for _, err := range c.ListClusters(t.Context(), nil) {
		calls["ListClusters"] = err
	}
	for _, err := range c.ProbeClusters(t.Context(), &fleetv1.ProbeClustersRequest{}).Results() {
		calls["ProbeClusters"] = err
	}
	for _, err := range c.FetchManifests(t.Context(), &fleetv1.FetchManifestsRequest{}).Results() {
		calls["FetchManifests"] = err
	}
	for _, err := range c.GetManifests(t.Context(), &fleetv1.GetManifestsRequest{}).Results() {
		calls["GetManifests"] = err
	}
	for _, err := range c.SummarizeHibernation(t.Context(), &fleetv1.SummarizeHibernationRequest{}).Results() {
		calls["SummarizeHibernation"] = err
	}
	for _, err := range c.ListClusterHealth(t.Context(), nil) {
		calls["ListClusterHealth"] = err
	}
	for _, err := range c.Watch(t.Context(), nil) {
		calls["WatchClusterHealth"] = err
	}
	for _, err := range c.ListTransitions(t.Context(), nil) {
		calls["ListTransitions"] = err
	}
	_, calls["GetFleetOverview"] = c.GetFleetOverview(t.Context(), nil)
	if len(calls) != 10 {
		t.Errorf("only %d methods answered", len(calls))
	}
	for method, err := range calls {
		if status.Code(err) != codes.Unimplemented {
			t.Errorf("%s: %v", method, err)
		}
	}
}
