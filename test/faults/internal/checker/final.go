package checker

import (
	"errors"
	"fmt"
	"strings"

	fleetv1 "github.com/clusterfleet/clusterfleet/gen/fleet/v1"
)

// RuleFinal is the rule of what is known when nothing changes any more.
const RuleFinal = "in the end everybody knows the same"

// final compares what attentive watchers know at the end with what a list tells.
func (j *judge) final() {
	if j.history.Final == nil {
		return
	}
	if !j.whole(j.history.Final) {
		j.violate(RuleFinal, j.end(), "of %d clusters the list has %v", len(j.schedule.Clusters), names(j.history.Final))
	}
	for _, text := range j.history.apart(j.history.Final) {
		j.violate(RuleFinal, j.end(), "%s", text)
	}
}

// Disagree returns an error where attentive watchers know other things by now than a list tells. They may go on watching.
func (h *History) Disagree(list []*fleetv1.ClusterHealth) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if texts := h.apart(list); len(texts) > 0 {
		return errors.New(strings.Join(texts, "; "))
	}
	return nil
}

// apart tells where attentive watchers know other things than a list.
func (h *History) apart(list []*fleetv1.ClusterHealth) (texts []string) {
	for _, w := range h.Watches {
		if !w.Attentive {
			continue
		}
		known := map[string]*fleetv1.ClusterHealth{}
		for _, s := range w.Seen {
			if h := s.Event.GetChanged(); h != nil {
				known[h.GetCluster()] = h
			}
		}
		for _, h := range list {
			seen := known[h.GetCluster()]
			if seen.GetState() != h.GetState() || !seen.GetSince().AsTime().Equal(h.GetSince().AsTime()) || seen.GetFlapping() != h.GetFlapping() {
				texts = append(texts, fmt.Sprintf("%s takes %s for %s since %s, the list for %s since %s",
					w.Watcher, h.GetCluster(), seen.GetState(), seen.GetSince().AsTime(), h.GetState(), h.GetSince().AsTime()))
			}
		}
	}
	return texts
}
