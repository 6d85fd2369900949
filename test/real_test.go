package test_test

import (
	"testing"

	"github.com/clusterfleet/clusterfleet/test/internal/realkube"
)

// TestRealClusters runs the tests that three real API servers can share: none of them breaks one, and each keeps to
// namespaces of its own.
func TestRealClusters(t *testing.T) {
	fleet := realkube.Start(t, 3)
	for _, test := range []struct {
		name string
		run  func(*testing.T, *realkube.Fleet)
	}{
		{"all healthy", allHealthy},
		{"a credential or certificate that is wrong", wrongCredentials},
		{"a user of one namespace", userOfOneNamespace},
		{"a CRD in one cluster", customResourceInOneCluster},
		{"an APIService that is broken", brokenAPIService},
		{"workloads that sleep", workloadsThatSleep},
		{"objects over several pages", objectsOverSeveralPages},
		{"a list that changes while it is read", listThatChangesWhileItIsRead},
		{"tables", tables},
		{"selection and shape", selectionAndShape},
		{"objects that differ", differingObjects},
		{"Secrets", secretsStayWhereTheyAre},
		{"a kubeconfig of all sorts", kubeconfigOfAllSorts},
		{"a cluster that hangs", hangingClusterAmongGoodOnes},
		{"as documented", documentedCommands},
		{"manifests as documented", documentedManifests},
		{"a server killed in the middle of a stream", serverKilledMidStream},
		{"a caller killed mid-fetch", callerKilledMidFetch},
		{"an API server that limits a caller", limitedByPriority},
	} {
		t.Run(test.name, func(t *testing.T) { test.run(t, fleet) })
	}
}
