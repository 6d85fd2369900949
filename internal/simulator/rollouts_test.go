package simulator_test

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"

	"github.com/clusterfleet/clusterfleet/internal/simulator"
)

func TestOnlyClustersOfOneTierServeRollouts(t *testing.T) {
	fleet := start(t, simulator.Config{Clusters: 3})
	const path = "/apis/argoproj.io/v1alpha1/rollouts"
	for _, name := range []string{"sim-0001", "sim-0002"} {
		c := newClient(t, fleet, name)
		wantStatus(t, c.get(path), 404)
		wantStatus(t, c.get("/apis/argoproj.io/v1alpha1"), 404)
		wantStatus(t, c.get("/apis/example.com/v1/widgets"), 200)
	}
	c := newClient(t, fleet, "sim-0003") // tier=batch
	wantStatus(t, c.get(path), 200, `"kind":"RolloutList"`, `"hibernator.devtron.ai/replicas":"3"`)
	wantStatus(t, c.get("/apis/argoproj.io/v1alpha1"), 200, `"name":"rollouts"`)
	if n := len(c.list(path).Items); n != 7 {
		t.Errorf("%d rollouts", n)
	}
}

func TestEverySeventhWorkloadIsHibernatedAndEveryTenthReplicaSetStandsAlone(t *testing.T) {
	c := newClient(t, start(t, simulator.Config{Clusters: 1, Counts: map[string]int{"statefulsets": 21, "replicasets": 30}}), "sim-0001")
	var sets appsv1.StatefulSetList
	c.get("/apis/apps/v1/statefulsets").decode(t, &sets)
	hibernated := 0
	for _, s := range sets.Items {
		if *s.Spec.Replicas == 0 && s.Annotations["hibernator.devtron.ai/replicas"] == "3" {
			hibernated++
		}
	}
	var replicaSets appsv1.ReplicaSetList
	c.get("/apis/apps/v1/replicasets").decode(t, &replicaSets)
	alone := 0
	for _, r := range replicaSets.Items {
		if len(r.OwnerReferences) == 0 {
			alone++
		}
	}
	if hibernated != 3 || alone != 3 {
		t.Errorf("%d stateful sets of %d are hibernated, %d replica sets of %d stand alone", hibernated, len(sets.Items), alone, len(replicaSets.Items))
	}
}
