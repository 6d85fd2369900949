package fleet

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/labels"

	"github.com/clusterfleet/clusterfleet/internal/safetext"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// Selector says which clusters: those that are named, or all if none is, whose labels match and whose latest state is one
// of States, or any if none is given.
type Selector struct {
	Names  []string
	Labels string // in the syntax of Kubernetes
	States []cluster.State
}

// All reports whether the selector selects every cluster.
func (s Selector) All() bool { return len(s.Names) == 0 && s.Labels == "" && len(s.States) == 0 }

// UnknownClusterError says that the fleet has no clusters of these names.
type UnknownClusterError struct{ Names []string }

// Error names the first few.
func (e *UnknownClusterError) Error() string {
	const most = 5
	quoted := make([]string, 0, most)
	for _, name := range e.Names[:min(most, len(e.Names))] {
		quoted = append(quoted, `"`+safetext.Truncate(name, 253)+`"`)
	}
	text := strings.Join(quoted, ", ")
	if more := len(e.Names) - most; more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	if len(e.Names) == 1 {
		return "the fleet has no cluster " + text
	}
	return "the fleet has no clusters " + text
}

// selected returns the selected members in the order of their names, each once.
func (f *Fleet) selected(s Selector) ([]*member, error) {
	selector, err := labels.Parse(s.Labels)
	if err != nil {
		return nil, badRequest("selector.label_selector", err)
	}
	members, err := f.roster.Load().named(s.Names)
	if err != nil {
		return nil, err
	}
	if selector.Empty() && len(s.States) == 0 {
		return members, nil
	}
	var matching []*member
	for _, m := range members {
		if selector.Matches(m.labels) && (len(s.States) == 0 || slices.Contains(s.States, f.state(m))) {
			matching = append(matching, m)
		}
	}
	return matching, nil
}

// named returns the members of these names, all if there are none.
func (r *roster) named(names []string) ([]*member, error) {
	if len(names) == 0 {
		return r.sorted, nil
	}
	members := make([]*member, 0, len(names))
	var unknown []string
	for _, name := range names {
		m, err := r.find(name)
		if _, missing := errors.AsType[*UnknownClusterError](err); missing {
			unknown = append(unknown, name)
			continue
		}
		members = append(members, m)
	}
	if len(unknown) > 0 {
		return nil, &UnknownClusterError{Names: unknown}
	}
	slices.SortFunc(members, func(a, b *member) int { return strings.Compare(a.name(), b.name()) })
	return slices.Compact(members), nil
}

// state returns the state of the member's latest observation.
func (f *Fleet) state(m *member) cluster.State {
	if o := f.latest.get(m); o != nil {
		return o.Verdict.State
	}
	return cluster.Unknown
}
