package fleet_test

import (
	"testing"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

func TestAPredicateSelectsByWholeNamesAndExactLabels(t *testing.T) {
	selects, err := fleet.Selector{Names: []string{"prod", "test"}, Labels: "tier=a"}.Predicate()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name, tier string
		want       bool
	}{
		{"prod", "a", true},
		{"test", "a", true},
		{"prod-1", "a", false},
		{"pro", "a", false},
		{"", "a", false},
		{"prod", "ab", false},
		{"prod", "", false},
	} {
		if got := selects(c.name, map[string]string{"tier": c.tier}, cluster.Healthy); got != c.want {
			t.Errorf("%q of tier %q is selected: %v", c.name, c.tier, got)
		}
	}
}
