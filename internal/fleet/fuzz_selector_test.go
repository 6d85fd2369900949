package fleet_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	klabels "k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/selection"

	"github.com/clusterfleet/clusterfleet/internal/fleet"
	"github.com/clusterfleet/clusterfleet/internal/fleettest"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// FuzzSelector: the clusters that a selector selects are those that its names, each requirement of its labels and its states
// allow when each is looked at for itself; of the fleet, and of what is known of clusters elsewhere.
func FuzzSelector(f *testing.F) {
	for _, text := range []string{
		"", "env=prod", "env in (prod, staging),!canary", "tier!=gold,region", "n>3,n<10", "n>x", "env notin (prod)", "env in ()", "a/b=c", "=", "env==prod,env!=prod", "x>1",
		"\x00", "env=prod,", "env in (,)", strings.Repeat("a,", 50) + "a",
	} {
		f.Add(text, "", uint8(0))
		f.Add(text, "prod-1", uint8(1))
		f.Add(text, "prod-1,prod-10", uint8(2))
		f.Add(text, "prod-1,no such,prod-1", uint8(3))
	}
	sets := map[string]klabels.Set{
		"prod-1": {"env": "prod", "tier": "gold", "n": "4"}, "prod-10": {"env": "prod", "canary": "", "n": "x"}, "stage-1": {"env": "staging", "region": "eu", "n": "10"}, "none": nil,
	}
	var definitions []cluster.Definition
	for name, set := range sets {
		definitions = append(definitions, cluster.Definition{Name: name, Virtual: true, Labels: set})
	}
	f.Fuzz(func(t *testing.T, text, names string, states uint8) {
		s := fleet.Selector{Labels: text}
		if names != "" {
			s.Names = strings.Split(names, ",")
		}
		for state := cluster.Unknown; state <= cluster.Unauthorized; state++ {
			if states&(1<<state) != 0 {
				s.States = append(s.States, state)
			}
		}
		requirements, wrong := klabels.ParseToRequirements(text)
		clusters := fleettest.Of(t, definitions, fleet.Options{})
		got, err := clusters.Clusters(s)
		selects, predicateErr := s.Predicate()
		if wrong != nil {
			bad, ok := errors.AsType[*fleet.RequestError](err)
			if !ok || bad.Field != "selector.label_selector" || predicateErr == nil || predicateErr.Error() != err.Error() {
				t.Errorf("%q: %v and %v, want what is wrong with the label selector: %v", text, err, predicateErr, wrong)
			}
			return
		}
		unknown, _ := errors.AsType[*fleet.UnknownClusterError](err)
		var missing, want, selected []string
		for _, name := range s.Names {
			if _, ok := sets[name]; !ok {
				missing = append(missing, name)
			}
		}
		if (unknown == nil) != (missing == nil) || unknown == nil && err != nil || unknown != nil && !slices.Equal(unknown.Names, missing) {
			t.Fatalf("%q: %v, missing are %q", names, err, missing)
		}
		for name, set := range sets {
			matches := allow(requirements, set) && (len(s.Names) == 0 || slices.Contains(s.Names, name))
			for state := cluster.Unknown; state <= cluster.Unauthorized; state++ {
				in := matches && (len(s.States) == 0 || slices.Contains(s.States, state))
				if selects(name, set, state) != in {
					t.Errorf("%s in state %v is selected: %t, want %t", name, state, !in, in)
				}
				if in && state == cluster.Unknown { // none was probed
					want = append(want, name)
				}
			}
		}
		for _, c := range got {
			selected = append(selected, c.Definition.Name)
		}
		slices.Sort(want)
		if diff := cmp.Diff(want, selected, cmpopts.EquateEmpty()); unknown == nil && diff != "" {
			t.Errorf("%+v (-want +got):\n%s", s, diff)
		}
	})
}

// allow tells whether labels meet all requirements, by what the documentation of Kubernetes says of each operator.
func allow(requirements []klabels.Requirement, set klabels.Set) bool {
	for _, r := range requirements {
		value, has := set[r.Key()]
		var met bool
		switch r.Operator() {
		case selection.Exists:
			met = has
		case selection.DoesNotExist:
			met = !has
		case selection.In, selection.Equals, selection.DoubleEquals:
			met = has && r.ValuesUnsorted() != nil && slices.Contains(r.ValuesUnsorted(), value)
		case selection.NotIn, selection.NotEquals:
			met = !has || !slices.Contains(r.ValuesUnsorted(), value)
		default: // what is compared as numbers has one value
			met = r.Matches(set)
		}
		if !met {
			return false
		}
	}
	return true
}
