package checker

import (
	"fmt"
	"slices"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// The rules of what answers hold: a count that adds up says nothing of what has been lost.
const (
	RuleContent = "a result that is good holds all that was asked for, and no other does"
	RuleList    = "a list has each cluster once"
)

// content checks what a result holds.
func (j *judge) content(c *Call, name string, r Result) {
	if err := j.holds(c, r); err != nil {
		j.violate(RuleContent, r.At, "%s, of %s: %v", c, name, err)
	}
}

func (j *judge) holds(c *Call, r Result) error {
	objects := slices.Compact(slices.Sorted(slices.Values(r.Objects)))
	if len(objects) < len(r.Objects) {
		return fmt.Errorf("of %d objects some come twice: %v", len(r.Objects), r.Objects)
	}
	n, good := len(objects), r.Error == nil
	switch c.Kind {
	case Probe:
		return j.observed(c, r)
	case Fetch:
		if n > c.Objects || good && n < c.Objects {
			return fmt.Errorf("it has %d of %d objects, and says %v", n, c.Objects, r.Error)
		}
	case Get:
		if good != (n == 1) {
			return fmt.Errorf("it has %d objects, and says %v", n, r.Error)
		}
	}
	return nil
}

// observed checks that a probe tells what it has found, which is of this call: also one that is shared ends after all who
// share it have begun.
func (j *judge) observed(c *Call, r Result) error {
	v := r.Observation.GetVerdict()
	if v == nil {
		return fmt.Errorf("it has no observation, and says %v", r.Error)
	}
	if healthy := v.GetState() == fleetv1.Verdict_STATE_HEALTHY; healthy != (r.Error == nil) {
		return fmt.Errorf("it has found %s, and says %v", brief(v), r.Error)
	}
	if at := j.history.Wall(r.Observation.GetObservedAt().AsTime()); at < c.Began-hurry {
		return fmt.Errorf("it was observed at %.3fs, before it was asked for", at.Seconds())
	}
	return nil
}

// lists checks that no list of the run leaves a cluster out.
func (j *judge) lists() {
	for _, l := range j.history.Lists {
		if !j.whole(l.Clusters) {
			j.violate(RuleList, l.At, "of %d clusters it has %v", len(j.schedule.Clusters), names(l.Clusters))
		}
	}
}

// whole reports whether a list has each cluster of the fleet once.
func (j *judge) whole(list []*fleetv1.ClusterHealth) bool {
	return slices.Equal(names(list), slices.Sorted(slices.Values(j.schedule.Clusters)))
}

// names are those of the clusters in a list, sorted.
func names(list []*fleetv1.ClusterHealth) (names []string) {
	for _, h := range list {
		names = append(names, h.GetCluster())
	}
	slices.Sort(names)
	return names
}
