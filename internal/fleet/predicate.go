package fleet

import (
	"slices"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// Predicate returns what tells by a cluster's name, labels and state whether the selector selects it, whether or not the
// fleet has it. It is for what is known of clusters elsewhere. A label selector that makes no sense is a *RequestError.
func (s Selector) Predicate() (func(name string, l map[string]string, state cluster.State) bool, error) {
	selector, err := labels.Parse(s.Labels)
	if err != nil {
		return nil, badRequest("selector.label_selector", err)
	}
	names := make(map[string]struct{}, len(s.Names))
	for _, name := range s.Names {
		names[name] = struct{}{}
	}
	return func(name string, l map[string]string, state cluster.State) bool {
		if _, named := names[name]; !named && len(names) > 0 {
			return false
		}
		return selector.Matches(labels.Set(l)) && (len(s.States) == 0 || slices.Contains(s.States, state))
	}, nil
}
