package overview

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/clusterfleet/clusterfleet/internal/health"
	"github.com/clusterfleet/clusterfleet/pkg/cluster"
)

// view is what all sections look at. Nobody changes it.
type view struct {
	Request

	history History
	records []*health.Record // the selected ones
}

// part makes one section. What make returns puts it into the overview.
type part struct {
	section Section
	make    func(context.Context) (put func(*Overview), err error)
}

func (v *view) sections() []part {
	return []part{
		{SectionTransitions, v.transitions}, // the only one that waits for others
		{SectionIncidents, v.incidents},
		{SectionStates, v.states},
		{SectionReasons, v.reasons},
		{SectionVersions, v.versions},
		{SectionExpiring, v.expiring},
		{SectionSlowest, v.slowest},
	}
}

func (v *view) states(context.Context) (func(*Overview), error) {
	total := &States{}
	byValue := map[string]*States{}
	for _, r := range v.records {
		total.add(r)
		if v.GroupBy == "" {
			continue
		}
		value := r.Subject.Labels[v.GroupBy]
		if byValue[value] == nil {
			byValue[value] = &States{Value: value}
		}
		byValue[value].add(r)
	}
	var groups []States
	for _, s := range byValue {
		groups = append(groups, *s)
	}
	groups = top(groups, v.Limit, func(a, b States) int {
		return cmp.Or(cmp.Compare(b.Total, a.Total), strings.Compare(a.Value, b.Value))
	})
	return func(o *Overview) { o.States, o.Groups = total, groups }, nil
}

func (s *States) add(r *health.Record) {
	s.Total++
	if r.Subject.Virtual {
		s.Virtual++
		return
	}
	if r.Subject.Maintenance {
		s.Maintenance++
	}
	if r.Flapping {
		s.Flapping++
	}
	switch r.State {
	case cluster.Healthy:
		s.Healthy++
	case cluster.Degraded:
		s.Degraded++
	case cluster.Unreachable:
		s.Unreachable++
	case cluster.Unauthorized:
		s.Unauthorized++
	case cluster.Unknown:
		s.Unknown++
	}
}

func (v *view) reasons(context.Context) (func(*Overview), error) {
	byReason := map[cluster.Reason][]string{}
	for _, r := range v.records {
		if reason := reasonOf(r); reason != "" {
			byReason[reason] = append(byReason[reason], r.Subject.Name)
		}
	}
	var reasons []Reason
	for reason, names := range byReason {
		slices.Sort(names)
		reasons = append(reasons, Reason{reason, len(names), names[:min(v.Limit, len(names))]})
	}
	reasons = top(reasons, v.Limit, func(a, b Reason) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), cmp.Compare(a.Reason, b.Reason))
	})
	return func(o *Overview) { o.Reasons = reasons }, nil
}

// reasonOf returns why a cluster is not healthy, empty if it is or the latest probe found nothing wrong.
func reasonOf(r *health.Record) cluster.Reason {
	switch {
	case r.Subject.Virtual || r.State == cluster.Healthy:
		return ""
	case r.Suspect:
		return cluster.ObserverSuspect
	case r.Verdict == nil:
		return ""
	}
	return r.Verdict.Reason
}

func (v *view) versions(context.Context) (func(*Overview), error) {
	counts := map[string]int{}
	for _, r := range v.records {
		switch {
		case r.Subject.Virtual:
		case r.Verdict == nil:
			counts[""]++
		default:
			counts[r.Verdict.ServerVersion]++
		}
	}
	var versions []Version
	for version, count := range counts {
		versions = append(versions, Version{version, count})
	}
	versions = top(versions, v.Limit, func(a, b Version) int {
		return cmp.Or(cmp.Compare(b.Count, a.Count), strings.Compare(a.Version, b.Version))
	})
	return func(o *Overview) { o.Versions = versions }, nil
}

func (v *view) expiring(context.Context) (func(*Overview), error) {
	soon := time.Now().Add(v.ExpiringWithin)
	var expiring []Expiring
	for _, r := range v.records {
		for _, e := range r.Expiries {
			if !e.At.After(soon) {
				expiring = append(expiring, Expiring{r.Subject.Name, e.Kind, e.At})
			}
		}
	}
	expiring = top(expiring, v.Limit, func(a, b Expiring) int {
		return cmp.Or(a.At.Compare(b.At), strings.Compare(a.Cluster, b.Cluster), cmp.Compare(a.Kind, b.Kind))
	})
	return func(o *Overview) { o.Expiring = expiring }, nil
}

// incidents looks at the whole fleet: what is usual cannot be told from a part of it.
func (v *view) incidents(context.Context) (func(*Overview), error) {
	selected := make(map[string]struct{}, len(v.records))
	for _, r := range v.records {
		selected[r.Subject.Name] = struct{}{}
	}
	isSelected := func(name string) bool {
		_, ok := selected[name]
		return ok
	}
	var incidents []health.Incident
	for _, i := range health.Correlate(v.Fleet) {
		if len(incidents) < v.Limit && slices.ContainsFunc(i.Members, isSelected) {
			incidents = append(incidents, i)
		}
	}
	return func(o *Overview) { o.Incidents = incidents }, nil
}

func (v *view) slowest(context.Context) (func(*Overview), error) {
	var timed []*health.Record
	for _, r := range v.records {
		if r.Latency.N > 0 {
			timed = append(timed, r)
		}
	}
	slowest := top(timed, v.Limit, func(a, b *health.Record) int {
		return cmp.Or(cmp.Compare(b.Latency.P99, a.Latency.P99), strings.Compare(a.Subject.Name, b.Subject.Name))
	})
	return func(o *Overview) { o.Slowest = slowest }, nil
}

func (v *view) transitions(ctx context.Context) (func(*Overview), error) {
	if v.history == nil {
		return nil, ErrNoHistory
	}
	query := health.HistoryQuery{Limit: v.Limit}
	if v.Selected != nil {
		if len(v.records) == 0 {
			return func(*Overview) {}, nil
		}
		query.Clusters = make(map[string]struct{}, len(v.records))
		for _, r := range v.records {
			query.Clusters[r.Subject.Name] = struct{}{}
		}
	}
	transitions, err := v.history.Transitions(ctx, query)
	if err != nil {
		return nil, err
	}
	return func(o *Overview) { o.Transitions = transitions[:min(v.Limit, len(transitions))] }, nil
}

// top returns the first of the elements in the given order, at most limit.
func top[E any](all []E, limit int, order func(a, b E) int) []E {
	slices.SortFunc(all, order)
	return all[:min(limit, len(all))]
}
